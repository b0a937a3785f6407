"""What Prometheus answers is taken apart, and what is not whole is left out."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from exporter import catalogue
from exporter.fleet import answers, queries, streams
from exporter.fleet.answers import Fault, Fleet, Place
from exporter.prometheus import Series

BY = ("job",)
OF = {"job": "models", "model": "m", "model_version": "1", "profile": "0a"}
FEATURES = catalogue.FEATURES


def one(value: float, name: str = "", **labels: str) -> Series:
    return OF | labels | ({"__name__": name} if name else {}), [(1.0, value)]


def reference(rows: dict[str, int], feature: str = "x", **numbers: float) -> list[Series]:
    total = sum(rows.values())
    found = [one(n / total, FEATURES.reference_ratio.name, feature=feature, bin=place) for place, n in rows.items()]
    found.append(one(total, FEATURES.reference_samples.name, feature=feature))
    names = {word: family.name for word, family in FEATURES.known.items()} | {
        "tolerance": FEATURES.tolerance.name, "weight": FEATURES.weight.name,
        "snoozed_until": FEATURES.snoozed_until.name,
    }  # fmt: skip
    return found + [one(value, names[word], feature=feature) for word, value in numbers.items()]


def known(*series: Series) -> Any:
    found = answers.known([list(series), []], queries.SIDES, BY)
    return found.get(Fleet(("models",), "m", "1", "0a"), {})


def stream(*series: Series) -> Any:
    (found,) = known(*series).values()
    return streams.of_column(found)


def test_shares_and_their_number_are_the_counts_again_to_the_row() -> None:
    rows = {"00": 1, "01": 333_333, "02": 0, "03": 99_999_999}
    assert stream(*reference(rows)).counts == tuple(rows.values())


def test_bins_that_do_not_exist_are_holes_and_an_order_has_distances() -> None:
    rows = {"00": 1, "01": 50, "13": 2, "14": 3, "15": 0}
    found = stream(*reference(rows), one(0.1, FEATURES.bin_step.name, feature="x", bin="00"))
    assert [place for place, exists in enumerate(found.exist) if exists] == [0, 1, 13, 14, 15]
    assert found.ordered == 14
    assert stream(*reference(rows)).ordered == 0


def test_what_is_said_of_a_column_is_taken_over() -> None:
    numbers = {"reference_error": 0.01, "dependence": 2.0, "wander": 0.03, "tolerance": 0.2, "weight": 3.0,
               "snoozed_until": 99.0}  # fmt: skip
    found = stream(*reference({"00": 5, "01": 5}, **numbers))
    assert (found.error, found.dependence, found.wander, found.tolerance) == (0.01, 2.0, 0.03, 0.2)
    assert (found.weight, found.snoozed_until, found.source, found.pages) == (3.0, 99.0, "profile", True)
    bare = stream(*reference({"00": 5, "01": 5}))
    assert (bare.dependence, bare.wander, bare.tolerance, bare.source) == (None, None, None, "")
    assert bare.error > 0.1, "that of ten rows"


def test_a_ticket_does_not_page_whoever_owns_it_and_an_owner_alone_does() -> None:
    def pages(severity: str, owner: str = "") -> bool:
        info = one(1, FEATURES.override_info.name, feature="x", severity=severity, owner=owner)
        return bool(stream(*reference({"00": 5, "01": 5}), info).pages)

    assert not pages("ticket")
    assert pages("page")
    assert not pages("ticket", "payments")
    assert pages("", "payments")
    assert pages("ignore"), "it is snoozed, which has a time of its own"


def test_the_order_of_an_answer_changes_nothing() -> None:
    series = [*reference({"00": 5, "01": 7}, "b"), *reference({"00": 1, "01": 2}, "a")]

    def orders() -> Iterator[Any]:
        for order in permutations(series):
            yield list(known(*order).items())

    first = next(orders())
    assert [place for place, _ in first] == [Place(0, "a"), Place(0, "b")]
    assert all(found == first for found in orders())


def test_a_reference_that_is_not_whole_is_none() -> None:
    whole = reference({"00": 5, "01": 5})
    assert known(*whole)
    assert not known(*whole[1:])
    assert not known(*whole[:-1])
    assert not known(one(float("nan"), FEATURES.reference_ratio.name, feature="x", bin="00"), *whole[1:])


def test_series_that_are_none_of_ours_are_left_out() -> None:
    fine = one(3, feature="x", bin="01")
    strange = [one(3, feature="x", bin="1"), one(3, feature="x"), one(3, bin="01"), one(-1, feature="x", bin="02"),
               one(float("inf"), feature="x", bin="03"), (OF | {"feature": "x", "bin": "04"}, [])]  # fmt: skip
    found = answers.counts([[fine, *strange], []], queries.SIDES, BY)
    assert found == {Fleet(("models",), "m", "1", "0a"): {Place(0, "x"): {1: 3}}}


def test_replicas_without_a_profile_are_no_fleet() -> None:
    bare = ({"job": "models", "model": "m"}, [(1.0, 3.0)])
    assert answers.replicas([one(5), bare], BY) == {Fleet(("models",), "m", "1", "0a"): 5}


def told(*voices: tuple[str, str, float]) -> Any:
    series = [one(replicas, feature="x", code=code, text=text) for code, text, replicas in voices]
    return answers.faults([series, []], queries.SIDES, BY).get(Fleet(("models",), "m", "1", "0a"), {})


def test_replicas_agree_by_the_kind_of_fault_and_most_of_them_have_the_word() -> None:
    voices = [("scaled", "x looks ×98", 2.0), ("scaled", "x looks ×100", 5.0), ("offset", "x is 3 more", 6.0)]
    for order in permutations(voices):
        assert told(*order) == {Place(0, "x"): Fault("scaled", "x looks ×100", 7)}


def test_without_more_than_half_of_the_voices_nothing_is_said() -> None:
    assert told(("scaled", "x looks ×98", 3.0), ("offset", "x is 3 more", 3.0)) == {}
    assert told() == {}
