"""Who is measured: how each is started in front of the upstream, and which of its processes relay."""

import contextlib
import csv
import random
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from processes import command, free_ports, running, tree, wait_for

HERE = Path(__file__).parent
FEATURES = [f"measurement_{number:02}" for number in range(36)]
OUTPUTS = [f"class_{number:02}" for number in range(24)]
ANSWER = '{"predictions": [[' + ", ".join(["0.0416666"] * len(OUTPUTS)) + "]]}"
PROBE = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Place(NamedTuple):
    """Where a contender runs."""

    directory: Path
    upstream: int
    """The upstream's port."""
    pid: int = 0
    """And its process."""


class Running(NamedTuple):
    """A contender that is up."""

    port: int
    groups: Mapping[str, list[int]]
    """Process ids: `relay` for those that relay, others by their names."""
    metrics: int = 0
    """Port of the exporter's own metrics."""


class Contender(NamedTuple):
    """One line of the table."""

    name: str
    needs: tuple[str, ...]
    """Programs or modules without which it is skipped."""
    start: Callable[[Place], contextlib.AbstractContextManager[Running]]

    def missing(self) -> list[str]:
        """What of it is not installed."""
        return [need for need in self.needs if not (program(need) or _module(need))]


def program(name: str) -> str | None:
    """Servers live in sbin, which is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _module(name: str) -> bool:
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({name!r}) is None)"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the upstream

NGINX = """
daemon off;
worker_processes 1;
pid {directory}/{name}.pid;
error_log {directory}/{name}.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    client_body_buffer_size 64k;
    client_body_temp_path {directory}/{name}-body;
    proxy_temp_path {directory}/{name}-proxy;
    fastcgi_temp_path {directory}/{name}-fastcgi;
    uwsgi_temp_path {directory}/{name}-uwsgi;
    scgi_temp_path {directory}/{name}-scgi;
    default_type application/json;
    {http}
}}
"""
UPSTREAM = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ return 200 '{answer}'; }}
        location /files/ {{ alias {directory}/files/; }}
    }}
"""
REVERSE_PROXY = """
    upstream model {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
"""


@contextlib.contextmanager
def _nginx(directory: Path, name: str, http: str, port: int) -> Iterator[int]:
    config = directory / f"{name}.conf"
    config.write_text(NGINX.format(directory=directory, name=name, http=http))
    words = [program("nginx") or "nginx", "-c", str(config), "-p", str(directory), "-e", str(directory / f"{name}.log")]
    with running(words, directory / f"{name}.out") as pid:
        wait_for(port, PROBE)
        yield pid


@contextlib.contextmanager
def upstream(directory: Path, answer: str = ANSWER) -> Iterator[Place]:
    """Answers whatever it is asked at once, without looking."""
    (directory / "files").mkdir()
    (port,) = free_ports(1)
    http = UPSTREAM.format(port=port, answer=answer, directory=directory)
    with _nginx(directory, "upstream", http, port) as pid:
        yield Place(directory, port, pid)


# --- the contenders


@contextlib.contextmanager
def direct(place: Place) -> Iterator[Running]:
    yield Running(place.upstream, {"relay": []})


@contextlib.contextmanager
def nginx(place: Place) -> Iterator[Running]:
    (port,) = free_ports(1)
    http = REVERSE_PROXY.format(port=port, upstream=place.upstream)
    with _nginx(place.directory, "proxy", http, port) as pid:
        yield Running(port, {"relay": tree(pid)})


HAPROXY = """
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    http-reuse always
frontend clients
    bind 127.0.0.1:{port}
    default_backend model
backend model
    server model 127.0.0.1:{upstream}
"""


@contextlib.contextmanager
def haproxy(place: Place) -> Iterator[Running]:
    (port,) = free_ports(1)
    config = place.directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, upstream=place.upstream))
    words = [program("haproxy") or "haproxy", "-db", "-f", str(config)]
    with running(words, place.directory / "haproxy.log") as pid:
        wait_for(port, PROBE)
        yield Running(port, {"relay": tree(pid)})


@contextlib.contextmanager
def sidecar(place: Place, *settings: str, is_open: bool = True) -> Iterator[Running]:
    """One worker, the analyser beside it, and a profile that has every feature of the traffic.

    Where the page is not open to everybody nothing but its port is waited for.
    """
    port, web, health = free_ports(3)
    words = [
        sys.executable, "-m", "exporter", "serve", "--upstream", f"http://127.0.0.1:{place.upstream}",
        "--listen", f"127.0.0.1:{port}", "--web.listen-address", f"127.0.0.1:{web}",
        "--health.listen-address", f"127.0.0.1:{health}", "--profile", make_profile(place.directory), *settings,
    ]  # fmt: skip
    with running(words, place.directory / "sidecar.log") as pid:
        wait_for(port, PROBE)
        wait_for(web, b"GET /metrics HTTP/1.0\r\n\r\n" if is_open else b"")
        yield Running(port, sidecar_groups(pid), web)


@contextlib.contextmanager
def not_observing(place: Place) -> Iterator[Running]:
    """The same with observation switched off: what the relay costs alone."""
    with sidecar(place, "--web.enable-lifecycle", "true") as running_:
        url = f"http://127.0.0.1:{running_.metrics}/-/observe?enabled=false"
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10).close()
        yield running_._replace(groups={"relay": running_.groups["relay"]}, metrics=0)


def sidecar_groups(supervisor: int) -> dict[str, list[int]]:
    """The sidecar's processes as they are now."""
    modules = {"relay": "exporter.worker", "analyser": "exporter.analyser"}
    pids = tree(supervisor)
    groups = {name: [pid for pid in pids if module in command(pid)] for name, module in modules.items()}
    return groups | {"supervisor": [supervisor]}


def make_profile(directory: Path, features: Sequence[str] = FEATURES, outputs: Sequence[str] = OUTPUTS) -> str:
    """The directory's profile, made where it has none; its path."""
    path = directory / "profile.json"
    if not path.exists():
        chance = random.Random(1)
        with (directory / "train.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*features, *outputs])
            writer.writerows([f"{chance.gauss(0, 3):.4f}" for _ in (*features, *outputs)] for _ in range(1000))
        named = [word for name in outputs for word in ("--prediction", name)]
        words = ["profile", "build", str(directory / "train.csv"), *named, "--output", str(path)]
        subprocess.run([sys.executable, "-m", "exporter", *words], check=True, stdout=subprocess.DEVNULL)
    return str(path)


def _script(name: str) -> Callable[[Place], contextlib.AbstractContextManager[Running]]:
    @contextlib.contextmanager
    def start(place: Place) -> Iterator[Running]:
        (port,) = free_ports(1)
        words = [sys.executable, str(HERE / "peers" / f"{name}.py"), str(port), f"http://127.0.0.1:{place.upstream}"]
        with running(words, place.directory / f"{name}.log") as pid:
            wait_for(port, PROBE)
            yield Running(port, {"relay": tree(pid)})

    return start


CONTENDERS = (
    Contender("direct", ("nginx",), direct),
    Contender("nginx", ("nginx",), nginx),
    Contender("HAProxy", ("haproxy",), haproxy),
    Contender("inference-exporter", (), sidecar),
    Contender("… not observing", (), not_observing),
    Contender("aiohttp proxy", ("aiohttp",), _script("aiohttp_proxy")),
    Contender("Flask + requests proxy", ("requests",), _script("flask_proxy")),
)
