"""Business values, as the operator says where they are."""

import json
from typing import Any

import pytest

from exporter import config
from exporter.business import BusinessValue, business_values
from exporter.errors import ConfigError

EVERY: Any = [
    {"name": "revenue", "pointer": {"side": "response", "pointer": "/offer/price"}}, {"name": "amount", "feature": "a"},
    {"name": "score", "output": "s"}, {"name": "profit", "feedback": True},
]  # fmt: skip
READ = (
    BusinessValue("revenue", "response", "/offer/price"), BusinessValue("amount", feature="a"),
    BusinessValue("score", output="s"), BusinessValue("profit", feedback=True),
)  # fmt: skip


def test_each_says_where_it_is() -> None:
    assert business_values(EVERY) == READ
    assert business_values(json.dumps(EVERY)) == READ
    assert business_values([]) == business_values("") == ()


def test_they_travel_to_the_analyser_and_come_from_everywhere() -> None:
    settings = config.resolve(("file", {"values": EVERY}))
    assert settings.values == READ
    assert config.from_document(json.loads(json.dumps(config.to_document(settings)))).values == READ
    environment = config.from_environment({"INFERENCE_EXPORTER_VALUES": json.dumps(EVERY)})
    assert config.resolve(("environment", environment)).values == READ


def test_what_is_denied_is_worth_nothing() -> None:
    for one in ({"name": "x", "feature": "salary_2"}, {"name": "x", "output": "salary_2"}):
        with pytest.raises(ConfigError, match=r"privacy.deny: fits values\[1\], which needs"):
            config.resolve(("file", {"values": [EVERY[0], one], "privacy.deny": ["salary*"]}))


@pytest.mark.parametrize(("said", "words"), [
    (7, "values: must be a list of mappings, not 7"),
    ("{", "values: must be JSON such as"),
    ([{"name": f"v{'_' * place}", "feedback": True} for place in range(9)], "values: must not be more than 8"),
    (["amount"], "values[0]: must be a mapping such as {name: amount, feature: amount}, not 'amount'"),
    ([{"name": "a", "feature": "a"}, {"name": "a", "output": "a"}], "values: two of them have one name"),
    ([{"name": "a", "feedback": True}, {"name": "b", "feedback": True}], "values: two of them are of feedback"),
    ([{"name": "a"}], "values[0]: must say one of pointer, feature, output, feedback"),
    ([{"name": "a", "feature": "a", "output": "b"}],
     "values[0]: must say one of pointer, feature, output, feedback, not feature and output"),
    ([{"name": "A", "feature": "a"}], "values[0].name: must be 1 to 32 of a to z and _, not 'A'"),
    ([{"name": "a" * 33, "feature": "a"}], "values[0].name: must be"),
    ([{"feature": "a"}], "values[0].name: must be"),
    ([{"name": "a", "feture": "a"}], "values[0].feture: unknown key, did you mean feature?"),
    ([{"name": "a", "feature": ""}], "values[0].feature: must be the name of a column, not ''"),
    ([{"name": "a", "feedback": False}], "values[0].feedback: must be true, not False"),
    ([{"name": "a", "pointer": "/x"}], "values[0].pointer: must be such as {side: response, pointer: /offer/price}"),
    ([{"name": "a", "pointer": {"side": "both", "pointer": "/x"}}], "values[0].pointer.side: must be one of request,"),
    ([{"name": "a", "pointer": {"side": "request", "pointer": "x"}}],
     "values[0].pointer.pointer: must be a JSON pointer"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(said: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(("file", {"values": said}))
    assert words in str(caught.value)
