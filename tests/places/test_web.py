"""Profiles from the web: a real server over TLS with an authority of its own, and everything it may do wrong."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from monitor_scenes import make_profile
from places.sites import Page, Site, dripping, endless, silent, site
from support import eventually

from exporter import locations
from exporter.places import asking, web
from exporter.places.asking import ABSENT, FAILED, FOUND, INVALID, SAME, Known, Order
from exporter.places.content import Absent, Refused
from exporter.profile import document

SECRET = "hunter2"  # noqa: S105


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("profile")
    document.save(make_profile(directory), str(directory / "made.json"))
    return (directory / "made.json").read_bytes()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture
def store(server: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site, believed by our processes."""
    assert server.certificate is not None
    monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
    server.pages.clear()
    server.asked.clear()
    return server


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_profile_is_fetched_by_a_process_of_its_own_and_not_again_until_it_changes(
    store: Site, profile: bytes, tmp_path: Path
) -> None:
    store.put("/p.json", profile, ETag='"1"')
    before = descriptors()
    copy = tmp_path / "copies" / "p.json"
    answer, raw = asking.ask(Order(store.url("/p.json"), copy=str(copy)))
    sha256 = hashlib.sha256(profile).hexdigest()
    assert (answer.outcome, answer.known, raw) == (FOUND, Known('"1"', sha256), profile)
    assert copy.read_bytes() == profile
    assert copy.stat().st_mode & 0o077 == 0
    again, raw = asking.ask(Order(store.url("/p.json"), answer.known))
    assert (again.outcome, again.known, raw) == (SAME, answer.known, b"")
    assert store.asked[-1][1]["If-None-Match"] == '"1"'
    store.put("/p.json", profile + b"\n", ETag='"2"')
    assert asking.ask(Order(store.url("/p.json"), answer.known))[0].outcome == FOUND
    store.put("/p.json", profile, ETag='"3"')
    third, _ = asking.ask(Order(store.url("/p.json"), answer.known))
    assert (third.outcome, third.known) == (SAME, Known('"3"', sha256)), "the same bytes under another tag"
    eventually(lambda: descriptors() <= before, what="descriptors given back")  # the site's own among them, in its time


def test_a_date_does_where_there_is_no_tag(store: Site, profile: bytes) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    store.put("/p.json", profile, Last_Modified=date)
    answer, _ = asking.ask(Order(store.url("/p.json")))
    assert answer.known.mark == date
    assert asking.ask(Order(store.url("/p.json"), answer.known))[0].outcome == SAME
    assert store.asked[-1][1]["If-Modified-Since"] == date


def test_what_is_not_what_was_pinned_is_refused(store: Site, profile: bytes) -> None:
    store.put("/p.json", profile)
    sha256 = hashlib.sha256(profile).hexdigest()
    assert asking.ask(Order(f"{store.url('/p.json')}#sha256={sha256.upper()}"))[0].outcome == FOUND
    answer, raw = asking.ask(Order(f"{store.url('/p.json')}#sha256={'0' * 64}"))
    assert (answer.outcome, raw) == (INVALID, b"")
    assert answer.words == f"its SHA-256 is {sha256}, not the pinned one"


@pytest.mark.parametrize(("page", "outcome", "words"), [
    (Page(404), ABSENT, "the server has nothing there (404)"),
    (Page(410), ABSENT, "the server has nothing there (410)"),
    (Page(401), FAILED, "the server wants other credentials (401)"),
    (Page(403), FAILED, "the server forbids it (403)"),
    (Page(503, b"secret words of the server"), FAILED, "the server answered 503"),
    (Page(200, b"<html>"), INVALID, "the profile: not JSON: Expecting value: line 1 column 1 (char 0)"),
    (Page(200, b""), INVALID, "the profile: not JSON: Expecting value: line 1 column 1 (char 0)"),
    (Page(200, b'{"format": "inference-exporter/profile/99"}'), INVALID,
     "the profile: format: version 99 is of a newer exporter, this one reads up to 2"),
    (Page(302, b"", {"Location": "/page"}), FAILED, "more than 5 redirects"),
    (Page(302, b"", {"Location": "file:///etc/passwd"}), FAILED, "redirected to what is no web address"),
    (Page(302, b"", {"Location": "http://localhost:1/"}), FAILED, "redirected from https to http"),
    (Page(304), FAILED, "the store says that nothing has changed, and was not asked that"),
    (Page(302), FAILED, "the server answered 302"),
    (Page(behave=endless), FAILED, "larger than 64 MiB"),
    (Page(200, b"short", {"Transfer-Encoding": "chunked"}), FAILED,
     "the server does not speak HTTP as it should (IncompleteRead)"),
])  # fmt: skip
def test_everything_that_a_server_may_say_instead_is_said_in_our_own_words(
    store: Site, page: Page, outcome: str, words: str
) -> None:
    store.pages["/page"] = page
    answer, raw = asking.ask(Order(store.url("/page?signature=secret")))
    assert (answer.outcome, answer.words, raw) == (outcome, words, b"")
    assert answer.known == Known()


def test_a_server_that_says_nothing_or_a_byte_now_and_then_holds_up_nobody_for_longer_than_the_limit(
    store: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for behave in (silent, dripping):
        store.pages["/page"] = Page(behave=behave)
        answer, _ = asking.ask(Order(store.url("/page"), time_limit_s=2.0))
        assert (answer.outcome, answer.words) == (FAILED, "not fetched within 2 s")
    store.pages["/page"] = Page(behave=silent)
    monkeypatch.setattr(web, "_PATIENCE_S", 0.5)
    with pytest.raises(Refused, match=r"no answer within 0\.5 s"):
        web.fetch(locations.parse(store.url("/page")), "")


def test_a_server_whose_certificate_nobody_vouches_for_is_not_believed(
    store: Site, profile: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("/p.json", profile)
    monkeypatch.delenv("SSL_CERT_FILE")
    answer, _ = asking.ask(Order(store.url("/p.json")))
    assert answer.outcome == FAILED
    assert answer.words.startswith("the server's certificate is not to be trusted: ")
    assert store.asked == []


def test_a_server_that_is_not_there_or_speaks_no_tls_is_a_clear_failure(store: Site) -> None:
    with site(None) as plain:
        port = plain.port
        answer, _ = asking.ask(Order(f"https://localhost:{port}/p.json"))
        assert answer.words.startswith("TLS failed (")
    answer, _ = asking.ask(Order(f"http://localhost:{port}/p.json"))
    assert answer.words == "the server cannot be reached: Connection refused"
    answer, _ = asking.ask(Order("https://does-not-exist.invalid/p.json"))
    assert answer.words.startswith("the server cannot be reached: ")
    with pytest.raises(Absent):
        web.fetch(locations.parse(store.url("/nothing")), "")
    answer, _ = asking.ask(Order("https://localhost:port/p.json"))
    assert answer.outcome == FAILED


def test_a_password_goes_to_its_own_server_alone_and_a_redirect_is_followed(
    store: Site, profile: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(tmp_path) as other:
        both = tmp_path / "both.pem"
        both.write_text("".join(Path(str(one.certificate)).read_text() for one in (store, other)))
        monkeypatch.setenv("SSL_CERT_FILE", str(both))
        other.put("/there.json", profile)
        store.pages["/p.json"] = Page(307, b"", {"Location": "/nearer.json"})
        store.pages["/nearer.json"] = Page(301, b"", {"Location": other.url("/there.json")})
        answer, _ = asking.ask(Order(store.url("/p.json", f"me:{SECRET}@")))
        assert answer.outcome == FOUND
        assert [headers.get("Authorization") for _, headers in store.asked] == ["Basic bWU6aHVudGVyMg=="] * 2
        assert ["Authorization" in headers for _, headers in other.asked] == [False]


def test_proxies_of_the_environment_are_used(profile: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(None) as proxy:
        monkeypatch.setenv("http_proxy", f"http://localhost:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        proxy.put("http://models.example/p.json", profile)
        assert asking.ask(Order("http://models.example/p.json"))[0].outcome == FOUND


def test_copies_are_bounded_in_number_and_a_disk_that_takes_none_costs_the_copy_alone(
    store: Site, profile: bytes, tmp_path: Path
) -> None:
    store.put("/p.json", profile)
    for number in range(70):
        (tmp_path / f"{number}.json").write_text("")
    assert asking.ask(Order(store.url("/p.json"), copy=str(tmp_path / "new.json")))[0].outcome == FOUND
    assert len(list(tmp_path.iterdir())) == 64
    assert (tmp_path / "new.json").read_bytes() == profile
    assert asking.ask(Order(store.url("/p.json"), copy="/proc/nowhere/new.json"))[0].outcome == FOUND
