"""What is known of each version, what is kept of it, and what is said in the log."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from exporter.checked import VersionChecked
from exporter.records import Label
from exporter.rounds.news import Checked, Loaded, News, Over, Unusable
from exporter.rounds.standing import MOST_SHOWN, Standings

NAMES = ("a", "b", "c", "d")


def called(model: str, version: str) -> Label:
    return Label(model or "m", version or "1")


def standings(kept: dict[str, NDArray[np.int64]] | None = None, names: tuple[str, ...] = NAMES) -> Standings:
    made = Standings(60.0, kept or {})
    told(made, Loaded(names))
    return made


def told(one: Standings, *news: News) -> list[str]:
    return list(one.count(news, called))


def of(one: Standings, version: str = "1") -> VersionChecked:
    (found,) = [each for each in one.snapshot().versions if each.version == version]
    return found


def passes(names: Iterable[str] = NAMES, version: str = "") -> list[News]:
    return [*(Checked(name, duration_s=0.02, version=version) for name in names), Over(1000.0, True)]


def fails(name: str, version: str = "") -> Checked:
    return Checked(name, "value", "/0: expected 1, got 2", 0.02, version=version)


def test_a_round_in_which_all_pass() -> None:
    one = standings()
    assert told(one, *passes()) == []
    found, whole = of(one), one.snapshot()
    assert (found.asked, found.failing, found.passed, found.right_wall_s) == (4, {1: 0, 2: 0, 3: 0}, 4, 1000.0)
    assert sum(found.duration.counts) == 4
    assert found.duration.total == pytest.approx(0.08)
    assert (whole.cases, whole.rounds, whole.unreachable, whole.round_wall_s, whole.fault) == (4, 1, 0, 1000.0, "")


def test_failures_are_counted_one_after_the_other_and_told_once() -> None:
    one = standings()
    told(one, *passes())
    words = "golden request 'b' of model 'm', version '1', "
    assert told(one, fails("b"), fails("b")) == [f"{words}fails: value, /0: expected 1, got 2"]
    assert of(one).failing == {1: 1, 2: 1, 3: 0}
    assert told(one, *passes("acd"), fails("b"), Over(2000.0, True)) == []
    found = of(one)
    assert (found.failing, found.failed["value"], found.right_wall_s) == ({1: 1, 2: 1, 3: 1}, 3, 1000.0)
    assert [(case.name, case.failed_times, case.reason) for case in found.cases][1] == ("b", 3, "value")
    assert told(one, Checked("b")) == [f"{words}passes again"]
    assert of(one).failing == {1: 0, 2: 0, 3: 0}


def test_versions_are_told_apart_and_one_that_is_gone_is_forgotten() -> None:
    one = standings()
    told(one, *passes(version="7"), fails("a", "8"))
    assert (of(one, "7").failing[1], of(one, "8").failing[1], of(one, "8").asked) == (0, 1, 1)
    for _ in range(7):
        told(one, *passes(version="8"))
    assert [each.version for each in one.snapshot().versions] == ["8"]


def test_a_model_that_the_file_asks_nothing_of_any_more_is_forgotten() -> None:
    one = standings()
    told(one, *passes(), Loaded(("e",)))
    assert [(each.model, each.asked) for each in one.snapshot().versions] == [("m", 0)]
    for _ in range(7):
        told(one, Checked("e", model="other"), Over(2000.0, True))
    assert [(each.model, each.asked) for each in one.snapshot().versions] == [("other", 1)]


def test_the_only_version_stays_while_it_does_not_answer() -> None:
    one = standings()
    told(one, *passes())
    for _ in range(20):
        told(one, Over(2000.0, False))
    assert (of(one).asked, one.snapshot().unreachable, one.snapshot().round_wall_s) == (4, 20, 1000.0)


def test_versions_without_number_are_one() -> None:
    one = standings()
    for number in range(40):
        told(one, fails("a", f"v{number}"))
    labels = [(each.model, each.version) for each in one.snapshot().versions]
    assert len(labels) == 9
    assert ("_other", "_other") in labels


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(["7", "8"]))))
def test_who_goes_on_with_what_was_kept_knows_all_that_was_counted(checks: list[tuple[str, bool, str]]) -> None:
    one = standings()
    news = [fails(name, version) if fail else Checked(name, version=version) for name, fail, version in checks]
    told(one, *news, Over(1000.0, True))
    kept = {name: array.copy() for name, array in one.own.items()}
    other = standings(kept)
    before, after = one.snapshot(), other.snapshot()
    bare = [each._replace(cases=tuple(case._replace(reason="", detail="") for case in each.cases))
            for each in before.versions]  # fmt: skip
    assert after._replace(versions=()) == before._replace(versions=())
    assert list(after.versions) == bare
    assert all((kept[name] == array).all() for name, array in other.own.items())


def test_other_cases_begin_anew_and_counts_go_on() -> None:
    one = standings()
    told(one, fails("a"), *passes("bcd"))
    told(one, Loaded(("a", "e")))
    found = of(one)
    assert (found.asked, found.failing[1], found.passed, found.failed["value"]) == (0, 0, 3, 1)
    told(one, fails("c"), Checked("e"))  # of a round that began before
    assert of(one).asked == 1


def test_a_file_that_cannot_be_used_is_told_and_what_was_before_stays() -> None:
    one = standings()
    told(one, *passes())
    assert told(one, Unusable("golden.yml: not YAML")) == ["golden requests: golden.yml: not YAML; those before stay"]
    assert (one.snapshot().fault, one.snapshot().cases) == ("golden.yml: not YAML", 4)
    told(one, Loaded(NAMES))
    assert (one.snapshot().fault, of(one).asked) == ("", 4)


def test_a_hundred_cases_are_shown_those_that_fail_first() -> None:
    names = tuple(f"case {number:04}" for number in range(1000))
    one = standings(names=names)
    lines = told(one, *passes(names[:800]), *map(fails, names[800:850]))
    shown = of(one).cases
    assert len(shown) == MOST_SHOWN == 100
    assert {case.name for case in shown if case.failed_times} == set(names[800:850])
    assert [case.name for case in shown] == sorted(case.name for case in shown)
    assert of(one).failing[1] == 50
    assert len(lines) == 21
    assert lines[-1] == "golden requests: 30 more of them have changed"
