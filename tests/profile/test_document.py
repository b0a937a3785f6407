"""The file of a profile: read as written, hashed by content, and every fault named by its path."""

import copy
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_tables import profile_of

from exporter.errors import ConfigError, DataError
from exporter.profile import document
from exporter.reference import Column, Profile


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("profile")
    made, _ = profile_of(path / "t.csv", {
        "amount": [place / 7 for place in range(600)],
        "town": [f"t{place % 30}" for place in range(600)],
        "flag": ["true", "false", None] * 200,
        "note": [f"{place} words" for place in range(600)],
    }, model="m", version="3", trained_at=1.7e9)  # fmt: skip
    return document.save(made, str(path / "p.json"))


@pytest.fixture
def valid(profile: Profile) -> dict[str, Any]:
    return copy.deepcopy(document.describe(profile))


def load(path: Path, content: Any) -> Profile:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return document.load(str(path))


def test_what_is_saved_is_what_is_loaded(tmp_path: Path, profile: Profile) -> None:
    saved = document.save(profile, str(tmp_path / "p.json"))
    assert saved == profile
    assert document.load(str(tmp_path / "p.json")) == profile
    assert len(profile.digest) == 64
    assert profile.short_digest == profile.digest[:8]
    assert [one.name for one in tmp_path.iterdir()] == ["p.json"]


def test_the_time_of_training_survives(tmp_path: Path, profile: Profile) -> None:
    for at in (None, 0.0, 1.7e9, 1_700_000_000.123456, -1e9):
        saved = document.save(dataclasses.replace(profile, trained_at=at), str(tmp_path / "p.json"))
        assert saved.trained_at == (pytest.approx(at, abs=1e-6) if at is not None else None)
        assert document.load(str(tmp_path / "p.json")) == saved


def test_layout_key_order_and_spelling_of_numbers_change_no_hash(
    tmp_path: Path, profile: Profile, valid: dict[str, Any]
) -> None:
    def reversed_keys(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: reversed_keys(value) for key, value in reversed(node.items())}
        return [reversed_keys(item) for item in node] if isinstance(node, list) else node

    assert load(tmp_path / "p.json", json.dumps(reversed_keys(valid), indent=7)).digest == profile.digest
    text = json.dumps(valid).replace('"minimum": 0.0', '"minimum": 0')
    assert '"minimum": 0,' in text or '"minimum": 0}' in text
    assert load(tmp_path / "p.json", text).digest == profile.digest
    valid["model"]["trained_at"] = "2023-11-14T23:13:20+01:00"
    assert load(tmp_path / "p.json", valid).digest == profile.digest
    assert load(tmp_path / "p.json", "\ufeff" + json.dumps(valid)).digest == profile.digest


def test_content_changes_the_hash(tmp_path: Path, profile: Profile, valid: dict[str, Any]) -> None:
    valid["features"][0]["counts"]["missing"] += 1
    assert load(tmp_path / "p.json", valid).digest != profile.digest


# --- faults


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return change


FAULTS = [
    (put("format", value="x"), "format: must be 'inference-exporter/profile/2', not 'x'"),
    (put("format", value=[[]]), "format: must be 'inference-exporter/profile/2', not a list"),
    (drop("format"), "format: must be 'inference-exporter/profile/2', not None"),
    (put("extra", value=1),
     ("extra: unknown key, known are adoptions, embeddings, features, fields, format, importance, influenced, model,"
     " outputs, performance, provisional, rows, segments, source, target, time, together, unusual")),
    (put("model", value="m"), "model: must be a mapping"),
    (put("model", "nmae", value="m"), "model.nmae: unknown key, known are name, trained_at, version"),
    (put("model", "name", value=""), "model.name: must be text of 1 to 1024 characters"),
    (put("model", "name", value=None), "model.name: must be text of 1 to 1024 characters"),
    (put("model", "name", value="x" * 1025), "model.name: must be text of at most 1024 characters"),
    (put("model", "name", value="\ud800"), "model.name: holds half a surrogate pair, which is no text"),
    (put("model", "trained_at", value="yesterday"), "model.trained_at: must be a time such as 2026-01-31T12:00:00Z"),
    (put("model", "trained_at", value=5), "model.trained_at: must be a time such as 2026-01-31T12:00:00Z"),
    (put("rows", value=-1), "rows: must be a whole number from 0"),
    (put("rows", value=True), "rows: must be a whole number from 0"),
    (put("rows", value=1.0), "rows: must be a whole number from 0"),
    (put("rows", value=2**53), "rows: must be a whole number from 0"),
    (put("source", value=3), "source: must be text of 1 to 1024 characters"),
    (put("features", value={}), "features: must be a list"),
    (put("features", 0, value=3), "features[0]: must be a mapping"),
    (put("features", 1, "name", value="amount"), "features: 'amount' stands there twice"),
    (put("features", 0, "kind", value="number"),
     "features[0].kind: must be one of numeric, categorical, boolean, text, embedding, not 'number'"),
    (put("features", 0, "kind", value=[]),
     "features[0].kind: must be one of numeric, categorical, boolean, text, embedding, not a list"),
    (put("features", 0, "edges", value=[1.0]), "features[0].edges: must be 2 to 13 ascending numbers"),
    (put("features", 0, "edges", value=[2, 1]), "features[0].edges: must be 2 to 13 ascending numbers"),
    (put("features", 0, "edges", value=[1, 1]), "features[0].edges: must be 2 to 13 ascending numbers"),
    (put("features", 0, "edges", value=list(range(14))), "features[0].edges: must be 2 to 13 ascending numbers"),
    (put("features", 0, "edges", value=None), "features[0].edges: must be a list"),
    (put("features", 0, "edges", 3, value="1"), "features[0].edges[3]: must be a finite number"),
    (put("features", 0, "edges", 3, value=float("nan")), "features[0].edges[3]: must be a finite number"),
    (put("features", 0, "edges", 12, value=10**400), "features[0].edges[12]: must be a finite number"),
    (put("features", 0, "counts", value=[]), "features[0].counts: must be a mapping"),
    (put("features", 0, "counts", "bleow", value=0),
     "features[0].counts.bleow: unknown key, known are above, below, inside, missing, nonfinite"),
    (put("features", 0, "counts", "inside", value=[1]),
     "features[0].counts.inside: must have 12 numbers, one per pair of edges"),
    (put("features", 0, "counts", "inside", 2, value=-1),
     "features[0].counts.inside[2]: must be a whole number from 0"),
    (drop("features", 0, "counts", "above"), "features[0].counts.above: must be a whole number from 0"),
    (put("features", 0, "mean", value=None), "features[0].mean: must be a finite number"),
    (put("features", 0, "mean", value=True), "features[0].mean: must be a finite number"),
    (put("features", 0, "mean", value=10**400), "features[0].mean: must be a finite number"),
    (put("features", 0, "sd", value=-1), "features[0].sd: must not be negative"),
    (put("features", 0, "maximum", value=float("inf")), "features[0].maximum: must be a finite number"),
    (put("features", 0, "others", value=[]),
     ("features[0].others: unknown key, known are association, counts, dependence, distinct, edges, hours, importance,"
     " kind, maximum, mean, minimum, name, origin, reference_error, salt, scalar, sd, wander")),
    (put("features", 0, "counts", value={"below": 0, "inside": [0] * 12, "above": 0, "missing": 0, "nonfinite": 0}),
     "features[0].counts: must hold at least one row"),
    (put("features", 1, "counts", "listed", 0, value=["a"]), "features[1].counts.listed[0]: must be [category, rows]"),
    (put("features", 1, "counts", "listed", 0, 0, value=5),
     "features[1].counts.listed[0][0]: must be text of at most 1024 characters"),
    (put("features", 1, "counts", "listed", 0, 1, value="5"),
     "features[1].counts.listed[0][1]: must be a whole number from 0"),
    (put("features", 1, "counts", "listed", 0, 0, value="t1"),
     "features[1].counts.listed: a category stands there twice"),
    (put("features", 1, "others", 0, value="t1"), "features[1].counts.listed: a category stands there twice"),
    (put("features", 1, "others", 0, value=None), "features[1].others[0]: must be text of at most 1024 characters"),
    (put("features", 1, "counts", "listed", value=[[str(n), 1] for n in range(97)]),
     "features[1].counts.listed: at most 96 categories have a bin of their own"),
    (drop("features", 1, "counts", "unseen"), "features[1].counts.unseen: must be a whole number from 0"),
    (put("features", 2, "edges", value=[]),
     ("features[2].edges: unknown key, known are association, counts, dependence, hours, importance, kind, name,"
     " origin, others, reference_error, salt, scalar, wander")),
    (put("features", 0, "importance", value=2), "features[0].importance: must be from 0 to 1"),
    (put("features", 0, "dependence", value=0.5), "features[0].dependence: must be from 1"),
    (put("features", 0, "origin", value="z"),
     "features[0].origin: 'z' is neither among the fields nor an embedding"),
    (put("features", 0, "hours", value=[[1]]), "features[0].hours: must be 168 lists of 16 numbers, one per bin"),
    (put("features", 0, "association", value={"y": {"counts": [], "means": []}}),
     "features[0].association.y: must have 16 counts and means, one per bin"),
    (put("fields", value=["a", "a"]), "fields: one stands there twice"),
    (put("embeddings", value=[{"name": "e", "fields": ["a"], "centroid": [], "axes": []}]),
     "embeddings[0]: centroid and axes must have 1 numbers, one per field"),
    (put("embeddings", value=[{"name": "e", "fields": ["a"], "centroid": [1], "axes": []}]),
     "embeddings[0].fields: one of them is not among the profile's fields"),
    (put("embeddings", value=[{"name": name, "fields": ["amount"], "centroid": [1], "axes": []} for name in "ab"]),
     "embeddings[1].fields: one of them is another embedding's"),
    (put("embeddings", value=[{"name": "amount", "fields": ["amount"], "centroid": [1], "axes": []}]),
     "embeddings[0].name: 'amount' is a field's, or another embedding's"),
    (put("features", 0, "scalar", value="smell"),
     "features[0].scalar: must be one of length, tokens, token_length, non_ascii, charset"),
    (put("features", 0, "scalar", value="charset"), "features[0].scalar: its kind must be categorical"),
    (put("features", 0, "salt", value="0a1b"), "features[0].salt: only categories are hashed"),
    (put("time", value={"column": "at", "zone": "Mars/Olympus"}),
     "time.zone: no time zone is called 'Mars/Olympus' here, one is Europe/Berlin"),
    (put("influenced", value=-0.1), "influenced: must be from 0 to 1"),
    (put("performance", value={"auc": "high"}), "performance.auc: must be a finite number"),
    (put("importance", value="guessed"), "importance: must be one of given, estimated"),
    (put("provisional", value=1), "provisional: must be true or false"),
    (put("adoptions", value=[{"side": "inputs"}]), "adoptions[0].side: must be features or outputs"),
    (put("outputs", value=None), "outputs: must be a list"),
    (put("outputs", 0, "name", value=[]), "outputs[0].name: must be text of 1 to 1024 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), [pytest.param(*fault, id=fault[1][:60]) for fault in FAULTS])
def test_every_fault_is_named_by_its_path(tmp_path: Path, valid: dict[str, Any], change: Any, words: str) -> None:
    change(valid)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "p.json", valid)
    assert str(caught.value) == f"{tmp_path / 'p.json'}: {words}"


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "x", '{"a":' * 50_000, "9" * 5000])
def test_what_is_no_json_is_bad_data(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match=r"p\.json: not JSON: "):
        load(tmp_path / "p.json", content)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"profile"'])
def test_what_is_no_mapping_is_bad_data(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match=r"p\.json: document: must be a mapping"):
        load(tmp_path / "p.json", content)


def test_bytes_that_are_no_text_are_bad_data(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(b'{"format": "\xff\xfe"}')
    with pytest.raises(DataError, match="not JSON"):
        document.load(str(tmp_path / "p.json"))


def test_a_deep_file_is_bad_data_at_any_depth(tmp_path: Path, valid: dict[str, Any]) -> None:
    for depth in (100, 900, 980, 100_000):
        text = json.dumps(valid).replace('"amount"', "[" * depth + "]" * depth, 1)
        with pytest.raises(DataError):
            load(tmp_path / "p.json", text)


def test_a_file_too_large_to_be_a_profile_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "p.json").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(DataError, match="larger than 64 MiB"):
        document.load(str(tmp_path / "p.json"))


def test_pipes_devices_and_folders_are_no_profiles_and_hold_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "device.json").symlink_to("/dev/zero")
    for name in ("pipe.json", "folder.json", "device.json"):
        with pytest.raises(ConfigError, match=rf"{name}: not a regular file"):
            document.load(str(tmp_path / name))


def test_a_missing_file_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"profile: cannot read .*p\.json: No such file or directory"):
        document.load(str(tmp_path / "p.json"))
    with pytest.raises(ConfigError, match="not a regular file"):
        document.load(str(tmp_path))


def test_a_profile_that_could_not_be_read_again_is_not_written(tmp_path: Path, profile: Profile) -> None:
    with pytest.raises(DataError, match=r"profile: model\.name: must be text"):
        document.save(dataclasses.replace(profile, model=""), str(tmp_path / "p.json"))
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_a_fault_of_the_command(tmp_path: Path, profile: Profile) -> None:
    with pytest.raises(ConfigError, match="output: cannot write"):
        document.save(profile, str(tmp_path / "no" / "p.json"))


def test_an_old_file_stays_whole_when_a_new_one_cannot_be_written(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    document.save(profile, str(tmp_path / "p.json"))

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exporter.profile.whole_file.os.fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        document.save(dataclasses.replace(profile, model="new"), str(tmp_path / "p.json"))
    assert document.load(str(tmp_path / "p.json")) == profile
    assert [one.name for one in tmp_path.iterdir()] == ["p.json"]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=3), st.just("\ud800"),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*path, key))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_mutation_is_a_profile_or_bad_data(
    tmp_path_factory: pytest.TempPathFactory, profile: Profile, data: st.DataObject
) -> None:
    node = copy.deepcopy(document.describe(profile))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(node))[1:]))
        target = node
        for step in path[:-1]:
            target = target[step]
        action = data.draw(st.sampled_from(["put", "drop", "swap"]))
        if action == "drop":
            del target[path[-1]]
        elif action == "swap" and isinstance(target, dict):
            target[data.draw(st.text(max_size=4))] = target.pop(path[-1])
        else:
            target[path[-1]] = data.draw(VALUES)
    path = tmp_path_factory.getbasetemp() / "mutated.json"
    try:
        found = load(path, node)
    except DataError as error:
        fault = str(error)
    else:
        assert document.save(found, str(path)) == found == document.load(str(path))
        fault = f"{path}: none"
    assert fault.startswith(f"{path}: ")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=100))
def test_any_bytes_are_a_profile_or_bad_data(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    path.write_bytes(content)
    with pytest.raises(DataError):
        document.load(str(path))


def test_a_profile_too_large_to_be_read_is_not_written(tmp_path: Path, profile: Profile) -> None:
    longest = tuple(f"{place:01024}" for place in range(1000))
    town = Column("x", "categorical", (1, 1, 1, 1), categories=("a",), others=longest)
    wide = dataclasses.replace(profile, outputs=tuple(dataclasses.replace(town, name=f"t{n}") for n in range(66)))
    with pytest.raises(DataError, match="profile: larger than 64 MiB"):
        document.save(wide, str(tmp_path / "p.json"))
    assert not list(tmp_path.iterdir())
