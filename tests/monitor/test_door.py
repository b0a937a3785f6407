"""Payloads and profiles under other names: what is denied is nowhere, what is hashed counts as before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import answers, exchange, live_rows, make_profile, training_rows

from exporter.decode import Decoder
from exporter.monitor import Monitor, door
from exporter.monitor.door import Door
from exporter.monitor.provisional import Provisionals
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.privacy import Privacy
from exporter.profile import document, overrides
from exporter.profile.standing import Standing
from exporter.profile.veiled import Veils, veiled
from exporter.records import Failure, Label, Observation, Table
from exporter.reference import Profile
from exporter.scalars.private import DENIED, Private
from exporter.scalars.salted import Salt
from exporter.sections import Provisional, Windows

SALT = Salt(b"sixteen bytes, or more of them")
COLUMNS = training_rows()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"), COLUMNS)


def private(deny: Sequence[str] = (), hashed: Sequence[str] = ()) -> Private:
    return Private(Privacy(tuple(deny), tuple(hashed)), SALT)


def named(of: Mapping[str, Any]) -> Table:
    return Table(len(next(iter(of.values()))), tuple(of), tuple(list(column) for column in of.values()))


def watched(
    profile: Profile, hidden: Private | None, requests: Sequence[Any], rules: Overrides | None = None
) -> Monitor:
    """A monitor behind the door, that has seen rows of a request each."""
    said = Said(door.hidden_rules(rules, hidden) if rules and hidden else rules or Overrides(), SALT, private=hidden)
    monitor = Monitor(veiled(profile, hidden) if hidden else profile, Windows(), (), said)
    take, decoder = door.of(said), Decoder()
    for at, rows in enumerate(requests):
        one = exchange(rows, answers(rows, at), 1.0 + at)
        monitor.observe(one, take(decoder.decode(one)))
    monitor.flush()
    return monitor


def totals(profile: Profile, monitor: Monitor) -> dict[str, list[int]]:
    shown = monitor.snapshot(100.0).features
    assert shown is not None
    return {
        column.name: counts[: len(column.counts)]
        for column, counts in zip(profile.features, shown.totals.bins.tolist(), strict=True)
    }


def test_what_is_hashed_counts_as_it_did_under_its_name_in_whatever_order_and_batches(profile: Profile) -> None:
    hidden = private(hashed=["amount", "ci*", "member", "note", "code", "score"])
    rows = live_rows(120, 3)
    open_counts = totals(profile, watched(profile, None, [rows]))
    here = veiled(profile, hidden)
    for requests in ([rows], [rows[::-1]], [rows[:50], rows[50:]], [[row] for row in rows]):
        assert totals(here, watched(profile, hidden, requests)) == {
            hidden.name(name): counts for name, counts in open_counts.items()
        }


def test_a_column_that_is_denied_is_not_counted_and_the_others_are_as_ever(profile: Profile) -> None:
    hidden = private(deny=["city", "note"])
    rows = live_rows(120, 4)
    there = {name: counts for name, counts in totals(profile, watched(profile, None, [rows])).items()
             if name not in {"city", "note"}}  # fmt: skip
    monitor = watched(profile, hidden, [rows])
    assert totals(veiled(profile, hidden), monitor) == there
    assert monitor.snapshot(100.0).rows.unknown_fields == 0, "what is denied is no stranger"


def test_bare_arrays_are_told_by_their_places_whatever_is_denied(profile: Profile) -> None:
    hidden = private(deny=["amount", "code"], hashed=["city"])
    rows = [[row.get(name) for name in profile.inputs] for row in live_rows(80, 5)]
    there = totals(profile, watched(profile, None, [rows]))
    here = totals(veiled(profile, hidden), watched(profile, hidden, [rows]))
    assert here == {hidden.name(name): counts for name, counts in there.items() if not hidden.denies(name)}


def test_strangers_that_are_denied_are_not_even_counted(profile: Profile) -> None:
    rows = [row | {"ssn": 1, "ssn_hash": "x", "other": 2} for row in live_rows(30, 6)]
    assert watched(profile, None, [rows]).snapshot(100.0).rows.unknown_fields == 90
    assert watched(profile, private(deny=["ssn*"]), [rows]).snapshot(100.0).rows.unknown_fields == 30


def test_answers_without_names_keep_their_places(profile: Profile) -> None:
    (score,) = profile.outputs
    several = replace(profile, outputs=(score, replace(score, name="secret"), replace(score, name="third")))
    hidden = private(deny=["secret"], hashed=["third"])
    assert veiled(several, hidden).answered.fields[::2] == ("score", hidden.name("third"))
    rows = live_rows(10, 7)
    monitor = Monitor(veiled(several, hidden), Windows(), (), Said(private=hidden, salt=SALT))
    one = exchange(rows, [[0.1, 5e9, 0.3]] * 10, 1.0)
    monitor.observe(one, Door(hidden)(Decoder().decode(one)))
    monitor.flush()
    shown = monitor.snapshot(10.0).outputs
    assert shown is not None
    assert shown.totals.bins.sum(axis=1).tolist() == [10, 10]
    assert not shown.totals.quality["out_of_range"].any(), "5e9 is of what is denied"


def test_an_answer_of_which_all_is_denied_is_not_looked_at(profile: Profile) -> None:
    hidden = private(deny=["whatever"])
    monitor = Monitor(veiled(profile, hidden), Windows(), (), Said(private=hidden, salt=SALT))
    rows = live_rows(10, 8)
    one = exchange(rows, [{"whatever": 0.5}] * 10, 1.0)
    monitor.observe(one, Door(hidden)(Decoder().decode(one)))
    monitor.flush()
    shown = monitor.snapshot(10.0)
    assert shown.outputs is not None
    assert not shown.outputs.totals.bins.any()
    assert shown.outputs.match.payloads == 0


def test_overrides_find_a_hidden_column_by_its_name_and_by_patterns_and_say_no_private_pattern(
    profile: Profile,
) -> None:
    hidden = private(deny=["age"], hashed=["c*", "amount"])
    rules = Overrides(
        {"city": Override(allowed=("Paris",)), "c*": Override(weight=2.0), "age": Override(tolerance=0.5),
         "amount": Override(tolerance=0.25), "cx*": Override(weight=3.0), "no*": Override(weight=4.0)},
        {"sco*": Override(owner="us")},
    )  # fmt: skip
    here, veil = door.hidden_rules(rules, hidden), veiled(profile, hidden)
    features, outputs = overrides.on(here, veil)
    found = {column.name: rule for column, rule in zip(veil.features, features, strict=True)}
    assert found[hidden.name("city")] == Override(allowed=("Paris",), weight=2.0)
    assert found[hidden.name("amount")] == Override(tolerance=0.25)
    assert found[hidden.name("constant")].weight == 2.0
    assert found["note"].weight == 4.0
    assert outputs[0].owner == "us"
    assert not list(overrides.faults(here, veil)), "cx* fits nothing, and is not said"
    monitor = watched(profile, hidden, [live_rows(50, 9)], rules)
    shown = monitor.snapshot(100.0).features
    assert shown is not None
    at = [column.name for column in veil.features].index(hidden.name("city"))
    assert 0 < shown.totals.quality["out_of_range"][at] < 50


# --- profiles


def test_a_profile_is_hidden_once_and_stays_known_by_what_is_written(profile: Profile) -> None:
    hidden = private(deny=["age"], hashed=["*"])
    once = veiled(profile, hidden)
    assert document.describe(veiled(once, hidden)) == document.describe(once)
    assert once.short_digest == profile.short_digest
    assert once.digest not in {profile.digest, veiled(profile, private(deny=["city"], hashed=["*"])).digest}
    assert veiled(profile, private(deny=["nothing"])) is profile
    text = document.written(document.describe(once))
    assert not [name for name in (*profile.inputs, *COLUMNS, "Berlin", "village") if f'"{name}' in text]


def test_who_looks_a_profile_up_gets_it_hidden_with_what_was_adopted(profile: Profile) -> None:
    class _Real:
        changes = errors = 0
        model = profile.model

        def of(self, *_: str) -> Profile:
            return profile

        offered = of

    hidden = private(hashed=["city"])
    standing = Standing(_Real(), lambda: 0.0, hidden)  # type: ignore[arg-type]
    found, offered = standing.of("m", "1"), standing.offered("m")
    assert found is not None
    assert found is offered
    assert hidden.name("city") in found.inputs
    assert "city" not in found.inputs


def test_a_reference_that_was_kept_in_clear_is_hidden_before_anybody_sees_it(profile: Profile) -> None:
    hidden = private(deny=["age"], hashed=["city", "amount"])
    found: dict[Label, Profile] = {}

    class _Taking:
        def provisional(self, label: Label) -> Profile | None:
            return found.get(label)

        def put(self, label: Label, profile: Profile) -> None:
            found[label] = profile

        def drop(self, label: Label) -> None:
            del found[label]

    label, clear = Label("m", "1"), replace(profile, provisional=True)
    first = Provisionals(Provisional(), _Taking(), {}, Veils(hidden))
    first.put(label, replace(clear, digest=document.digest(clear)))
    (text,) = [array.tobytes() for array in first.arrays().values()]
    assert hidden.name("city") in found[label].inputs
    for word in ('"city"', '"amount"', '"age"', "Berlin"):
        assert word.encode() not in text
    before = found.pop(label)
    Provisionals(Provisional(), _Taking(), first.arrays(), Veils(hidden))
    assert found[label].digest == before.digest, "whoever comes after goes on with the same"


def test_decoders_are_told_the_names_of_bare_arrays_as_payloads_have_them(profile: Profile) -> None:
    from exporter.decode import naming  # noqa: PLC0415

    hidden = veiled(profile, private(deny=["age"], hashed=["c*"]))
    assert naming.orders(hidden) == naming.orders(profile)


def test_tables_keep_their_cells_and_failures_stay() -> None:
    table = named({"ssn": [1, 2], "city": ["a", "b"], "x": [3, 4]})
    found = Door(private(deny=["ssn"], hashed=["city"]))(Observation(table, Failure("shape", "words")))
    assert isinstance(found.features, Table)
    assert found.features.names == (DENIED, "h_" + SALT.name("city"), "x")
    assert found.features.columns is table.columns
    assert table.names == ("ssn", "city", "x"), "what others hold is left as it is"
    assert found.predictions == Failure("shape", "words")


def test_of_names_that_clients_make_up_few_are_remembered() -> None:
    take = Door(private(hashed=["*"]))
    for at in range(2000):
        take(Observation(named({f"name {at}": [1]}), None))
    take(Observation(named({"x" * 100_000: [1]}), None))
    kept = take._kept
    assert len(kept) <= 256
    assert max(len(name) for names in kept for name in names) < 100


def test_counts_of_a_profile_that_hides_otherwise_are_never_mixed(profile: Profile, tmp_path: Path) -> None:
    kept = {str(deny): set(watched(profile, private(deny=[deny]), []).arrays()) for deny in ("age", "city")}
    digests = [{name for name in names if "features.totals" in name} for names in kept.values()]
    assert digests[0].isdisjoint(digests[1])
    assert np.all([len(one) for one in digests])
    assert tmp_path.is_dir()
