"""What a sidecar holds and spends in a pod: the numbers behind `resources` in deploy/.

    python benchmarks/sidecar_resources.py      two minutes; --features 300 --rates 100 300 --seconds 20

nginx answers for the model, wrk asks at each rate in turn, and every request is decoded and scored. Memory is the sum
of what /proc says of all processes of the sidecar (Pss, where the ring counts once), CPU time that of all of them.
State on a disk and the analyser's limit are as deploy/kustomize/component has them.
"""

import argparse
import tempfile
import time
from pathlib import Path

import throughput
from contenders import Running, make_profile, sidecar, upstream
from processes import cpu_us
from watch import weigh

MIB = 1 << 20
IDLE_S = 15
SETTINGS = ("--analyser.memory-limit", "320MiB")


def held(running: Running) -> dict[str, float]:
    """Mebibytes by kind of process."""
    return {name: sum(weigh(pid).get("pss", 0) for pid in pids) / MIB for name, pids in running.groups.items()}


def spent(running: Running) -> int:
    return sum(cpu_us(pids) for pids in running.groups.values())


def line(words: str, running: Running, milli: float) -> None:
    """One row of the table."""
    sizes = held(running)
    each = " | ".join(f"{sizes[name]:.0f}" for name in ("supervisor", "relay", "analyser"))
    print(f"| {words} | {each} | {sum(sizes.values()):.0f} | {milli:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 300, 1000], help="requests a second")
    parser.add_argument("--seconds", type=int, default=20, help="of each rate")
    parser.add_argument("--form", choices=("array", "object"), default="object")
    parser.add_argument("--features", type=int, default=len(throughput.FEATURES))
    given = parser.parse_args()
    throughput.FEATURES = [f"measurement_{number:03}" for number in range(given.features)]
    print(f"| {given.features} features | supervisor, MiB | relay | analyser | all | CPU, thousandths of a core |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_profile(directory, throughput.FEATURES, [throughput.OUTPUT])
        with (
            upstream(directory, throughput.ANSWER) as place,
            sidecar(place, *SETTINGS, "--state", str(directory / "state" / "windows")) as running,
        ):
            measure(running, given, directory)


def measure(running: Running, given: argparse.Namespace, directory: Path) -> None:
    """Idle, at each rate, and idle again, when windows hold something."""
    rest(running, "idle, just started")
    for rate in given.rates:
        given.rate = rate
        before, begun = spent(running), time.monotonic()
        throughput.drive(running.port, given, directory)
        line(f"{rate} requests/s", running, (spent(running) - before) / (time.monotonic() - begun) / 1000)
    rest(running, "idle, after that")


def rest(running: Running, words: str) -> None:
    before = spent(running)
    time.sleep(IDLE_S)
    line(words, running, (spent(running) - before) / IDLE_S / 1000)


if __name__ == "__main__":
    main()
