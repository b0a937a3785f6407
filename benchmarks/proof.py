"""Pages in vain and delays of the evidence, on traffic that is made up: see docs/evidence-proof.md."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from made_up import DAY, MONDAY, Traffic, stream
from numpy.typing import NDArray

from exporter.calibration.dependence import dependence
from exporter.calibration.reference_error import reference_error
from exporter.calibration.wander import wander
from exporter.evidence.clipped import log_mean_exp
from exporter.evidence.engine import Engine
from exporter.evidence.streams import Stream
from exporter.evidence.terms import Terms


class Case(NamedTuple):
    """Of traffic without drift."""

    name: str
    kind: str = "iid"
    columns: str = "numeric"
    rate: float = 50.0
    training: int = 50_000
    features: int = 4
    models: int = 16
    days: int = 14
    timed: bool = False
    """Whether the training data have a column of time."""
    seed: int = 1


class Outcome(NamedTuple):
    """Of a case."""

    case: Case
    pages: int
    most: float
    """Evidence, of the threshold."""
    when: list[float]
    """Days at which it paged."""
    dependence: float
    tolerance: float
    seasonal: float
    seconds: float


def streams(case: Case, traffic: Traffic) -> list[Stream]:
    counts = traffic.reference(case.training)
    errors = [reference_error(one) for one in counts]
    known = timed(traffic) if case.timed else [{}] * len(counts)
    return [stream(traffic, one, error, **more) for one, error, more in zip(counts, errors, known, strict=True)]


def timed(traffic: Traffic, weeks: int = 2) -> list[dict[str, Any]]:
    """What a profile with a column of time says: training rows come as live ones do, over two weeks."""
    shape = traffic.shares.shape
    panes = np.zeros((168 * weeks, 60, *shape), np.int32)
    for at in range(weeks * 168 * 60):
        panes[at // 60, at % 60] = traffic.pane(at)
    hours = panes.sum(axis=1)
    week = hours.reshape(weeks, 168, *shape).sum(axis=0)
    found = []
    for at in range(shape[0]):
        factor = dependence(panes[:168, :, at].astype(np.int64))
        found.append(
            {
                "dependence": factor,
                "wander": wander(hours[:, at].astype(np.int64), factor),
                "source": "profile",
                "hours": tuple(map(tuple, week[:, at].tolist())),
                "weeks": float(weeks),
            }
        )
    return found


def null(case: Case) -> Outcome:
    began = time.monotonic()
    traffic = Traffic(np.random.default_rng(case.seed), case.models, case.features, case.rate, case.kind, case.columns)
    engine = Engine(streams(case, traffic), Terms())
    first = log_weights(case)
    armed = np.full(case.models, True)
    most, when = 0.0, []
    for at in range(case.days * DAY):
        wall_s = MONDAY + 60.0 * at
        engine.pane(traffic.pane(at), wall_s)
        told = engine.told(wall_s)
        if told is None:
            continue
        counts = np.where(told.deferred, -np.inf, told.streams).reshape(case.models, -1)
        nats = log_mean_exp(counts, first)
        pages = armed & (nats >= told.threshold)
        armed = (armed & ~pages) | (nats < told.threshold - 3)
        most = max(most, float(nats.max() / told.threshold))
        when += [at / DAY] * int(pages.sum())
    return Outcome(
        case, len(when), most, when, float(np.median(told.dependence)), float(np.median(told.tolerance)),
        float(told.seasonal.mean()), time.monotonic() - began,
    )  # fmt: skip


def log_weights(case: Case) -> NDArray[np.float64]:
    return np.full(case.features, -np.log(case.features))


KINDS: Final = ("iid", "sessions", "long sessions", "pools", "season", "weekend", "wander", "bursts", "stops")


def cases() -> list[Case]:
    rates = (5.0, 50.0, 500.0)
    found = [Case(kind, kind, rate=rate) for kind in KINDS for rate in rates]
    found += [Case(f"reference of {rows}", rate=rate, training=rows) for rows in (500, 2000) for rate in rates]
    found += [Case("30 categories", columns="categories", rate=rate) for rate in rates]
    found += [Case("30 categories, 2000", columns="categories", rate=rate, training=2000) for rate in rates]
    found += [Case("30 % missing", columns="missing"), Case("constant", columns="constant")]
    found += [
        Case("50 rows a day", rate=50 / DAY, days=60),
        Case("50 rows a day, 500", rate=50 / DAY, days=60, training=500),
    ]
    found += [Case("1 feature", features=1, models=32), Case("100 features", features=100, models=1, days=14)]
    found += [
        Case(f"{kind}, timed", kind, rate=rate, timed=True)
        for kind in ("sessions", "season", "weekend", "wander", "stops")
        for rate in rates
    ]
    return found


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--only", default="")
    asked.add_argument("--days", type=int, default=0)
    asked.add_argument("--models", type=int, default=0)
    asked.add_argument("--rate", type=float, default=0)
    asked.add_argument("--seed", type=int, default=1)
    said = asked.parse_args()
    chosen = [one._replace(seed=said.seed) for one in cases() if said.only in one.name and said.rate in (0, one.rate)]
    chosen = [one._replace(days=said.days or one.days, models=said.models or one.models) for one in chosen]
    with ProcessPoolExecutor(2) as pool:
        for one in pool.map(null, chosen):
            case = one.case
            print(
                f"{case.name:24} {case.rate:7.2f}/min {case.models * case.days:4d} days: {one.pages:4d} pages,"
                f" most {one.most:.2f}"
                f"  phi {one.dependence:.1f} tol {one.tolerance:.3f} seasonal {one.seasonal:.1f} {one.seconds:.0f} s"
                f"  {[round(x, 1) for x in one.when[:8]]}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
