"""What the model answers by bin of a feature, live: swaps that leave every column as it was are found, and named."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import Listed

WINDOWS = Windows(pane=1.0, lengths=(10.0, 60.0, 600.0))
TOWNS = ("a", "b", "c")
Found = dict[tuple[str, str, str], tuple[float, float]]
"""Score and critical value by feature, output and window."""


def rows_of(random: Any, rows: int) -> dict[str, list[Any]]:
    """Two features of one distribution of which the model uses one, a category that it uses, and one it does not."""
    x, y, noise = (random.normal(size=rows) for _ in range(3))
    town = random.choice(TOWNS, rows)
    return {"x": x.tolist(), "y": y.tolist(), "noise": noise.tolist(), "town": town.tolist()}


def answers_to(columns: dict[str, list[Any]], random: Any) -> list[float]:
    town = np.array([TOWNS.index(one) for one in columns["town"]])
    mean = 2 * np.array(columns["x"]) + 0.5 * town
    return (mean + random.normal(size=mean.size)).tolist()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    random = np.random.default_rng(1)
    columns = rows_of(random, 6000)
    answers = answers_to(columns, random)
    table = {**columns, "p": answers, "risky": [one > 1 for one in answers]}
    made, _ = profile_of(tmp_path_factory.mktemp("profile") / "t.csv", table)
    return made


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The same with a category as the answer."""
    random = np.random.default_rng(1)
    columns = rows_of(random, 6000)
    answers = ["yes" if one > 0 else "no" for one in answers_to(columns, random)]
    made, _ = profile_of(tmp_path_factory.mktemp("profile") / "t.csv", {**columns, "p": answers})
    return made


def watch(profile: Profile, columns: dict[str, list[Any]], answers: list[Any], sizes: int = 100, at: float = 1.0) -> Monitor:  # fmt: skip # noqa: E501
    monitor = Monitor(profile, WINDOWS, ())
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for start in range(0, len(rows), sizes):
        part = slice(start, start + sizes)
        seen = exchange(rows[part], answers[part], at=at)
        monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    return monitor


def found(monitor: Monitor, now: float = 1.0) -> Found:
    features = monitor.snapshot(now).features
    assert features
    told = [one for one in features.aspects if isinstance(one, Listed) and one.word.startswith("association_shift")]
    by_word = {(one.word, one.column, one.labels): one.value for one in told}
    names = ("x", "y", "noise", "town")
    return {
        (names[column], *labels): (value, by_word["association_shift_critical", column, labels])
        for (word, column, labels), value in by_word.items() if word == "association_shift"
    }  # fmt: skip


def beyond(scores: Found, window: str = "1m") -> set[str]:
    return {name for (name, _, one), (score, critical) in scores.items() if one == window and score > critical}


def test_features_that_were_swapped_on_their_way_are_named(profile: Profile) -> None:
    random = np.random.default_rng(2)
    columns = rows_of(random, 1000)
    answers = answers_to(columns, random)
    assert not beyond(found(watch(profile, columns, answers)))
    swapped = columns | {"x": columns["y"], "y": columns["x"]}  # the client's names are wrong, the answers right
    scores = found(watch(profile, swapped, answers))
    assert beyond(scores) == {"x", "y"}
    assert scores["x", "p", "1m"][0] > 0.5


@pytest.mark.parametrize("column", ["x", "town"])
def test_a_feature_that_comes_from_another_row_is_named(column: str, judged: Profile) -> None:
    random = np.random.default_rng(3)
    columns = rows_of(random, 3000)
    answers = ["yes" if one > 0 else "no" for one in answers_to(columns, random)]
    assert not beyond(found(watch(judged, columns, answers)))
    permuted = columns | {column: [columns[column][at] for at in random.permutation(3000)]}
    assert beyond(found(watch(judged, permuted, answers))) == {column}


def test_answers_that_all_shift_alike_and_features_that_shift_alone_are_nothing_of_theirs(profile: Profile) -> None:
    random = np.random.default_rng(4)
    columns = rows_of(random, 2000)
    answers = answers_to(columns, random)
    assert not beyond(found(watch(profile, columns, [one + 1.5 for one in answers])))
    picked = [at for at, one in enumerate(columns["x"]) if one > -0.5 or at % 5 == 0]
    other = {name: [cells[at] for at in picked] for name, cells in columns.items()}
    assert not beyond({key: one for key, one in found(watch(profile, other, [answers[at] for at in picked])).items()
                       if key[0] == "x"})  # fmt: skip


def test_neither_order_nor_batches_change_a_bit(profile: Profile) -> None:
    random = np.random.default_rng(5)
    columns = rows_of(random, 500)
    answers: list[Any] = answers_to(columns, random)
    columns["x"][3] = columns["town"][4] = answers[7] = None
    expected = watch(profile, columns, answers)
    assert len(found(expected)) == 8  # features and windows of 60 panes and more
    order = random.permutation(500)
    shuffled = {name: [cells[at] for at in order] for name, cells in columns.items()}
    for sizes in (1, 7, 500):
        other = watch(profile, shuffled, [answers[at] for at in order], sizes)
        assert found(other) == found(expected)
        assert all((array == other.arrays()[name]).all() for name, array in expected.arrays().items()
                   if ".association" in name)  # fmt: skip


def test_mean_answers_are_those_of_numpy(profile: Profile) -> None:
    random = np.random.default_rng(6)
    columns = rows_of(random, 400)
    answers = answers_to(columns, random)
    score, critical = found(watch(profile, columns, answers))["town", "p", "10m"]
    column = next(one for one in profile.features if one.name == "town")
    training, y = column.association[0], np.array(answers)
    change, weight, noise = [], [], []
    for place, town in enumerate(column.categories):
        own = y[np.array(columns["town"]) == town]
        m = training.counts[place]
        change.append(own.mean() - training.means[place])
        weight.append(own.size * m / (own.size + m))
        noise.append(own.var(ddof=1))
    centred = np.array(change) - np.average(change, weights=weight)
    sd = profile.outputs[0].sd
    assert score == pytest.approx(np.sqrt(np.average(centred**2, weights=weight)) / sd, rel=1e-6)
    # Of two degrees of freedom; the variances are estimates of some hundred.
    assert critical == pytest.approx(np.sqrt(13.8 * np.mean(noise) / sum(weight)) / sd, rel=0.1)


def test_few_rows_and_rows_without_a_known_answer_say_nothing(profile: Profile) -> None:
    random = np.random.default_rng(7)
    columns = rows_of(random, 199)
    answers = answers_to(columns, random)
    assert found(watch(profile, columns, answers)) == {}
    longer = rows_of(random, 300)
    assert found(watch(profile, longer, answers_to(longer, random)[:-1], 300)) == {}
    known = watch(profile, longer, answers_to(longer, random))
    assert {window for _, _, window in found(known)} == {"1m", "10m"}
    assert {window for _, _, window in found(known, 62.0)} == {"10m"}
    assert found(known, 650.0) == {}


def test_another_process_goes_on_and_a_restart_keeps_the_windows(profile: Profile) -> None:
    random = np.random.default_rng(8)
    columns = rows_of(random, 300)
    before = watch(profile, columns, answers_to(columns, random))
    successor, later = Monitor(profile, WINDOWS, ()), Monitor(profile, WINDOWS, ())
    for name, array in before.arrays().items():
        successor.arrays()[name][...] = array
    assert found(successor) == found(before)
    assert later.put_back(dict(before.held(1.0)), 1000.0, 1001.0)
    assert found(later, 1001.0) == found(before)


def test_a_profile_of_which_answers_were_not_counted_is_watched_without(profile: Profile) -> None:
    bare = replace(profile, features=tuple(replace(column, association=()) for column in profile.features))
    random = np.random.default_rng(9)
    columns = rows_of(random, 300)
    monitor = watch(bare, columns, answers_to(columns, random))
    assert found(monitor) == {}
    assert not any(".joint" in name for name in monitor.arrays())


def test_rows_of_one_pane_stay_together_however_they_come(profile: Profile) -> None:
    """A window of five panes has no twelfths by which rows could be counted."""
    random = np.random.default_rng(8)
    columns = rows_of(random, 900)
    answers = answers_to(columns, random)
    together, apart = (Monitor(profile, Windows(pane=1.0, lengths=(5.0,)), ()) for _ in range(2))
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for place, at in enumerate((10.1, 10.9, 11.3)):
        part = slice(place * 300, place * 300 + 300)
        seen = exchange(rows[part], answers[part], at=at)
        for monitor in (together, apart):
            monitor.observe(seen, Decoder().decode(seen))
        apart.flush()
    together.flush()
    for now in (11.5, 14.6, 15.2, 16.0):
        assert found(together, now) == found(apart, now)
        assert bool(found(apart, now)) == (now < 16)
