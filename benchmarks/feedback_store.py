"""What it costs to keep predictions for their truth in a file of SQLite: disk, memory, processor, waiting.

A million predictions of two numbers, each with its part of traffic that is divided in four ways, are handed over as
the analyser does it, truths are told in an order that has nothing to do with theirs, all is read back, the oldest go,
the file is opened again. At the end the same beside a thread that never rests, as the analyser's loop under load: who
waits for whom. It ends with 1 where a bound breaks.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from processes import private_kib

from exporter.feedback.keeping import Keeping
from exporter.feedback.stores import Limits, Store, open_store
from exporter.handoff import board
from exporter.performance.task import pack
from exporter.truths import Owner, Prediction, Truth, key_of

MOST_DISK_MIB, MOST_RSS_MIB, MOST_EACH_BYTES, LEAST_TRUTHS = 150, 60, 64, 5000
"""Of a million open predictions; a truth a second and processor."""
DAY_MS = 86_400_000
OWNER = Owner("credit", "3", "0a1b2c3d")
BATCH = 500
ROOM = 32 << 20
BEHIND = [b"mk" + bytes((place * step) % 251 for step in range(1, 13)) + b"ab" for place in range(97)]
"""As `monitor.belonging` writes them: a mark, four segments, four codes."""
STRIDE = 618_033
"""Prime to any power of ten: steps of it go round in an order of their own."""


class Table:
    """Lines of Markdown, and whether all bounds hold."""

    def __init__(self) -> None:
        self.holds = True
        print("| kept for their truth | | bound |\n|---|---|---|")

    def line(self, what: str, value: float, unit: str, bound: float | None = None, *, at_least: bool = False) -> None:
        """Print a number, and whether it keeps within its bound."""
        holds = bound is None or (value >= bound if at_least else value <= bound)
        self.holds &= holds
        said = "" if bound is None else f"{'≥' if at_least else '≤'} {bound:,}{'' if holds else ' **BROKEN**'}"
        print(f"| {what} | {value:,.1f} {unit} | {said} |", flush=True)


def predictions(first: int, last: int, now_ms: int) -> list[Prediction]:
    return [
        Prediction(key_of(f"request-{place}"), OWNER, now_ms + place, pack([1.0, place / last]) + BEHIND[place % 97])
        for place in range(first, last)
    ]


def truths(places: Iterator[int], now_ms: int) -> list[Truth]:
    return [Truth(key_of(f"request-{place}"), "", now_ms + DAY_MS, 0, b"1") for place in places]


def shuffled(first: int, last: int, number: int) -> Iterator[int]:
    return ((place * STRIDE) % number for place in range(first, last))


def cpu_s(work: Callable[[], object]) -> float:
    """Of all threads of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def hand_over(keeping: Keeping, number: int, now_ms: int) -> float:
    """Hand predictions over as fast as they are taken; seconds of processor without those of making them."""
    spent = made = 0.0
    begun = time.process_time()
    for first in range(0, number, BATCH):
        making = time.process_time()
        some = predictions(first, first + BATCH, now_ms)
        made += time.process_time() - making
        keeping.open(some)
        while keeping.snapshot().buffer_bytes > ROOM // 8:
            time.sleep(0.01)
    settle(keeping)
    spent = time.process_time() - begun
    return spent - made


def settle(keeping: Keeping) -> None:
    while keeping.sync() or keeping.snapshot().predictions_waiting:
        time.sleep(0.1)


def tell(keeping: Keeping, number: int, told: int, now_ms: int) -> tuple[float, float]:
    """Tell truths, a POST of so many at a time; seconds of processor without those of making them, and in all."""
    made, begun, walls = 0.0, time.process_time(), time.monotonic()
    for first in range(0, told, BATCH):
        making = time.process_time()
        some = truths(shuffled(first, first + BATCH, number), now_ms)
        made += time.process_time() - making
        answers = keeping.tell(some, 60.0)
        if answers is None or {answer.outcome for answer in answers} != {"matched"}:
            raise SystemExit("a truth did not find its prediction")
    return time.process_time() - begun - made, time.monotonic() - walls


def read_all(keeping: Keeping, expected: int) -> None:
    after = rows = 0
    while rows < expected:
        got = keeping.joined(after)
        rows, after = rows + len(got), got[-1].number if got else after
        if not got:
            time.sleep(0.002)


def disk_mib(directory: Path) -> float:
    return sum(file.stat().st_size for file in directory.iterdir()) / (1 << 20)


def measure(number: int, told: int, directory: Path) -> bool:
    limits = Limits(number, 30 * DAY_MS, DAY_MS)
    now_ms = int(time.time() * 1000)
    table = Table()
    share = number / 1e6

    def opens() -> Store:
        return open_store(f"sqlite:{directory}/feedback.sqlite", limits, "here")

    predictions(0, 10_000, now_ms)
    before = private_kib([os.getpid()])
    keeping = begun(opens, limits)
    spent = hand_over(keeping, number, now_ms)
    table.line(f"disk, {number:,} open, the log of transactions too", disk_mib(directory), "MiB", MOST_DISK_MIB * share)
    each = (directory / "feedback.sqlite").stat().st_size / number
    table.line("for each, without that log", each, "bytes", MOST_EACH_BYTES)
    table.line("memory more than before", (private_kib([os.getpid()]) - before) / 1024, "MiB", MOST_RSS_MIB)
    table.line("processor for each prediction", spent / number * 1e6, "µs")
    spent, _ = tell(keeping, number, told, now_ms)
    table.line(f"truths joined per second of processor, of {told:,}", told / spent, "", LEAST_TRUTHS, at_least=True)
    line = orjson.dumps({"id": "request-123456", "truth": 1, "time": "2026-01-01T00:00:00Z"})
    parsing = cpu_s(lambda: [orjson.loads(line) for _ in range(100_000)]) / 100_000
    table.line("a truth joined costs as much as so many lines of JSON to read", spent / told / parsing, "")
    table.line("processor for each that is read back", cpu_s(lambda: read_all(keeping, told)) / told * 1e6, "µs")
    table.line("disk with these joined", disk_mib(directory), "MiB", MOST_DISK_MIB * share)
    beside_a_loop(table, keeping, (number, told, now_ms))
    table.line("memory more than before, at the end", (private_kib([os.getpid()]) - before) / 1024, "MiB", MOST_RSS_MIB)
    keeping.close(60.0)
    last(table, opens, limits, now_ms)
    return table.holds


def begun(opens: Callable[[], Store], limits: Limits) -> Keeping:
    keeping = Keeping(opens, "sqlite", limits, ROOM, board.attach(board.create()))
    keeping.settle()
    return keeping


def beside_a_loop(table: Table, keeping: Keeping, sizes: tuple[int, int, int]) -> None:
    """Tell duplicates, which are looked up as all others, alone and beside a thread that never rests."""
    number, told, now_ms = sizes
    over, rounds = threading.Event(), [0]

    def loop() -> None:
        while not over.is_set():
            rounds[0] += 1
            sum(range(1000))

    def again() -> float:
        walls = time.monotonic()
        for first in range(0, told // 4, BATCH):
            keeping.tell(truths(shuffled(first, first + BATCH, number), now_ms), 60.0)
        return time.monotonic() - walls

    alone_s = again()
    thread = threading.Thread(target=loop)
    thread.start()
    time.sleep(1.0)
    free = rounds[0]
    beside_s = again()
    busy = (rounds[0] - free) / beside_s
    over.set()
    thread.join()
    table.line("truths told again take longer beside a loop that never rests", beside_s / alone_s, "times")
    table.line("and that loop goes on at this part of its pace", 100 * busy / free, "%")


def last(table: Table, opens: Callable[[], Store], limits: Limits, now_ms: int) -> None:
    """Open it again, have a 64th too many, and then all of it forgotten."""
    held: list[Store] = []
    table.line("to open it again", cpu_s(lambda: held.append(opens())), "s")
    (store,) = held
    extra = limits.predictions // 64
    for first in range(0, extra, BATCH):
        store.open(predictions(limits.predictions + first, limits.predictions + first + BATCH, now_ms))
    table.line(f"to forget the oldest {extra:,}", cpu_s(lambda: store.expire(now_ms)), "s")
    table.line("to forget all of them", cpu_s(lambda: store.expire(now_ms + 40 * DAY_MS)), "s")
    if any(store.sizes()[:3]):
        raise SystemExit("something was not forgotten")
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=int, default=1_000_000, help="open ones (default: 1,000,000)")
    parser.add_argument("--truths", type=int, default=100_000, help="joined ones (default: 100,000)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(not measure(chosen.predictions, chosen.truths, Path(directory)))


if __name__ == "__main__":
    main()
