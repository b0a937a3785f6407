"""Thresholds by kind; each is used, has its comment, and no rule has a number of its own beside them."""

import re
from pathlib import Path
from typing import Any

import promql
import pytest
import yaml
from promql_parser import NumberLiteral

from exporter.errors import ConfigError
from exporter.rules import files, rendering, tables, values
from exporter.rules.phrases import PHRASES

ROOT = Path(__file__).parents[2]
DEFAULTS: dict[str, values.Value] = {
    "a.share": 0.1, "a.count": 200, "a.factor": 3.0, "a.lasting": "10m", "a.name": "b", "a.hop_seconds": 0.005,
    "a.windows": "1h,24h", "a.pattern": "POD|istio-proxy",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("a.share", 0), ("a.share", 1), ("a.share", 0.25), ("a.count", 0), ("a.count", 1e3), ("a.factor", 40),
        ("a.lasting", "90s"), ("a.lasting", "1h30m"), ("a.lasting", "2w"), ("a.lasting", "500ms"), ("a.name", "team-7"),
        ("a.hop_seconds", 2.5), ("a.windows", "1h"), ("a.windows", "30m,6h,24h"), ("a.name", "POD|istio-.+"),
        ("a.pattern", "model"), ("a.pattern", "POD|(a|b).*"), ("a.lasting", "99y"),
    ],
)  # fmt: skip
def test_a_value_of_the_kind_of_its_default_is_taken(name: str, given: values.Value) -> None:
    assert values.tuned(DEFAULTS, {name: given}, "here") == DEFAULTS | {name: given}


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("a.share", 1.5, "a share from 0 to 1 is needed, not 1.5 (default 0.1)"),
        ("a.share", -0.1, "a number from 0 on is needed"),
        ("a.share", "1e-2", "a number from 0 on is needed"),
        ("a.count", 0.5, "a whole number is needed"),
        ("a.count", float("inf"), "a number from 0 on is needed"),
        ("a.factor", float("nan"), "a number from 0 on is needed"),
        ("a.factor", 10**400, "a number from 0 on is needed"),  # no float is so large
        ("a.lasting", 10, "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "10", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "10 m", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "30m1h", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "1m1m", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "0s", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "", "a duration such as 10m or 1h30m is needed"),
        ("a.lasting", "300y", "a duration such as 10m or 1h30m is needed"),  # which Prometheus would not load
        ("a.lasting", "9" * 5000 + "s", "a duration such as 10m or 1h30m is needed"),
        ("a.pattern", "POD|a)b", "a regular expression is needed"),
        ("a.pattern", "POD|a**", "a regular expression is needed"),
        ("a.pattern", "POD|(?!a)b", "a regular expression is needed"),  # one of Python's alone
        ("a.name", 5, "a text without blanks"),
        ("a.windows", "1h,", "a duration such as 10m or 1h30m is needed"),
        ("a.windows", "1h, 2h", "a duration such as 10m or 1h30m is needed"),
        ("a.windows", 5, "a duration such as 10m or 1h30m is needed"),
        ("a.hop_seconds", -1, "a number from 0 on is needed"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, given: values.Value, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"here: {name}: {told}")):
        values.tuned(DEFAULTS, {name: given}, "here")


def test_words_are_numbers_where_their_default_is_one() -> None:
    words = ("a.share=0.5", "a.count = 7", "a.name=007", "a.lasting=5", "a.factor=x=y")
    assert values.of_words(words, DEFAULTS) == {
        "a.share": 0.5, "a.count": 7, "a.name": "007", "a.lasting": "5", "a.factor": "x=y"
    }  # fmt: skip


def test_every_threshold_is_used_by_a_rule() -> None:
    asked = set().union(*(rendering.named(source) for _, source in files.sources()))
    shipped = files.defaults()
    for name in shipped:
        if name not in asked:  # the generated rules ask for it: another number makes other rules
            others = {"fleet.windows": "2h", "fleet.ordered_bins": 9, "fleet.reach": 0.5}
            assert dict(files.made({**shipped, name: others[name]})) != dict(files.made(shipped)), name


@pytest.mark.parametrize(("name", "objective"), [("slo.fast_burn", "slo.slow"), ("slo.fast_burn_6h", "slo.failed")])
def test_an_objective_that_nothing_could_miss_so_fast_is_refused(name: str, objective: str) -> None:
    given = {**files.defaults(), "slo.fast_burn": 1.0, name: 12.5}
    with pytest.raises(ConfigError, match=re.escape(f"{name}: 12.5 times {objective}, 0.08, are all requests")):
        dict(files.made({**given, objective: 0.08}))
    assert dict(files.made({**given, objective: 0.079}))
    assert dict(files.made({**given, objective: 1}))  # who wants no alert says so


def test_what_names_no_threshold_is_found() -> None:
    with pytest.raises(ConfigError, match=re.escape("x.yml: a.shore is no threshold and no phrase")):
        rendering.rendered("expr: a > <<a.shore>>\n", "x.yml", DEFAULTS)
    with pytest.raises(ConfigError, match=re.escape("x.yml: text.shore is no threshold and no phrase")):
        rendering.rendered("expr: a > <<text.shore>>\n", "x.yml", DEFAULTS)


# --- the documents


def test_every_threshold_has_a_line_of_its_own_and_says_what_it_decides() -> None:
    found = [*tables.thresholds(files.commented())]
    assert [one.name for one in found] == [*files.defaults()]
    assert [one.name for one in found if not one.comment.endswith(".")] == []


def test_comments_stand_above_beside_or_above_the_first_of_several() -> None:
    text = "# File.\n\na:\n  # One.\n  # Two.\n  b: 1\n  c: 2\n  d: 3 # Three.\n\n  e: 4\n  # Four.\n  f: 5m\n"
    assert [tuple(one) for one in tables.thresholds(text)] == [
        ("a.b", "1", "One. Two."), ("a.c", "2", "One. Two."), ("a.d", "3", "Three."), ("a.e", "4", ""),
        ("a.f", "5m", "Four."),
    ]  # fmt: skip


def test_what_one_comment_is_about_is_one_row() -> None:
    text = "a:\n  # One.\n  b: 1\n  c: x|y\n  # Two.\n  d: 5m\ne:\n  # Two.\n  f: 1\n"
    head = "| threshold | default | meaning |\n|---|---|---|\n"
    assert tables.of_thresholds(text) == (
        f"### a\n\n{head}| `a.b`<br>`a.c` | `1`<br>`x\\|y` | One. |\n| `a.d` | `5m` | Two. |\n\n"
        f"### e\n\n{head}| `e.f` | `1` | Two. |"
    )


def test_the_document_of_rules_has_all_thresholds_and_checks_and_that_of_alerts_all_alerts() -> None:
    for told in (tables.of_thresholds(files.commented()), tables.of_checks()):
        assert f"make docs -->\n{told}\n<!-- end" in (ROOT / "docs" / "rules.md").read_text(), "run: make docs"
    alerts = tables.of_alerts(dict(files.made(files.defaults())))
    assert (ROOT / "docs" / "alerts.md").read_text() == alerts + "\n", "run: make docs"


def test_an_alert_is_listed_with_what_its_severity_may_be() -> None:
    text = """groups: [{ name: a, rules: [{ record: b, expr: c }, { alert: Bad, expr: d > 1, for: 5m, labels: {
        severity: '{{ if eq $labels.severity "page" }}critical{{ else }}warning{{ end }}' },
        annotations: { summary: One | two. } }] }]"""
    told = tables.of_alerts({"a.rules.yml": text, "none.rules.yml": "groups: []"})
    assert told.splitlines()[-1] == (
        "| [Bad](../alert_rules/runbooks.md#bad) | warning or critical | 5m | One \\| two. |"
    )
    assert "none" not in told


# --- numbers

UNITS = {0, 1, 60, 100, 3600, 86400}
"""Nothing, one, all, a percentage, and what makes minutes, hours and days of seconds."""
METHOD = {
    "job:inference_exporter_discovered:timestamp": {8},  # a day longer than what is asked of it
    "job:inference_exporter_there:bool": {300},  # Prometheus itself remembers a series so long
    "instance_column:model_wrong_values:found": {0.1},  # the tolerance that exporters have by default
    "model_alertname:model_alerts:severity": {3, 4},  # states, as are these:
    "model_check:model_health:blind": {2},
    "output:model_prediction_mean_variance:fleet1h": {2},  # squares
    "output:model_version_prediction_total_variation:fleet1h": {2},  # half of a sum
    "output:model_version_prediction_total_variation_critical:fleet1h": {
        1.8584610944249191,
        0.3989422804014327,
    },  # its law
    "output:model_version_prediction_mean_difference_critical:fleet1h": {3, 4, 1e-9},  # Student's law; floats
    "measure:model_performance_reach:version": {2},  # squares, and half of an interval
    "measure:model_version_performance_worse:critical": {2},
    "InferenceExporterHopSlow": {0.99},  # which quantile it is about
}
"""What would make another rule of it, not another taste."""
PLACES = ((r'"[^"\n]*<<[^"\n]*"', '"a"'), (r"(?:(?<=\[)|(?<=offset )|(?<=:))<<[^>]+>>", "5m"), (r"<<[^>]+>>", "pi()"))
"""What may stand in a query where a threshold does: a text, a duration, a number."""


def bare(rule: dict[str, Any]) -> set[float]:
    """The numbers of a rule's expression that are no thresholds."""
    expression = rule["expr"]
    while found := re.search(r"<<text\.(\w+)>>", expression):
        expression = expression.replace(found[0], PHRASES[found[1]])
    for place, stand_in in PLACES:
        expression = re.sub(place, stand_in, expression)
    there = {node.val for node, _ in promql.walk(promql.parse(expression)) if isinstance(node, NumberLiteral)}
    return there - UNITS - METHOD.get(rule.get("alert", rule.get("record")), set())


def test_a_number_that_is_no_threshold_is_found() -> None:
    assert bare({"alert": "A", "expr": "up > 0.5"}) == {0.5}
    assert bare({"alert": "A", "expr": "up * 100 > <<a.b>> and up{job=~'<<a.c>>'} unless rate(b[<<a.d>>]) > 3"}) == {3}
    assert bare({"alert": "A", "expr": 'up{job!~"<<a.c>>"} offset <<a.d>> == 0'}) == set()


@pytest.mark.parametrize(("name", "source"), [*files.sources()], ids=[name for name, _ in files.sources()])
def test_every_number_of_taste_is_a_threshold(name: str, source: str) -> None:
    found = {}
    for group in yaml.safe_load(source)["groups"]:
        for rule in group["rules"]:
            lasting = {rule[key] for key in ("for", "keep_firing_for") if not rule.get(key, "<<").startswith("<<")}
            if own := bare(rule) | lasting:
                found[rule.get("alert", rule.get("record"))] = own
    assert found == {}, name
