"""The end of a sidecar, as clients see it: behind a balancer nothing, without one a gap that is measured."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path

from faults.balancer import Balancer, balancer
from faults.stage import CONNECTIONS, FAST, Case, connect, fault, listens, model, stage
from faults.test_processes import SLOW
from proxy.rig import Peer
from support import Sidecar, children, eventually, sidecar

GENTLE = ("--drain.delay", "1s", "--drain.close-header", "true")


def _answered(client: Peer) -> bool:
    client.until(b'"}')
    return client.received.startswith(b"HTTP/1.1 200 ")


@fault(
    37, "Pods are replaced behind a balancer",
    "twice: the next pod starts, the old one gets SIGTERM with 10 long requests and 10 idle connections;"
    " `drain.delay` 1 s, `drain.close_header`; the balancer asks `/-/ready` ten times a second",
    "every long request is answered, idle connections are closed",
)  # fmt: skip
def test_a_pod_is_replaced_and_no_request_fails(case: Case) -> None:
    with model() as server, balancer() as front, ExitStack() as pods:
        old = _pod(pods, server.port)
        front.pods = [old]
        eventually(lambda: front.sends_to(old), what="the first pod behind the balancer")
        with case.streaming_past(front.port):
            for _ in range(2):
                old = _replaced(pods, front, old, server.port)
        case.unharmed()
        assert case.seen.total("answered") == case.seen.total("requests")
    case.say("the exit code is 0, no process is left")


def _pod(pods: ExitStack, upstream: int) -> Sidecar:
    return pods.enter_context(sidecar(upstream, *FAST, *GENTLE))


def _replaced(pods: ExitStack, front: Balancer, old: Sidecar, upstream: int) -> Sidecar:
    new = _pod(pods, upstream)
    front.pods = [old, new]
    eventually(lambda: front.sends_to(new), what="the next pod behind the balancer")
    family = [pid for pid, _ in children(old.process.pid)]
    with ExitStack() as crowd:
        long, idle = ([crowd.enter_context(connect(old.port)) for _ in range(10)] for _ in range(2))
        for client in long:
            client.send(SLOW)
        old.process.send_signal(signal.SIGTERM)
        assert all(map(_answered, long))
        for client in idle:
            client.to_end()
            assert not client.was_reset
    assert old.process.wait(60) == 0
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    front.pods = [new]
    return new


@fault(
    37, "Restart in place", "SIGTERM, and the next one on the same ports as soon as the process has ended",
    "connections are refused from the end of the drain until the next one listens",
)  # fmt: skip
def test_a_restart_in_place_refuses_for_as_long_as_it_takes(case: Case) -> None:
    with model() as server, sidecar(server.port, *FAST, *GENTLE[2:]) as first:
        with case.streaming_past(first.port):
            first.process.send_signal(signal.SIGTERM)
            eventually(lambda: not listens(first.port), what="nobody listens")
            begun = time.monotonic()
            assert first.process.wait(60) == 0
            again = _on_the_ports_of(first, server.port)
            try:
                eventually(lambda: listens(first.port), what="the next one")
                gap = time.monotonic() - begun
                again.wait_ready()
            except BaseException:
                again.kill()
                raise
        again.kill()
    case.unharmed("refused", "reset", "closed", most=case.seen.total("requests"))
    refused = case.seen.errors().get("refused", 0)
    assert refused > 0
    assert sum(case.seen.errors().values()) - refused <= CONNECTIONS, "one of each connection at most"
    case.remark = f"documented: nobody listens for {gap:.1f} s; a balancer, or a second pod, hides it"


def _on_the_ports_of(first: Sidecar, upstream: int) -> Sidecar:
    places = [f"127.0.0.1:{port}" for port in (first.port, first.web_port, first.health_port)]
    flags = ("--listen", places[0], "--web.listen-address", places[1], "--health.listen-address", places[2])
    again = Sidecar(upstream, *FAST, *flags)
    again.port, again.web_port, again.health_port = first.port, first.web_port, first.health_port
    return again


@fault(37, "SIGTERM twice", "a second SIGTERM amid the drain, with 10 long requests", "they break off at once")
def test_a_second_sigterm_ends_everything_at_once(case: Case) -> None:
    with model() as server, sidecar(server.port, *FAST) as running, ExitStack() as crowd:
        family = [pid for pid, _ in children(running.process.pid)]
        with case.streaming_past(running.port, to_the_end=True):
            long = [crowd.enter_context(connect(running.port)) for _ in range(10)]
            for client in long:
                client.send(SLOW.replace(b"wait=2", b"wait=60"))
            time.sleep(0.3)
            running.process.send_signal(signal.SIGTERM)
            eventually(lambda: running.get(running.health_port, "/-/ready")[0] == 503, what="the drain")
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(10) == 0
            for client in long:
                client.to_end()
                assert client.count == 0
        assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    case.unharmed("refused", "reset", "closed", most=case.seen.total("requests"))
    case.remark = "as asked for; the exit code is 0, no process is left"


@fault(
    38, "Settings are reloaded under load", "SIGHUP with a bad file, then with a good one",
)  # fmt: skip
def test_bad_settings_change_nothing_and_good_ones_cost_nothing(profile: Path, tmp_path: Path, case: Case) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("{}")
    with stage(profile, "--config", str(path)) as scene:
        before = scene.worker, scene.analyser
        with case.streaming(scene.running):
            for content, says in (
                ("nonsense: 1", "settings not reloaded"),
                ("max_connections: 99", "reloaded, changed"),
            ):
                path.write_text(content)
                scene.running.process.send_signal(signal.SIGHUP)
                eventually(lambda says=says: says in scene.running.log(), what=says)
                told = int("not" not in says)
                eventually(lambda told=told: _successful(scene.running) == told, 120, "that on the page")
        case.unharmed()
        case.accounted()
        assert (scene.worker, scene.analyser) == before
    case.say("`config_last_reload_successful` is 0, then 1")


def _successful(running: Sidecar) -> float:
    return running.metrics().value("inference_exporter_config_last_reload_successful")
