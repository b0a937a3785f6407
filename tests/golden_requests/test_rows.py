"""Rows that are made up of a profile, and a model that answers them."""

import json
from pathlib import Path
from typing import Any

import pytest
from golden_requests.scripted import answer, says
from probing.peers import listening
from support import build_profile

from exporter import cli, golden_command
from exporter.errors import ConfigError
from exporter.golden import reading, rows
from exporter.profile import document
from exporter.reference import Profile

CSV = "age,amount,country,vip,code,p\n" + "".join(
    f"{20 + i % 60},{i * 1.25 if i % 10 else ''},{country},{('true', 'false')[i % 2]},{i % 4},{i % 7}\n"
    for i, country in enumerate(("DE", "FR", "IT") * 200)
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("profile")
    (directory / "train.csv").write_text(CSV)
    words = ("--prediction", "p", "--kind", "code=categorical")
    return build_profile(directory / "train.csv", directory / "profile.json", *words)


def made(profile: Path, form: str = "instances", most: int = 8) -> dict[str, Any]:
    return {name: json.loads(content) for name, content, _ in rows.bodies(document.load(str(profile)), form, most)}


def test_made_up_rows_are_inside_the_training_data_from_end_to_end(profile: Path) -> None:
    found = made(profile)
    assert [*found] == ["typical", "smallest", "largest", "with gaps", *(f"drawn {number}" for number in range(1, 5))]
    each = {name: body["instances"][0] for name, body in found.items()}
    assert each["smallest"]["age"] == 20
    assert each["largest"]["age"] >= 79
    assert 45 <= each["typical"]["age"] <= 55
    assert each["with gaps"] == {**each["typical"], "amount": None}
    for row in each.values():
        assert [*row] == ["age", "amount", "country", "vip", "code"]
        assert isinstance(row["age"], int)
        assert 20 <= row["age"] <= 80
        assert row["amount"] is None or 0 <= row["amount"] <= 800
        assert row["country"] in {"DE", "FR", "IT"}
        assert isinstance(row["vip"], bool)
        assert row["code"] in range(4)


def test_the_same_profile_makes_the_same_rows_and_no_more_than_asked_for(profile: Path) -> None:
    assert made(profile) == made(profile)
    assert len(made(profile, most=2)) == 2
    many = made(profile, most=50)
    assert len(many) == 50
    assert {body["instances"][0]["vip"] for body in many.values()} == {True, False}


@pytest.mark.parametrize("form", rows.FORMS)
def test_every_form_is_read_as_the_protocol_that_it_is(profile: Path, form: str) -> None:
    from exporter.decode import Decoder  # noqa: PLC0415
    from exporter.records import Body, Capture, Exchange, Table  # noqa: PLC0415

    for _, content, kind in rows.bodies(document.load(str(profile)), form, 6):
        body = Body(len(content), Capture.WHOLE, content)
        read = Decoder().read(Exchange(1, 1, 1, 200, "POST", "/", {"content-type": kind}, {}, body, body)).features
        assert isinstance(read, Table)
        assert (read.rows, len(read.columns)) == (1, 5)
        assert read.names in {None, ("age", "amount", "country", "vip", "code")}


def test_forms_of_the_command_are_those_that_there_are() -> None:
    assert [*golden_command._FORMS] == [*rows.FORMS]


def test_what_cannot_be_made_up_is_said(tmp_path: Path) -> None:
    lines = "\n".join(f"{i},customer {i} wrote that it came late and broken {i},{i % 2}" for i in range(300))
    (tmp_path / "train.csv").write_text(f"a,text,p\n{lines}\n")
    words = ("--prediction", "p", "--kind", "text=text")
    found: Profile = document.load(str(build_profile(tmp_path / "train.csv", tmp_path / "p.json", *words)))
    with pytest.raises(ConfigError, match="text is a text, write the requests yourself"):
        rows.bodies(found, "instances", 5)


def test_made_up_requests_are_recorded_and_checked(profile: Path, tmp_path: Path) -> None:
    output = tmp_path / "golden.yml"
    with listening(says(answer(b'{"predictions": [0.25]}'))) as server:
        url = ["--url", f"http://127.0.0.1:{server.port}"]
        words = ["record", "--profile", str(profile), "--path", "/v1/models/m:predict", "--output", str(output)]
        assert cli.main(["golden", *words, *url]) == 0
        assert cli.main(["golden", "check", str(output), *url]) == 0
    assert len(reading.load(str(output)).cases) == 10
