"""Clients that are slow, many or rude: they push each other out, and who asks properly is answered meanwhile."""

import re
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from proxy.rig import Peer
from support import eventually
from web.certificates import authority, issued
from web.doors import PAGE, TEXT, Served, peer, rest, served

from exporter import web
from exporter.collect.exposition import Block
from exporter.collect.rendered import Rendered
from exporter.web import connection, lobby, server, streams
from exporter.web.in_force import InForce
from exporter.web.refused import Refused

MOST = lobby.MOST_CLIENTS
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"model_x 1\n" * 800_000
"""More than sockets hold."""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "REQUEST_S", 1.0)
    monkeypatch.setattr(connection, "ANSWER_S", 1.0)


@contextmanager
def crowd(at: Served, count: int, begin: Callable[[Peer], object]) -> Iterator[list[Peer]]:
    """So many clients that begin something, one after the other."""
    with ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(peer(at.port))
            with suppress(OSError):  # it may have been let go already
                begin(client)
            clients.append(client)
        yield clients


def silent(_: Peer) -> None:
    pass


def halfway(client: Peer) -> None:
    client.send(b"GET /metrics HTTP/1.1\r\nHost:")


def unread(client: Peer) -> None:
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    client.send(GET)


def threads() -> int:
    return threading.active_count()


@pytest.mark.parametrize("begin", [silent, halfway])
def test_the_page_is_served_while_more_clients_than_there_may_be_say_nothing(begin: Callable[[Peer], object]) -> None:
    with served() as at:
        before = threads()
        with crowd(at, MOST + 100, begin):
            for _ in range(20):
                assert at.ask().body == TEXT
            assert threads() == before
            assert at.refused()["crowded"] >= 100
        assert at.ask().body == TEXT


def large() -> Rendered:
    return Rendered([Block("model_x", b"", b"", LARGE, 1)])


@contextmanager
def served_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    page = large()
    create_app = web.create_app
    monkeypatch.setattr(web, "create_app", lambda _, *more, **others: create_app(lambda: page, *more, **others))
    with served() as at:
        yield at


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_clients_that_do_not_read_hold_neither_threads_nor_copies_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    with served_large(monkeypatch) as at:
        assert at.ask().body == LARGE
        before = resident_bytes()
        with crowd(at, 200, unread) as clients:
            for _ in range(5):
                assert at.ask().body == LARGE
            assert resident_bytes() - before < 200 * len(LARGE) // 20
            late = clients[-1]
            while late.count < len(LARGE):
                assert late.some(), "who reads after all gets all of it"


def test_who_does_not_read_is_let_go_before_who_has_just_come(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        at = stack.enter_context(served_large(monkeypatch))
        stack.enter_context(crowd(at, MOST, unread))
        newcomer = stack.enter_context(peer(at.port))
        stack.enter_context(crowd(at, 100, silent))
        eventually(lambda: at.refused().get("crowded", 0) >= 101, what="room being made")
        newcomer.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert newcomer.some().startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_is_not_taken_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with served_large(monkeypatch) as at, peer(at.port) as client:
        unread(client)
        eventually(lambda: at.refused() == {"slow": 1}, what="being let go")
        assert len(rest(client)) < len(LARGE)


def test_a_client_that_reads_slowly_in_time_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with served_large(monkeypatch) as at, peer(at.port) as client:
        unread(client)
        client.until(b"\r\n\r\n")
        start = client.count
        while client.count - start < len(LARGE):
            client.read(min(1 << 20, len(LARGE) - client.count + start))
            time.sleep(0.005)
        client.received.clear()
        client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.some().startswith(b"HTTP/1.1 200 "), "and the connection goes on"


@pytest.mark.usefixtures("hurried")
def test_a_head_that_drips_is_given_up_and_told_and_a_silent_client_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_IDLE_S", 1.0)
    with served() as at, peer(at.port) as silent_one, peer(at.port) as dripping:
        halfway(dripping)
        with suppress(OSError):
            while at.refused().get("slow", 0) < 2:
                dripping.send(b"x")
                time.sleep(0.1)
        assert b" 408 " in rest(dripping)
        assert rest(silent_one) == b""


def test_requests_that_come_at_once_are_answered_in_order_and_a_flood_of_them_keeps_nobody_out() -> None:
    with served() as at, ExitStack() as stack:
        flood = [stack.enter_context(peer(at.port)) for _ in range(20)]
        for client in flood:
            client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        assert at.ask().body == TEXT
        client = flood[0]
        client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", rest(client))
        assert statuses == [b"200", b"404"] * 200 + [b"200"]


class AtOnce(server._Server):
    """Serves in the lobby's own thread: whoever is served is back before the lobby looks at anybody else."""

    served = 0

    def process_conn(self, conn: Any) -> None:
        self.served += 1
        assert conn.communicate()
        self.put_conn(conn)


def test_who_is_back_at_once_again_and_again_is_served_once_a_turn_and_a_newcomer_meanwhile() -> None:
    app = web.create_app(lambda: PAGE)
    request, times = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", 50
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        at = AtOnce(listener, app, 0, server.Doors(InForce(None).now, Refused()))
        at.prepare()
        stack.callback(at.stop)
        greedy, newcomer = (stack.enter_context(peer(listener.getsockname()[1])) for _ in range(2))
        greedy.send(request * times)
        newcomer.send(request)
        while len(at.clients) < 2 or at.served < times // 2:
            before = at.served
            at._connections._turn(1)
            assert at.served - before <= 2 * len(at.clients), "who comes in is looked at twice in that turn"
        newcomer.until(b"healthy\n")
        assert newcomer.received.startswith(b"HTTP/1.1 200 ")
        assert at.served < times


def test_in_a_crowd_whoever_sends_requests_before_their_answers_has_one_of_them_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MOST_CLIENTS", 3)
    with served() as at, crowd(at, 2, halfway), peer(at.port) as client:
        client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        assert rest(client).count(b"HTTP/1.1 200 ") == 1
        assert at.refused() == {"crowded": 1}


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 30])
def test_a_head_is_read_in_whatever_pieces_it_comes(pieces: int) -> None:
    request = b"\r\nGET /-/healthy HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
    step = -(-len(request) // pieces)
    with served() as at, peer(at.port) as client:
        for _ in range(3):
            for start in range(0, len(request), step):
                client.send(request[start : start + step])
                time.sleep(0.002)
            client.until(b"healthy\n")
            assert client.received.startswith(b"HTTP/1.1 200 ")
            client.received.clear()


def test_what_follows_a_body_that_nobody_read_is_never_taken_for_a_request() -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for framing in (b"Content-Length: %d\r\n\r\n" % len(hidden), b"Transfer-Encoding: chunked\r\n\r\n"):
        with served() as at, peer(at.port) as client:
            client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n" + framing + hidden)
            found = rest(client)
            assert found.count(b"HTTP/1.1 ") == 1
            assert b"model_x" not in found


def test_a_client_that_has_said_all_is_answered() -> None:
    with served() as at, peer(at.port) as client:
        client.send(GET)
        client.finish()
        assert rest(client).endswith(TEXT)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_clients_that_leave_at_any_moment_leave_nothing_behind() -> None:
    with served() as at:
        before = descriptors()
        for begin in (silent, halfway, unread):
            with crowd(at, 30, begin) as clients:
                for number, client in enumerate(clients):
                    if number % 2:
                        client.reset()
        eventually(lambda: descriptors() <= before, what="all descriptors closed")
        assert at.ask().body == TEXT


def test_an_end_while_clients_wait_is_an_end() -> None:
    with served() as at, crowd(at, 30, halfway) as clients:
        pass
    assert clients
    with pytest.raises(OSError):  # noqa: PT011 (refused)
        peer(at.port)


def test_without_descriptors_somebody_is_let_go_and_the_page_is_served() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served() as at:
        used = descriptors()
        with ExitStack() as stack:
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + 60, hard))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            clients = [stack.enter_context(peer(at.port)) for _ in range(25)]
            eventually(lambda: descriptors() >= used + 2 * len(clients), what="all being let in")
            hoard = []
            with suppress(OSError):
                while True:
                    hoard.append(stack.enter_context(socket.socket()))
            hoard.pop().close()
            assert at.ask().body == TEXT
            assert at.refused()["crowded"] >= 1


@pytest.fixture(scope="module")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    ca = authority(folder)
    issued(ca, "server").copy_to(folder)
    (folder / "web.yml").write_text("tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n")
    return folder / "web.yml", ca.cert


def first_message() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


HELLO = first_message()[:100]


def hello(client: Peer) -> None:
    """The first half of the first message of a handshake."""
    client.send(HELLO)


@pytest.mark.parametrize("begin", [silent, hello])
def test_handshakes_that_never_end_keep_nobody_out(
    over_tls: tuple[Path, Path], begin: Callable[[Peer], object]
) -> None:
    with served(*over_tls) as at, crowd(at, MOST + 50, begin):
        for _ in range(5):
            assert at.ask().body == TEXT


@pytest.mark.usefixtures("hurried")
def test_a_handshake_that_never_ends_is_given_up(over_tls: tuple[Path, Path]) -> None:
    with served(*over_tls) as at, peer(at.port) as client:
        hello(client)
        assert rest(client) == b""
        assert at.refused() == {"slow": 1}


def test_a_large_page_comes_whole_over_tls(over_tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    page = large()
    create_app = web.create_app
    monkeypatch.setattr(web, "create_app", lambda _, *more: create_app(lambda: page, *more))
    with served(*over_tls) as at:
        assert at.ask().body == LARGE
