"""What hostile clients of the web side cost the relay's: each attack in turn against a real sidecar under load.

    make bench-hostile                   five minutes; ARGS="--rounds 5 --only slowloris bodies"

wrk sends predictions with pauses through the relay, quiet and attacked in turn, so that a busy machine weighs on both.
Where there are two cores the sidecar has the last, and everything else the first; the attack is niced below wrk and the
upstream, as what it costs in its own process would elsewhere be another machine's; the attack called `nobody` is what
is left of that, and what the others are to be held against. Shown are medians over the rounds
of the ratio of p50 and of the relay's CPU time per request (attacked to quiet), the analyser's resident memory at its
highest, and how many scrapes of a well-behaved Prometheus were answered in full within its usual ten seconds, the
slowest of them last.
"""

import argparse
import base64
import contextlib
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple, Self

from attacks import ATTACKS, OVER_TLS
from contenders import Place, Running, sidecar, sidecar_groups, upstream
from processes import on_core, private_kib
from relay import Load, Sample, drive

LOAD = Load("1 kB", connections=8, seconds=2, pause_ms=4)
PASSWORD = "change me"  # noqa: S105 (of this benchmark)
COST = 10


class Round(NamedTuple):
    """The relay's clients without and with an attack."""

    quiet: Sample
    attacked: Sample


class Scraper:
    """Prometheus, once a second."""

    def __init__(self, port: int, is_tls: bool, analyser: Sequence[int]) -> None:
        self.answered = self.failed = 0
        self.slowest_s = self.resident_mib = 0.0
        self._url = f"http{'s' if is_tls else ''}://127.0.0.1:{port}/metrics"
        self._context = ssl._create_unverified_context() if is_tls else None  # noqa: S323, SLF001 (our own, on loopback)
        self._analyser = analyser
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.wait(1.0):
            self.resident_mib = max(self.resident_mib, private_kib(self._analyser) / 1024)
            begun = time.monotonic()
            if self._scrape():
                self.answered += 1
            else:
                self.failed += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)

    def _scrape(self) -> bool:
        basic = base64.b64encode(f"prometheus:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            self._url, headers={"Authorization": f"Basic {basic}", "Accept-Encoding": "gzip"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._context) as answer:
                return bool(answer.read())
        except (OSError, HTTPException) as error:
            print(f"{error!r}", file=sys.stderr)
            return False

    def __enter__(self) -> Self:
        while not self._scrape():
            time.sleep(0.5)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@contextlib.contextmanager
def attacked(name: str, port: int) -> Iterator[None]:
    script = str(Path(__file__).parent / "attacks.py")
    process = subprocess.Popen(
        ["nice", "-n", "20", sys.executable, script, name, str(port)], env=os.environ | {"PASSWORD": PASSWORD},
        start_new_session=False,
    )  # fmt: skip
    try:
        time.sleep(0.5)
        yield
    finally:
        process.kill()
        process.wait()


def measure(name: str, place: Place, rounds: int) -> str:
    """A row of the table."""
    core = os.cpu_count() or 1
    with on_core(core - 1), contextlib.ExitStack() as stack:
        config = _config(place.directory, name)
        running = stack.enter_context(_started(place, config))
        os.sched_setaffinity(0, {0})
        with Scraper(running.metrics, name in OVER_TLS, running.groups["analyser"]) as scraper:
            drive(running, LOAD, place.directory)  # warm
            calm_mib = scraper.resident_mib
            found = [_round(name, running, place.directory) for _ in range(rounds)]
    ratio = statistics.median(one.attacked.p50 / one.quiet.p50 for one in found)
    cpu = statistics.median(one.attacked.cpu / one.quiet.cpu for one in found)
    quiet = statistics.median(one.quiet.p50 for one in found)
    tried = scraper.answered + scraper.failed
    return (f"| {name} | {quiet:.0f} µs | {ratio:.2f} | {cpu:.2f} | {calm_mib:.0f} → {scraper.resident_mib:.0f} MiB "
            f"| {scraper.answered} of {tried} | {scraper.slowest_s:.1f} s |")  # fmt: skip


def _round(name: str, running: Running, directory: Path) -> Round:
    quiet = drive(running, LOAD, directory)
    with attacked(name, running.metrics):
        return Round(quiet, drive(running, LOAD, directory))


def _config(directory: Path, name: str) -> Path:
    import bcrypt  # noqa: PLC0415 (a dependency of the exporter)

    path = directory / f"{name}.yml"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(COST)).decode()
    text = "" if name == "bodies" else f"basic_auth_users: {{prometheus: {hashed}}}\n"
    if name in OVER_TLS:
        _certificate(directory)
        text += "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n"
    path.write_text(text)
    return path


def _certificate(directory: Path) -> None:
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.crt",
             "-subj", "/CN=localhost", "-days", "2")  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, cwd=directory)


@contextlib.contextmanager
def _started(place: Place, config: Path) -> Iterator[Running]:
    """A sidecar whose page is not open to everybody; its analyser is there."""
    flags = ("--web.config.file", str(config), "--events.enable", "true")
    with sidecar(place, *flags, is_open=False) as running:
        (supervisor,) = running.groups["supervisor"]
        while not (groups := sidecar_groups(supervisor))["analyser"]:
            time.sleep(0.05)
        yield running._replace(groups=groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS), default=list(ATTACKS))
    given = parser.parse_args()
    with contextlib.suppress(OSError):  # where we may: what else goes on here is none of what is measured
        os.nice(-10)
    print("| attack | p50, quiet | attacked / quiet | CPU, the same | analyser's memory | scrapes answered | slowest |")
    print("|---|---|---|---|---|---|---|")
    for name in given.only:
        with tempfile.TemporaryDirectory() as directory, on_core(0), upstream(Path(directory)) as place:
            print(measure(name, place, given.rounds), flush=True)


if __name__ == "__main__":
    main()
