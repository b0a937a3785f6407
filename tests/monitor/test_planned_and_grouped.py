"""Evidence leaves out what is planned, and takes one row of those that belong together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from monitor_scenes import DECODER, exchange
from profile_tables import profile_of

from exporter.evidence.planned import Planned
from exporter.evidence.standing import DEFAULT
from exporter.evidence.verdict import Verdict
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.planned_windows import planned_windows
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.segmentations import grouped_by

PANE_S, UP_S = 60.0, 6000.0
"""The width of a pane, and what the clock of exchanges shows at first."""
NO_WANDER = Override(wander=0.0)
INDEPENDENT = Override(wander=0.0, dependence=1.0)
BERLIN = {"zone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    numbers = [float(at % 100) for at in range(20_000)]
    table = {"x": numbers, "p": numbers}
    return profile_of(tmp_path_factory.mktemp("planned") / "t.csv", table)[0]


def monitor(profile: Profile, watching: Watching, rule: Override) -> Monitor:
    return Monitor(profile, Windows(lengths=(), rows=()), (), Said(Overrides({"*": rule}, {"*": rule})), watching)


def sent(values: Sequence[float], at: float, **more: Any) -> Exchange:
    return exchange([{"x": value} for value in values], list(values), at, **more)


def told(one: Monitor, at: float) -> Verdict:
    one.flush()
    found = one.snapshot(at).evidence
    assert found is not None
    return found


# --- planned


def start(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


class Watched:
    """A model whose exchanges are timed by a clock that began at a moment of ours."""

    def __init__(self, profile: Profile, began: str, *windows: dict[str, Any]) -> None:
        self._began_s, self._pane = start(began), 0
        planned = Planned(planned_windows([one | BERLIN for one in windows]))
        watching = Watching(Evidence(), lambda at: at - UP_S + self._began_s, planned)
        self._monitor = monitor(profile, watching, INDEPENDENT)
        self._draw = np.random.default_rng(5)

    def goes_on(self, until: str, away: float = 0.0) -> list[Verdict]:
        """What was to say after each pane until then."""
        found = []
        while self._began_s + self._pane * PANE_S < start(until):
            at = UP_S + self._pane * PANE_S
            values = self._draw.integers(0, 100, 100) + away
            one = sent(values.tolist(), at + 1.0)
            self._monitor.observe(one, DECODER.decode(one))
            self._pane += 1
            found.append(told(self._monitor, at + PANE_S))
        return found

    def rests(self, until: str) -> None:
        """Nobody is there, not even we."""
        self._pane = round((start(until) - self._began_s) / PANE_S)


def pages(verdicts: Sequence[Verdict]) -> list[int]:
    return [at for at, one in enumerate(verdicts) if one.nats >= one.threshold]


SALE = {"name": "sale", "from": "2026-11-27T10:00", "to": "2026-11-27T11:00"}


def test_drift_within_a_planned_window_never_pages_and_leaves_nothing(profile: Profile) -> None:
    model = Watched(profile, "2026-11-27T09:00", SALE)
    assert not pages(model.goes_on("2026-11-27T10:00"))
    during = model.goes_on("2026-11-27T11:00", away=40.0)
    assert not pages(during)
    assert all(one.planned and one.nats < 1e-9 for one in during)
    after = model.goes_on("2026-11-27T12:00")
    assert not pages(after)
    assert not any(one.planned for one in after)
    assert max(one.nats for one in after) < after[0].threshold / 2


def test_the_same_drift_pages_where_nothing_is_planned(profile: Profile) -> None:
    model = Watched(profile, "2026-11-27T09:00")
    model.goes_on("2026-11-27T10:00")
    assert pages(model.goes_on("2026-11-27T11:00", away=40.0))[0] < 10


def test_drift_that_goes_on_after_a_planned_window_pages_soon_after_it(profile: Profile) -> None:
    model = Watched(profile, "2026-11-27T09:00", SALE)
    model.goes_on("2026-11-27T10:00")
    model.goes_on("2026-11-27T11:00", away=40.0)
    after = model.goes_on("2026-11-27T11:30", away=40.0)
    assert 2 <= pages(after)[0] < 10
    assert after[-1].onset_s[0] >= start("2026-11-27T11:00")


def test_drift_that_began_before_a_planned_window_must_be_shown_anew_after_it(profile: Profile) -> None:
    model = Watched(profile, "2026-11-27T09:00", SALE)
    model.goes_on("2026-11-27T09:58")
    begun = model.goes_on("2026-11-27T10:00", away=40.0)
    assert not pages(begun)
    assert begun[-1].nats > begun[-1].threshold / 3
    model.goes_on("2026-11-27T11:00")
    assert model.goes_on("2026-11-27T11:02")[0].nats < 1


def test_a_pane_that_only_begins_before_a_planned_window_is_in_it(profile: Profile) -> None:
    inside = {"name": "test", "from": "2026-11-27T10:00:30", "to": "2026-11-27T10:01:30"}
    model = Watched(profile, "2026-11-27T09:55", inside)
    flags = [one.planned for one in model.goes_on("2026-11-27T10:05")]
    assert flags == [False] * 5 + [True] * 2 + [False] * 3


def test_a_window_in_a_while_without_panes_begins_evidence_anew(profile: Profile) -> None:
    model, other = (Watched(profile, "2026-11-27T09:00", *windows) for windows in ((SALE,), ()))
    for one in (model, other):
        one.goes_on("2026-11-27T09:58")
        assert one.goes_on("2026-11-27T10:00", away=40.0)[-1].nats > 1
        one.rests("2026-11-27T11:30")
    assert model.goes_on("2026-11-27T11:32")[-1].nats < 1
    assert other.goes_on("2026-11-27T11:31", away=40.0)[-1].nats > 1


@pytest.mark.parametrize(("day", "minutes"), [("2026-10-25", 120), ("2026-03-29", 60)])
def test_a_window_of_each_night_holds_when_clocks_change(profile: Profile, day: str, minutes: int) -> None:
    nightly = {"name": "load", "days": ["sat", "sun"], "from": "02:00", "to": "03:00"}
    model = Watched(profile, f"{day}T01:30", nightly)
    flags = [one.planned for one in model.goes_on(f"{day}T04:15")]
    assert sum(flags) == minutes
    assert np.flatnonzero(np.diff(flags)).size == 2  # together


# --- grouped

SESSIONS, EACH, PANES = 4, 5, 300


def sessions(seed: int, panes: int) -> Iterator[Exchange]:
    """Of five identical requests each; as many have changed bin as are tolerated."""
    draw, number = np.random.default_rng(seed), 0
    for pane in range(panes):
        values = draw.integers(0, 100, SESSIONS).astype(float)
        values[draw.random(SESSIONS) < 0.03 / 0.99] = 99.0
        requests = [at for at in range(SESSIONS) for _ in range(EACH)]
        for at in draw.permutation(requests).tolist():
            headers = {"x-session": f"s{number + at}"}
            yield sent([values[at]], UP_S + pane * PANE_S + 1.0, request_headers=headers)
        number += SESSIONS


def watched(profile: Profile, settings: Evidence, rule: Override, panes: int = PANES) -> tuple[Verdict, float]:
    """What there is to say in the end, and the most nats there were."""
    one, most, pane = monitor(profile, Watching(settings), rule), 0.0, 0
    for each in sessions(5, panes):
        if each.ended_ns / 1e9 > UP_S + (pane + 1) * PANE_S:
            pane += 1
            most = max(most, told(one, UP_S + pane * PANE_S).nats if pane % 5 == 0 else 0.0)
        one.observe(each, DECODER.decode(each))
    last = told(one, UP_S + panes * PANE_S)
    return last, max(most, last.nats)


def test_sessions_of_identical_requests_at_the_tolerances_edge_are_quiet_as_groups_without_any_dependence(
    profile: Profile,
) -> None:
    grouped, most = watched(profile, Evidence(group_key=grouped_by({"header": "X-Session"})), NO_WANDER)
    assert (grouped.dependence == 1).all()
    assert most < grouped.threshold / 2
    alone, most = watched(profile, Evidence(), INDEPENDENT)
    assert most >= alone.threshold  # rows that are no news would page
    careful, _ = watched(profile, Evidence(), NO_WANDER, 5)
    assert (careful.source == DEFAULT).all()
    assert (careful.dependence == Evidence().default_dependence).all()
