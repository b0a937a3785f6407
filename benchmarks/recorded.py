"""A profile, and rows that were recorded: at which row the evidence pages, through the monitor as live."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from exporter.decode import Decoder
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Overrides
from exporter.records import Body, Capture, Exchange
from exporter.reference import Profile
from exporter.sections import Windows

START_S = 1_790_553_600.0


class Found(NamedTuple):
    """A page."""

    row: int
    feature: str
    nats: float


def cell(text: str) -> Any:
    """As a client would send it."""
    if text in {"True", "False"}:
        return text == "True"
    try:
        return float(text) if text else None
    except ValueError:
        return text


def rows_of(path: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: cell(row[name]) for name in names}


def pages(profile: Profile, rows: Iterator[dict[str, Any]], output: str, a_pane: int = 25) -> list[Found]:
    """Panes of so many rows, a minute each."""
    monitor = Monitor(profile, Windows(), (), Said(Overrides()), Watching(Evidence()))
    decoder, found, armed, at, pane = Decoder(), [], True, 0, 0
    while taken := list(islice(rows, a_pane)):
        said = _exchange(taken, output, START_S + 60 * pane + 1)
        monitor.observe(said, decoder.decode(said))
        pane, at = pane + 1, at + len(taken)
        monitor.flush()
        told = monitor.snapshot(START_S + 60 * pane).evidence
        if told is None:
            continue
        if armed and told.nats >= told.threshold:
            names = [one.name for one in (*profile.features, *profile.outputs)]
            found.append(Found(at, names[int(told.streams.argmax())], told.nats))
        armed = told.nats < (told.threshold if armed else told.threshold - 3)
    return found


def _exchange(rows: list[dict[str, Any]], output: str, at_s: float) -> Exchange:
    features = [{name: cell for name, cell in row.items() if name != output} for row in rows]
    request = json.dumps({"instances": features}).encode()
    response = json.dumps({"predictions": [row[output] for row in rows]}).encode()
    at = round(at_s * 1e9)
    bodies = [Body(len(one), Capture.WHOLE, one) for one in (request, response)]
    return Exchange(at, at, 10**6, 200, "POST", "/v1/models/m:predict", {}, {}, *bodies)
