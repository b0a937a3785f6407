"""Whether anything grows while the real sidecar is under mixed traffic for long: `make soak DURATION=10m`.

Supervisor, two workers and the analyser, good clients and bad ones, a scrape every second, SIGHUP now and then. Until
two fifths of the time are over, worker-1 and the analyser are killed by turns; what they hold is judged by the life
that remains. Every now and then there is a lull, in which all must have been given back (see flatness.py).

Exit code: 0 where everything is flat and nobody was failed, 1 where not.
"""

import argparse
import asyncio
import contextlib
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import chart
import uvloop
import watch
from churn import CATEGORIES, FEATURES, Churn
from flatness import COUNTED, LENGTH, MEMORY, SHARE, Finding, judge, table
from model_server import model_server
from processes import free_ports, running, wait_for

NAMES = ("supervisor", "worker-0", "worker-1", "analyser")
KILLING = 0.4
"""Share of the time in which processes are killed."""
LULL_S = 120.0
"""An analyser that others keep from the processors needs time to catch up."""
BUSY = ("connections", "in flight", "ring queued")
RELOADED = "config_last_reload_success_timestamp_seconds"
# Windows that are filled within the warm-up: those of a day fill for a day, and that is no leak.
SETTINGS = """
workers: 2
max_connections: {max_connections}
windows: {{pane: 1s, lengths: [10s, 60s], snapshot_interval: 1s}}
"""


class Plan(NamedTuple):
    """What happens how often, seconds."""

    duration: float
    lull_every: float
    kill_every: float
    reload_every: float
    clients: int
    rest: float
    """How long a lull lasts before it is looked at."""


class Sidecar(NamedTuple):
    """One that runs."""

    supervisor: int
    port: int
    web: int
    settings: Path


@contextlib.contextmanager
def sidecar(directory: Path, upstream: int) -> Iterator[Sidecar]:
    port, web, health = free_ports(3)
    settings = directory / "exporter.yml"
    settings.write_text(SETTINGS.format(max_connections=0))
    words = [
        sys.executable, "-m", "exporter", "serve", "--upstream", f"http://127.0.0.1:{upstream}",
        "--listen", f"127.0.0.1:{port}", "--web.listen-address", f"127.0.0.1:{web}",
        "--health.listen-address", f"127.0.0.1:{health}", "--config", str(settings), "--profile", profile(directory),
    ]  # fmt: skip
    with running(words, directory / "sidecar.log") as pid:
        wait_for(port)
        wait_for(web, b"GET /-/ready HTTP/1.0\r\n\r\n")
        yield Sidecar(pid, port, web, settings)


def profile(directory: Path) -> str:
    """Of the columns that good clients send."""
    chance = random.Random(1)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*FEATURES, "region", "prediction"])
        for _ in range(1000):
            numbers = [f"{chance.gauss(0, 3):.4f}" for _ in FEATURES]
            writer.writerow([*numbers, chance.choice(CATEGORIES), f"{chance.random():.4f}"])
    path = str(directory / "profile.json")
    words = ["profile", "build", str(directory / "train.csv"), "--prediction", "prediction", "--output", path]
    subprocess.run([sys.executable, "-m", "exporter", *words], check=True, stdout=subprocess.DEVNULL)
    return path


class Soak:
    """One run."""

    def __init__(self, given: Sidecar, churn: Churn, plan: Plan) -> None:
        self._sidecar = given
        self._churn = churn
        self._plan = plan
        self._begun = time.monotonic()
        self.samples: list[watch.Sample] = []
        self.marks: list[tuple[float, str]] = []
        self.lives: dict[str, tuple[int, float]] = {}
        """By name: the process id, and since when it has been that."""
        self.kills = 0
        self.broken = {"lulls with something left": 0.0}
        self.page: watch.Page | None = None
        self._turn = asyncio.Lock()
        """A lull is no lull while a process starts or settings are read."""

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begun

    async def run(self) -> None:
        """Until the time is up."""
        load = asyncio.create_task(self._churn.run(self._plan.clients))
        others = [asyncio.create_task(one) for one in (self._sampling(), self._lulls(), self._kills(), self._reloads())]
        done, _ = await asyncio.wait((load, *others), timeout=self._plan.duration, return_when=asyncio.FIRST_EXCEPTION)
        for one in done:
            one.result()
        async with self._turn:  # what was killed is there again
            for one in others:
                one.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._lull()
        load.cancel()
        self._account()

    # looking

    async def _sampling(self) -> None:
        while True:
            await self._sample(lull=False)
            await asyncio.sleep(1)

    async def _sample(self, *, lull: bool) -> None:
        sample = {"seconds": self.seconds, "lull": float(lull)}
        page = await asyncio.to_thread(watch.scrape, self._sidecar.web)
        for name, pid in watch.processes(self._sidecar.supervisor).items():
            if self.lives.get(name, (0, 0.0))[0] != pid:
                self.lives[name] = pid, self.seconds
            sample |= {f"{name} {what}": value for what, value in watch.weigh(pid).items()}
        if page:
            self.page = page
            sample |= {f"page {what}": value for what, value in page.sample().items()}
        self.samples.append(sample)

    async def _lulls(self) -> None:
        while True:
            await asyncio.sleep(self._plan.lull_every)
            async with self._turn:
                await self._lull()
            self._churn.go_on()

    async def _lull(self) -> None:
        """A sample of everybody at rest."""
        await self._churn.lull()
        if not await self._until(lambda page: not any(page.sample()[what] for what in BUSY)):
            self.broken["lulls with something left"] += 1
        await asyncio.sleep(self._plan.rest)
        await self._sample(lull=True)

    # doing

    async def _kills(self) -> None:
        """Worker and analyser by turns, each once at least until it is back; then they show that they do not grow."""
        victims = ["worker-1", "analyser"]
        while self._plan.kill_every:
            await asyncio.sleep(self._plan.kill_every)
            async with self._turn:
                if self.kills >= len(victims) and self.seconds > KILLING * self._plan.duration:
                    return
                self.marks.append((self.seconds, f"kill {victims[0]}"))
                self._churn.kill_noted()
                self.kills += 1
                os.kill(watch.processes(self._sidecar.supervisor)[victims[0]], signal.SIGKILL)
                await self._until(lambda page: page.total("process_restarts_total") >= self.kills)
            victims.reverse()

    async def _until(self, holds: Callable[[watch.Page], bool]) -> bool:
        """Wait for a page of which something holds, though not for ever; whether it came."""
        deadline = time.monotonic() + LULL_S
        while time.monotonic() < deadline:
            page = await asyncio.to_thread(watch.scrape, self._sidecar.web)
            if page and holds(page):
                return True
            await asyncio.sleep(0.2)
        return False

    async def _reloads(self) -> None:
        while self._plan.reload_every:
            async with self._turn:
                self.marks.append((self.seconds, "reload"))
                self._sidecar.settings.write_text(SETTINGS.format(max_connections=5000 + len(self.marks) % 2))
                told = time.time()
                os.kill(self._sidecar.supervisor, signal.SIGHUP)
                await self._until(lambda page, told=told: page.total(RELOADED) > told)
            await asyncio.sleep(self._plan.reload_every)

    # judging

    def _account(self) -> None:
        """What is to be zero at the end."""
        page = self.page
        if page is None:
            raise SystemExit("there was never a page of metrics")
        dropped, observed = page.total("exchanges_dropped_total"), page.total("exchanges_observed_total")
        self.broken |= {
            "good clients failed": sum(self._churn.failed.values()),
            "exchanges not accounted for": page.total("exchanges_offered_total") - observed - dropped,
            "restarts nobody asked for": page.total("process_restarts_total") - self.kills,
            "reloads that failed": 1 - page.total("config_last_reload_successful"),
        }

    def findings(self) -> list[Finding]:
        """By process and number, then those of the page."""
        found = []
        for name in NAMES:
            for what, tolerance in (("own", MEMORY), ("rss", MEMORY), ("descriptors", COUNTED),
                                    ("threads", COUNTED), ("mappings", COUNTED)):  # fmt: skip
                found.append(judge(f"{name} {what}", self._points(f"{name} {what}", self.lives[name][1]), tolerance))
        last = max(since for _, since in self.lives.values())
        found += [judge(f"page {what}", self._points(f"page {what}", last), tolerance)
                  for what, tolerance in (("series", LENGTH), ("bytes", LENGTH))]  # fmt: skip
        return [*found, judge("page ring fill", self._points("page ring fill", last, lull=False), SHARE)]

    def _points(self, key: str, since: float, *, lull: bool = True) -> list[tuple[float, float]]:
        return [
            (sample["seconds"], sample[key])
            for sample in self.samples
            if key in sample and sample["seconds"] >= since and sample["lull"] == lull
        ]


# --- the command


def seconds(text: str) -> float:
    """`90`, `90s`, `10m` or `1.5h`."""
    factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    return float(text[:-1]) * factor if factor else float(text)


async def soak(plan: Plan, output: Path) -> bool:
    """Run, write, print; whether everything is as it should be."""
    this = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: this and this.cancel())
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        async with model_server() as upstream:
            with sidecar(Path(directory), upstream) as given:
                churn = Churn(given.port, seed=1)
                run = Soak(given, churn, plan)
                await run.run()
                log = (Path(directory) / "sidecar.log").read_text(errors="replace")
    (output / "sidecar.log").write_text(log)
    chart.write(output / "soak.csv", run.samples)
    findings = run.findings()
    print(table(findings, run.broken))
    print(f"{churn.requests:,} requests answered as they should be, {churn.excused} lost to kills; {dict(churn.done)}")
    for what, count in churn.failed.items():
        print(f"failed {count} times: {what}")
    try:
        chart.draw(output / "soak.png", run.samples, run.marks)
    except ModuleNotFoundError:
        print("no picture: matplotlib is not installed")
    print(f"samples{' and picture' if (output / 'soak.png').exists() else ''} in {output}")
    return all(one.flat for one in findings) and not any(run.broken.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=seconds, default=600.0, help="such as 90s, 10m, 12h (default 10m)")
    parser.add_argument("--lull-every", type=seconds, default=15.0)
    parser.add_argument("--kill-every", type=seconds, default=30.0, help="0: nobody is killed")
    parser.add_argument("--reload-every", type=seconds, default=20.0, help="0: never")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument(
        "--rest", type=seconds, default=12.0,
        help="of a lull before it is looked at: the analyser gives memory back every ten seconds (default 12s)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=Path("build/soak"))
    given = vars(parser.parse_args())
    output = given.pop("output")
    output.mkdir(parents=True, exist_ok=True)
    try:
        sys.exit(not uvloop.run(soak(Plan(**given), output)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)  # every process has been ended on the way


if __name__ == "__main__":
    main()
