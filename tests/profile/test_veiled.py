"""What becomes of the parts of a profile that hang on columns which are denied or hashed."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from profile_tables import write_csv
from support import build_profile

from exporter.adoption import Adoption
from exporter.privacy import Privacy
from exporter.profile import document
from exporter.profile.veiled import veiled
from exporter.reference import Profile
from exporter.scalars.private import DENIED, Private
from exporter.scalars.salted import Salt

SALT = Salt(b"sixteen bytes, or more of them")


def made(folder: Path, *flags: str) -> Profile:
    """Numbers that go together, a vector, categories and a truth by which rows may be divided, two outputs."""
    draw, rows = random.Random(4), 1200
    common = [draw.gauss(0, 1) for _ in range(rows)]
    columns = {
        "first": [one + draw.gauss(0, 0.3) for one in common], "second": [one + draw.gauss(0, 0.3) for one in common],
        "third": [draw.gauss(5, 2) for _ in range(rows)], "town": [draw.choice(["Oslo", "Lima"]) for _ in range(rows)],
        "member": [draw.choice(["true", "false"]) for _ in range(rows)],
        **{f"v[{at}]": [draw.gauss(0, 1 + at) for _ in range(rows)] for at in range(3)},
        "score": common, "label": [draw.choice(["yes", "no"]) for _ in range(rows)],
    }  # fmt: skip
    source = write_csv(folder / "train.csv", columns)
    found = build_profile(Path(source), folder / "profile.json", "--prediction", "score", "--prediction", "label",
                          "--embedding", "v=v*", *flags)  # fmt: skip
    return document.load(str(found))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return made(tmp_path_factory.mktemp("veiled"), "--segment", "town", "--segment", "member")


def hidden(profile: Profile, deny: tuple[str, ...] = (), hashed: tuple[str, ...] = ()) -> tuple[Profile, Private]:
    private = Private(Privacy(deny, hashed), SALT)
    return veiled(profile, private), private


def origins(profile: Profile) -> set[str]:
    return {column.field for column in profile.features}


def test_a_vector_goes_as_a_whole_and_keeps_its_places_among_the_fields(profile: Profile) -> None:
    found, _ = hidden(profile, deny=("v[1]",))
    assert "v" in origins(profile)
    assert origins(found) == origins(profile) - {"v"}
    assert found.embeddings == ()
    assert len(found.inputs) == len(profile.inputs)
    at = profile.inputs.index("v[1]")
    assert found.inputs[at].startswith(DENIED)
    assert found.inputs[:at] + found.inputs[at + 1 :] == profile.inputs[:at] + profile.inputs[at + 1 :]


def test_numbers_as_one_go_where_one_of_them_does_and_no_row_is_unusual_then(tmp_path: Path) -> None:
    profile = made(tmp_path, "--together")
    assert profile.together is not None
    assert profile.unusual is not None
    found, _ = hidden(profile, deny=("second",))
    assert found.together is None
    assert found.unusual is None
    assert profile.together.name not in origins(found)
    kept, private = hidden(profile, hashed=("second",))
    assert kept.together is not None
    assert private.name("second") in kept.together.fields
    assert kept.unusual == profile.unusual


def test_segments_keep_the_counts_of_the_columns_that_stay(profile: Profile) -> None:
    found, private = hidden(profile, deny=("first", "score"), hashed=("town", "member"))
    names = [column.name for column in profile.features]
    left = [at for at, column in enumerate(profile.features)
            if private.name(column.name) in {one.name for one in found.features}]  # fmt: skip
    assert names.index("first") not in left
    for before, after in zip(profile.segments, found.segments, strict=True):
        assert after.features == tuple(before.features[at] for at in left)
        assert after.outputs == before.outputs[1:]
        assert after.rows == before.rows
        assert after.name == private.name(before.name)
    assert [(one.values, bool(one.salt)) for one in found.segments] == [
        (tuple(map(SALT.name, profile.segments[0].values)), True), (profile.segments[1].values, False),
    ]  # fmt: skip
    assert [one.name for one in hidden(profile, deny=("town",))[0].segments] == ["member"]


def test_what_goes_with_an_output_that_is_denied_goes_and_the_rest_is_called_as_it_is(profile: Profile) -> None:
    found, private = hidden(profile, deny=("score",), hashed=("label",))
    before = {one.output for column in profile.features for one in column.association}
    assert before == {"score", "label"}
    assert {one.output for column in found.features for one in column.association} == {private.name("label")}
    assert found.outputs[0].categories == tuple(map(SALT.name, profile.outputs[1].categories))
    assert found.outputs[0].counts == profile.outputs[1].counts


def test_what_was_adopted_follows_its_column(profile: Profile) -> None:
    third = next(column for column in profile.features if column.name == "third")
    adoption = Adoption("features", "third", third.counts, (5.0, 2.0, 0.0, 9.0), "me", "so", 1.0, None, "24h")
    adopted = replace(profile, adoptions=(adoption,))
    adopted = replace(adopted, digest=document.digest(adopted))
    assert hidden(adopted, deny=("third",))[0].adoptions == ()
    found, private = hidden(adopted, hashed=("third",))
    assert found.adoptions == (adoption._replace(name=private.name("third")),)
    assert found.known_by == adopted.digest


def test_all_may_be_denied(profile: Profile) -> None:
    found, _ = hidden(profile, deny=("*",))
    assert found.features == found.outputs == ()
    assert found.segments == found.embeddings == ()
    assert all(name.startswith(DENIED) for name in (*found.inputs, *found.answered.fields))


def test_what_is_written_of_a_hidden_profile_reads_back_as_it_was(profile: Profile) -> None:
    found, _ = hidden(profile, hashed=("*",))
    again = document.parse(document.describe(found))
    assert again.digest == found.digest
    assert again.features == found.features
