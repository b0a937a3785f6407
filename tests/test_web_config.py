"""`--web.config.file` of real processes: our examples, as promtool and we see them, and what changes while it runs."""

import base64
import json
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Metrics, Sidecar, build_profile, command, eventually, free_port, model_server, predict, tool
from web.certificates import Pair, authority, issued

EXAMPLES = Path(__file__).parent.parent / "deploy" / "web-config"
NEWER_THAN_2_42 = {"rate-limit.yml": "rate_limit"}
"""Examples with keys that Debian's promtool does not know."""
TOKEN = "0123456789abcdef"  # noqa: S105 (of this test)
UP = ("--upstream", "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def folder(tmp_path: Path, ca: Pair) -> Path:
    """The examples, with real certificates beside them."""
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    issued(ca, "server").copy_to(tmp_path)
    shutil.copy(ca.cert, tmp_path / "ca.crt")
    return tmp_path


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yml")))
def test_our_examples_are_fine_for_promtool_and_for_us(name: str, folder: Path) -> None:
    told = subprocess.run(
        [tool("promtool", "prometheus"), "check", "web-config", str(folder / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    unknown = NEWER_THAN_2_42.get(name)
    said = told.stdout + told.stderr
    assert "SUCCESS" in said or (unknown and f"field {unknown} not found" in said), told
    assert command("check", *UP, "--web.config.file", str(folder / name)).returncode == 0


@pytest.mark.parametrize(("flags", "words"), [
    (("--web.config.file", "web.yml"), "web.yml: tls_server_config.min_version: must be one of TLS10"),
    (("--web.config.file", "none.yml"), "none.yml: No such file"),
    (("--events.token-file", "none"), "none: No such file"),
])  # fmt: skip
@pytest.mark.parametrize("word", ["check", "serve"])
def test_what_is_wrong_is_told_at_the_start_with_exit_64(
    tmp_path: Path, word: str, flags: tuple[str, str], words: str
) -> None:
    (tmp_path / "web.yml").write_text("tls_server_config: {cert_file: a, key_file: b, min_version: SSL3}\n")
    told = command(word, *UP, flags[0], str(tmp_path / flags[1]))
    assert (told.returncode, words in told.stderr) == (64, True), told.stderr


def test_fleet_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text("rate_limits: {}\n")
    told = command("fleet", "--prometheus.url", "http://127.0.0.1:1", "--web.config.file", str(tmp_path / "web.yml"))
    assert (told.returncode, "did you mean rate_limit?" in told.stderr) == (64, True)


class Client:
    """Of a sidecar that speaks TLS."""

    def __init__(self, running: Sidecar, ca: Pair, password: str = "change me") -> None:  # noqa: S107 (of the example)
        self._running, self.password = running, password
        self._context = ssl.create_default_context(cafile=str(ca.cert))

    def ask(self, path: str, method: str = "GET", **more: Any) -> tuple[int, bytes]:
        basic = base64.b64encode(f"prometheus:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", **more.get("headers", {})}
        url = f"https://localhost:{self._running.web_port}{path}"
        request = urllib.request.Request(url, more.get("body"), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def metrics(self) -> Metrics:
        status, body = self.ask("/metrics")
        assert status == 200
        return Metrics(body.decode())


@pytest.fixture
def running(folder: Path, ca: Pair) -> Iterator[tuple[Sidecar, Client]]:
    (folder / "token").write_text(TOKEN)
    with model_server() as port:
        found = Sidecar(
            port, "--web.config.file", str(folder / "password.yml"), "--web.enable-lifecycle", "true",
            "--events.enable", "true", "--events.token-file", str(folder / "token"),
        )  # fmt: skip
        try:
            eventually(lambda: found.get(found.health_port, "/-/ready")[0] == 200, what="relaying")
            client = Client(found, ca)
            eventually(lambda: _ready(client), what="a page")
            yield found, client
        finally:
            found.kill()


def _ready(client: Client) -> bool:
    try:
        return client.ask("/-/ready")[0] == 200
    except OSError:
        return False


def test_a_sidecar_behind_tls_and_a_password_is_watched_told_and_ended(
    running: tuple[Sidecar, Client], folder: Path, ca: Pair
) -> None:
    sidecar, client = running
    predict(sidecar.url, [[1, 2]])
    eventually(lambda: client.metrics().total("model_rows_total") == 1, what="a row being counted")
    metrics = client.metrics()
    assert metrics.value("inference_exporter_web_config_last_reload_successful") == 1
    assert metrics.value("inference_exporter_web_certificate_expiry_timestamp_seconds") > 1e9
    for path in ("/metrics", "/config"):
        assert Client(sidecar, ca, "wrong").ask(path)[0] == 401
    status, settings = client.ask("/config")
    assert (status, b"password.yml" in settings, TOKEN.encode() in settings) == (200, True, False)
    assert sidecar.get(sidecar.health_port, "/-/healthy")[0] == 200, "the platform needs no password"
    _is_asked_by_adopt(sidecar, folder)
    _posts_events(client)
    _outlives_a_broken_file_and_its_analyser(sidecar, client, folder)
    _is_reloaded_and_ended(sidecar, client)


def _is_asked_by_adopt(sidecar: Sidecar, folder: Path) -> None:
    """It gets as far as hearing that no model has a profile."""
    (folder / "login").write_text("prometheus:change me\n")
    train = folder / "train.csv"
    train.write_text("amount,score\n" + "1,0\n2,1\n" * 50)
    profile = str(build_profile(train, folder / "profile.json", "--prediction", "score"))
    words = ("profile", "adopt", profile, "--feature", "amount", "--from", "24h", "--author", "a", "--reason", "b",
             "--exporter", f"https://localhost:{sidecar.web_port}", "--ca-file", str(folder / "ca.crt"))  # fmt: skip
    assert "401" in command(*words).stderr
    assert "no model is so" in command(*words, "--basic-auth-file", str(folder / "login")).stderr


def _posts_events(client: Client) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "x", "type": "a.inference.request", "data": {"instances": [[1]]},
    }  # fmt: skip
    kind = {"Content-Type": "application/cloudevents+json"}
    for token, status in ((TOKEN, 200), (TOKEN[::-1], 401)):
        headers = {**kind, "Authorization": f"Bearer {token}"}
        assert client.ask("/events", "POST", body=json.dumps(event).encode(), headers=headers)[0] == status


def _outlives_a_broken_file_and_its_analyser(sidecar: Sidecar, client: Client, folder: Path) -> None:
    path = folder / "password.yml"
    fine = path.read_text()
    path.write_text("tls_server_config: {}\nbasic_auth_users: {prometheus: open}\n")
    eventually(
        lambda: client.metrics().value("inference_exporter_web_config_last_reload_successful") == 0, what="being told"
    )
    assert sidecar.log().count("what was in force stays") == 1
    path.write_text(fine)
    eventually(lambda: client.metrics().value("inference_exporter_web_config_last_reload_successful") == 1)
    refused = client.metrics().total("inference_exporter_web_refused_total")
    assert refused >= 2
    _kill(sidecar.pid_of("exporter.analyser"))
    eventually(lambda: _ready(client) and _refused(client) >= refused, what="the counts of before")


def _refused(client: Client) -> float:
    return client.metrics().total("inference_exporter_web_refused_total")


def _kill(pid: int) -> None:
    subprocess.run(["kill", f"-{int(signal.SIGKILL)}", str(pid)], check=True)


def _is_reloaded_and_ended(sidecar: Sidecar, client: Client) -> None:
    name = "inference_exporter_config_last_reload_success_timestamp_seconds"
    before = client.metrics().value(name)
    assert client.ask("/-/reload", "GET")[0] == 405
    assert client.ask("/-/reload", "POST")[0] == 200
    eventually(lambda: client.metrics().value(name) > before, what="being read again")
    assert client.ask("/-/quit", "POST", headers={"Origin": "https://evil.example"})[0] == 403
    assert sidecar.process.poll() is None
    assert client.ask("/-/quit", "POST")[0] == 200
    assert sidecar.process.wait(60) == 0


def test_nobody_ends_a_sidecar_that_does_not_allow_it() -> None:
    sidecar = Sidecar(None, "--log-level", "debug")
    try:
        sidecar.wait_ready()
        for path in ("/-/quit", "/-/reload"):
            for method in ("POST", "PUT"):
                request = urllib.request.Request(f"http://127.0.0.1:{sidecar.web_port}{path}", b"", method=method)
                with pytest.raises(urllib.error.HTTPError) as told:
                    urllib.request.urlopen(request, timeout=30)
                assert (told.value.code, told.value.read()) == (403, b"this is not enabled: set web.enable_lifecycle\n")
                told.value.close()
        assert sidecar.process.poll() is None
    finally:
        sidecar.kill()


def test_fleet_serves_its_page_over_tls(folder: Path, ca: Pair) -> None:
    port = free_port()
    words = ("fleet", "--prometheus.url", "http://127.0.0.1:1", "--web.listen-address", f"127.0.0.1:{port}",
             "--web.config.file", str(folder / "tls.yml"))  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", "exporter", *words], stderr=subprocess.DEVNULL) as process:
        try:
            context = ssl.create_default_context(cafile=str(ca.cert))
            body = eventually(lambda: _page(port, context), what="fleet's page")
            assert Metrics(body.decode()).value("inference_exporter_web_config_last_reload_successful") == 1
        finally:
            process.terminate()


def _page(port: int, context: ssl.SSLContext) -> bytes:
    try:
        with urllib.request.urlopen(f"https://localhost:{port}/metrics", timeout=30, context=context) as answer:
            return answer.read()
    except OSError:
        return b""
