"""What the analyser spends on a payload: from the ring to the sketches, beside whylogs and a loop of json and pandas.

    make bench-decode                 about a minute; ARGS="--rounds 21 --only ours"

Payloads have 30 features of a profile. Ours go the whole way: taken from a ring in shared memory, unpacked, decoded,
observed, counted, committed, both sides of each exchange. The others get the request's bytes, parsed, and nothing
else to do. All are measured in turn, round by round, by the CPU time of their own process; medians are shown, with
their ratio to ours. The ratios carry over to other machines, the microseconds do not.

whylogs pins old libraries, so it and pandas live in an environment of their own, build/bench-decode.
"""

import argparse
import contextlib
import gc
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from exporter.config import Settings
from exporter.decode import Decoder
from exporter.handoff import frames, memory, ring
from exporter.handoff.ledger import Ledger
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring, Writer
from exporter.monitor.models import Models
from exporter.monitor.stream import observe
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.profile.directory import OneProfile
from exporter.records import Body, Capture, Exchange
from exporter.reference import Profile

HERE = Path(__file__).parent
FEATURES = [f"measurement_{number:02}" for number in range(24)] + [f"amount_{number}" for number in range(6)]
MIXED = FEATURES[:24] + [f"category_{number}" for number in range(6)]
TOWNS = ["Berlin", "Paris", "Zürich", "東京", "Lima", "Oslo"]
BATCH_ROWS = 1000
DIFFERENT = 50
"""Bodies of a case that differ from each other."""
RING_BYTES = 64 << 20
AT_ONCE = 16
"""Records that a worker hands over together."""
COMMIT_PACE, SHORTEST_COMMIT_S = 20, 0.05
"""As the analyser's."""
Row = dict[str, Any]


class Case(NamedTuple):
    """One form of payload."""

    name: str
    rows: int
    write: Callable[[Sequence[Row]], tuple[bytes, dict[str, str]]]
    """The body of a request of these rows, and its headers."""
    mixed: bool = False
    """A fifth of the features are categories."""
    target_us: float | None = None
    """Per value where there are many rows, else per request."""

    @property
    def unit(self) -> int:
        """How many of what is counted a request has."""
        return self.rows * len(FEATURES) if self.rows > 1 else 1


# --- payloads


def arrays(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    return json.dumps({"instances": [list(row.values()) for row in rows]}).encode(), {}


def objects(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    return json.dumps({"instances": rows}, ensure_ascii=False).encode(), {}


def gaps(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    """Every tenth value is null."""
    gappy = [{name: None if random.random() < 0.1 else cell for name, cell in row.items()} for row in rows]
    return objects(gappy)


def split(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    data = [list(row.values()) for row in rows]
    return json.dumps({"dataframe_split": {"columns": list(rows[0]), "data": data}}).encode(), {}


def columns(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    return json.dumps({"inputs": {name: [row[name] for row in rows] for name in rows[0]}}).encode(), {}


def v2_json(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    """A tensor for each feature."""
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": [row[name] for row in rows]}
        for name in rows[0]
    ]
    return json.dumps({"inputs": tensors}).encode(), {}


def v2_json_one(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    """One tensor of all features."""
    data = [cell for row in rows for cell in row.values()]
    tensor = {"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor]}).encode(), {}


def v2_binary(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    """A tensor for each feature, behind the JSON."""
    blobs = [np.array([row[name] for row in rows], "<f4").tobytes() for name in rows[0]]
    tensors = [_binary(name, [len(rows)], blob) for name, blob in zip(rows[0], blobs, strict=True)]
    return _framed(tensors, b"".join(blobs))


def v2_binary_one(rows: Sequence[Row]) -> tuple[bytes, dict[str, str]]:
    """One tensor of all features, behind the JSON."""
    blob = np.array([list(row.values()) for row in rows], "<f4").tobytes()
    return _framed([_binary("x", [len(rows), len(rows[0])], blob)], blob)


def _binary(name: str, shape: Sequence[int], blob: bytes) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": len(blob)}}


def _framed(tensors: Sequence[dict[str, Any]], blobs: bytes) -> tuple[bytes, dict[str, str]]:
    head = json.dumps({"inputs": tensors}).encode()
    return head + blobs, {"inference-header-content-length": str(len(head))}


CASES = (
    Case("one row, array", 1, arrays, target_us=25),
    Case("one row, object", 1, objects, target_us=35),
    Case("one row, object, a tenth null", 1, gaps),
    Case("one row, object, 6 of 30 categories", 1, objects, mixed=True),
    Case("one row, V2 JSON, one tensor", 1, v2_json_one),
    Case("one row, V2 JSON, 30 tensors", 1, v2_json),
    Case("batch, arrays", BATCH_ROWS, arrays, target_us=0.4),
    Case("batch, objects", BATCH_ROWS, objects, target_us=0.4),
    Case("batch, objects, 6 of 30 categories", BATCH_ROWS, objects, mixed=True, target_us=0.4),
    Case("batch, dataframe_split", BATCH_ROWS, split, target_us=0.4),
    Case("batch, columns", BATCH_ROWS, columns, target_us=0.4),
    Case("batch, V2 JSON, 30 tensors", BATCH_ROWS, v2_json, target_us=0.4),
    Case("batch, V2 binary, 30 tensors", BATCH_ROWS, v2_binary, target_us=0.12),
    Case("batch, V2 binary, one tensor", BATCH_ROWS, v2_binary_one, target_us=0.12),
)


def rows_of(count: int, *, mixed: bool) -> list[Row]:
    names = MIXED if mixed else FEATURES
    return [
        {name: random.choice(TOWNS) if name.startswith("c") else round(random.gauss(3, 7), 4) for name in names}
        for _ in range(count)
    ]


def exchange(case: Case, at: int) -> Exchange:
    body, headers = case.write(rows_of(case.rows, mixed=case.mixed))
    key = "outputs" if case.name.find("V2") >= 0 else "predictions"
    scores: Any = [round(random.random(), 6) for _ in range(case.rows)]
    if key == "outputs":
        scores = [{"name": "score", "shape": [case.rows], "datatype": "FP64", "data": scores}]
    answer = json.dumps({key: scores}).encode()
    return Exchange(
        at, at, 3_000_000, 200, "POST", "/v1/models/shop:predict", {"content-type": "application/json", **headers},
        {"content-type": "application/json"}, Body(len(body), Capture.WHOLE, body),
        Body(len(answer), Capture.WHOLE, answer),
    )  # fmt: skip


def profile_of(directory: Path, *, mixed: bool) -> Profile:
    rows = [row | {"score": random.random()} for row in rows_of(2000, mixed=mixed)]
    table = directory / f"train-{mixed}.csv"
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return document.save(build(Plan(str(table), ["score"]))[0], str(directory / f"profile-{mixed}.json"))


# --- ours


class Ours:
    """The analyser's way, as its loop goes it."""

    def __init__(self, case: Case, profile: Profile) -> None:
        self._unit = case.unit
        requests = max(1, (3000 if case.rows == 1 else 20 * BATCH_ROWS) // case.rows)
        different = min(DIFFERENT, requests)
        exchanges = [exchange(case, at) for at in range(different)]
        self._exchanges = [exchanges[at % different] for at in range(requests)]
        self._models = Models(Settings(), OneProfile(profile, ""))
        self._decoder = Decoder()
        self._ring = _ring()
        self._writer, self._reader = Writer(self._ring), Reader(self._ring)
        self._ledger = Ledger(memory.create("ledger", 1 << 20))
        self._now_ns = time.monotonic_ns()

    def measure(self) -> float:
        """Microseconds of CPU time per request or value."""
        self._fill()
        done = 0
        begun = time.process_time()
        due = time.perf_counter()
        while records := self._reader.take(2000, 8 << 20):
            done += len(records) - observe(records, self._decoder, self._models)
            if time.perf_counter() >= due:
                due = self._commit()
        self._commit()
        spent = time.process_time() - begun
        if done != len(self._exchanges):
            raise SystemExit(f"{done} of {len(self._exchanges)} exchanges came through the ring")
        return spent / done / self._unit * 1e6

    def _commit(self) -> float:
        begun = time.perf_counter()
        self._models.flush()
        self._ledger.commit(self._models.chapters(), self._models.changed)
        self._models.changed.clear()
        return begun + max((time.perf_counter() - begun) * COMMIT_PACE, SHORTEST_COMMIT_S)

    def _fill(self) -> None:
        for start in range(0, len(self._exchanges), AT_ONCE):
            records = [b"".join(frames.pack(self._at(one))) for one in self._exchanges[start : start + AT_ONCE]]
            if len(records[0]) < 4096:
                whole = self._writer.offer_all(list(map(len, records)), b"".join(records), reserve=False)
            else:
                parts = (frames.pack(one) for one in self._exchanges[start : start + AT_ONCE])
                whole = all(self._writer.offer_long(one[: frames.BODIES], one[frames.BODIES :]) for one in parts)
            if not whole:
                raise SystemExit("the ring is too small")

    def _at(self, one: Exchange) -> Exchange:
        self._now_ns += 200_000
        return one._replace(ended_ns=self._now_ns, wall_ns=self._now_ns)

    def decoded(self) -> bool:
        """Whether everything was understood."""
        seen = [watched.monitor.snapshot(self._now_ns / 1e9).decoding for watched in self._models]
        return all(one.offered == one.decoded for one in seen)


def _ring() -> Ring:
    fd = ring.create(RING_BYTES)
    try:
        return Ring(fd)
    finally:
        os.close(fd)


# --- the others


class Peer:
    """A process of another environment that measures itself when told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def measure(self, case: Case) -> float | None:
        """Microseconds per request or value; None where it does not know the form."""
        if self._process.stdin is None or self._process.stdout is None:
            raise SystemExit("a peer without pipes")
        self._process.stdin.write(case.name + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self._process.args} ended")
        seconds = json.loads(answer)
        return None if seconds is None else seconds / case.unit * 1e6


@contextlib.contextmanager
def peers(python: Path, payloads: Path, chosen: Sequence[str]) -> Iterator[dict[str, Peer]]:
    if not python.exists():
        print(f"{python} is missing: whylogs and pandas are left out (make bench-decode makes it)")
        yield {}
        return
    with contextlib.ExitStack() as stack:
        found = {}
        for name, words in PEERS.items():
            if chosen and name not in chosen:
                continue
            command = [str(python), str(HERE / "peers" / words[0]), str(payloads), *words[1:]]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            found[name] = Peer(process)
        yield found


PEERS = {
    "whylogs": ("whylogs_profile.py",),
    "json + pandas": ("pandas_loop.py",),
}


def measure(given: argparse.Namespace, directory: Path) -> dict[str, dict[str, list[float]]]:
    """By case, then by who."""
    profiles = {mixed: profile_of(directory, mixed=mixed) for mixed in (False, True)}
    cases = [case for case in CASES if not given.case or given.case in case.name]
    ours = {case.name: Ours(case, profiles[case.mixed]) for case in cases}
    payloads = directory / "payloads.json"
    bodies = {case.name: [objects(rows_of(case.rows, mixed=case.mixed))[0].decode() for _ in range(20)]
              for case in cases if case.write is objects or case.write is arrays}  # fmt: skip
    payloads.write_text(json.dumps(bodies))
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    gc.collect()
    gc.freeze()  # as the analyser does: what lasts is not looked through again and again
    with peers(given.python, payloads, given.only) as others:
        for number in range(given.rounds + 1):
            for case in cases:
                times = {"ours": ours[case.name].measure()}
                times |= {name: spent for name, peer in others.items() if (spent := peer.measure(case)) is not None}
                for name, spent in times.items():
                    if number:  # the first round warms up
                        found[case.name][name].append(spent)
    for case in cases:
        if not ours[case.name].decoded():
            raise SystemExit(f"{case.name}: not everything was decoded")
    return found


def table(found: dict[str, dict[str, list[float]]]) -> str:
    names = ["ours", *PEERS]
    lines = [
        "| µs of CPU time (ratio to ours) | at most | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for case in CASES:
        if case.name not in found:
            continue
        medians = {name: statistics.median(times) for name, times in found[case.name].items()}
        cells = [_cell(medians, name) for name in names]
        what = f"{case.name}, per value" if case.rows > 1 else case.name
        lines.append(f"| {what} | {case.target_us or ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(medians: dict[str, float], name: str) -> str:
    if name not in medians:
        return ""
    digits = 1 if medians["ours"] > 2 else 3
    ratio = "" if name == "ours" else f" ({medians[name] / medians['ours']:.0f})"
    return f"{medians[name]:,.{digits}f}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--case", default="", help="cases whose name has this in it")
    parser.add_argument("--only", nargs="*", default=[], help="of the others, those of these names")
    parser.add_argument("--python", type=Path, default=HERE.parent / "build" / "bench-decode" / "bin" / "python")
    given = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        print(table(measure(given, Path(name))))


if __name__ == "__main__":
    main()
