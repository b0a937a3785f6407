"""Recorded bodies: how they would be read, and the map that they need, fed back to what it was made for."""

import csv
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import command

from exporter.config import Settings
from exporter.decode import Decoder
from exporter.privacy import NOTHING, Patterns
from exporter.profile import document
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.samples import bodies, suggest
from exporter.samples.bodies import Half

JOBS = ["admin", "clerk", "miner"]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = random.Random(3)
    folder = tmp_path_factory.mktemp("samples")
    with (folder / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["age", "user_income", "job", "member", "label", "probability"])
        for _ in range(600):
            flags = source.choice(["true", "false"]), source.choice(["no", "yes"])
            table.writerow([source.gauss(40, 5), source.gauss(4000, 500), source.choice(JOBS), *flags, source.random()])
    built = command("profile", "build", str(folder / "train.csv"), "--prediction", "label", "--model", "churn",
                    "--prediction", "probability", "--output", str(folder / "profile.json"))  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder / "profile.json"


@pytest.fixture(scope="module")
def reference(profile: Path) -> Profile:
    return document.load(str(profile))


def halves(*documents: Any) -> list[Half]:
    return [Half(json.dumps(one).encode(), {"content-type": "application/json"}) for one in documents]


def proposed(reference: Profile | None, requests: Any = (), responses: Any = (), denied: Patterns = NOTHING) -> str:
    def exchange_of(request: Half, response: Half) -> Exchange:
        return bodies.exchange(request, response, "/", Settings())

    pairs = bodies.pairs(halves(*requests), halves(*responses), exchange_of)
    return suggest.page(pairs, reference, Decoder(), denied)


def said(text: str) -> Any:
    return yaml.safe_load(text) or {}


# --- check --sample


def sample(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


ROWS = [{"age": 40, "user_income": 4000.5, "job": "clerk", "member": True, "extra": [1]},
        {"age": None, "user_income": 4100, "job": "Jane Doe", "member": False, "extra": None}]  # fmt: skip


def test_check_says_how_a_sample_is_read_and_shows_no_value(profile: Path, tmp_path: Path) -> None:
    request = sample(tmp_path, "request.json", {"instances": ROWS})
    response = sample(tmp_path, "response.json", {"predictions": [["yes", 0.75], ["no", 0.25]]})
    result = command("check", "--profile", str(profile), "--sample", request, "--response", response,
                     "--path", "/v1/models/churn:predict")  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "request: 2 rows of 5 columns" in lines
    assert "age numeric <- age null, whole number" in lines
    assert "user_income numeric <- user_income number, whole number" in lines
    assert "job categorical <- job text" in lines
    assert "not in the profile: extra" in lines
    assert "4 of the profile's 4 columns" in lines
    assert "label categorical <- position 0 text" in lines
    assert "2 of the profile's 2 columns" in lines
    assert "Jane" not in result.stdout
    assert "4000" not in result.stdout


def test_check_finds_the_id_in_the_header_that_settings_name(profile: Path, tmp_path: Path) -> None:
    request = sample(tmp_path, "request.json", {"instances": ROWS})
    result = command("check", "--profile", str(profile), "--sample", request, "--request-id.header", "X-Correlation",
                     "--header", "x-correlation: 4711")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "request id: 4711" in result.stdout.splitlines()


def test_check_says_what_a_map_makes_of_a_sample(profile: Path, tmp_path: Path) -> None:
    request = sample(tmp_path, "request.json", {"x": [{"years": 40, "a": 1, "b": 0, "inc": 4}]})
    told = {"age": "/x/*/years", "job": {"one_hot": {"/x/*/a": "admin", "/x/*/b": "clerk"}}, "user_income": "/x/*/inc"}
    config = sample(tmp_path, "map.yml", {"features": told})
    result = command("check", "--profile", str(profile), "--config", config, "--sample", request)
    assert result.returncode == 0, result.stdout
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "job categorical <- /x/*/a, /x/*/b text" in lines
    assert "member boolean <- - not in the payload" in lines
    assert "3 of the profile's 4 columns" in lines


@pytest.mark.parametrize(("request_", "words"), [
    ({"instances": [{"age": 1, "x": 2}]}, "profile mismatch: 1 of the profile's 4 columns"),
    ({"instances": [[1, 2, 3]]}, "profile mismatch: 3 columns where the profile has 4"),
    ({"instances": [[1], [2, 3]]}, "cannot be decoded: ragged"), (b"{", "cannot be decoded: invalid_json"),
    (b"", "cannot be decoded: empty"),
])  # fmt: skip
def test_a_sample_that_cannot_be_read_or_is_of_something_else_is_bad_data(
    profile: Path, tmp_path: Path, request_: Any, words: str
) -> None:
    request = sample(tmp_path, "request.json", request_)
    result = command("check", "--profile", str(profile), "--sample", request)
    assert result.returncode == 65
    assert words in result.stdout
    assert "Traceback" not in result.stderr


def test_a_response_alone_and_binary_bodies_are_read(profile: Path, tmp_path: Path) -> None:
    response = sample(tmp_path, "response.json", {"outputs": [
        {"name": "label", "shape": [1], "datatype": "BYTES", "data": ["yes"]},
        {"name": "probability", "shape": [1], "datatype": "FP32", "data": [0.5]}]})  # fmt: skip
    result = command("check", "--profile", str(profile), "--response", response)
    assert result.returncode == 0, result.stdout
    assert "request:" not in result.stdout
    head = json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32",
                                   "parameters": {"binary_data_size": 16}}]}).encode()  # fmt: skip
    request = sample(tmp_path, "request.bin", head + struct.pack("<4f", 1, 2, 3, 4))
    header = f"Inference-Header-Content-Length: {len(head)}"
    result = command("check", "--profile", str(profile), "--sample", request, "--header", header)
    assert result.returncode == 0, result.stdout
    assert "4 of the profile's 4 columns" in result.stdout


def test_check_without_a_profile_lists_what_is_there(tmp_path: Path) -> None:
    request = sample(tmp_path, "request.json", {"instances": [{"a\u001b": 1}]})
    result = command("check", "--sample", request)
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert "whole number" in result.stdout


def test_wrong_usage_of_samples_is_one_line(tmp_path: Path) -> None:
    nothing = str(tmp_path / "no.json")
    header = ["check", "--response", "x", "--header", "colonless"]
    for words in (["check", "--sample", nothing], header, ["suggest"], ["suggest", "--request", nothing]):
        result = command(*words)
        assert result.returncode == 64
        assert result.stderr.startswith("inference-exporter: ")
        assert result.stderr.count("\n") == 1


# --- suggest


def test_rows_deep_in_free_json_are_found_by_their_names(reference: Profile) -> None:
    items = [{"Person": {"Age": 40 + n}, "job": "clerk", "isMember": True, "sku": n} for n in range(3)]
    context = {"user_income": 4000}
    requests = [{"id": "r", "ctx": context, "data": {"items": items[:rows]}} for rows in (1, 3)]
    text = proposed(reference, requests)
    assert said(text) == {"features": {
        "age": "/data/items/*/Person/Age", "user_income": "/ctx/user_income", "job": "/data/items/*/job",
        "member": "/data/items/*/isMember",
    }}  # fmt: skip
    assert "not used: /data/items/*/sku" in text


def test_columns_side_by_side_are_found(reference: Profile) -> None:
    requests = [{"age": [40, 41], "user-income": [1, 2], "job": ["a", "b"], "member": [1, 0]},
                {"age": [1], "user-income": [1], "job": ["a"], "member": [1]}]  # fmt: skip
    responses = [{"scores": [[0.1, 0.9], [0.6, 0.4]]}, {"scores": [[0.2, 0.8]]}]
    found = said(
        proposed(
            reference,
            [{"id": "r", "of": {"q": one}} for one in requests],
            [{"id": "r", "of": {"r": one}} for one in responses],
        )
    )
    assert found["features"]["age"] == "/of/q/age/*"
    assert found["features"]["user_income"] == "/of/q/user-income/*"


def test_codes_one_hot_columns_and_classes_are_proposed_with_doubts(reference: Profile) -> None:
    requests = [
        {"id": "r", "x": {"rows": [{"age": 40, "job": code, "income": 4000, "member": 1}]}} for code in (0, 2, 1)
    ]
    text = proposed(reference, requests, [{"id": "r", "x": {"p": [[0.25, 0.75]]}}] * 3)
    found = said(text)
    assert found["features"]["job"] == {"field": "/x/rows/*/job", "values": {"0": "admin", "1": "clerk", "2": "miner"}}
    assert found["outputs"] == {"label": {"field": "/x/p/*", "argmax": ["no", "yes"]}, "probability": "/x/p/*/1"}
    assert text.count("?") >= 3
    requests = [{"id": "r", "x": {"rows": [{"age": 40, "job_admin": 0, "job_clerk": 1, "income": 4000, "member": 1}]}}]
    assert said(proposed(reference, requests))["features"]["job"] == {
        "one_hot": {"/x/rows/*/job_admin": "admin", "/x/rows/*/job_clerk": "clerk"}, "otherwise": "miner"
    }  # fmt: skip


def test_values_alone_tell_a_column_only_where_nothing_else_could_be_meant(reference: Profile) -> None:
    rows = [{"f1": 35 + n, "f2": 3900 + 10 * n, "f3": JOBS[n % 3], "f4": n % 2 == 0, "f5": 1e9} for n in range(10)]
    text = proposed(reference, [{"id": "r", "x": {"rows": rows}}])
    assert said(text)["features"] == {
        "age": "/x/rows/*/f1", "user_income": "/x/rows/*/f2", "job": "/x/rows/*/f3", "member": "/x/rows/*/f4"
    }  # fmt: skip
    assert text.count("by its values alone") == 4
    twice = proposed(reference, [{"id": "r", "x": {"rows": [row | {"f6": row["f1"]} for row in rows]}}])
    assert "age" not in said(twice)["features"]
    assert "# age: nothing in the samples" in twice


def test_bare_lists_are_columns_in_the_order_of_the_profile(reference: Profile) -> None:
    one_row = [
        {"id": "r", "x": {"features": [40, 4000, "clerk", True]}},
        {"id": "r", "x": {"features": [41, 4100, "miner", False]}},
    ]
    found = said(proposed(reference, one_row))
    assert found["features"] == {
        "age": "/x/features/0", "user_income": "/x/features/1", "job": "/x/features/2", "member": "/x/features/3"
    }  # fmt: skip
    several = [{"id": "r", "x": {"payload": [[40, 4000, "clerk", True], [41, 4100, "miner", False]]}}]
    assert said(proposed(reference, several))["features"]["job"] == "/x/payload/*/2"


def test_who_needs_no_map_is_told_so(reference: Profile) -> None:
    named = proposed(reference, [{"instances": [{"age": 40, "user_income": 1, "job": "clerk", "member": True}]}])
    assert said(named) == {}
    assert "no map needed" in named
    assert "other values than the training data: user_income" in named
    bare = proposed(reference, [{"instances": [[40, 4000, "clerk", True]]}], [{"predictions": [["yes", 0.5]]}])
    assert said(bare) == {}
    assert bare.count("no map needed") == 2
    swapped = proposed(reference, [{"instances": [[4000, 40, "clerk", True]]}])
    assert "other values than the training data: age, user_income" in swapped


def test_what_is_read_without_pointers_needs_a_map_of_what_differs_alone(reference: Profile) -> None:
    requests = [{"instances": [{"age": 40, "job": code, "income": 4000, "member": 1}]} for code in (0, 2, 1)]
    found = said(proposed(reference, requests, [{"predictions": [[0.25, 0.75]]}] * 3))
    assert found["features"] == {
        "user_income": "income", "job": {"field": "job", "values": {"0": "admin", "1": "clerk", "2": "miner"}}
    }  # fmt: skip
    assert found["outputs"] == {"label": {"argmax": ["no", "yes"]}, "probability": 1}


def test_without_a_profile_fields_are_called_as_they_are() -> None:
    found = said(proposed(None, [{"r": {"rows": [{"a": {"x": 1}, "b": {"x": 2}, "y": 3, "no": 4}]}}]))
    assert found == {
        "features": {"a_x": "/r/rows/*/a/x", "b_x": "/r/rows/*/b/x", "y": "/r/rows/*/y", "no": "/r/rows/*/no"}
    }
    assert "without names" in proposed(None, [{"instances": [[1, 2]]}])


def test_a_proposal_can_be_used_as_it_is(profile: Path, tmp_path: Path) -> None:
    request = {"items": [{"who": {"age": 40}, "job": 1, "income": 4000, "member": True, 'o"dd: #': 1}]}
    lines = "\n".join(json.dumps(request) for _ in range(3)).encode()
    folder = tmp_path / "answers"
    folder.mkdir()
    for number in range(3):
        sample(folder, f"{number}.json", {"p": [[0.25, 0.75]]})
    result = command("suggest", "--request", sample(tmp_path, "requests.jsonl", lines), "--response", str(folder),
                     "--profile", str(profile))  # fmt: skip
    assert result.returncode == 0, result.stderr
    config = sample(tmp_path, "map.yml", result.stdout.encode())
    checked = command("check", "--config", config, "--profile", str(profile), "--sample",
                      sample(tmp_path, "request.json", request), "--response", str(folder / "0.json"))  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "4 of the profile's 4 columns" in checked.stdout
    assert "2 of the profile's 2 columns" in checked.stdout


@pytest.mark.parametrize("names", [["a b", "no", "1", 'q"', "ü", "x: y", "#", "\u0085", "[0]", "/a~b", "*", "", "ok"]])
def test_any_name_of_a_field_is_written_as_yaml_can_read_it(names: list[str]) -> None:
    found = said(proposed(None, [{"id": "r", "r": {"rows": [dict.fromkeys(names, 1)]}}]))["features"]
    written = {name for name in names if name != "*"}
    assert set(found.values()) == {"/r/rows/*/" + name.replace("~", "~0").replace("/", "~1") for name in written}


@pytest.mark.parametrize("content", [b"not json", b"\x00\x01", b"{}", b"[]", b'"text"', b""])
def test_what_nobody_can_read_is_bad_data(tmp_path: Path, content: bytes) -> None:
    result = command("suggest", "--request", sample(tmp_path, "x.json", content))
    assert result.returncode == 65
    assert result.stderr.count("\n") == 1


def test_files_are_taken_in_order_and_bounded(tmp_path: Path) -> None:
    for name in ("b.json", "a.json"):
        sample(tmp_path, name, {"n": name})
    lines = sample(tmp_path, "c.jsonl", b'{"n": 1}\n\n{"n": 2}\n' * 2000)
    found = bodies.several([str(tmp_path)])
    assert [json.loads(one.content)["n"] for one in found[:4]] == ["a.json", "b.json", 1, 2]
    assert len(bodies.several([lines])) == 1000


@pytest.mark.parametrize("body", [
    {"x": [{"years": 40.0, "inc": 4000.0, "role": "clerk", "m": True, "ssn": 1}]},
    {"instances": [{"years": 40.0, "inc": 4000.0, "role": "clerk", "m": True, "ssn": 1}]},
    {"instances": [{"age": 40.0, "user_income": 4000.0, "job": 1, "member": True, "ssn": 1}]},
    [{"customer": {"ssn": 12345}, "job_admin": 1, "job_clerk": 0, "job_miner": 0}],
])  # fmt: skip
def test_what_is_denied_is_not_in_a_proposal(reference: Profile, body: Any) -> None:
    denied = Patterns(["ssn", "years", "*income*", "inc", "member", "job*", "customer"])
    bodies_of = [body] * 6
    for profile in (reference, None):
        text = proposed(profile, bodies_of, denied=denied)
        words = ("ssn", "years", "inc", "member", "customer", "job")
        assert not [word for word in words if word in text], text
        assert text.count("\n") >= 2
        assert len(proposed(profile, bodies_of)) > len(text)
