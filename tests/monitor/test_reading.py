"""Texts and vectors in traffic: what payloads say is what their scalars' columns count."""

import json
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange

from exporter.decode import Decoder
from exporter.findings import MatchCounts
from exporter.monitor import Monitor
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.records import Exchange
from exporter.reference import MISSING, NONFINITE, Column, Embedding, Profile
from exporter.scalars import TEXT_SCALARS, vector_scalars
from exporter.scalars.salted import Salt
from exporter.scalars.scripts import CHARSETS
from exporter.scalars.vectors import Measure
from exporter.sections import Windows

RANDOM = np.random.default_rng(8)
WIDE = 20
AXES = np.linalg.qr(RANDOM.standard_normal((WIDE, 2)))[0].T
SALT = Salt(b"0123456789abcdef")
EDGES = tuple(np.linspace(-6, 6, 13).tolist())
DECODER = Decoder()


def ordered(name: str, kind: str, **more: Any) -> Column:
    return Column(name, kind, (1, *[10] * 12, 1, 0, 0), EDGES, 0.0, 1.0, -6.0, 6.0, **more)


def categories(name: str, *names: str, **more: Any) -> Column:
    return Column(name, "categorical", (*[10] * len(names), 0, 1, 1), categories=names, **more)


VECTOR = Embedding(
    "vector", tuple(f"vector[{place}]" for place in range(WIDE)), tuple(RANDOM.standard_normal(WIDE).tolist()),
    tuple(tuple(axis) for axis in AXES.tolist()),
)  # fmt: skip
FEATURES = (
    ordered("amount", "numeric"),
    *(ordered(f"note.{name}", "text", origin="note", scalar=name)
      for name, scalar in TEXT_SCALARS.items() if scalar.kind == "text"),
    categories("note.charset", *CHARSETS, origin="note", scalar="charset"),
    *(ordered(f"vector.{name}", "embedding", origin="vector", scalar=name) for name in vector_scalars(2)),
    categories("town", SALT.name("Oslo"), SALT.name("Lima"), salt=SALT.fingerprint),
)  # fmt: skip
PROFILE = Profile(
    "m", "1", None, 122, "train.csv", FEATURES, (ordered("p", "numeric"),), "0" * 64,
    fields=("amount", "note", *VECTOR.fields, "town"), embeddings=(VECTOR,),
)  # fmt: skip
NAMES = [column.name for column in FEATURES]


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "amount": float(RANDOM.normal()),
            "note": str(RANDOM.choice(["a few words", "да", "", "12"])),
            "vector": RANDOM.standard_normal(WIDE).tolist(),
            "town": str(RANDOM.choice(["Oslo", "Lima", "Rome"])),
        }
        for _ in range(count)
    ]


def watch(given: Any, profile: Profile = PROFILE, salt: Salt | None = SALT, **changes: Any) -> Monitor:
    monitor = Monitor(profile, Windows(), (), Said(salt=salt))
    for one in given:
        made: Exchange = exchange(one, [0.5] * (len(one) if isinstance(one, list) else 1), 1.0, **changes)
        monitor.observe(made, DECODER.decode(made))
    monitor.flush()
    return monitor


def totals(monitor: Monitor) -> dict[str, list[int]]:
    features = monitor.snapshot(1.0).features
    assert features is not None
    return dict(zip(NAMES, features.totals.bins.tolist(), strict=True))


def errors(monitor: Monitor) -> dict[str, int]:
    features = monitor.snapshot(1.0).features
    assert features is not None
    return dict(zip(NAMES, features.totals.type_errors.tolist(), strict=True))


def histogram(values: Any) -> list[int]:
    counts = [0] * 16
    for value in values:
        counts[int(np.searchsorted(EDGES, value, side="right")) if value < EDGES[-1] else 13] += 1
    return counts


def test_each_scalar_is_counted_where_its_definition_puts_it() -> None:
    given = rows(200)
    found = totals(watch([given[:50], *([row] for row in given[50:])]))
    assert found["amount"] == histogram([row["amount"] for row in given])
    for name, scalar in TEXT_SCALARS.items():
        if scalar.kind == "text":
            assert found[f"note.{name}"] == histogram([scalar.of(row["note"]) for row in given])
    scripts = {script: sum(TEXT_SCALARS["charset"].of(row["note"]) == script for row in given) for script in CHARSETS}
    assert found["note.charset"][: len(CHARSETS)] == list(scripts.values())
    scalars = Measure(VECTOR.centroid, VECTOR.axes)(np.array([row["vector"] for row in given]))
    for place, name in enumerate(vector_scalars(2)):
        assert found[f"vector.{name}"] == histogram(scalars[:, place])
    towns = [sum(row["town"] == town for row in given) for town in ("Oslo", "Lima", "Rome")]
    assert found["town"][:4] == [towns[0], towns[1], 0, towns[2]]


def test_a_vector_counts_alike_in_every_form_that_payloads_have() -> None:
    given = rows(40)
    flat = [
        {"town": row["town"], **{f"vector[{place}]": one for place, one in enumerate(row["vector"])},
         "note": row["note"], "amount": row["amount"]}
        for row in given
    ]  # fmt: skip
    bare = [[row["amount"], row["note"], *row["vector"], row["town"]] for row in given]
    columns = {name: [row[name] for row in given] for name in given[0]}
    split = {"columns": list(columns), "data": [list(row.values()) for row in given]}
    forms = [{"instances": flat}, {"instances": bare}, {"inputs": columns}, {"dataframe_split": split}]
    expected = totals(watch([given]))
    for form in forms:
        path = "/invocations" if "dataframe_split" in form else "/v1/models/m:predict"
        assert totals(watch([json.dumps(form).encode()], path=path)) == expected, list(form)
    tensors = [
        {"name": name, "datatype": "BYTES" if name in {"note", "town"} else "FP64",
         "shape": [40, WIDE] if name == "vector" else [40], "data": cells}
        for name, cells in columns.items()
    ]  # fmt: skip
    v2 = json.dumps({"inputs": tensors}).encode()
    assert totals(watch([v2], path="/v2/models/m/infer")) == expected


def test_a_vector_with_a_gap_is_missing_and_one_of_a_wrong_type_is_wrong_once() -> None:
    given = rows(3)
    given[0]["vector"][4] = None
    given[1]["vector"][4] = given[1]["vector"][9] = "x"
    monitor = watch([given])
    for name in vector_scalars(2):
        found = totals(monitor)[f"vector.{name}"]
        assert (found[MISSING], found[NONFINITE], sum(found)) == (1, 1, 3)
        assert errors(monitor)[f"vector.{name}"] == 1
    assert errors(monitor)["amount"] == 0
    assert totals(watch([[row] for row in given])) == totals(monitor)


def test_a_text_of_a_wrong_type_is_wrong_in_each_of_its_scalars() -> None:
    given = rows(4)
    given[0]["note"], given[1]["note"], given[2]["note"] = 7, None, ["x", "y"]
    monitor = watch([given[:2]])
    assert {errors(monitor)[f"note.{name}"] for name in TEXT_SCALARS} == {1}
    assert totals(monitor)["note.length"][MISSING:] == [1, 1]
    assert totals(monitor)["note.charset"][-2:] == [1, 1]


def test_a_payload_without_its_vector_lacks_one_field() -> None:
    given = [{name: cell for name, cell in row.items() if name != "vector"} for row in rows(5)]
    monitor = watch([given])
    features = monitor.snapshot(1.0).features
    assert features is not None
    assert features.match == MatchCounts(1, 0, 4, 3)
    assert totals(monitor)["vector.norm"][MISSING] == 5


@pytest.mark.parametrize("width", [WIDE - 1, WIDE + 1, 2 * WIDE])
def test_a_vector_of_another_width_is_no_such_vector(width: int) -> None:
    given = rows(5)
    for row in given:
        row["vector"] = RANDOM.standard_normal(width).tolist()
    monitor = watch([given])
    features = monitor.snapshot(1.0).features
    assert features is not None
    assert features.match.matched_fields == 3
    assert totals(monitor)["vector.norm"][MISSING] == 5


def test_failed_requests_are_held_against_the_others_by_scalars_too() -> None:
    monitor = Monitor(PROFILE, Windows(), ())
    for status, note in [(200, "a few words")] * 60 + [(500, "да")] * 30:
        given = rows(1)
        given[0]["note"] = note + " " * len(str(RANDOM.integers(10**6)))
        given[0]["amount"] = float(RANDOM.normal())
        made = exchange(given, [0.5], 1.0, status=status)
        monitor.observe(made, DECODER.decode(made))
    monitor.flush()
    failed = monitor.snapshot(1.0).failed
    assert failed is not None
    (score,) = [one for one in failed.scores if one.window == "5m" and one.code == "5xx"]
    assert score.excess[NAMES.index("note.charset")] == 1.0
    assert np.isnan(score.excess[NAMES.index("vector.norm")])
    assert score.samples == 30


@pytest.mark.parametrize("salt", [None, Salt(b"another salt of 16")])
def test_without_its_salt_a_hashed_column_is_left_out_and_nothing_else_is(salt: Salt | None) -> None:
    given = rows(30)
    found, known = totals(watch([given], salt=salt)), totals(watch([given]))
    assert sum(found.pop("town")) == 0
    known.pop("town")
    assert found == known


def test_what_is_allowed_is_said_in_words_of_hashed_categories_and_in_numbers_of_what_is_computed() -> None:
    given = rows(200)
    said = Overrides({
        "town": Override(allowed=("Oslo", "Rome")), "note.length": Override(range=(1.0, 2.0)),
        "vector.norm": Override(range=(0.0, 1.0)),
    })  # fmt: skip
    found = {}
    for salt in (SALT, None):
        monitor = Monitor(PROFILE, Windows(), (), Said(said, salt))
        made = exchange(given, [0.5] * len(given), 1.0)
        monitor.observe(made, DECODER.decode(made))
        monitor.flush()
        features = monitor.snapshot(1.0).features
        assert features is not None
        found[salt] = dict(zip(NAMES, features.totals.quality["out_of_range"].tolist(), strict=True))
    assert found[SALT]["town"] == sum(row["town"] == "Lima" for row in given)
    assert found[SALT]["note.length"] == sum(len(row["note"]) not in {1, 2} for row in given)
    assert found[SALT]["vector.norm"] == sum(float(np.linalg.norm(row["vector"])) > 1 for row in given)
    assert np.isnan(found[None]["town"]), "nobody can tell"
