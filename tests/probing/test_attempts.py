"""One probe: what is up, what is down and why, whatever the other side does."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from probing import peers
from probing.peers import listening
from proxy.test_tls import Files, make
from support import free_port

from exporter import probing
from exporter.dependencies import Dependency, dependencies
from exporter.probing.findings import Deadline, Failed, Finding
from exporter.probing.wire import MOST_BYTES


def asked(url: str, **more: object) -> Dependency:
    (one,) = dependencies([{"name": "d", "url": url, "interval": "1h", "timeout": "1s", **more}])
    return one


def attempt(one: Dependency, patience_s: float = 20.0) -> str:
    """What one probe says: the reason, or nothing where it is up."""
    try:
        probing.SCHEMES[one.scheme](one)(Deadline(patience_s))
    except Exception as error:  # noqa: BLE001 (as the thread of a probe has it)
        return probing.findings.told(error).reason
    return ""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make(tmp_path_factory.mktemp("tls"), "localhost")


def server_side(files: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    return context


@pytest.mark.parametrize(("script", "reason"), [
    (peers.answers(peers.OK), ""),
    (peers.answers(b"HTTP/1.0 200 OK\r\n\r\nto its end"), ""),
    (peers.answers(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
    (peers.answers(peers.BROKEN), "status"),
    (peers.answers(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"), "status"),
    (peers.answers(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
    (peers.answers(b""), "protocol"),
    (peers.answers(b"HTTP/1.1 200 OK\r\nContent-Le"), "protocol"),
    (peers.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "protocol"),
    (peers.floods, ""),
    (peers.floods_a_head, "protocol"),
])  # fmt: skip
def test_an_answer_is_judged_by_its_code_and_its_form(script: peers.Script, reason: str) -> None:
    with listening(script) as server:
        assert attempt(asked(f"http://127.0.0.1:{server.port}/health")) == reason


@pytest.mark.parametrize("script", [peers.says_nothing, peers.drips, peers.drips_a_body])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_does_not_answer_in_time_is_down_however_often_a_byte_comes(
    script: peers.Script, scheme: str, files: Files
) -> None:
    with listening(script, server_side(files) if scheme == "https" else None) as server:
        one = asked(f"{scheme}://localhost:{server.port}/", **({"ca_file": files.cert} if scheme == "https" else {}))
        assert attempt(one, patience_s=0.5) == "timeout"


def test_of_an_endless_body_little_is_taken() -> None:
    with listening(peers.floods) as server:
        assert attempt(asked(f"http://127.0.0.1:{server.port}/")) == ""
        server.end()
        in_buffers = 16 << 20
        assert MOST_BYTES < server.callers[0].sent < MOST_BYTES + in_buffers


def test_a_handshake_that_hangs_is_out_of_time() -> None:
    with listening(peers.says_nothing) as server:
        # Long enough to have its name found on a busy machine: what hangs until then is dns.
        assert attempt(asked(f"https://127.0.0.1:{server.port}/"), patience_s=3.0) == "timeout"


def test_a_connection_is_all_that_tcp_asks_for() -> None:
    with listening(peers.hangs_up) as server:
        one = asked(f"tcp://127.0.0.1:{server.port}")
        assert attempt(one) == ""
        server.close()
        assert attempt(one) == "refused"


@pytest.mark.parametrize("url", ["http://nowhere.invalid/", "https://nowhere.invalid/", "tcp://nowhere.invalid:5432",
                                 "tcp://a..b:1", f"tcp://{'x' * 70}.invalid:1"])  # fmt: skip
def test_a_name_that_is_none_is_told_as_such(url: str) -> None:
    assert attempt(asked(url), patience_s=60.0) == "dns"


def test_a_queue_that_is_full_takes_no_connection_and_the_probe_ends_in_time() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        assert attempt(asked(f"tcp://127.0.0.1:{full.getsockname()[1]}"), patience_s=0.3) == "timeout"


def test_the_first_address_that_accepts_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with several addresses; the system's own names have one each."""
    real = socket.getaddrinfo
    with listening(peers.hangs_up) as server:

        def several(_: str, port: int, **more: Any) -> list[Any]:
            return [one for place in ("127.0.0.2", "127.0.0.1") for one in real(place, port, **more)]

        monkeypatch.setattr(socket, "getaddrinfo", several)
        assert attempt(asked(f"tcp://two.invalid:{server.port}")) == ""
        server.close()
        assert attempt(asked(f"tcp://two.invalid:{server.port}")) == "refused"


def test_certificates_are_verified_unless_somebody_says_otherwise(files: Files, tmp_path: Path) -> None:
    stranger = make(tmp_path / "other", "localhost")
    with listening(peers.answers(peers.OK), server_side(files)) as server:
        url = f"https://localhost:{server.port}/"
        assert attempt(asked(url)) == "tls"
        assert attempt(asked(url, ca_file=stranger.cert)) == "tls"
        assert attempt(asked(f"https://127.0.0.1:{server.port}/", ca_file=files.cert)) == "tls"
        assert attempt(asked(url, ca_file=files.cert)) == ""
        assert attempt(asked(url, insecure_skip_verify=True)) == ""
        assert attempt(asked(url, ca_file=str(tmp_path / "none.pem"))) == "local"
    with listening(lambda caller: caller.send(peers.BROKEN)) as plain:
        assert attempt(asked(f"https://localhost:{plain.port}/", ca_file=files.cert)) == "tls"


def test_when_a_verified_certificate_ends_is_known(files: Files) -> None:
    with listening(peers.answers(peers.OK), server_side(files)) as server:
        url = f"https://localhost:{server.port}/"
        expiry = probing.web.attempt(asked(url, ca_file=files.cert))(Deadline(20))
        assert 86400 < expiry - time.time() < 3 * 86400  # made for two days
        assert probing.web.attempt(asked(url, insecure_skip_verify=True))(Deadline(20)) == 0


def test_another_ca_file_is_taken_up_while_it_runs(files: Files, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(Path(make(tmp_path / "other", "localhost").cert).read_text())
    with listening(peers.answers(peers.OK), server_side(files)) as server:
        asks = probing.web.attempt(asked(f"https://localhost:{server.port}/", ca_file=str(ca)))
        with pytest.raises(ssl.SSLCertVerificationError):
            asks(Deadline(20))
        ca.write_text(Path(files.cert).read_text())
        assert asks(Deadline(20)) > 0


def test_secrets_come_from_their_files_at_every_probe_and_are_in_no_message(tmp_path: Path) -> None:
    token, key = tmp_path / "token", tmp_path / "key"
    token.write_text("first\n")
    key.write_text("k1")
    with listening(peers.answers(peers.OK)) as server:
        url = f"http://127.0.0.1:{server.port}/ping?all=1"
        one = asked(url, bearer_token_file=str(token), header_files={"X-Api-Key": str(key)}, method="HEAD")
        assert attempt(one) == ""
        token.write_text("second")
        assert attempt(one) == ""
        first, second = (caller.head.decode().lower() for caller in server.callers)
        assert first.startswith("head /ping?all=1 http/1.1\r\n")
        assert f"\r\nhost: 127.0.0.1:{server.port}\r\n" in first
        assert "\r\nauthorization: bearer first\r\n" in first
        assert "\r\nx-api-key: k1\r\n" in first
        assert "\r\nauthorization: bearer second\r\n" in second
        token.write_text("two\r\nX-Evil: lines")
        with pytest.raises(Failed, match="the file of a secret cannot be read") as caught:
            probing.web.attempt(one)(Deadline(20))
        assert caught.value.reason == "local"
        assert "lines" not in str(caught.value)
        token.unlink()
        assert attempt(one) == "local"
        assert len(server.callers) == 2


def moved(target: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


def test_redirects_are_followed_where_asked_for_and_secrets_stay_at_home(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hush")
    with (
        listening(peers.answers(peers.OK)) as other,
        listening(peers.answers(moved(f"http://127.0.0.1:{other.port}/there"))) as first,
    ):
        one = asked(f"http://127.0.0.1:{first.port}/", follow_redirects=True, bearer_token_file=str(token))
        assert attempt(one) == ""
        assert b"Bearer hush" in first.callers[0].head
        assert b"GET /there " in other.callers[0].head
        assert b"hush" not in other.callers[0].head
    for target in ("/again", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://[/"):
        with listening(peers.answers(moved(target))) as circle:
            assert attempt(asked(f"http://127.0.0.1:{circle.port}/", follow_redirects=True)) == "status"
            assert len(circle.callers) == (6 if target == "/again" else 1)


def test_a_redirect_from_https_to_http_is_not_followed(files: Files) -> None:
    with listening(peers.answers(peers.OK)) as plain:
        target = moved(f"http://127.0.0.1:{plain.port}/")
        with listening(peers.answers(target), server_side(files)) as server:
            one = asked(f"https://localhost:{server.port}/", ca_file=files.cert, follow_redirects=True)
            assert attempt(one) == "status"
            assert plain.callers == []


def test_codes_that_are_expected_are_up_and_others_are_not() -> None:
    with listening(peers.answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert attempt(asked(url, expect=[200, 401])) == ""
        assert attempt(asked(url, expect=["2xx", "4xx"])) == ""
        assert attempt(asked(url, expect=200)) == "status"


# --- pace


def taken(pacer: Any, now_s: float | None = None) -> list[Finding]:
    return list(pacer.take(time.monotonic() if now_s is None else now_s))


def running(pacer: Any) -> Callable[[], None]:
    stop = threading.Event()
    thread = threading.Thread(target=pacer.run, args=(stop,), daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(10)

    return end


def test_a_thousand_that_start_together_do_not_ask_together() -> None:
    for interval_s, last_s in ((10.0, 10.0), (3600.0, 30.0)):
        first = sorted(probing.pace.first_pause(interval_s) for _ in range(1000))
        assert 0 <= first[0] < last_s / 20
        assert last_s * 19 / 20 < first[-1] <= last_s
        following = [probing.pace.next_pause(interval_s, 1.0) + 1.0 for _ in range(1000)]
        assert 0.9 * interval_s <= min(following) < 0.92 * interval_s
        assert 1.08 * interval_s < max(following) <= 1.1 * interval_s
    assert probing.pace.next_pause(1.0, 5.0) == 0.0


def test_a_probe_that_hangs_where_nothing_can_be_interrupted_is_given_up_once_and_its_late_word_not_counted() -> None:
    """The system's resolver has no timeout: it is stood in for by one that waits until the test lets it go."""
    entered, go_on, again = threading.Event(), threading.Event(), threading.Event()

    def hangs(deadline: Deadline) -> float:
        if entered.is_set():
            again.set()
            return 0.0
        deadline.resolving = True
        entered.set()
        go_on.wait(60)
        deadline.resolving = False
        return 0.0

    one = Dependency("d", "tcp://127.0.0.1:1", interval=0.2, timeout=0.1)
    pacer = probing.pace.Pacer(one, hangs)
    end = running(pacer)
    try:
        assert entered.wait(30)
        assert taken(pacer) == []
        later = time.monotonic() + 60
        assert [finding.failure for finding in taken(pacer, later)] == ["dns"]
        assert taken(pacer, later + 3600) == []
        go_on.set()
        assert again.wait(30)
        end()
        findings = taken(pacer)
        assert findings
        assert {finding.failure for finding in findings} == {""}
    finally:
        go_on.set()
        end()


def test_a_probe_that_raises_what_nobody_foresaw_is_one_that_failed_here() -> None:
    done = threading.Event()

    def breaks(_: Deadline) -> float:
        done.set()
        raise RuntimeError("secret")

    pacer = probing.pace.Pacer(Dependency("d", "tcp://127.0.0.1:1", interval=0.05, timeout=0.02), breaks)
    end = running(pacer)
    assert done.wait(30)
    end()
    first = taken(pacer)[0]
    assert (first.failure, first.detail) == ("local", "no probe could be made (RuntimeError)")


def test_counts_go_on_in_the_next_process_and_begin_anew_for_another_address() -> None:
    port = free_port()
    first = probing.standing.Standing(asked(f"tcp://127.0.0.1:{port}"))
    assert first.snapshot().failure is None
    assert "is down: refused" in first.count(Finding("refused", "nothing listens there", 0.5, 1000.0))
    assert first.count(Finding("refused", "nothing listens there", 0.5, 1001.0)) == ""
    assert first.count(Finding("", "", 0.25, 1002.0, 5000.0)).endswith("is up again")
    assert "is down: timeout" in first.count(Finding("timeout", "no answer in time", 2.0, 1003.0))
    again = probing.standing.Standing(asked(f"tcp://127.0.0.1:{port}"))
    assert again.key == first.key
    again.counts[...] = first.counts
    state = again.snapshot()
    assert (state.failure, state.duration_s, state.success_wall_s, state.probes) == ("timeout", 2.0, 1002.0, 4)
    assert {reason: count for reason, count in state.failures.items() if count} == {"refused": 2, "timeout": 1}
    assert state.probes == sum(state.failures.values()) + 1
    assert state.expiry_wall_s == 5000.0
    assert probing.standing.Standing(asked(f"tcp://127.0.0.2:{port}")).key != first.key
