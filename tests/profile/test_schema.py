"""The JSON Schema and the reader agree, and a file of every version there has been is still read."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_tables import profile_of
from support import command

from exporter.errors import DataError
from exporter.profile import document, parsing, schema

VERSIONS = {
    "version-1.json": "1c45af7bdf958bfd01af8a5a03fc30462ca5ba8f5846e5b41e12958b07e8a473",
    "version-2.json": "428e27e5af5eae1acf209bd6eb34ed671a2e1ed4edc886a8c4b233aae98a535d",
    "version-2-whole.json": "edb691eb733dcb43e77487416ad284e3cc2ecaeda87f3476123c3d2465bb6815",
    "version-2-target.json": "b6256eb7dc0c1df4226b194e38e4d95f0834ff30eb55b126272c3d79e467658e",
}
NEWEST = "version-2-target.json"
"""Files as they were written, and their hashes. Never change one: somebody has it."""
DOCUMENTS = Path(__file__).with_name("documents")
SCHEMA = jsonschema.Draft202012Validator(json.loads(schema.text()))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema.text()))


@pytest.mark.parametrize("name", VERSIONS)
def test_files_of_every_version_are_read_with_the_hash_they_had(name: str) -> None:
    loaded = document.load(str(DOCUMENTS / name))
    assert loaded.digest == VERSIONS[name]
    assert [column.name for column in loaded.features][:4] == ["amount", "town", "größe", "flag"]


def test_no_file_is_forgotten() -> None:
    assert {path.name for path in DOCUMENTS.iterdir()} == {*VERSIONS}


@pytest.mark.parametrize("name", ["version-2.json", "version-2-whole.json", NEWEST])
def test_the_newest_version_is_written_as_its_file_was(name: str) -> None:
    newest = DOCUMENTS / name
    assert document.describe(document.load(str(newest))) == json.loads(newest.read_bytes())
    SCHEMA.validate(json.loads(newest.read_bytes()))


@pytest.mark.parametrize("kind", [None, "text", "categorical"])
def test_what_is_built_fits_the_schema(tmp_path: Path, kind: str | None) -> None:
    columns = {"x": [f"{place % 7}" for place in range(100)], "y": [None] * 100, "z": [1e300, -1e300] * 50}
    profile, _ = profile_of(tmp_path / "t.csv", columns, kinds={"x": kind} if kind else {})
    SCHEMA.validate(document.describe(profile))


def test_a_file_of_a_newer_exporter_is_told_apart() -> None:
    node = json.loads((DOCUMENTS / NEWEST).read_bytes())
    for name, words in (
        ("3", "version 3 is of a newer exporter, this one reads up to 2"),
        ("0", "must be"),
        ("x", "must be"),
    ):
        with pytest.raises(DataError, match=f"format: {words}"):
            document.loads(json.dumps(node | {"format": f"inference-exporter/profile/{name}"}).encode(), "p.json")


def test_the_command_prints_the_schema() -> None:
    result = command("profile", "schema")
    assert result.returncode == 0
    assert json.loads(result.stdout) == json.loads(schema.text())


def places(node: Any, path: tuple[Any, ...] = ()) -> Any:
    """Of a list of numbers the first two stand for all: a hundred draws are not to be lost among its numbers."""
    yield path
    if isinstance(node, dict | list):
        alike = isinstance(node, list) and all(isinstance(one, int | float) for one in node)
        found = list(node.items() if isinstance(node, dict) else enumerate(node))
        for key, value in found[: 2 if alike else None]:
            yield from places(value, (*path, key))


WHOLE = (DOCUMENTS / NEWEST).read_bytes()
PLACES = list(places(json.loads(WHOLE)))[1:]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 5), st.just(2**53), st.just(0.5), st.just(-1), st.text(max_size=3),
    st.just("x" * 1025), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip
BEYOND = (
    "ascending numbers", "must have", "stands there twice", "at least one row", "a time such as", "surrogate",
    "must be 168 lists of", "neither among the fields nor an embedding", "not among the profile's fields",
    "no time zone", "must not be before", "must be after", "or it was adopted before", "every dimension once",
    ".scalar: must be one of", ".scalar: its kind must be", "needs an embedding as its origin",
    "only categories are hashed", "another embedding's", "must be below rows",
    "every feature once", "no numeric feature", "or an embedding's", "one per field", "no output is called",
    "must be one per class", "must be one per score",
)  # fmt: skip
"""What the schema's description says it does not say."""


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_the_schema_refuses_what_the_reader_refuses_and_nothing_else(data: st.DataObject) -> None:
    node = json.loads(WHOLE)
    path = data.draw(st.sampled_from(PLACES))
    target = node
    for step in path[:-1]:
        target = target[step]
    action = data.draw(st.sampled_from(["put", "drop", "add"]))
    if action == "drop":
        del target[path[-1]]
    elif action == "add" and isinstance(target, dict):
        target[data.draw(st.text(max_size=4))] = data.draw(VALUES)
    else:
        target[path[-1]] = data.draw(VALUES)
    fits = SCHEMA.is_valid(node)
    try:
        document.parse(node)
    except parsing.Fault as fault:
        assert not fits or any(words in str(fault) for words in BEYOND), fault  # noqa: PT017 (either may be right)
    else:
        assert fits
