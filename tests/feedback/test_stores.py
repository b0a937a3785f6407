"""What every store of predictions and truths must do: the same questions to each."""

from itertools import pairwise

import pytest
from feedback.places import LIMITS, Place
from feedback.spoken import NOW_MS, ONE, OTHER, TWO, prediction, truth

from exporter.errors import ConfigError
from exporter.feedback.stores import STORES, Expired, Limits, Opened, Store, address, check
from exporter.truths import Owner, Truth, key_of


def outcomes(store: Store, *truths: Truth) -> list[str]:
    return [told.outcome for told in store.tell(truths)]


def sizes(store: Store) -> tuple[int, int, int]:
    return store.sizes()[:3]


# --- truths that find their prediction


def test_a_truth_is_joined_to_its_prediction_and_both_come_out_as_they_went_in(store: Store) -> None:
    assert store.open([prediction("a", at_ms=NOW_MS - 7), prediction("b")]) == Opened(2, 0, 0, 0)
    (told,) = store.tell([truth("a", b'"yes"', extra=b"\x00\x01weight\xfe")])
    assert (told.outcome, told.owners) == ("matched", (ONE,))
    (joined,) = store.joined(0, 10)
    assert joined[1:] == (ONE, NOW_MS - 7, NOW_MS + 5, b"\x00said\xff", b'"yes"', b"\x00\x01weight\xfe")
    assert joined.number == store.last_number() > 0
    assert sizes(store) == (1, 1, 0)


def test_what_is_empty_stays_empty(store: Store) -> None:
    store.open([prediction("a", Owner("", "", ""), said=b"")])
    assert outcomes(store, truth("a", b"")) == ["matched"]
    (joined,) = store.joined(0, 10)
    assert (joined.owner, joined.said, joined.true, joined.extra) == (Owner("", "", ""), b"", b"", b"")
    assert outcomes(store) == []
    assert store.open([]) == Opened(0, 0, 0, 0)
    assert sum(store.erase([])) == 0


def test_names_may_be_of_any_letters_and_keys_of_any_sign(store: Store) -> None:
    owner = Owner("mödel '\"\\ 漢", "v\n1", "t")
    ends = [-(1 << 63), -1, 0, 1, (1 << 63) - 1]
    store.open([prediction("a", owner)._replace(key=key) for key in ends])
    told = store.tell([truth("a", str(key).encode(), owner.model)._replace(key=key) for key in ends])
    assert {one.owners for one in told} == {(owner,)}
    assert [one.true for one in store.joined(0, 10)] == [str(key).encode() for key in ends]


def test_a_prediction_that_is_opened_twice_stays_as_it_was(store: Store) -> None:
    assert store.open([prediction("a"), prediction("a", said=b"again")]) == Opened(1, 1, 0, 0)
    assert store.open([prediction("a", said=b"later")]) == Opened(0, 1, 0, 0)
    store.tell([truth("a")])
    assert store.open([prediction("a", said=b"after")]) == Opened(0, 1, 0, 0)
    assert [one.said for one in store.joined(0, 10)] == [b"\x00said\xff"]
    assert sizes(store) == (0, 1, 0)


def test_a_truth_told_again_is_a_duplicate_and_another_one_conflicts(store: Store) -> None:
    store.open([prediction("a")])
    assert outcomes(store, truth("a"), truth("a", extra=b"more"), truth("a", b"2")) == [
        "matched",
        "duplicate",
        "conflicting",
    ]
    assert outcomes(store, truth("a", told_ms=NOW_MS + 9), truth("a", b"2"), truth("a", model="credit")) == [
        "duplicate",
        "conflicting",
        "duplicate",
    ]
    assert [one.true for one in store.joined(0, 10)] == [b"1"]


# --- several versions, several models


def test_a_truth_goes_to_every_version_that_answered_the_request(store: Store) -> None:
    store.open([prediction("a", ONE, said=b"one"), prediction("a", TWO, said=b"two")])
    (told,) = store.tell([truth("a")])
    assert (told.outcome, set(told.owners)) == ("matched", {ONE, TWO})
    assert {(one.owner, one.said, one.true) for one in store.joined(0, 10)} == {
        (ONE, b"one", b"1"),
        (TWO, b"two", b"1"),
    }
    assert outcomes(store, truth("a")) == ["duplicate"]


def test_a_version_that_answers_after_the_truth_came_is_joined_to_it(store: Store) -> None:
    store.open([prediction("a", ONE)])
    store.tell([truth("a", b"7", extra=b"e")])
    assert store.open([prediction("a", TWO), prediction("a", OTHER)]) == Opened(2, 0, 1, 0)
    assert [(one.owner, one.true, one.extra, one.told_ms) for one in store.joined(0, 10)] == [
        (ONE, b"7", b"e", NOW_MS + 5),
        (TWO, b"7", b"e", NOW_MS + 5),
    ]
    assert sizes(store) == (1, 2, 0)


def test_a_truth_without_a_model_finds_the_only_one(store: Store) -> None:
    store.open([prediction("a", OTHER)])
    assert store.tell([truth("a")])[0].owners == (OTHER,)


def test_a_truth_without_a_model_is_malformed_where_several_answered(store: Store) -> None:
    store.open([prediction("a", ONE), prediction("a", OTHER)])
    (told,) = store.tell([truth("a")])
    assert (told.outcome, told.owners) == ("malformed", ())
    assert "model" in told.detail
    assert store.tell([truth("a", model="fraud")])[0].owners == (OTHER,)
    assert outcomes(store, truth("a")) == ["malformed"]
    assert store.tell([truth("a", b"2", model="credit")])[0].owners == (ONE,)
    assert sizes(store) == (0, 2, 0)


def test_a_truth_of_another_model_waits_for_that_one(store: Store) -> None:
    store.open([prediction("a", ONE)])
    assert outcomes(store, truth("a", model="fraud")) == ["early"]
    assert sizes(store) == (1, 0, 1)
    assert store.open([prediction("a", OTHER)]) == Opened(1, 0, 1, 1)
    assert sizes(store) == (1, 1, 0)


# --- truths that come before their prediction


@pytest.mark.parametrize("model", ["", "credit"])
def test_an_early_truth_waits_for_its_prediction(store: Store, model: str) -> None:
    assert outcomes(store, truth("a", b"3", model, extra=b"x")) == ["early"]
    assert sizes(store) == (0, 0, 1)
    assert store.joined(0, 10) == []
    assert store.open([prediction("a"), prediction("b")]) == Opened(2, 0, 1, 1)
    assert [(one.true, one.extra, one.told_ms) for one in store.joined(0, 10)] == [(b"3", b"x", NOW_MS + 5)]
    assert sizes(store) == (1, 1, 0)
    assert outcomes(store, truth("a", b"3"), truth("a", b"4")) == ["duplicate", "conflicting"]


def test_two_versions_are_joined_to_one_early_truth_though_they_come_apart(store: Store) -> None:
    store.tell([truth("a")])
    assert store.open([prediction("a", ONE)]) == Opened(1, 0, 1, 1)
    assert store.open([prediction("a", TWO)]) == Opened(1, 0, 1, 0)
    assert [one.owner for one in store.joined(0, 10)] == [ONE, TWO]


def test_early_truths_are_told_once_too(store: Store) -> None:
    assert outcomes(store, truth("a"), truth("a"), truth("a", b"2")) == ["early", "duplicate", "conflicting"]
    assert outcomes(store, truth("a"), truth("a", model="credit"), truth("a", b"2", "fraud")) == [
        "duplicate",
        "duplicate",
        "conflicting",
    ]
    assert sizes(store) == (0, 0, 1)


def test_early_truths_of_two_models_wait_side_by_side(store: Store) -> None:
    assert outcomes(store, truth("a", b"1", "credit"), truth("a", b"2", "fraud"), truth("a", b"3")) == [
        "early",
        "early",
        "conflicting",
    ]
    assert store.open([prediction("a", OTHER), prediction("a", ONE)]) == Opened(2, 0, 2, 2)
    assert {(one.owner, one.true) for one in store.joined(0, 10)} == {(ONE, b"1"), (OTHER, b"2")}


@pytest.mark.parametrize(
    ("age_ms", "outcome"),
    [
        (0, "early"),
        (LIMITS.early_ms, "early"),
        (LIMITS.early_ms + 1, "orphan"),
        (LIMITS.retention_ms, "orphan"),
        (LIMITS.retention_ms + 1, "late"),
    ],
)
def test_a_truth_without_prediction_is_judged_by_when_it_says_that_it_was_predicted(
    store: Store, age_ms: int, outcome: str
) -> None:
    assert outcomes(store, truth("a", told_ms=NOW_MS, predicted_ms=NOW_MS - age_ms)) == [outcome]
    assert sizes(store) == (0, 0, int(outcome == "early"))


def test_a_prediction_that_is_there_is_joined_whatever_the_truth_says_of_its_age(store: Store) -> None:
    store.open([prediction("a")])
    assert outcomes(store, truth("a", predicted_ms=1)) == ["matched"]


# --- numbers


def test_what_was_joined_comes_out_in_order_page_by_page(store: Store) -> None:
    names = [f"id-{place}" for place in range(25)]
    store.open([prediction(name, said=name.encode()) for name in names])
    store.tell([truth(name) for name in reversed(names)])
    pages, after = [], 0
    while page := store.joined(after, 10):
        pages.append(len(page))
        after = page[-1].number
    everything = store.joined(0, 1000)
    assert pages == [10, 10, 5]
    assert [one.said.decode() for one in everything] == names[::-1]
    assert all(one.number < two.number for one, two in pairwise(everything))
    assert store.joined(everything[9].number, 3) == everything[10:13]
    assert after == store.last_number()


def test_no_number_was_used_before_the_first(store: Store) -> None:
    assert store.last_number() == 0
    store.open([prediction("a")])
    assert store.last_number() == 0


def test_numbers_are_not_used_again_when_theirs_were_erased(store: Store) -> None:
    store.open([prediction("a"), prediction("b")])
    store.tell([truth("a")])
    last = store.last_number()
    store.erase([key_of("a")])
    assert store.joined(0, 10) == []
    assert store.last_number() == last
    store.tell([truth("b")])
    (joined,) = store.joined(0, 10)
    assert joined.number > last


def test_numbers_are_not_used_again_after_it_was_opened_again_or_lost(place: Place) -> None:
    numbers = []
    for name in "abc":
        store = place.open()
        store.open([prediction(name)])
        store.tell([truth(name)])
        numbers.append(store.last_number())
        store.close()
        if name == "b":
            place.lose()
    assert numbers == sorted(set(numbers))


# --- forgetting


def test_what_was_erased_is_as_if_it_had_never_been(store: Store) -> None:
    store.open([prediction("open"), prediction("joined"), prediction("joined", TWO), prediction("other")])
    store.tell([truth("joined"), truth("early"), truth("other")])
    keys = [key_of(name) for name in ("open", "joined", "early", "nobody", "open")]
    assert store.erase(keys) == (1, 2, 1)
    assert sum(store.erase(keys)) == 0
    assert sizes(store) == (0, 1, 0)
    assert len(store.joined(0, 10)) == 1
    assert outcomes(store, truth("open"), truth("joined", b"2")) == ["early", "early"]
    assert store.open([prediction("joined"), prediction("early")]) == Opened(2, 0, 1, 1)


def test_predictions_go_when_they_are_too_old_with_truth_or_without(store: Store) -> None:
    old_ms, young_ms = NOW_MS - LIMITS.retention_ms * 11 // 10, NOW_MS - LIMITS.retention_ms * 9 // 10
    store.open(
        [prediction("old", at_ms=old_ms), prediction("old too", at_ms=old_ms), prediction("young", at_ms=young_ms)]
    )
    store.tell([truth("old too")])
    assert store.expire(NOW_MS) == Expired(1, 0)
    assert sizes(store) == (1, 0, 0)
    assert store.joined(0, 10) == []
    assert outcomes(store, truth("young"), truth("old")) == ["matched", "early"]
    assert store.expire(NOW_MS) == Expired(0, 0)


def test_early_truths_go_when_their_prediction_does_not_come(store: Store) -> None:
    store.tell([truth("old", told_ms=NOW_MS - LIMITS.early_ms * 11 // 10), truth("young", told_ms=NOW_MS)])
    assert store.expire(NOW_MS) == Expired(0, 1)
    assert sizes(store) == (0, 0, 1)
    assert store.open([prediction("old"), prediction("young")]).joined == 1


def test_the_oldest_predictions_go_when_there_are_too_many(place: Place) -> None:
    store = place.open(Limits(50, LIMITS.retention_ms, LIMITS.early_ms))
    names = [f"id-{place}" for place in range(80)]
    store.open([prediction(name, at_ms=NOW_MS - age) for age, name in enumerate(names)])
    store.tell([truth(name) for name in names[::2]])
    assert store.expire(NOW_MS) == Expired(15, 0)
    assert sizes(store) == (25, 25, 0)
    assert outcomes(store, *(truth(name) for name in names)) == ["duplicate", "matched"] * 25 + ["early"] * 30
    store.close()


def test_among_predictions_of_one_moment_no_more_go_than_must(place: Place) -> None:
    store = place.open(Limits(50, LIMITS.retention_ms, LIMITS.early_ms))
    store.open([prediction(f"id-{place}") for place in range(80)])
    assert store.expire(NOW_MS) == Expired(30, 0)
    assert sizes(store) == (50, 0, 0)
    store.close()


def test_the_oldest_early_truths_go_when_there_are_too_many(place: Place) -> None:
    limits = Limits(100, LIMITS.retention_ms, LIMITS.early_ms)
    store = place.open(limits)
    names = [f"id-{place}" for place in range(limits.most_early + 10)]
    store.tell([truth(name, told_ms=NOW_MS - age) for age, name in enumerate(names)])
    assert store.expire(NOW_MS) == Expired(0, 10)
    assert sizes(store) == (0, 0, limits.most_early)
    assert store.open([prediction(name) for name in names[-11:]]).joined == 1
    store.close()


# --- lasting


def test_all_of_it_is_there_again_after_it_was_closed(place: Place) -> None:
    store = place.open()
    store.open([prediction(name) for name in ("a", "b", "c")] + [prediction("a", OTHER)])
    store.tell([truth("b", extra=b"x"), truth("d")])
    before = (sizes(store), store.joined(0, 10), store.last_number())
    store.close()
    again = place.open()
    if not place.lasts:
        assert sizes(again) == (0, 0, 0)
        again.close()
        return
    assert (sizes(again), again.joined(0, 10), again.last_number()) == before
    assert again.open([prediction("a"), prediction("d")]) == Opened(1, 1, 1, 1)
    assert outcomes(again, truth("b"), truth("c"), truth("a")) == ["duplicate", "matched", "malformed"]
    assert again.set_aside == 0
    again.close()


def test_to_close_it_twice_is_fine(place: Place) -> None:
    store = place.open()
    store.close()
    store.close()


def test_a_batch_of_thousands_is_as_good_as_one_by_one(store: Store) -> None:
    names = [f"id-{place}" for place in range(3000)]
    store.open([prediction(name, (ONE, TWO)[place % 2]) for place, name in enumerate(names)])
    told = store.tell([truth(name) for name in names] * 2)
    assert [one.outcome for one in told] == ["matched"] * 3000 + ["duplicate"] * 3000
    assert len(store.joined(0, 5000)) == 3000


# --- addresses


@pytest.mark.parametrize("scheme", sorted(STORES))
def test_every_scheme_of_the_table_is_an_address(scheme: str) -> None:
    check(f"{scheme}:/somewhere")


def test_an_address_that_is_none_is_refused_and_what_was_meant_is_said() -> None:
    with pytest.raises(ConfigError, match=r"feedback\.store: .* did you mean sqlite\?"):
        check("sqlit:/somewhere:secret")
    with pytest.raises(ConfigError, match=r"feedback\.store: must begin with one of") as caught:
        check("/var/lib/secret")
    assert "secret" not in str(caught.value)


def test_where_nothing_is_said_predictions_wait_beside_the_windows_or_in_memory() -> None:
    assert address(None, "/var/lib/state") == "sqlite:/var/lib/state/feedback.sqlite"
    assert address(None, None) == "memory:"
    assert address("redis://host", "/var/lib/state") == "redis://host"
