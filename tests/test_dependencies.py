"""Dependencies as people write them, as they travel, what is wrong with them; and the page of a sidecar with some."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from exposed import render
from probing import peers
from probing.peers import listening
from proxy.test_tls import make
from support import Metrics, Sidecar, command, eventually, model_server, predict, sidecar, tool

from exporter import catalogue, config
from exporter.collect import dependencies as collector
from exporter.collect.scene import Scene
from exporter.condition import DependencyState, Health, ServerVitals
from exporter.dependencies import MOST, Dependency, dependencies
from exporter.errors import ConfigError
from exporter.records import DEPENDENCY_FAILURES
from exporter.values import Fault

DB = {"name": "db", "url": "tcp://127.0.0.1:5432"}
API = {"name": "api", "url": "https://api.internal/health"}
FAST = {"windows": {"pane": "1s", "lengths": ["60s"], "snapshot_interval": "100ms"}}


def fault(**more: object) -> str:
    """What is wrong with the second of two dependencies."""
    given = {key: value for key, value in {**API, **more}.items() if value is not None}
    with pytest.raises(Fault) as caught:
        dependencies([DB, given])
    return f"{caught.value.path}: {caught.value}"


# --- settings


def test_a_list_a_flag_and_json_say_the_same() -> None:
    expected = (Dependency("db", "tcp://127.0.0.1:5432"), Dependency("api", "https://api.internal/health"))
    flags = ["db=tcp://127.0.0.1:5432", "api=https://api.internal/health"]
    assert dependencies([DB, API]) == dependencies(json.dumps([DB, API])) == expected
    assert dependencies(flags) == dependencies(",".join(flags)) == expected
    assert dependencies("") == dependencies([]) == ()
    assert dependencies("a=http://h/?x=1&y=2")[0].url == "http://h/?x=1&y=2"


def test_all_that_can_be_said_travels_to_child_processes_unchanged() -> None:
    whole = {
        **API, "interval": "1m", "timeout": "10s", "expect": [200, "4xx"], "method": "HEAD", "ca_file": "/ca.pem",
        "bearer_token_file": "/token", "header_files": {"X-Api-Key": "/key", "X-Team": "/team"},
        "follow_redirects": True,
    }  # fmt: skip
    settings = config.resolve(("file", {"dependencies": [DB, whole]}))
    _, found = settings.dependencies
    assert found == Dependency(
        "api", "https://api.internal/health", 60.0, 10.0, ("200", "4xx"), "HEAD", "/token",
        (("x-api-key", "/key"), ("x-team", "/team")), "/ca.pem", follow_redirects=True,
    )  # fmt: skip
    assert config.from_document(json.loads(json.dumps(config.to_document(settings)))) == settings


@pytest.mark.parametrize(("more", "words"), [
    ({"name": ""}, "[1].name: must be text of 1 to 64 printable characters, not ''"),
    ({"name": "x" * 65}, "[1].name: must be text of 1 to 64 printable characters"),
    ({"name": "a\nb"}, "[1].name: must be text of 1 to 64 printable characters"),
    ({"name": None}, "[1].name: must be text of 1 to 64 printable characters, not None"),
    ({"url": None}, "[1].url: must be there: http://HOST[:PORT]/PATH"),
    ({"url": "api.internal/health"}, "[1].url: must be http://HOST[:PORT]/PATH"),
    ({"url": "ftp://h/"}, "[1].url: must be http://"),
    ({"url": "tcp://h"}, "[1].url: must be http://"),
    ({"url": "tcp://h:0"}, "[1].url: must be http://"),
    ({"url": "http://h:99999/"}, "[1].url: must be http://"),
    ({"url": "http://[/"}, "[1].url: must be http://"),
    ({"url": "http://h/\r\nX-Evil: 1"}, "[1].url: must be http://"),
    ({"url": "http://h/a b"}, "[1].url: must be http://"),
    ({"url": "tcp://h:1/path"}, "[1].url: must not have a path"),
    ({"interval": "100ms"}, "[1].interval: must be from 1s to 1h"),
    ({"interval": "2h"}, "[1].interval: must be from 1s to 1h"),
    ({"interval": "often"}, "[1].interval: must be a duration above zero"),
    ({"timeout": "30s"}, "[1].timeout: must be shorter than the interval"),
    ({"expect": [2000]}, "[1].expect: must be a list of codes"),
    ({"expect": []}, "[1].expect: must be a list of codes"),
    ({"method": "POST"}, "[1].method: must be GET or HEAD"),
    ({"ca_file": 5}, "[1].ca_file: must be a path"),
    ({"insecure_skip_verify": "yes"}, "[1].insecure_skip_verify: must be true or false"),
    ({"insecure_skip_verify": True, "ca_file": "/ca"}, "[1].ca_file: has no meaning beside insecure_skip_verify"),
    ({"header_files": {"Host": "/h"}}, "[1].header_files: must not have Host"),
    ({"header_files": {"a b": "/h"}}, "[1].header_files: must be the name of a header"),
    ({"header_files": ["/h"]}, "[1].header_files: must be a mapping"),
    ({"header_files": {"Authorization": "/h"}, "bearer_token_file": "/t"}, "[1].header_files: has the header that"),
    ({"url": "tcp://h:1", "expect": [200]}, "[1].expect: has no meaning for tcp://"),
    ({"url": "tcp://h:1", "ca_file": "/ca"}, "[1].ca_file: has no meaning for tcp://"),
    ({"url": "http://h/", "ca_file": "/ca"}, "[1].ca_file: has no meaning for http://"),
    ({"intervall": "5s"}, "[1].intervall: unknown key, did you mean interval?"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(more: dict[str, object], words: str) -> None:
    assert fault(**more).startswith(words)


def test_a_short_interval_has_a_shorter_timeout() -> None:
    assert dependencies([{**DB, "interval": "2s"}])[0].timeout == 1.0
    assert dependencies([DB])[0].timeout == 5.0


@pytest.mark.parametrize("given", [
    "db=tcp://user:hunter2@h:1", [{**API, "url": "https://user:hunter2@h/"}], [{**API, "url": "https://hunter2@[/"}],
    {"db": "http://user:hunter2@h/"}, [["http://user:hunter2@h/"]], "http://user:hunter2@h/", [{"url": "hunter2://"}],
])  # fmt: skip
def test_a_password_in_an_address_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(("file", {"dependencies": given}))
    assert "hunter2" not in str(caught.value)


def test_there_are_at_most_twenty_each_with_a_name_of_its_own() -> None:
    many = [{**DB, "name": f"db{number}"} for number in range(MOST + 1)]
    assert len(dependencies(many[:MOST])) == MOST == 20
    with pytest.raises(ValueError, match="must not be more than 20"):
        dependencies(many)
    with pytest.raises(ValueError, match="two of them have one name"):
        dependencies([DB, {**API, "name": "db"}])


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9877/-/healthy", "tcp://localhost:9878", "http://127.0.0.1:8080/", "tcp://127.0.0.1:8081",
    "http://0.0.0.0:9877/", "http://[::1]:9877/metrics",
])  # fmt: skip
def test_the_exporter_does_not_probe_itself(url: str) -> None:
    given = {"upstream": "http://127.0.0.1:8000", "routes": ":8081=http://127.0.0.1:8001", "dependencies": f"me={url}"}
    with pytest.raises(ConfigError, match="dependencies: me is at an address of this exporter itself"):
        config.resolve(("file", given))
    config.resolve(("file", {**given, "dependencies": "model=http://127.0.0.1:8000/v2/health/ready"}))


def test_check_prints_what_would_be_probed_without_what_may_be_secret(tmp_path: Path) -> None:
    token, path = tmp_path / "token", tmp_path / "exporter.yml"
    token.write_text("t")
    api = {**API, "url": f"{API['url']}?key=hunter2", "bearer_token_file": str(token), "interval": "1m"}
    path.write_text(yaml.safe_dump({"upstream": "http://127.0.0.1:1", "dependencies": [DB, api]}))
    done = command("check", "--config", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "dependency db: connects to tcp://127.0.0.1:5432 every 30 s, within 5 s\n" in done.stdout
    assert "dependency api: GET of https://api.internal/health?… every 60 s, within 5 s, expecting 2xx\n" in done.stdout
    assert "hunter2" not in done.stdout
    token.unlink()
    done = command("check", "--config", str(path))
    assert (done.returncode, f"dependencies: api: {token}: No such file" in done.stderr) == (64, True)


# --- the collector


def page(*states: DependencyState, is_other: bool = False) -> Metrics:
    health: Any = Health(0.0, 0, relay=None, dependencies=states)  # type: ignore[arg-type]
    scene = Scene("m", "1", None, None, ServerVitals(), health, is_other=is_other)  # type: ignore[arg-type]
    return Metrics(render(collector.collect(scene)).decode())


def test_before_the_first_probe_nothing_is_said_to_be_down_and_all_reasons_are_there() -> None:
    counts = dict.fromkeys(DEPENDENCY_FAILURES, 0)
    metrics = page(DependencyState("db", "tcp://h:1", None, failures=counts))
    labels = {"model": "m", "model_version": "1", "dependency": "db"}
    assert metrics.all(catalogue.DEPENDENCY_UP.name) == []
    assert metrics.all(catalogue.DEPENDENCY_DURATION.name) == []
    assert metrics.all(catalogue.DEPENDENCY_SUCCESS.name) == metrics.all(catalogue.DEPENDENCY_PROBES.name)
    assert metrics.all(catalogue.DEPENDENCY_PROBES.name) == [(labels, 0)]
    found = metrics.all(catalogue.DEPENDENCY_FAILURES.name)
    assert found == [({**labels, "reason": reason}, 0) for reason in DEPENDENCY_FAILURES]


def test_where_nothing_is_probed_the_page_says_nothing_nor_does_it_of_models_that_are_not_watched() -> None:
    assert page().samples == ()
    assert page(DependencyState("db", "tcp://h:1"), is_other=True).samples == ()


# --- a sidecar


@contextmanager
def configured(path: Path, found: list[dict[str, Any]]) -> Iterator[Sidecar]:
    path.write_text(yaml.safe_dump({**FAST, "dependencies": found}))
    with model_server() as upstream, sidecar(upstream, "--config", str(path)) as running:
        yield running


def quick(name: str, url: str, **more: object) -> dict[str, Any]:
    return {"name": name, "url": url, "interval": "1s", "timeout": "400ms", **more}


def becomes(running: Sidecar, expected: dict[str, str]) -> Metrics:
    """Wait until each is as it should be: up (an empty reason), or down and for that reason alone since it is down."""

    def look() -> Metrics | None:
        status, body = running.get(running.web_port, "/metrics")
        metrics = Metrics(body.decode()) if status == 200 else Metrics("")
        for name, reason in expected.items():
            if metrics.all("model_dependency_up", dependency=name) == []:
                return None
            if metrics.value("model_dependency_up", dependency=name) != (reason == ""):
                return None
            if reason and not metrics.value("model_dependency_probe_failures_total", dependency=name, reason=reason):
                return None
        return metrics

    found: Metrics = eventually(look, what=f"{expected}")
    return found


def reasons(metrics: Metrics, name: str) -> set[str]:
    found = metrics.all("model_dependency_probe_failures_total", dependency=name)
    return {labels["reason"] for labels, count in found if count}


def test_each_dependency_is_told_with_its_reason_and_what_dies_comes_back_while_traffic_is_observed(
    tmp_path: Path,
) -> None:
    with (
        listening(peers.answers(peers.OK)) as web,
        listening(peers.hangs_up) as tcp,
        listening(peers.says_nothing) as silent,
        listening(peers.answers(peers.BROKEN)) as broken,
        listening(peers.drips) as dripping,
        listening(peers.floods) as flooding,
    ):
        found = [
            quick("web", f"http://127.0.0.1:{web.port}/health"), quick("tcp", f"tcp://127.0.0.1:{tcp.port}"),
            quick("silent", f"http://127.0.0.1:{silent.port}/"), quick("broken", f"http://127.0.0.1:{broken.port}/"),
            quick("dripping", f"http://127.0.0.1:{dripping.port}/"), quick("nobody", "tcp://nobody.invalid:5432"),
            quick("flooding", f"http://127.0.0.1:{flooding.port}/"),
        ]  # fmt: skip
        always = {"silent": "timeout", "broken": "status", "dripping": "timeout", "nobody": "dns", "flooding": ""}
        with configured(tmp_path / "exporter.yml", found) as running:
            predict(running.url, [[1, 2]])
            metrics = becomes(running, {"web": "", "tcp": "", **always})
            seen = metrics.value("model_dependency_last_success_timestamp_seconds", dependency="web")
            assert seen > 1e9
            assert metrics.value("model_dependency_last_success_timestamp_seconds", dependency="silent") == 0
            web.close()
            tcp.close()
            metrics = becomes(running, {"web": "refused", "tcp": "refused", **always})
            web.open()
            tcp.open()
            metrics = becomes(running, {"web": "", "tcp": "", **always})
            assert metrics.value("model_dependency_last_success_timestamp_seconds", dependency="web") > seen
            for name, reason in always.items():  # whoever answers is late where the processors are busy elsewhere
                assert reasons(metrics, name) | {"timeout"} == {"timeout", reason} - {""}
                probes = metrics.value("model_dependency_probes_total", dependency=name)
                assert probes >= metrics.total("model_dependency_probe_failures_total", dependency=name)
            for _ in range(4):
                predict(running.url, [[1, 2]])
            assert running.settled(5).value("model_requests_total", code="200") == 5
            _, body = running.get(running.web_port, "/")
            assert "dns: " in body.decode()
            assert f"http://127.0.0.1:{web.port}/health" in body.decode()
            assert "dependency web (http://127.0.0.1:" in running.log()
            assert running.stop() == 0


def test_the_state_outlives_the_analyser_and_a_reload_with_another_list_takes_effect(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    with listening(peers.hangs_up) as tcp, listening(peers.answers(peers.OK)) as web:
        slow = {"name": "slow", "url": f"tcp://127.0.0.1:{tcp.port}", "interval": "2s"}
        with configured(path, [slow]) as running:
            before = becomes(running, {"slow": ""})
            probes = before.value("model_dependency_probes_total", dependency="slow")
            analyser = running.pid_of("exporter.analyser")
            os.kill(analyser, signal.SIGKILL)
            eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="the next analyser")
            eventually(lambda: running.get(running.web_port, "/metrics")[0] == 200, what="its page")
            after = running.metrics()
            assert after.value("model_dependency_up", dependency="slow") == 1
            assert after.value("model_dependency_probes_total", dependency="slow") >= probes
            path.write_text(yaml.safe_dump({**FAST, "dependencies": [quick("web", f"http://127.0.0.1:{web.port}/")]}))
            running.process.send_signal(signal.SIGHUP)
            metrics = becomes(running, {"web": ""})
            assert metrics.all("model_dependency_probes_total", dependency="slow") == []


def test_the_page_has_every_family_of_dependencies_and_promtool_accepts_it(tmp_path: Path) -> None:
    files = make(tmp_path / "tls", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    with listening(peers.answers(peers.OK), context) as server:
        found = [{"name": "safe", "url": f"https://localhost:{server.port}/", "interval": "1s", "ca_file": files.cert}]
        with configured(tmp_path / "exporter.yml", found) as running:
            metrics = becomes(running, {"safe": ""})
    promtool = tool("promtool", "prometheus")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    emitted = set(re.findall(r"^# TYPE (model_dependency_\S+)", metrics.text, re.MULTILINE))
    assert emitted == {family.name for family in catalogue.families() if family.name.startswith("model_dependency_")}
    assert metrics.value("model_dependency_certificate_expiry_timestamp_seconds", dependency="safe") > 1e9


@contextmanager
def deaf_resolver() -> Iterator[str]:
    """The address of a name server that takes questions and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.53.53.53", 53))
        yield "127.53.53.53"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_a_name_server_that_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    with model_server() as upstream, deaf_resolver() as address, listening(peers.hangs_up) as tcp:
        resolv = tmp_path / "resolv.conf"
        resolv.write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
        inside = f"mount --bind {resolv} /etc/resolv.conf && exec {{command}}"
        flags = tmp_path / "exporter.yml"
        found = [quick("lost", "http://orders.example/"), quick("here", f"tcp://127.0.0.1:{tcp.port}")]
        flags.write_text(yaml.safe_dump({**FAST, "dependencies": found}))
        running = Sidecar(upstream, "--config", str(flags), wrapper=f"exec unshare --mount sh -c '{inside}'")
        try:
            eventually(lambda: running.process.poll() is not None or running._is_ready(), what="ready or not allowed")
            if running.process.poll() is not None and "permitted" in running.log():
                pytest.skip("this machine lets nobody mount anything")
            predict(running.url, [[1, 2]])
            metrics = becomes(running, {"lost": "dns", "here": ""})
            assert metrics.value("model_dependency_probes_total", dependency="lost") == 1
            assert running.settled(1).value("model_requests_total", code="200") == 1
            assert running.stop() == 0
        finally:
            running.kill()
