"""Whoever ends the process does not wait for a Prometheus that never answers."""

import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import PATIENCE_S, eventually, free_port

from exporter.errors import PrometheusError
from exporter.fleet.ending import Ending


@pytest.mark.parametrize("is_there", [True, False])
def test_a_signal_ends_it_though_prometheus_does_not_answer_for_an_hour(tmp_path: Path, is_there: bool) -> None:
    own, state = free_port(), tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as held:
        port = silent.getsockname()[1] if is_there else free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "exporter", "fleet", "--prometheus.url", f"http://127.0.0.1:{port}",
             "--prometheus.timeout", "1h", "--pane", "1h", "--web.listen-address", f"127.0.0.1:{own}",
             "--state", str(state)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            if is_there:
                silent.settimeout(PATIENCE_S)
                asked, _ = silent.accept()
                assert held.enter_context(asked).recv(4), "a question"
            else:
                eventually(lambda: _answers(own))
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0, said
    assert "Traceback" not in said


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_what_is_not_waited_for_is_not_broken_off() -> None:
    ending = Ending()
    ending.told()
    assert ending.is_due
    with pytest.raises(PrometheusError), ending.waiting():
        pytest.fail("it is waited for")
    ending.wait(3600.0)


_TOLD_TO_ANOTHER_THREAD = """
import signal, threading
from exporter.fleet.ending import Ending

ending = Ending()
ending.heed(signal.SIGTERM)
other = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
other.start()
ending.wait(3600.0)
print("due:", ending.is_due)
"""


def test_a_signal_that_does_not_break_off_the_step_in_which_the_first_thread_waits_ends_it_all_the_same() -> None:
    """As one that came a moment before that step does; here it reaches another thread, which can be had at will."""
    said = subprocess.run(
        [sys.executable, "-c", _TOLD_TO_ANOTHER_THREAD], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (said.stdout, said.stderr) == ("due: True\n", "")
