"""What docs/install-vm.md says of nginx in front of the sidecar, with a real one."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import eventually, free_port, model_server, predict, sidecar, tool

from exporter.demo.stage import listening

DOCUMENT = Path(__file__).parents[2] / "docs" / "install-vm.md"
_AROUND = "daemon off; pid {0}/pid; error_log {0}/error.log; events {{}} http {{ access_log off; {1} {2} }}"
_WRITES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def shown() -> str:
    found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    return found[1]


@contextmanager
def nginx(directory: Path, relay: int, server: int) -> Iterator[str]:
    """The configuration of the document between ports of ours; gives the URL."""
    own = free_port()
    text = shown().replace("127.0.0.1:9876", f"127.0.0.1:{relay}").replace("127.0.0.1:8000", f"127.0.0.1:{server}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{own};")
    places = " ".join(f"{name}_temp_path {directory}/{name};" for name in _WRITES)
    path = directory / "nginx.conf"
    path.write_text(_AROUND.format(directory, places, text))
    with subprocess.Popen(
        [tool("nginx", "nginx-light"), "-c", str(path), "-e", str(directory / "error.log")]
    ) as process:
        try:
            eventually(lambda: listening(own))
            yield f"http://127.0.0.1:{own}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.slow
def test_nginx_asks_the_sidecar_and_the_server_itself_where_there_is_none(tmp_path: Path) -> None:
    with model_server() as server, sidecar(server) as running, nginx(tmp_path, running.port, server) as url:
        assert [predict(url, [[1.0, 2.0]]) for _ in range(5)] == [{"predictions": [3.0]}] * 5
        running.settled(5)
        assert running.stop() == 0
        assert [predict(url, [[1.0, 2.0]]) for _ in range(5)] == [{"predictions": [3.0]}] * 5
