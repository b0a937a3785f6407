"""Maps of columns: every way of writing them, and every mistake with the path to it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import config
from exporter.errors import ConfigError
from exporter.origins import Origin, origins

WRITTEN = """
features:
  age: input-0
  tenure: 3
  "7": field7
  score: "probabilities[1]"
  job: {field: job_code, values: {0: admin, "1": technician, 2.5: x, "true": y, "": null}}
  plan: {values: {b: basic}}
  home: {one_hot: {home_rent: rent, 4: own}, otherwise: other}
outputs:
  label: {argmax: ["no", "yes", 3]}
  most: {field: scores, argmax: [a, b]}
"""
FEATURES = (
    Origin("age", "input-0"), Origin("tenure", 3), Origin("7", "field7"), Origin("score", "probabilities[1]"),
    Origin("job", "job_code", values=(("0", "admin"), ("1", "technician"), ("2.5", "x"), ("true", "y"), ("", None))),
    Origin("plan", "plan", values=(("b", "basic"),)),
    Origin("home", "", one_hot=(("home_rent", "rent"), (4, "own")), otherwise="other"),
)  # fmt: skip
OUTPUTS = (Origin("label", "", argmax=("no", "yes", 3)), Origin("most", "scores", argmax=("a", "b")))


def settings(text: str) -> config.Settings:
    return config.resolve(("file", config.flatten(yaml.safe_load(text), "file")))


def test_a_map_as_people_write_it() -> None:
    found = settings(WRITTEN)
    assert found.features == FEATURES
    assert found.outputs == OUTPUTS


def test_the_map_of_the_page_can_be_used() -> None:
    text = (Path(__file__).parents[1] / "docs" / "mapping.md").read_text()
    [block] = [part for part in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "one_hot" in part]
    found = settings(block)
    assert [origin.column for origin in (*found.features, *found.outputs)] == [
        "age", "job", "home", "label", "probability"
    ]  # fmt: skip


def test_a_map_survives_the_way_to_a_child_process() -> None:
    found = settings(WRITTEN)
    assert config.from_document(json.loads(json.dumps(config.to_document(found)))) == found


def test_a_map_is_json_in_flags_and_variables() -> None:
    assert origins('{"age": "input-0", "tenure": 3}') == FEATURES[:2]
    layer = config.from_environment({"INFERENCE_EXPORTER_FEATURES": '{"age": "/items/*/age"}'})
    assert config.resolve(("environment", layer)).features == (Origin("age", "/items/*/age"),)
    assert origins("{}") == origins({}) == ()


@pytest.mark.parametrize(("text", "words"), [
    ("features: age", "features: must be JSON such as {\"age\": \"input-0\"}, not 'age'"),
    ("features: 3", 'features: must be a mapping from columns to fields such as {"age": "input-0"}, not 3'),
    ("features: [age]", "features: must be a mapping from columns to fields such as {\"age\": \"input-0\"}, not 'age'"),
    ("features: {1.5: a}", "features: must have columns' names as keys, not 1.5"),
    ("features: {'': a}", "features: must have columns' names as keys, not ''"),
    ("features: {1: a, '1': b}", "features: two columns have one name"),
    ("features: {age: ''}", "features.age: must be a field's name, a position or a JSON pointer, not ''"),
    ("features: {age: -1}", "features.age: must be a field's name, a position or a JSON pointer, not -1"),
    ("features: {age: 10000}", "features.age: must be a field's name, a position or a JSON pointer, not 10000"),
    ("features: {age: true}", "features.age: must be a field's name, a position or a JSON pointer, not True"),
    ("features: {age: [a]}", "features.age: must be a field's name, a position or a JSON pointer, not ['a']"),
    ("features: {age: /a~b}", "features.age: must be a JSON pointer, which has ~ in ~0 and ~1 alone: '/a~b'"),
    ("features: {age: /*/b/*}", "features.age: must have one * at most, where the instances are: '/*/b/*'"),
    ("features: {age: {feild: a}}", "features.age.feild: unknown key, did you mean field?"),
    ("features: {age: {}}", "features.age: must say what it is made of: field, values, one_hot or argmax"),
    ("features: {age: {field: {}}}",
     "features.age.field: must be a field's name, a position or a JSON pointer, not {}"),
    ("features: {age: {values: [a]}}",
     "features.age.values: must be a mapping of what is sent to categories, not ['a']"),
    ("features: {age: {values: {}}}", "features.age.values: must be a mapping of what is sent to categories, not {}"),
    ("features: {age: {values: {0: [a]}}}",
     "features.age.values.0: must be a text, a number or null, not ['a']"),
    ("features: {age: {values: {0: .nan}}}",
     "features.age.values.0: must be a text, a number or null, not nan"),
    ("features: {age: {values: {~: a}}}",
     "features.age.values: must have texts or numbers as keys, not None"),
    ("features: {age: {values: {no: a}}}", "features.age.values: must be text, write it in quotes: False"),
    ("features: {age: {values: {0: yes}}}", "features.age.values.0: must be text, write it in quotes: True"),
    ("outputs: {label: {argmax: [no, yes]}}", "outputs.label.argmax: must be text, write it in quotes: False"),
    ("features: {age: {values: {0: a, '0': b}}}", "features.age.values: one value is there twice"),
    ("features: {age: {values: {0: a}, one_hot: {a: b}}}", "features.age: must have only one of values and one_hot"),
    ("features: {age: {one_hot: {a: ~}}}", "features.age.one_hot.a: must be a category, not null"),
    ("features: {age: {one_hot: a}}", "features.age.one_hot: must be a mapping of what is sent to categories, not 'a'"),
    ("features: {age: {one_hot: {a: b}, field: c}}",
     "features.age.field: has no meaning beside one_hot, whose keys are fields"),
    ("features: {age: {field: a, otherwise: b}}", "features.age.otherwise: goes with one_hot alone"),
    ("outputs: {label: {argmax: [a]}}",
     "outputs.label.argmax: must be the list of the classes such as [cat, dog], not ['a']"),
    ("outputs: {label: {argmax: [a, ~]}}", "outputs.label.argmax: must be a category, not null"),
    ("features: {age: /a, job: job}", "features.job: must be made of JSON pointers, as age is"),
    ("features: {age: /a, job: {one_hot: {/b: x, c: y}}}", "features.job: must be made of JSON pointers, as age is"),
])  # fmt: skip
def test_every_mistake_in_a_map_names_the_path_to_it(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(text)
    assert str(caught.value) == f"file: {words}"


@pytest.mark.parametrize("travelled", [[["age"]], [[1, "a", [], [], None, []]], [["age", "a", 1, [], None, []]],
                                       [["age", "a", [["x"]], [], None, []]],
                                       [["age", "a", [], [], "x", []]]])  # fmt: skip
def test_lists_that_no_map_was_made_of_are_refused(travelled: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|goes with"):
        origins(travelled)


def test_maps_are_bounded() -> None:
    with pytest.raises(ValueError, match="10000 columns"):
        origins({f"c{place}": place % 9 for place in range(10_001)})
    with pytest.raises(ValueError, match="characters altogether"):
        origins({f"c{place}": "/" + "x" * 60 for place in range(9_000)})
