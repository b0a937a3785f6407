"""Any store, held against a dictionary that anybody can follow: whatever is asked of it, in whatever order."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations

import pytest
from feedback.places import LIMITS, Place
from feedback.spoken import NOW_MS, ONE, OTHER, TWO, prediction, truth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.feedback.stores import Store
from exporter.truths import Owner, Prediction, Truth

ANCIENT_MS = NOW_MS - 2 * LIMITS.retention_ms
MOMENTS = st.sampled_from([NOW_MS, ANCIENT_MS])
NAMES = st.sampled_from("abc")
PREDICTIONS = st.builds(prediction, NAMES, st.sampled_from([ONE, TWO, OTHER]), MOMENTS, st.binary(max_size=3))
TRUTHS = st.builds(
    truth, NAMES, st.sampled_from([b"1", b"2"]), st.sampled_from(["", "credit", "fraud"]),
    told_ms=MOMENTS, predicted_ms=st.sampled_from([0, ANCIENT_MS]), extra=st.binary(max_size=2),
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.lists(PREDICTIONS, max_size=4)),
        st.tuples(st.just("tell"), st.lists(TRUTHS, max_size=4)),
        st.tuples(st.just("erase"), st.lists(NAMES, max_size=1)),
        st.tuples(st.just("expire"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)
EACH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Plain:
    """What the contract says, without any database."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[Owner, Prediction]] = defaultdict(dict)
        self.joined: dict[tuple[int, Owner], Truth] = {}
        """In order."""
        self.early: dict[tuple[int, str], Truth] = {}

    def open(self, one: Prediction) -> str:
        if one.owner in self.kept[one.key]:
            return "known"
        self.kept[one.key][one.owner] = one
        for model in (one.owner.model, ""):
            if (one.key, model) in self.early:
                self.joined[one.key, one.owner] = self.early.pop((one.key, model))
                return "waited"
        for (key, owner), known in self.joined.items():
            if key == one.key and owner.model == one.owner.model:
                self.joined[one.key, one.owner] = known
                return "joined"
        return "added"

    def tell(self, one: Truth) -> str:
        owners = [owner for owner in self.kept[one.key] if one.model in ("", owner.model)]
        if len({owner.model for owner in owners}) > 1:
            return "malformed"
        still_open = [owner for owner in owners if (one.key, owner) not in self.joined]
        for owner in still_open:
            self.joined[one.key, owner] = one
        if still_open:
            return "matched"
        known = [self.joined[one.key, owner] for owner in owners] or [
            early for (key, model), early in self.early.items()
            if key == one.key and (model == one.model or "" in (model, one.model))
        ]  # fmt: skip
        if known:
            return "duplicate" if one.content in [other.content for other in known] else "conflicting"
        age_ms = one.told_ms - one.predicted_ms if one.predicted_ms else 0
        if age_ms > LIMITS.early_ms:
            return "late" if age_ms > LIMITS.retention_ms else "orphan"
        self.early[one.key, one.model] = one
        return "early"

    def forget(self, *, key: int | None = None) -> None:
        """A key, or all that is ancient."""
        for kept in [one for owners in self.kept.values() for one in owners.values()]:
            if kept.key == key or (key is None and kept.at_ms == ANCIENT_MS):
                del self.kept[kept.key][kept.owner]
                self.joined.pop((kept.key, kept.owner), None)
        for early in [*self.early.values()]:
            if early.key == key or (key is None and early.told_ms == ANCIENT_MS):
                del self.early[early.key, early.model]

    def rows(self) -> list[tuple[object, ...]]:
        """As they come out of a store, but for their number."""
        kept = [(self.kept[key][owner], known) for (key, owner), known in self.joined.items()]
        return [(one.owner, one.at_ms, true.told_ms, one.content, true.content, true.extra) for one, true in kept]

    def sizes(self) -> tuple[int, int, int]:
        kept = sum(map(len, self.kept.values()))
        return kept - len(self.joined), len(self.joined), len(self.early)


def step(store: Store, plain: Plain, what: str, given: Sequence[object]) -> None:
    """Have both do it, and compare what they say of it."""
    before = plain.sizes()
    if what == "open":
        became = [plain.open(one) for one in given]
        joined, waited = became.count("waited") + became.count("joined"), became.count("waited")
        known = became.count("known")
        assert store.open(given) == (len(given) - known, known, joined, waited)
    elif what == "tell":
        assert [told.outcome for told in store.tell(given)] == [plain.tell(one) for one in given]
    elif what == "erase":
        keys = [prediction(name).key for name in given]
        for key in keys:
            plain.forget(key=key)
        assert store.erase(keys) == tuple(was - is_now for was, is_now in zip(before, plain.sizes(), strict=True))
    else:
        plain.forget()
        after = plain.sizes()
        assert store.expire(NOW_MS) == (before[0] - after[0], before[2] - after[2])


@EACH
@given(steps=STEPS)
def test_it_does_what_a_dictionary_does(place: Place, steps: list[tuple[str, Sequence[object]]]) -> None:
    store, plain = place.open(), Plain()
    for what, items in steps:
        if what == "reopen":
            if place.lasts:
                store.close()
                store = place.open()
            continue
        step(store, plain, what, items)
        rows = store.joined(0, 1000)
        assert sorted(row[1:] for row in rows) == sorted(plain.rows())
        assert [row.number for row in rows] == sorted({row.number for row in rows})
        assert store.sizes()[:3] == plain.sizes()
    store.close()
    place.lose()


@EACH
@given(
    names=st.lists(st.tuples(NAMES, st.sampled_from([(ONE,), (ONE, TWO), (OTHER,)])), unique_by=lambda one: one[0]),
    told=st.sets(NAMES),
    shuffled=st.randoms(use_true_random=False),
    parts=st.integers(1, 3),
)
def test_the_order_in_which_all_comes_makes_no_difference(
    place: Place, names: list[tuple[str, tuple[Owner, ...]]], told: set[str], shuffled: object, parts: int
) -> None:
    predictions = [prediction(name, owner) for name, owners in names for owner in owners]
    items = [*predictions, *(truth(name, name.encode()) for name in told)]
    shuffled.shuffle(items)
    store = place.open()
    for start in range(0, len(items), parts):
        some = items[start : start + parts]
        store.tell([one for one in some if isinstance(one, Truth)])
        store.open([one for one in some if isinstance(one, Prediction)])
    expected = sorted((owner, name.encode()) for name, owners in names if name in told for owner in owners)
    assert sorted((row.owner, row.true) for row in store.joined(0, 1000)) == expected
    assert store.sizes()[2] == len(told - {name for name, _ in names})
    store.close()
    place.lose()


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_whatever_the_order_of_two_versions_and_a_truth_told_twice(place: Place, order: tuple[int, ...]) -> None:
    store = place.open()
    asked = [
        lambda: store.open([prediction("a", ONE)]),
        lambda: store.open([prediction("a", TWO)]),
        lambda: store.tell([truth("a")]),
        lambda: store.tell([truth("a")]),
    ]
    for at in order:
        asked[at]()
    assert sorted(row.owner for row in store.joined(0, 10)) == [ONE, TWO]
    assert store.sizes()[:3] == (0, 2, 0)
    store.close()
