"""A sidecar whose profile comes, changes, breaks, is mended and cannot be reached, wherever it lives."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from places.sites import Page, Site, silent, site
from support import Metrics, Sidecar, build_profile, command, eventually, model_server, predict, sidecar

FAST = ("--windows.pane", "1s", "--windows.lengths", "60s,1000s", "--windows.snapshot-interval", "100ms")
OFTEN = ("--profile-poll-interval", "500ms")
SECRET = "hunter2"  # noqa: S105


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with model_server() as port:
        yield port


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Profiles of features a and b."""
    directory = tmp_path_factory.mktemp("made")
    found = {}
    for name, most in (("one", 50), ("two", 30)):
        rows = "".join(f"{at * 7 % most},{(at * 7 + 1) % most},{at % 9}\n" for at in range(400))
        (directory / "train.csv").write_text(f"a,b,p\n{rows}")
        path = directory / f"{name}.json"
        found[name] = build_profile(directory / "train.csv", path, "--prediction", "p").read_bytes()
    return found


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with site(tmp_path / "tls") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


def page(running: Sidecar) -> Metrics | None:
    """A scrape, None where nobody answers at this moment."""
    status, body = running.get(running.web_port, "/metrics")
    return Metrics(body.decode()) if status == 200 else None


def in_force(running: Sidecar) -> str:
    """The digest of the profile in force; empty where there is none."""
    shown = page(running)
    found = {labels["profile"] for labels, _ in shown.all("model_profile_info")} if shown else set()
    return found.pop() if len(found) == 1 else ""


def another(running: Sidecar, before: str) -> str:
    digest: str = eventually(lambda: (now := in_force(running)) != before and now, what="another profile")
    return digest


def self_metric(running: Sidecar, name: str) -> float:
    shown: Metrics = eventually(lambda: page(running), what="a page")
    return shown.value(f"inference_exporter_profile_{name}")


def put(path: Path, content: bytes) -> None:
    half = path.with_suffix(".half")
    half.write_bytes(content)
    half.rename(path)


def kill_the_analyser(running: Sidecar) -> None:
    before = running.pid_of("exporter.analyser")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: running.pid_of("exporter.analyser") not in {0, before}, what="the next analyser")


def bins(running: Sidecar, digest: str) -> float:
    return running.metrics().total("model_feature_bin_total", profile=digest, feature="a")


# --- files


def test_a_file_that_is_not_there_yet_breaks_and_is_mended(
    upstream: int, made: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "profile.json"
    with sidecar(upstream, "--profile", str(path), *FAST) as running:
        predict(running.url, [[1, 2]])
        metrics = running.settled(1)
        assert metrics.value("inference_exporter_profile_loaded") == 0
        assert self_metric(running, "last_look_successful") == 0
        worker = running.pid_of("exporter.worker")
        put(path, made["one"])
        one = another(running, "")
        predict(running.url, [[1, 2]])
        running.settled(2)
        assert bins(running, one) == 1
        assert self_metric(running, "last_look_successful") == 1
        assert self_metric(running, "last_look_success_timestamp_seconds") == pytest.approx(time.time(), abs=600)
        assert self_metric(running, "errors_total") == 0

        put(path, made["one"][:-40])
        eventually(lambda: self_metric(running, "errors_total") == 1, what="the broken file")
        assert self_metric(running, "last_look_successful") == 0
        predict(running.url, [[1, 2]])
        running.settled(3)
        assert (in_force(running), bins(running, one)) == (one, 2)
        kill_the_analyser(running)
        assert another(running, "") == one, "an analyser that is started again finds the profile that was in force"
        assert bins(running, one) == 2

        put(path, made["two"])
        two = another(running, one)
        predict(running.url, [[1, 2]])
        metrics = running.settled(4)
        assert metrics.all("model_feature_bin_total", profile=one) == []
        assert bins(running, two) == 1
        assert metrics.value("model_requests_total", code="200") == 4
        assert running.pid_of("exporter.worker") == worker
        log = running.log()
        assert log.count(f"profile: {path}: there is no such file; there is none before it") == 1
        assert log.count(f"profile: {path}: the profile: not JSON") == 1
        assert log.count("the profile before it stays in force") == 1

        path.unlink()
        eventually(lambda: self_metric(running, "last_look_successful") == 0, what="the file that has gone")
        assert (in_force(running), self_metric(running, "errors_total")) == (two, 1)


def test_a_file_that_is_broken_or_not_what_was_pinned_at_the_start_is_an_error(
    upstream: int, made: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(made["one"])
    pinned = f"{path}#sha256={'0' * 64}"
    for place, words in ((pinned, "not the pinned one"), (str(path), "not JSON")):
        for name in (("check",), ("serve", "--upstream", f"http://127.0.0.1:{upstream}")):
            done = command(*name, "--profile", place)
            assert done.returncode == 65
            assert words in done.stderr
        path.write_bytes(made["one"][:-40])
    path.unlink()
    done = command("check", "--profile", str(path))
    assert (done.returncode, done.stderr) == (
        64, f"inference-exporter: profile: cannot read {path}: No such file or directory\n"
    )  # fmt: skip


def test_a_reload_moves_to_another_place_or_changes_nothing(
    upstream: int, made: dict[str, bytes], store: Site, tmp_path: Path
) -> None:
    for name, content in made.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    settings = tmp_path / "exporter.yml"

    def reload(place: str | None, says: str) -> None:
        lines = running.log().count(says)
        settings.write_text(f"profile: {place}\n" if place else "")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: running.log().count(says) > lines, what=says)

    settings.write_text(f"profile: {tmp_path / 'one.json'}\n")
    with sidecar(upstream, "--config", str(settings), *FAST, *OFTEN) as running:
        one = another(running, "")
        refused = "settings not reloaded, those before stay: profile: "
        reload(store.url("/p.json", f"me:{SECRET}@"), f"{refused}{store.url('/p.json')}: the server has nothing there")
        reload(str(tmp_path / "none.json"), f"{refused}{tmp_path}/none.json: there is no such file")
        assert in_force(running) == one
        store.put("/p.json", made["two"])
        reload(store.url("/p.json"), "settings reloaded, changed: profile")
        two = another(running, one)
        store.put("/p.json", made["one"])
        assert another(running, two) == one
        reload(None, "settings reloaded, changed: profile")
        eventually(lambda: (shown := page(running)) and not shown.all("model_profile_info"), what="no profile")
        assert page(running) is not None
        shown = eventually(lambda: page(running))
        assert shown.all("inference_exporter_profile_last_look_successful") == []


# --- the web


def test_a_profile_from_the_web_comes_changes_breaks_and_is_kept_for_the_next_run(
    upstream: int, made: dict[str, bytes], store: Site, tmp_path: Path
) -> None:
    place = store.url(f"/p.json?signature={SECRET}", f"me:{SECRET}@")
    flags = ("--profile", place, "--state", str(tmp_path / "state"), *FAST, *OFTEN)
    with sidecar(upstream, *flags) as running:
        predict(running.url, [[1, 2]])
        running.settled(1)
        eventually(lambda: store.count(f"/p.json?signature={SECRET}") >= 3, what="looks at an empty place")
        assert self_metric(running, "errors_total") == 0
        store.put("/p.json", made["one"], ETag='"1"')
        one = another(running, "")
        asked = len(store.asked)
        eventually(lambda: len(store.asked) > asked + 2, what="looks at what has not changed")
        assert store.asked[-1][1]["If-None-Match"] == '"1"'
        predict(running.url, [[1, 2]])
        running.settled(2)
        store.pages["/p.json"] = Page(200, b"{}", {"ETag": '"2"'})
        eventually(lambda: self_metric(running, "errors_total") > 1, what="a broken profile")
        store.pages["/p.json"] = Page(403)
        eventually(lambda: "the server forbids it (403); the profile before it" in running.log(), what="no entry")
        assert (in_force(running), bins(running, one)) == (one, 1)
        kill_the_analyser(running)
        assert another(running, "") == one
        log = running.log()
        shown = running.metrics().text + running.get(running.web_port, "/")[1].decode()
        assert log.count("the server has nothing there (404); there is none before it") == 1
        assert log.count("must have the member") + log.count("format: must be") == 1
        assert SECRET not in log + shown
        assert running.stop() == 0
    store.pages["/p.json"] = Page(behave=silent)
    with sidecar(upstream, *flags) as running:
        predict(running.url, [[1, 2]])
        assert another(running, "") == one, "the copy that the run before kept"
        metrics = running.settled(1)
        assert metrics.value("inference_exporter_profile_kept_copy") == 1
        assert metrics.total("model_feature_bin_total", profile=one, feature="a") == 1, "nothing waited in vain"
        assert "in force is the one that an earlier run kept of it" in running.log()
        store.put("/p.json", made["two"])
        another(running, one)
        assert self_metric(running, "kept_copy") == 0
        assert SECRET not in running.log()


def test_a_store_that_hangs_holds_up_no_client_and_no_end(upstream: int, store: Site) -> None:
    store.pages["/p.json"] = Page(behave=silent)
    running = Sidecar(upstream, "--profile", store.url("/p.json"), *FAST)
    try:
        eventually(lambda: running.get(running.health_port, "/-/ready")[0] == 200, what="ready")
        for _ in range(20):
            predict(running.url, [[1, 2]])
        eventually(lambda: store.asked, what="a look")
        assert running.pid_of("exporter.analyser") == 0, "it waits a while for the profile, clients do not"
        fetching = running.pid_of("exporter.places.fetch")
        assert fetching
        assert running.stop() == 0
        eventually(lambda: not Path(f"/proc/{fetching}").exists(), what="the end of whoever fetches")
    finally:
        running.kill()


def test_what_anybody_on_the_way_could_change_is_warned_of(upstream: int, made: dict[str, bytes]) -> None:
    with site(None) as plain:
        plain.put("/p.json", made["one"])
        with sidecar(upstream, "--profile", plain.url("/p.json"), *FAST) as running:
            another(running, "")
            assert running.log().count("use https, or pin #sha256=") == 1


def test_check_fetches_and_says_what_is_wrong(made: dict[str, bytes], store: Site) -> None:
    store.put("/p.json", made["one"])
    done = command("check", "--profile", store.url("/p.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^profile: fine, [0-9a-f]{8}, 2 features, 1 outputs, 400 rows$", done.stdout, re.MULTILINE)
    document = json.loads(made["one"])
    document["features"][1]["kind"] = "vague"
    store.put("/p.json", json.dumps(document).encode())
    done = command("check", "--profile", store.url("/p.json", f"me:{SECRET}@"))
    assert done.returncode == 65
    assert done.stderr.startswith(
        f"inference-exporter: profile: {store.url('/p.json')}: the profile: features[1].kind: must be one of"
    )
    done = command("check", "--profile", store.url("/q.json"))
    assert (done.returncode, done.stderr.count("the server has nothing there (404)")) == (64, 1)


# --- one for each model


def test_each_model_and_version_has_a_profile_of_its_own_in_a_store(
    upstream: int, made: dict[str, bytes], store: Site
) -> None:
    place = store.url("/{model}/{version}.json")
    with sidecar(upstream, "--profile", place, *FAST, *OFTEN) as running:
        store.put("/churn/7.json", made["one"], ETag='"1"')

        def ask(model: str, version: str) -> None:
            predict(running.url, [[1, 2]], f"/v1/models/{model}/versions/{version}:predict")

        def digest(version: str) -> str:
            shown = page(running)
            found = shown.all("model_profile_info", model="churn", model_version=version) if shown else []
            return found[0][0]["profile"] if found else ""

        ask("churn", "7")
        ask("churn", "8")
        one = eventually(lambda: digest("7"), what="the profile of the seventh")
        assert digest("8") == ""
        ask("churn", "7")
        eventually(lambda: bins(running, one) >= 1, what="scores")
        store.put("/churn/8.json", made["two"])
        two = eventually(lambda: digest("8"), what="the profile of the eighth")
        assert two != one
        ask("churn", "8")
        metrics = running.settled(4)
        assert metrics.total("model_feature_bin_total", profile=two, feature="a") == 1
        before = bins(running, one)
        store.pages.clear()
        store.pages |= {path: Page(503) for path in ("/churn/7.json", "/churn/8.json")}
        kill_the_analyser(running)
        eventually(lambda: (digest("7"), digest("8")) == (one, two), what="what the analyser before had kept")
        assert bins(running, one) == before, "counters never go back"
        eventually(lambda: self_metric(running, "errors_total") > 1, what="looks that failed")
        assert (digest("7"), digest("8")) == (one, two)
        assert "the server answered 503; the profile before it stays in force" in running.log()
        store.put("/churn/7.json", made["two"])
        eventually(lambda: digest("7") == two, what="the rebuilt profile")


def test_files_of_each_model_may_have_any_path(upstream: int, made: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "profile.json").write_bytes(made["one"])
    place = str(tmp_path / "{model}" / "profile.json")
    done = command("check", "--profile", place)
    assert (done.returncode, done.stdout.count("profile.json: fine, ")) == (0, 1)
    assert str(tmp_path / "churn" / "profile.json") in done.stdout
    with sidecar(upstream, "--profile", place, *FAST) as running:
        predict(running.url, [[1, 2]], "/v1/models/churn:predict")
        predict(running.url, [[1, 2]], "/v1/models/other:predict")
        metrics = running.settled(2)
        assert metrics.value("inference_exporter_models", reference="profile") == 1
        assert metrics.total("model_feature_bin_total", model="churn", feature="a") == 1
