"""The file of golden requests: read strictly, each fault with its path."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter import marks
from exporter.errors import ConfigError
from exporter.golden import drafts, reading, writing
from exporter.golden.cases import ANY, REASONS, Rules, Source, Tolerance
from exporter.golden.recording import Learned
from exporter.profile import strict_yaml

WHOLE = """
version_from: {header: X-Model-Version}
defaults:
  path: /v1/models/churn:predict
  headers: {Accept: application/json, X-Tenant: a}
  header_files: {Authorization: /run/secrets/token}
  tolerance: {relative: 1e-4}
  tolerances: {/p/*: {absolute: 0.5}}
  ignore: [/id]
cases:
  - name: smallest
    request: {headers: {X-Tenant: b}, body: {instances: [[0, 1e-5, no, .nan, 2024-01-01]]}}
    expect: {body: {p: [0.25]}, ignore: [/at], tolerances: {/p/0: {absolute: 0.1}}, extra: refuse}
    versions: {"7": {status: 422, text: no}}
  - name: tensors
    request: {method: PUT, path: /x?y=1, base64: AAEC, header_files: {X-Key: /run/key}}
    expect: {values: {/p/0: 1}, tolerance: {absolute: 2}}
"""


def write(tmp_path: Path, text: str, name: str = "golden.yml") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_all_that_a_file_may_say(tmp_path: Path) -> None:
    found = reading.load(write(tmp_path, WHOLE))
    assert found.version_from == Source(header="x-model-version")
    assert len(found.digest) == 64
    smallest, tensors = found.cases
    assert (smallest.request.method, smallest.request.path) == ("POST", "/v1/models/churn:predict")
    assert dict(smallest.request.headers) == {
        "accept": "application/json", "x-tenant": "b", "content-type": "application/json",
    }  # fmt: skip
    assert smallest.request.header_files == (("authorization", "/run/secrets/token"),)
    assert smallest.request.content == b'{"instances": [[0, 1e-05, "no", NaN, "2024-01-01"]]}'
    expected = smallest.expected[ANY]
    assert expected.parts == (((), {"p": [0.25]}),)
    assert expected.rules == Rules(
        Tolerance(0.0, 1e-4), ((("p", "0"), Tolerance(0.1, 0.0)), (("p", "*"), Tolerance(0.5, 0.0))),
        (("id",), ("at",)), extra=False,
    )  # fmt: skip
    assert (smallest.expected["7"].status, smallest.expected["7"].text) == (422, "no")
    assert (tensors.request.method, tensors.request.path, tensors.request.content) == ("PUT", "/x?y=1", b"\0\1\2")
    assert {name for name, _ in tensors.request.header_files} == {"authorization", "x-key"}
    assert tensors.expected[ANY].parts == ((("p", "0"), 1),)
    assert tensors.expected[ANY].rules.tolerance == Tolerance(2.0, 0.0)


def test_json_is_read_where_the_file_is_called_so(tmp_path: Path) -> None:
    document = strict_yaml.load_json_like(WHOLE)
    by_json = reading.load(write(tmp_path, json.dumps(document), "golden.json"))
    assert [case.request for case in by_json.cases] == [case.request for case in reading.golden(document).cases]


CASE: dict[str, Any] = {"name": "one", "request": {"path": "/x", "body": 1}, "expect": {"body": 2}}


def changed(**more: Any) -> dict[str, Any]:
    return {"cases": [{**CASE, **more}]}


def request(**more: Any) -> dict[str, Any]:
    return changed(request={"path": "/x", **more})


def expect(**more: Any) -> dict[str, Any]:
    return changed(expect=more)


FAULTS: list[tuple[Any, str, str]] = [
    (None, "document", "must be a mapping"), ({}, "cases", "list of 1 to 1000"), ({"cases": []}, "cases", "1 to 1000"),
    ({"cases": [CASE] * 1001}, "cases", "1 to 1000"), ({"cases": [CASE], "case": 1}, "case", "did you mean cases?"),
    ({"cases": [CASE, CASE]}, "cases[1].name", "cases[0], too"), ({"cases": ["x"]}, "cases[0]", "must be a mapping"),
    (changed(expected={}), "cases[0].expected", "did you mean expect?"), (changed(name=7), "cases[0].name", "text"),
    (changed(name=""), "cases[0].name", "1 to 100"), (changed(name="a\nb"), "cases[0].name", "printable"),
    (changed(name=" a"), "cases[0].name", "printable"), (changed(name="x" * 101), "cases[0].name", "1 to 100"),
    ({"cases": [{"name": "a", "request": {"path": "/"}}]}, "cases[0].expect", "what is to be answered"),
    (changed(request=None), "cases[0].request", "must be a mapping"),
    (request(bodies=1), "cases[0].request.bodies", "did"),
    (request(body=1, text="x"), "cases[0].request.text", "beside body"),
    (request(text=1), "cases[0].request.text", "text"),
    (request(base64="?"), "cases[0].request.base64", "base64"),
    (request(method="HEAD"), "cases[0].request.method", "POST"),
    (request(path="x"), "cases[0].request.path", "begin with /"),
    (request(path="/a b"), "cases[0].request.path", "ASCII"),
    (request(path="/a\r\nX: y"), "cases[0].request.path", "ASCII"), (request(path=7), "cases[0].request.path", "ASCII"),
    (changed(request={"body": 1}), "cases[0].request.path", "must be there"),
    (request(text="x" * (1 << 20) + "x"), "cases[0].request.text", "longer than 1048576 bytes"),
    (request(body={1: 2}), "cases[0].request.body", "texts as keys"),
    (request(body={1}), "cases[0].request.body", "JSON"),
    (request(headers=[]), "cases[0].request.headers", "mapping of 32"),
    (request(headers={"X-A": 1}), "cases[0].request.headers.X-A", "quotes"),
    (request(headers={"X A": "1"}), "cases[0].request.headers.X A", "name of a header"),
    (request(headers={"X-A": "1\r\nX-B: 2"}), "cases[0].request.headers.X-A", "printable"),
    (request(headers={"Authorization": "Bearer s3cret"}), "cases[0].request.headers.Authorization", "header_files"),
    (request(headers={"Host": "x"}), "cases[0].request.headers.Host", "made here"),
    (request(headers={marks.GOLDEN: "x"}), f"cases[0].request.headers.{marks.GOLDEN}", "made here"),
    (request(headers={"X-A": "1"}, header_files={"x-a": "/f"}), "cases[0].request.header_files.x-a", "headers, too"),
    (request(header_files={"X-A": ""}), "cases[0].request.header_files.X-A", "must be a path"),
    (expect(status=99), "cases[0].expect.status", "100 to 599"),
    (expect(bodies=1), "cases[0].expect.bodies", "did you"),
    (expect(body=1, values={"/a": 1}), "cases[0].expect.values", "beside body"),
    (expect(values={}), "cases[0].expect.values", ""),
    (expect(values={"a": 1}), "cases[0].expect.values.a", "JSON pointer"),
    (expect(text=1), "cases[0].expect.text", "text"),
    (expect(ignore="/id"), "cases[0].expect.ignore", "must be a list"),
    (expect(ignore=["id"]), "cases[0].expect.ignore[0]", ""),
    (expect(extra="deny"), "cases[0].expect.extra", "allow, refuse"),
    (expect(tolerance=0.1), "cases[0].expect.tolerance", ""),
    (expect(tolerance={}), "cases[0].expect.tolerance", "absolute, relative"),
    (expect(tolerance={"absolute": -1}), "cases[0].expect.tolerance.absolute", "from 0"),
    (expect(tolerance={"absolut": 1}), "cases[0].expect.tolerance.absolut", "did you mean absolute?"),
    (expect(tolerances={"/a": 1}), "cases[0].expect.tolerances./a", "must be a mapping"),
    (changed(versions={7: {}}), "cases[0].versions", "write it in quotes: 7"),
    (changed(versions=[]), "cases[0].versions", ""),
    (changed(versions={"*": {}}), "cases[0].versions.*", "one of both"),
    (changed(versions={"7": {"body": {1: 1}}}), "cases[0].versions.7.body", "texts as keys"),
    ({"cases": [CASE], "defaults": {"ignore": ["x"]}}, "defaults.ignore[0]", "JSON pointer"),
    ({"cases": [CASE], "defaults": {"path": "x"}}, "defaults.path", "begin with /"),
    ({"cases": [CASE], "version_from": {"pointer": "/a", "header": "b"}}, "version_from", "not both"),
    ({"cases": [CASE], "version_from": {"pointer": "a"}}, "version_from.pointer", "JSON pointer"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "words"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_is_told_with_its_path(document: Any, path: str, words: str) -> None:
    with pytest.raises(reading.Fault) as fault:
        reading.golden(document)
    assert fault.value.path == path
    assert words in str(fault.value)
    assert "s3cret" not in str(fault.value)


@pytest.mark.parametrize(("name", "text", "words"), [
    ("golden.yml", "cases: [", "not YAML"), ("golden.yml", "cases: []\ncases: []", "stands there twice"),
    ("golden.yml", "[" * 50_000, "not YAML"), ("golden.yml", "cases: []", "cases: must be a list"),
    ("golden.json", "cases: []", "not JSON"), ("golden.json", '{"cases": [], "cases": []}', "not JSON"),
    ("golden.yml", "&a [*a]", "document: must be a mapping"),
    ("golden.yml", "cases: [{name: a, request: {path: /, body: &a [*a]}, expect: {}}]", "64 levels"),
])  # fmt: skip
def test_what_is_no_such_file_is_told_by_its_name(tmp_path: Path, name: str, text: str, words: str) -> None:
    file = write(tmp_path, text, name)
    with pytest.raises(ConfigError) as error:
        reading.load(file)
    assert str(error.value).startswith(f"{file}: ")
    assert words in str(error.value)


def test_a_file_that_is_not_there_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        reading.load(str(tmp_path / "none.yml"))
    with (tmp_path / "large.yml").open("wb") as large:
        large.truncate((16 << 20) + 1)
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        reading.load(str(tmp_path / "large.yml"))


def test_aliases_that_stand_for_more_than_any_file_holds_are_refused(tmp_path: Path) -> None:
    lines = ["x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    body = "\n      ".join(lines)
    file = write(tmp_path, f"cases:\n- name: a\n  expect: {{}}\n  request:\n    path: /\n    body:\n      {body}\n")
    with pytest.raises(ConfigError, match="200000 values"):
        reading.load(file)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["1e5", "no", "010", "0x1F", "2024-01-01", ".nan", "~", "", "1.", "+1", "12:30", "<<", "="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=10,
)  # fmt: skip


@pytest.mark.parametrize("name", ["golden.yml", "golden.json"])
@given(value=VALUES)
@example(value={"\x85": ["\u2028", "a\nb ", "\t", "\x1b[0m"]})
def test_what_is_written_reads_again_as_what_it_was(name: str, value: Any) -> None:
    draft = drafts.Draft({}, {"path": "/x"})
    draft.add([("one", json.dumps({"x": value}).encode(), "application/json")])
    draft.answered("one", Learned({"body": {"y": value}}), "")
    text = writing.text(draft.document(), name)
    found = reading.golden(reading.document_of(name, text.encode("utf-8", "surrogatepass"))).cases[0]
    assert json.loads(found.request.content) == {"x": value}
    assert found.expected[ANY].parts == (((), {"y": value}),)


def test_half_a_surrogate_pair_is_sent_as_the_text_it_came_in() -> None:
    draft = drafts.Draft({}, {"path": "/x"})
    draft.add([("one", b'"\\ud800"', "application/json")])
    draft.answered("one", Learned({}), "")
    found = reading.golden(reading.document_of("g.yml", writing.text(draft.document(), "g.yml").encode())).cases[0]
    assert found.request.content == b'"\\ud800"'
    assert dict(found.request.headers)["content-type"] == "application/json"


def test_numbers_that_are_none_are_written_too() -> None:
    draft = drafts.Draft({}, {"path": "/x"})
    draft.add([("one", b'{"x": [NaN, -Infinity]}', "application/json")])
    draft.answered("one", Learned({"status": 204}), "")
    found = reading.golden(reading.document_of("g.yml", writing.text(draft.document(), "g.yml").encode())).cases[0]
    nan, infinity = json.loads(found.request.content)["x"]
    assert math.isnan(nan)
    assert infinity == -math.inf


def test_the_file_in_the_documents_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "golden.md").read_text()
    (example,) = (block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "cases:" in block)
    found = reading.golden(strict_yaml.load_json_like(example))
    assert [len(case.expected) for case in found.cases] == [1, 2, 1]
    assert all(f"`{reason}`" in text for reason in REASONS)
