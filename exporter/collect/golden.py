"""Golden requests and how they are answered."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.checked import GoldenChecked, VersionChecked
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.scene import Page
from exporter.records import DURATION_BOUNDS

_GOLDEN = catalogue.GOLDEN


def collect(page: Page) -> Iterator[Samples | Distributions]:
    """Families of golden requests; where none are sent, only how many came by."""
    yield Samples(_GOLDEN.exchanges, [((), page.attribution.golden)])
    found = page.health.golden
    if found is None:
        return
    yield from _about(found)
    versions = [((one.model, one.version), one) for one in found.versions]
    answered = [(labels, one) for labels, one in versions if one.asked]
    yield Samples(_GOLDEN.passing, [(labels, 1 - one.failing[1] / one.asked) for labels, one in answered])
    yield Samples(_GOLDEN.cases, [(labels, one.asked) for labels, one in versions])
    yield Samples(_GOLDEN.failing, [
        ((*labels, str(times)), cases) for labels, one in versions for times, cases in one.failing.items()
    ])  # fmt: skip
    yield Samples(_GOLDEN.case, [
        ((*labels, case.name), case.failed_times) for labels, one in versions for case in one.cases
    ])  # fmt: skip
    yield Samples(_GOLDEN.checks, [((*labels, *outcome), count) for labels, one in versions
                                   for outcome, count in _outcomes(one)])  # fmt: skip
    yield Samples(_GOLDEN.failures, [
        ((*labels, reason), count) for labels, one in versions for reason, count in one.failed.items()
    ])  # fmt: skip
    yield Distributions(_GOLDEN.duration, DURATION_BOUNDS, [(labels, one.duration) for labels, one in versions])
    yield Samples(_GOLDEN.right, [(labels, one.right_wall_s) for labels, one in versions])


def _about(found: GoldenChecked) -> Iterator[Samples]:
    yield Samples(_GOLDEN.interval, [((), found.interval_s)])
    yield Samples(_GOLDEN.rounds, [(("complete",), found.rounds), (("unreachable",), found.unreachable)])
    yield Samples(_GOLDEN.round_time, [((), found.round_wall_s)])
    yield Samples(_GOLDEN.file, [((), int(not found.fault))])


def _outcomes(one: VersionChecked) -> Iterator[tuple[tuple[str], int]]:
    yield ("passed",), one.passed
    yield ("failed",), sum(one.failed.values())
