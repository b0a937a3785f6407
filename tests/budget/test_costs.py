"""What is counted ahead, beside real pages on which all stands that can."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import full_pages
import pytest
from full_pages import SAID, SEGMENTS, WINDOWS

from exporter import catalogue
from exporter.allowance import MOST, Metrics
from exporter.budget import costs
from exporter.budget.order import UNITS
from exporter.budget.plan import Plan, plan
from exporter.budget.shape import Shape
from exporter.collect.room import watched
from exporter.collect.scene import Scene
from exporter.guarantees import Evidence
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.reference import Profile
from exporter.sections import NO_SEGMENTS, Segments, Windows

Scenes = Callable[[str], list[Scene]]
FREE = Metrics(max_series=MOST)
PLAIN = Windows(pane=1.0, lengths=(10.0, 30.0), rows=(200,))
NO_LIVE = replace(WINDOWS, compare=(), unseen_values=False)


@dataclass(frozen=True)
class Case:
    """A page, and the settings behind it."""

    profile: str
    windows: Windows = WINDOWS
    said: Said = NOTHING_SAID
    segments: Segments = NO_SEGMENTS
    pause: bool = True
    versions: int = 1

    @property
    def shape(self) -> Shape:
        return Shape(FREE, self.windows, self.segments, Evidence())


CASES = {
    "every kind of column": Case("mixed"),
    "so much traffic that no window of rows is left": Case("mixed", pause=False),
    "what people say of columns": Case("mixed", said=Said(SAID)),
    "segments that the training data do not have": Case("mixed", said=Said(SAID, segments=SEGMENTS), segments=SEGMENTS),
    "segments": Case("divided", said=Said(SAID, segments=SEGMENTS), segments=SEGMENTS),
    "three versions": Case("mixed", versions=3),
    "few windows and scores": Case("mixed", PLAIN),
    "no comparisons": Case("mixed", NO_LIVE),
    "numbers": Case("numbers"),
}


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Profile]:
    directory: Path = tmp_path_factory.mktemp("profiles")
    return {
        "mixed": full_pages.mixed(directory),
        "numbers": full_pages.numbers(directory),
        "divided": full_pages.divided(directory),
    }


@pytest.fixture(scope="module")
def watched_scenes(profiles: Mapping[str, Profile]) -> Callable[[str], list[Scene]]:
    """Of each case, made once."""

    @cache
    def scenes(name: str) -> list[Scene]:
        case = CASES[name]
        profile = profiles[case.profile]
        first = full_pages.watch(profile, case.windows, case.said, pause=case.pause)
        return full_pages.scenes(profile, [first] * case.versions, case.windows)

    return scenes


def planned(case: Case, found: list[Scene]) -> Plan:
    return plan(case.shape, watched(case.shape, found), frozenset())


@pytest.mark.parametrize("name", CASES)
def test_no_family_has_more_series_than_were_expected_of_it(name: str, watched_scenes: Scenes) -> None:
    case, found = CASES[name], watched_scenes(name)
    real, expected = full_pages.sizes(full_pages.rendered(found, case.shape)), planned(case, found)
    alone = catalogue.REQUESTS.name
    counted = {name: series for name, series in expected.by_family.items() if name != alone}
    assert {name: (real[name], most) for name, most in counted.items() if real.get(name, 0) > most} == {}
    others = {name: series for name, series in real.items() if name not in counted and series}
    assert not others.keys() & {name for unit in UNITS for name in unit}
    assert sum(others.values()) <= costs.own(case.shape) + expected.by_family[alone]
    assert sum(real.values()) <= expected.expected


@pytest.mark.parametrize("name", ["every kind of column", "numbers", "three versions"])
def test_of_a_page_on_which_nearly_all_stands_that_can_not_much_more_is_expected(
    name: str, watched_scenes: Scenes
) -> None:
    """Beside what is not of columns, of which too much is expected by some 300 series for each model.

    Of segments more is: nobody can tell ahead which values come.
    """
    case, found = CASES[name], watched_scenes(name)
    real, expected = full_pages.sizes(full_pages.rendered(found, case.shape)), planned(case, found)
    counted = {name: series for name, series in expected.by_family.items() if name != catalogue.REQUESTS.name}
    assert sum(counted.values()) <= 1.25 * sum(real.get(name, 0) for name in counted)
    assert expected.expected <= 1.25 * sum(real.values()) + 300 * len(found)
