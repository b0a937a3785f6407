"""What stands before every page: names, browsers, rates, passwords, tokens; and what every answer says."""

import base64
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from web.doors import TEXT, Answer, Served, peer, rest, served
from web.status.sample import Sample

from exporter.events.desk import Desk
from exporter.handoff import board
from exporter.sections import Events
from exporter.status.facts import StatusFacts

SECRET = "secret"  # noqa: S105 (of this test)
HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 (of this test)
EVENT = {"Ce-Type": "a.inference.request", "Ce-Id": "1", "Ce-Specversion": "1.0", "Ce-Source": "x"}


def config(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


def users(folder: Path, hashed: str = HASH) -> Path:
    return config(folder, f"basic_auth_users: {{ann: {hashed}}}\n")


def with_password(password: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()}


def with_token(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def desk() -> Desk:
    return Desk(Events(), board.attach(board.create()))


# --- what every answer says

PATHS = ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere", "/-/reload", "/a\x7f", "/events", "/%ff%fe"]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_browsers_all_that_it_does_not_need(path: str, method: str, pages: Served) -> None:
    path = path.replace("\x7f", "")
    _is_strict(pages.ask(path, method))


@pytest.fixture(scope="module")
def pages() -> Any:
    with served() as at:
        yield at


def _is_strict(answer: Answer) -> None:
    headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "deny")
    assert (headers["Referrer-Policy"], headers["Server"]) == ("no-referrer", "inference-exporter")
    if answer.status >= 400:
        assert headers["Content-Type"].startswith("text/plain")
        assert b"<" not in answer.body
        assert b"Traceback" not in answer.body


@pytest.mark.parametrize(("sent", "status"), [
    (b"GET /metrics HTTP/1.1\r\nHost: x\n\r\n", b"400"),
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    (b"GET /?" + b"a=1&" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", b"413"),
    (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"505"),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
])  # fmt: skip
def test_what_is_no_request_is_refused_as_strictly(sent: bytes, status: bytes, pages: Served) -> None:
    with peer(pages.port) as client:
        client.send(sent)
        found = rest(client)
    head = found.partition(b"\r\n\r\n")[0]
    assert found.split()[1] == status
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"Server: inference-exporter\r\n" in head
    assert b"Connection: close" in head


def test_a_page_that_fails_says_nothing_of_how_it_works_inside() -> None:
    class Broken(Sample):
        def now(self) -> StatusFacts | None:
            raise RuntimeError("a path and a password")

    with served(source=Broken()) as at:
        answer = at.ask("/")
    assert (answer.status, answer.body) == (500, b"500 internal server error\n")
    _is_strict(answer)


def test_a_wrong_method_names_the_right_ones(pages: Served) -> None:
    answer = pages.ask("/-/quit")
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


def test_headers_that_the_file_says_stand_in_the_place_of_ours_and_change_with_it(tmp_path: Path) -> None:
    text = "http_server_config: {headers: {X-Frame-Options: %s, Strict-Transport-Security: max-age=60}}\n"
    with served(config(tmp_path, text % "sameorigin")) as at:
        first = at.ask("/nowhere").headers
        config(tmp_path, text % "deny")
        second = at.ask("/nowhere").headers
    assert (first["X-Frame-Options"], second["X-Frame-Options"]) == ("sameorigin", "deny")
    assert first["Strict-Transport-Security"] == "max-age=60"
    assert first["X-Content-Type-Options"] == "nosniff"


# --- names and browsers


@pytest.mark.parametrize(("host", "status"), [
    ("localhost", 200), ("localhost:9877", 200), ("127.0.0.1:1", 200), ("[::1]:9877", 200), ("10.1.2.3", 200),
    ("evil.example", 421), ("evil.example:80", 421), ("localhost.evil.example", 421), ("", 200), ("[evil]", 421),
])  # fmt: skip
def test_on_loopback_only_its_own_names_are_answered(host: str, status: int) -> None:
    with served(address="127.0.0.1:9877") as at:
        assert at.ask(headers={"Host": host}).status == status


def test_names_that_are_allowed_are_answered_and_elsewhere_any_are() -> None:
    with served(hosts=("Models.example",)) as at:
        assert at.ask(headers={"Host": "models.EXAMPLE.:443"}).status == 200
        assert at.ask(headers={"Host": "other.example"}).status == 421
        assert at.refused() == {"host": 1}
    with served() as at:
        assert at.ask(headers={"Host": "anything"}).status == 200


@pytest.mark.parametrize("path", ["/-/quit", "/-/reload", "/-/observe?enabled=false", "/events"])
@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"},
])  # fmt: skip
def test_pages_of_browsers_may_not_post_anything(path: str, headers: dict[str, str]) -> None:
    asked: list[bool] = []
    at_desk = desk()
    with served(observe=asked.append, events=at_desk) as at:
        answer = at.ask(path, "POST", headers=headers | EVENT, body=b"{}")
        assert (answer.status, at.refused()) == (403, {"origin": 1})
    assert not asked
    assert at_desk.snapshot().received == 0


def test_people_may_look_at_pages_from_anywhere_and_programs_may_post() -> None:
    asked: list[bool] = []
    with served(observe=asked.append, source=Sample()) as at:
        assert at.ask("/", headers={"Sec-Fetch-Site": "cross-site"}).status == 200
        assert at.ask("/-/observe?enabled=false", "POST", headers={"Sec-Fetch-Site": "none"}).status == 200
        assert at.ask("/-/observe?enabled=true", "POST").status == 200
    assert asked == [False, True]


# --- rates


def test_more_than_the_rate_allows_is_refused_and_the_rest_is_served(tmp_path: Path) -> None:
    with served(config(tmp_path, "rate_limit: {interval: 1h, burst: 3}\n")) as at:
        answers = [at.ask() for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].headers["Retry-After"]
        config(tmp_path, "rate_limit: {interval: 1h, burst: 3}\n# the same\n")
        assert at.ask().status == 429
        config(tmp_path, "rate_limit: {interval: 1ms, burst: 3}\n")
        assert at.ask().status == 200
        assert at.refused() == {"rate_limit": 3}


# --- passwords and tokens


def test_a_password_is_asked_for_everywhere_and_a_changed_one_counts_at_once(tmp_path: Path) -> None:
    with served(users(tmp_path)) as at:
        for path in ("/", "/metrics", "/-/healthy", "/nowhere", "/events"):
            answer = at.ask(path)
            assert (answer.status, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
            _is_strict(answer)
        assert at.ask(headers=with_password("wrong")).status == 401
        assert at.ask(headers=with_password()).body == TEXT
        users(tmp_path, bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode())
        assert at.ask(headers=with_password()).status == 401
        assert at.ask(headers=with_password("new")).body == TEXT


def test_a_broken_file_leaves_the_passwords_that_were_in_force(tmp_path: Path) -> None:
    with served(users(tmp_path)) as at:
        assert at.ask(headers=with_password()).status == 200
        config(tmp_path, "basic_auth_users: {ann: secret}\n")
        assert at.ask().status == 401
        assert at.ask(headers=with_password()).status == 200
        (tmp_path / "web.yml").unlink()
        assert at.ask().status == 401
        assert at.entrance.standing.file.is_fine is False  # type: ignore[union-attr]


def test_nobody_is_served_while_the_first_file_is_broken(tmp_path: Path) -> None:
    with served(config(tmp_path, "basic_auth_users: {ann: secret}\n")) as at:
        with pytest.raises(OSError):  # noqa: PT011 (reset or closed)
            at.ask()
        standing = at.entrance.standing.file
        assert standing is not None
        assert (standing.is_fine, standing.since_wall_s) == (False, 0.0)
        users(tmp_path)
        assert at.ask(headers=with_password()).status == 200


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def post(at: Served, headers: dict[str, str]) -> int:
    return at.ask("/events", "POST", headers=headers | EVENT, body=b'{"instances": [[1]]}').status


def test_events_need_their_token_and_a_changed_one_counts_at_once(token: Path) -> None:
    at_desk = desk()
    with served(tokens={"/events": ("events.token_file", str(token))}, events=at_desk) as at:
        for headers in ({}, with_token("x" * 32), with_token(TOKEN[:-1]), with_token(""), with_password(TOKEN)):
            assert post(at, headers) == 401
        assert at.ask("/events", "POST").headers["WWW-Authenticate"].startswith("Bearer")
        assert post(at, with_token()) == 200
        assert at.ask().body == TEXT, "other pages need none"
        token.write_text("f" * 40)
        assert (post(at, with_token()), post(at, with_token("f" * 40))) == (401, 200)
        token.write_text("short")
        assert post(at, with_token("f" * 40)) == 200
        token.unlink()
        assert (post(at, with_token("")), post(at, with_token("f" * 40))) == (401, 200)
    assert at_desk.snapshot().received == 4


def test_where_both_are_said_the_token_counts_for_events_and_the_password_for_all_else(
    tmp_path: Path, token: Path
) -> None:
    with served(users(tmp_path), tokens={"/events": ("events.token_file", str(token))}, events=desk()) as at:
        assert (post(at, with_token()), post(at, with_password())) == (200, 401)
        assert at.ask(headers=with_token()).status == 401
        assert at.ask(headers=with_password()).status == 200
        assert at.ask("/events/", "POST", headers=with_token(), body=b"").status == 401


def test_without_a_usable_token_nobody_posts_events(tmp_path: Path) -> None:
    with served(tokens={"/events": ("events.token_file", str(tmp_path / "none"))}, events=desk()) as at:
        assert [post(at, headers) for headers in ({}, with_token(""), with_token("None"))] == [401] * 3


def test_a_long_body_of_a_stranger_is_refused_and_the_refusal_is_read(token: Path) -> None:
    with served(tokens={"/events": ("events.token_file", str(token))}, events=desk()) as at, peer(at.port) as client:
        client.send(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
        client.send(b"x" * 10_000_000)
        assert rest(client).startswith(b"HTTP/1.1 401 ")
