"""SIGHUP: settings are read again while traffic goes on; bad ones change nothing."""

import os
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from proxy.rig import Peer
from proxy.test_tls import make
from support import Sidecar, build_profile, eventually, model_server, predict, sidecar

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
FAST = {"windows": {"pane": "1s", "lengths": ["60s"], "snapshot_interval": "100ms"}}


@contextmanager
def configured(path: Path, settings: dict[str, Any], *flags: str) -> Iterator[Sidecar]:
    """A sidecar that reads its settings from a file."""
    path.write_text(yaml.safe_dump(FAST | settings))
    with model_server() as upstream, sidecar(upstream, "--config", str(path), *flags) as running:
        yield running


def _reload(running: Sidecar, path: Path, settings: dict[str, Any], says: str) -> None:
    lines = running.log().count(says)
    path.write_text(yaml.safe_dump(FAST | settings))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.log().count(says) > lines, what=says)


def _told(running: Sidecar, name: str, value: float) -> None:
    def look() -> bool:
        status, _ = running.get(running.web_port, "/metrics")
        return status == 200 and running.metrics().value(f"inference_exporter_{name}") == value

    eventually(look, what=f"{name} {value}")


def _shown(running: Sidecar) -> dict[str, Any]:
    """The settings in force, as they say themselves."""
    found: dict[str, Any] = yaml.safe_load(running.get(running.web_port, "/config")[1])
    return found


def _pids(running: Sidecar) -> tuple[int, int]:
    return running.pid_of("exporter.worker"), running.pid_of("exporter.analyser")


def _client(running: Sidecar) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", running.port), timeout=30))


def test_what_concerns_workers_changes_without_a_restart_and_open_connections_stay(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    with configured(path, {}) as running, _client(running) as client:
        client.send(GET)
        client.until(b"ready\n")
        before = _pids(running)
        _reload(running, path, {"max_connections": 1}, "settings reloaded, changed: max_connections")

        def is_refused() -> bool:
            with _client(running) as other:
                other.send(GET)
                return b" 503 " in other.some()

        eventually(is_refused, what="the new bound")
        eventually(lambda: _shown(running)["max_connections"] == 1, what="its being shown")
        client.send(GET)
        client.received.clear()
        client.until(b"ready\n")
        assert client.received.startswith(b"HTTP/1.1 200")
        assert _pids(running) == before
        _told(running, "config_last_reload_successful", 1)
        worker = before[0]
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.worker") not in {0, worker}, what="the next worker")
        eventually(lambda: not running.metrics().total("inference_exporter_proxy_connections_open"))
        with _client(running) as next_client:
            next_client.send(GET)
            next_client.until(b"ready\n")
            eventually(is_refused, what="the bound in the next worker")


@pytest.mark.parametrize(("settings", "words"), [
    ({"workers": 2}, "workers: cannot change while it runs"),
    ({"capture": {"ring": "32MiB"}, "log_level": "debug"}, "capture.ring: cannot change while it runs"),
    ({"log_level": "loud"}, "log_level: must be one of"),
    ({"nonsense": 1}, "nonsense: unknown key"),
    ({"profile": "/none"}, "/none"),
    ({"feedback": {"enable": True, "store": "redis:nowhere"}}, "feedback.store: must have the form redis://"),
])  # fmt: skip
def test_bad_or_impossible_settings_change_nothing(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    path = tmp_path / "exporter.yml"
    with configured(path, {}) as running:
        before = _pids(running)
        _reload(running, path, settings, "settings not reloaded, those before stay: ")
        assert words in running.log()
        _told(running, "config_last_reload_successful", 0)
        assert running.metrics().value("inference_exporter_config_last_reload_success_timestamp_seconds") > 1e9
        assert predict(running.url, [[1, 2]])["predictions"] == [3.0]
        assert _pids(running) == before
        assert (_shown(running)["workers"], _shown(running)["capture"]["ring"]) == (1, 16 << 20)
        _reload(running, path, {}, "settings reloaded, changed: none")
        _told(running, "config_last_reload_successful", 1)
        assert running.stop() == 0


def test_a_new_profile_comes_into_force_and_no_count_is_lost(tmp_path: Path) -> None:
    path, table, profile = tmp_path / "exporter.yml", tmp_path / "train.csv", tmp_path / "profile.json"

    def build(columns: str) -> None:
        names = columns.split(",")
        rows = "".join(",".join(str((at * 7 + place) % 50) for place in range(len(names))) + "\n" for at in range(400))
        table.write_text(f"{columns}\n{rows}")
        build_profile(table, profile, "--prediction", "p")

    build("a,b,p")
    with configured(path, {"profile": str(profile)}) as running:
        for _ in range(3):
            predict(running.url, [[1, 2]])
        assert running.settled(3).total("model_feature_values_total") == 6
        worker, analyser = _pids(running)
        build("a,b,c,p")
        _reload(running, path, {"profile": str(profile)}, "settings reloaded")  # or it was seen without being told
        eventually(lambda: _pids(running)[1] not in {0, analyser}, what="the next analyser")
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")
        predict(running.url, [[1, 2, 3]])
        metrics = running.settled(4)
        assert metrics.value("inference_exporter_exchanges_observed_total") == 4
        assert metrics.value("model_requests_total", code="200") == 4
        assert metrics.total("model_feature_values_total") == 3
        assert metrics.total("inference_exporter_process_restarts_total") == 0
        assert _pids(running)[0] == worker
        assert "ERROR" not in running.log()


def test_a_renewed_certificate_is_shown_to_the_next_client(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    files = make(tmp_path / "tls", "localhost")
    tls = {"listen_tls": {"cert_file": files.cert, "key_file": files.key}}

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", running.port)).strip()

    with configured(path, tls) as running:
        old = shown()
        assert old == Path(files.cert).read_text().strip()
        with _client(running) as client:
            client.sock = files.client().wrap_socket(client.sock, server_hostname="localhost")
            make(tmp_path / "tls", "localhost")
            assert shown() == old
            _reload(running, path, tls, "settings reloaded, changed: none")
            eventually(lambda: shown() == Path(files.cert).read_text().strip() != old, what="the new one")
            client.send(GET)
            client.until(b"ready\n")
            assert client.received.startswith(b"HTTP/1.1 200"), "who was there before stays"
        good = shown()
        Path(files.key).write_text("no key")
        _reload(running, path, tls, "settings not reloaded, those before stay: listen_tls: ")
        assert shown() == good
