"""Tests of the fleet's rules for promtool: counters of replicas that come, go and restart, and what must be recorded.

The truths are those of the exporter's own statistics, of the same counts. They are written with twelve digits, so that
the files are the same wherever they are made.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import STATISTICS, total_variation
from exporter.drift.summary import Summary

AT: Final = 130
"""Minutes: windows of an hour begin at 70."""
LONG_AT: Final = 240
UNORDERED: Final = 2
HEAD: Final = """\
# Made by `make golden` of tests/fleet_cases.py, which says how the truths come about.
"""


class Column(NamedTuple):
    """A feature or an output: its bins, the reference's counts of them, and how they lie to each other."""

    name: str
    bins: tuple[str, ...]
    reference: tuple[int, ...]
    steps: tuple[float, ...] = ()
    """From each ordered bin to the next; none where there is no order or no spread."""
    dependence: float = 1.0

    @property
    def ordered(self) -> tuple[str, ...]:
        return self.bins[: len(self.steps) + 1] if self.steps else ()


class Life(NamedTuple):
    """When a replica was there: its values, and how many minutes of it an hour's increase() counts."""

    values: str
    counted: float


WHOLE: Final = Life("0+{0}x140", 60)
RESTARTED: Final = Life("0+{0}x99 0+{0}x40", 59)
"""What came between the last scrape and the first one afterwards is lost, of all bins alike."""
CAME: Final = Life("_x90 0+{0}x50", 40)
LEFT: Final = Life("0+{0}x89 stale", 19.5)
"""Nineteen minutes, and half a scrape's interval that increase() adds where a series ends."""
LONG: Final = Life("0+{0}x250", 238.5)
"""All minutes are in two evaluations of six minutes, but for the last three."""
LONG_RESTARTED: Final = Life("0+{0}x99 0+{0}x150", 237.5)


class Replica(NamedTuple):
    instance: str
    version: str
    profile: str
    life: Life
    rates: dict[str, tuple[int, ...]]
    """Values a minute by bin, of each column."""


class Fleet(NamedTuple):
    """All that is of one model, one version and one profile."""

    version: str
    profile: str
    columns: tuple[Column, ...]
    replicas: tuple[Replica, ...]

    def counts(self, column: Column) -> NDArray[np.float64]:
        found = [one.life.counted * np.array(one.rates[column.name]) for one in self.replicas]
        return np.asarray(np.sum(found, axis=0), float)


def numbers(name: str, inside: int, draw: np.random.Generator, most_inside: int = 12, *, spread: bool = True) -> Column:
    """A column of numbers with so many inside bins; the bin above is the last ordered one, whatever is left out."""
    bins = (*(f"{place:02d}" for place in range(inside + 1)), *(f"{most_inside + at:02d}" for at in (1, 2, 3)))
    reference = draw.integers(40, 2000, len(bins))
    reference[[0, -1]] = 0
    steps = tuple(np.round(draw.uniform(0.05, 0.9, inside + 1), 3).tolist())
    return Column(name, bins, tuple(reference.tolist()), steps if spread else ())


def names(name: str, many: int, draw: np.random.Generator) -> Column:
    reference = draw.integers(0, 900, many)
    reference[-2:] = 0
    return Column(name, tuple(f"{place:02d}" for place in range(many)), tuple(reference.tolist()))


def rates(columns: Sequence[Column], draw: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """Even numbers, so that half a minute of them is a whole one; every fifth bin or so is empty."""
    found = {}
    for column in columns:
        values = 2 * draw.integers(0, 9, len(column.bins)) * (draw.random(len(column.bins)) > 0.2)
        values[1] += 2
        found[column.name] = tuple(values.tolist())
    return found


def summary(counts: Any, column: Column) -> Summary:
    """What the exporter's statistics take."""
    found = np.asarray(counts, float)[None]
    ordered = found[:, : len(column.ordered)]
    nothing = np.zeros(1)
    return Summary(
        found, found.sum(axis=1), ordered, ordered.sum(axis=1), nothing, np.array([column.steps]),
        np.array([column.dependence]), nothing,
    )  # type: ignore[arg-type]  # fmt: skip


class Told(NamedTuple):
    """What must be recorded of a column, and how exactly."""

    score: str
    value: float
    tolerance: float = 1e-9


def truths(fleet: Fleet, column: Column) -> Iterator[Told]:
    """Every pooled score; of what has none there is nothing."""
    counts = fleet.counts(column)
    if not counts.any():
        return
    current, reference = summary(counts, column), summary(column.reference, column._replace(dependence=1.0))
    for name in ("psi", "total_variation", "js_distance", *(("ks", "wasserstein_ratio") if column.steps else ())):
        yield Told(name, float(STATISTICS[name].score(reference, current)[0]))
    yield Told("total_variation_critical", float(total_variation.critical(reference, current)[0]))
    critical = STATISTICS["psi"].critical
    assert critical
    if (value := float(critical(reference, current)[0])) > 0:
        yield Told("psi_critical", value, max(1e-6 * value, 1e-9))


def beside(fleet: Fleet, others: Sequence[Fleet], column: Column) -> Iterator[Told]:
    """One version against all others that are compared with the same profile."""
    alike = [one for one in others if one.profile == fleet.profile and one.version != fleet.version]
    elsewhere = [one.counts(column) for one in alike if column in one.columns]
    if elsewhere and fleet.counts(column).any() and np.any(elsewhere):
        current, rest = (summary(counts, column) for counts in (fleet.counts(column), np.sum(elsewhere, axis=0)))
        yield Told("version_total_variation", float(total_variation.score(rest, current)[0]))
        yield Told("version_total_variation_critical", float(total_variation.critical(rest, current)[0]))


# --- as promtool reads it


class Side(NamedTuple):
    level: str
    word: str


SIDES: Final = (Side("feature", "feature"), Side("output", "prediction"))


def case(name: str, side: Side, fleets: Sequence[Fleet], window: str = "1h", at: int = AT) -> str:
    """One test of a file."""
    lines = [f"  - name: {name}", "    interval: 1m", "    input_series:"]
    lines += [f"      - {{ series: '{series}', values: '{values}' }}" for series, values in _series(side, fleets, at)]
    return "\n".join([*lines, "    promql_expr_test:", *_expected(side, fleets, window, at)]) + "\n"


def _of(side: Side, fleet: Fleet, column: Column) -> str:
    told = {"job": "models", "model": "churn", "model_version": fleet.version, "profile": fleet.profile}
    return ",".join(f'{name}="{value}"' for name, value in (told | {side.level: column.name}).items())


def _series(side: Side, fleets: Sequence[Fleet], at: int) -> Iterator[tuple[str, str]]:
    for fleet in fleets:
        for column in fleet.columns:
            of, family = _of(side, fleet, column), f"model_{side.word}"
            for replica in fleet.replicas:
                for bin_, rate in zip(column.bins, replica.rates[column.name], strict=True):
                    series = f'{family}_bin_total{{instance="{replica.instance}",{of},bin="{bin_}"}}'
                    yield series, replica.life.values.format(rate)
            for replica in fleet.replicas[:2]:  # equal on all that show it
                yield from _reference(family, f'instance="{replica.instance}",{of}', column, f"x{at + 10}")


def _reference(family: str, of: str, column: Column, lasting: str) -> Iterator[tuple[str, str]]:
    rows = sum(column.reference)
    for bin_, count in zip(column.bins, column.reference, strict=True):
        yield f'{family}_reference_ratio{{{of},bin="{bin_}"}}', f"{count / rows!r}{lasting}"
    for bin_, step in zip(column.bins, column.steps, strict=False):
        yield f'{family}_bin_step_ratio{{{of},bin="{bin_}"}}', f"{step!r}{lasting}"
    yield f"{family}_reference_samples{{{of}}}", f"{rows}{lasting}"
    if column.dependence != 1:
        yield f"{family}_dependence_ratio{{{of}}}", f"{column.dependence!r}{lasting}"


def _expected(side: Side, fleets: Sequence[Fleet], window: str, at: int) -> Iterator[str]:
    many: dict[str, int] = {}
    for fleet in fleets:
        for column in fleet.columns:
            of = _of(side, fleet, column)
            told = [*truths(fleet, column), *(beside(fleet, fleets, column) if window == "1h" else ())]
            for score, value, tolerance in told:
                many[score] = many.get(score, 0) + 1
                series = f"{side.level}:model_{side.word}_{score}:fleet{window}{{{of}}}"
                yield from _case(f"abs({series} - {value:.12g}) < bool {tolerance:.3g}", at, f"{{{of}}}", 1)
            if told:
                series = f"{side.level}:model_{side.word}_bin:increase{window}"
                yield from _case(f"{series}{{{of}}}", at, f"{series}{{{of}}}", fleet.counts(column).sum())
    yield "      # and nothing else: no traffic, no score; no order or no spread, none that needs it"
    for score, found in many.items():
        yield from _case(f"count({side.level}:model_{side.word}_{score}:fleet{window})", at, "{}", found)


def _case(expression: str, at: int, labels: str, value: float) -> Iterator[str]:
    yield f"      - expr: {expression}"
    yield f"        eval_time: {at}m"
    yield f"        exp_samples: [{{ labels: '{labels}', value: {value:.12g} }}]"


# --- what is committed


def scene(seed: int = 5) -> tuple[Fleet, ...]:
    """Two replicas of an old version, one restarted and one that leaves; a new version, whose profile is another one;
    a canary with the old version's profile."""
    draw = np.random.default_rng(seed)
    age, income = numbers("age", 12, draw)._replace(dependence=1.8), numbers("income", 5, draw)
    country, merchant = names("country", 7, draw), names("merchant", 99, draw)
    constant = numbers("constant", 1, draw, spread=False)._replace(reference=(0, 700, 0, 0, 0))
    idle = names("idle", 4, draw)
    columns = (age, income, country, merchant, constant, idle)
    still = {"constant": (0, 4, 0, 0, 0), "idle": (0,) * 4}

    def replica(instance: str, life: Life, version: str = "7", profile: str = "0a1b2c3d") -> Replica:
        return Replica(instance, version, profile, life, rates(columns, draw) | still)

    old = Fleet("7", "0a1b2c3d", columns, (
        replica("a:9877", WHOLE), replica("b:9877", RESTARTED), replica("c:9877", LEFT),
    ))  # fmt: skip
    newer = tuple(column._replace(reference=tuple(reversed(column.reference))) for column in (age, country))
    new = Fleet("8", "ffffffff", newer, (replica("c:9877", CAME, "8", "ffffffff"),))
    canary = Fleet("7-canary", "0a1b2c3d", (age, country), (replica("d:9877", WHOLE, "7-canary"),))
    return old, new, canary


def long_scene() -> tuple[Fleet, ...]:
    """Two replicas, one of them restarted."""
    draw = np.random.default_rng(6)
    columns = (numbers("age", 4, draw), names("country", 5, draw))
    replicas = tuple(
        Replica(instance, "7", "0a1b2c3d", life, rates(columns, draw))
        for instance, life in (("a:9877", LONG), ("b:9877", LONG_RESTARTED))
    )
    return (Fleet("7", "0a1b2c3d", columns, replicas),)


def document(rules: str, interval: str, *tests: str) -> str:
    return f"{HEAD}rule_files: [{rules}]\nevaluation_interval: {interval}\n\ntests:\n" + "\n".join(tests)


def documents() -> dict[str, str]:
    """Text of each file, by name."""
    return {
        "fleet.test.yml": document(
            "../fleet.rules.yml",
            "10m",
            *(case(f"{side.level}s of a fleet that rolls", side, scene()) for side in SIDES),
        ),
        "fleet_long.test.yml": document(
            "../fleet.rules.yml", "3m", case("four hours of a day of a fleet", SIDES[0], long_scene(), "24h", LONG_AT)
        ),
    }
