"""What people say about features: which rule is whose, and every fault named by its path."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_tables import profile_of

from exporter.errors import ConfigError, DataError
from exporter.override import Override
from exporter.profile import overrides
from exporter.reference import Profile

RULES = """
# the team's own
features:
  amount: { range: [0, 1e4], tolerance: 0.05, owner: payments, severity: page }
  "a*": { severity: ticket, weight: 2 }
  "*": { severity: ignore, owner: data, snooze_until: 2026-12-24 }
  "x[0]": { ignore: true }
outputs:
  p: { weight: 3, snooze_until: "2026-12-24T12:00:00+01:00" }
"""


def load(path: Path, text: str) -> overrides.Overrides:
    path.write_text(text, encoding="utf-8")
    return overrides.load(str(path))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    columns = {"amount": list(range(100)), "age": list(range(100)), "town": ["a", "b"] * 50, "x[0]": [1.5] * 100}
    return profile_of(tmp_path_factory.mktemp("overrides") / "t.csv", columns)[0]


def test_a_columns_own_rule_comes_before_patterns_and_an_earlier_one_before_a_later_one(tmp_path: Path) -> None:
    rules = load(tmp_path / "o.yml", RULES)
    day = 1798070400.0
    assert rules.feature("amount") == Override(range=(0.0, 10_000.0), tolerance=0.05, weight=2.0, owner="payments",
                                               severity="page", snooze_until=day)  # fmt: skip
    assert rules.feature("age") == Override(weight=2.0, owner="data", severity="ticket", snooze_until=day)
    assert rules.feature("x[0]") == Override(ignore=True, owner="data", severity="ignore", snooze_until=day)
    assert rules.feature("town").said() == {"owner": "data", "severity": "ignore", "snooze_until": day}
    assert rules.output("p") == Override(weight=3.0, snooze_until=day + 11 * 3600)
    assert rules.output("q") == Override()


@pytest.mark.parametrize("text", ["", "# nothing\n", "features:\noutputs:\n", "features: {}"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert load(tmp_path / "o.yml", text).feature("a") == Override()


@pytest.mark.parametrize(("text", "words"), [
    ("[]", "document: must be a mapping"), ("feature: {}", "feature: unknown key, did you mean features?"),
    ("features: [a]", "features: must be a mapping"), ("features: { a: 3 }", "features.a: must be a mapping"),
    ("features: { 1: {} }", "features: the key 1 must be in quotes"),
    ("features: { a: { rnage: [0, 1] } }", "features.a.rnage: unknown key, did you mean range?"),
    ("features: { a: { zzz: 1 } }", "features.a.zzz: unknown key, known are range, allowed, tolerance, weight, depend"),
    ("features: { a: { range: 3 } }", "features.a.range: must be [smallest, largest]"),
    ("features: { a: { range: [3] } }", "features.a.range: must be [smallest, largest]"),
    ("features: { a: { range: [3, 1] } }", "features.a.range: must begin with the smaller number"),
    ("features: { a: { range: [.nan, 1] } }", "features.a.range: must be a number"),
    ("features: { a: { range: [x, 1] } }", "features.a.range: must be a number"),
    (f"features: {{ a: {{ range: [0, {10**400}] }} }}", "features.a.range: must be a number"),
    ("features: { a: { allowed: [] } }", "features.a.allowed: must be a list of categories"),
    ("features: { a: { allowed: [1] } }", "features.a.allowed: must be a list of categories, in quotes where"),
    ("features: { a: { tolerance: 2 } }", "features.a.tolerance: must be a share, from 0 to 1"),
    ("features: { a: { tolerance: true } }", "features.a.tolerance: must be a number"),
    ("outputs: { a: { weight: -1 } }", "outputs.a.weight: must not be negative"),
    ("features: { a: { dependence: 0.9 } }", "features.a.dependence: must be 1 or more: so many rows come as one"),
    ("features: { a: { dependence: .inf } }", "features.a.dependence: must be a number"),
    ("features: { a: { wander: 1.1 } }", "features.a.wander: must be a share, from 0 to 1"),
    ("features: { a: { wander: 5% } }", "features.a.wander: must be a number"),
    ("outputs: { a: { ignore: 1 } }", "outputs.a.ignore: must be true or false"),
    ("outputs: { a: { owner: 7 } }", "outputs.a.owner: must be text of 1 to 256 characters"),
    ('outputs: { a: { owner: "\\e[2J" } }', "outputs.a.owner: must be text of 1 to 256 characters"),
    ("outputs: { a: { severity: panic } }", "outputs.a.severity: must be ignore, ticket or page"),
    ("outputs: { a: { severity: [] } }", "outputs.a.severity: must be ignore, ticket or page"),
    ("outputs: { a: { snooze_until: soon } }", "outputs.a.snooze_until: must be a time such as"),
    ("outputs: { a: { snooze_until: 5 } }", "outputs.a.snooze_until: must be a time such as"),
    ("features: {", "not YAML: "), ("features: !!python/object:os.system {}", "not YAML: "),
])  # fmt: skip
def test_every_fault_is_named_by_its_path(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "o.yml", text)
    assert str(caught.value).startswith(f"{tmp_path / 'o.yml'}: {words}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"overrides: cannot read .*o\.yml: No such file"):
        overrides.load(str(tmp_path / "o.yml"))
    (tmp_path / "o.yml").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ConfigError, match="not YAML"):
        overrides.load(str(tmp_path / "o.yml"))


@pytest.mark.parametrize(("text", "words"), [
    ("features: { amonut: {} }", "features.amonut: no column of the profile is called so, did you mean amount?"),
    ("features: { p: {} }", "features.p: no column of the profile is called so"),
    ('features: { "z*": {} }', "features.z*: no column of the profile fits"),
    ("features: { town: { range: [0, 1] } }",
     "features.town.range: categorical columns have none, say which categories are allowed"),
    ("features: { age: { allowed: [a] } }",
     "features.age.allowed: numeric columns have no categories, say their range"),
    ("outputs: { q: {} }", "outputs.q: no column of the profile is called so"),
])  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_named(tmp_path: Path, profile: Profile, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overrides.check(load(tmp_path / "o.yml", text), [profile], "o.yml")
    assert str(caught.value) == f"o.yml: {words}"


@pytest.mark.parametrize(("text", "words"), [
    ("features: { a: { weight: 1 }, a: { weight: 2 } }", "'a' stands there twice"),
    ("features: { a: { weight: 1, weight: 2 } }", "'weight' stands there twice"),
    ("a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)), "too long"),
    ("[" * 5000, "not YAML"),
])  # fmt: skip
def test_what_stands_there_twice_is_a_fault_and_a_bomb_does_not_go_off(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match="not YAML") as caught:
        load(tmp_path / "rules.yml", text)
    assert words in str(caught.value)


def test_rules_may_be_merged(tmp_path: Path) -> None:
    text = """
features:
  a: &a { owner: me, weight: 1 }
  b: &b { <<: *a, weight: 2 }
  c: { <<: [*b, *a], severity: page }
  d: *b
"""
    found = load(tmp_path / "rules.yml", text).features
    assert [(rule.owner, rule.weight) for rule in found.values()] == [("me", 1), ("me", 2), ("me", 2), ("me", 2)]


def test_what_was_measured_of_traffic_is_told_with_the_rest(tmp_path: Path, profile: Profile) -> None:
    rules = load(tmp_path / "o.yml", "features: { age: { dependence: 9.12, wander: 2e-2, weight: 2 } }")
    assert rules.feature("age") == Override(dependence=9.12, wander=0.02, weight=2.0)
    assert list(overrides.described(rules, profile)) == ["age: weight 2.0, dependence 9.12, wander 0.02"]


def test_a_range_of_a_text_is_a_fault_for_it_is_of_what_is_computed(profile: Profile) -> None:
    length = dataclasses.replace(profile.features[0], name="note.length", kind="text", origin="note", scalar="length")
    whole = dataclasses.replace(profile, features=(*profile.features, length))
    rules = overrides.parse({"features": {"note": {"range": [0, 9]}, "note.length": {"range": [0, 9]}}})
    said = "features.note.range: say it of what is computed of it, such as note.length"
    assert list(overrides.faults(rules, whole)) == [said]
    assert not list(overrides.faults(overrides.parse({"features": {"note": {"weight": 2}}}), whole))


def test_a_pattern_may_cover_columns_of_every_kind(tmp_path: Path, profile: Profile) -> None:
    overrides.check(load(tmp_path / "o.yml", 'features: { "*": { range: [0, 1] } }'), [profile], "o.yml")


def test_rules_that_fit_are_told_by_column(tmp_path: Path, profile: Profile) -> None:
    rules = load(tmp_path / "o.yml", RULES + '  "p*": { allowed: [a], range: [0, 1] }\n')
    overrides.check(rules, [profile], "o.yml")
    told = list(overrides.described(rules, profile))
    assert told[0] == ("amount: 0 to 10000, tolerance 0.05, weight 2.0, owner payments, severity page, "
                       "snoozed until 2026-12-24T00:00:00+00:00")  # fmt: skip
    assert [line.split(":")[0] for line in told] == ["amount", "age", "town", "x[0]", "p"]
    assert told[3].startswith("x[0]: ignored, ")
    assert told[4].startswith("p: 0 to 1, weight"), "numbers have a range, no list"


def test_a_rule_needs_to_fit_one_of_several_profiles_alone(tmp_path: Path, profile: Profile) -> None:
    other = profile_of(tmp_path / "t.csv", {"city": ["a", "b"] * 50, "age": ["young", "old"] * 50})[0]
    rules = load(tmp_path / "o.yml", "features: { amount: {}, city: {}, age: { allowed: [young, old] } }")
    overrides.check(rules, [profile, other], "o.yml")
    assert list(overrides.faults(rules, profile)) == [
        "features.city: no column of the profile is called so",
        "features.age.allowed: numeric columns have no categories, say their range",
    ]
    with pytest.raises(ConfigError, match=r"o\.yml: features\.city: no column"):
        overrides.check(rules, [profile, profile], "o.yml")
    overrides.check(rules, [], "o.yml")


def test_what_is_said_of_a_field_is_said_of_all_that_is_computed_from_it(tmp_path: Path, profile: Profile) -> None:
    amount, *others = profile.features
    derived = [dataclasses.replace(amount, name=f"note.{word}", origin="note", scalar=word, kind="text")
               for word in ("length", "tokens")]  # fmt: skip
    notes = dataclasses.replace(profile, features=(*derived, *others))
    rules = load(
        tmp_path / "o.yml",
        """
features:
  note: { owner: texts, range: [0, 1], severity: page }
  note.length: { severity: ticket }
  "note.*": { owner: nobody, weight: 2 }
""",
    )
    assert overrides.on(rules, notes)[0][:2] == (
        Override(owner="texts", severity="ticket", weight=2.0), Override(owner="texts", severity="page", weight=2.0),
    )  # fmt: skip


def test_what_a_kind_of_column_cannot_have_is_not_said_of_it(tmp_path: Path, profile: Profile) -> None:
    rules = load(tmp_path / "o.yml", 'features: { "*": { range: [0, 1], allowed: [a], weight: 1 } }')
    said = dict(zip((column.name for column in profile.features), overrides.on(rules, profile)[0], strict=True))
    assert said["amount"] == Override(range=(0.0, 1.0), weight=1.0)
    assert said["town"] == Override(allowed=("a",), weight=1.0)


@pytest.mark.parametrize(("rule", "severity"), [
    (Override(), ""), (Override(severity="ticket"), "ticket"), (Override(severity="page"), "page"),
    (Override(severity="ignore"), "ignore"),
    (Override(severity="page", snooze_until=101.0), "ignore"), (Override(severity="page", snooze_until=100.0), "page"),
    (Override(snooze_until=50.0), ""), (Override(ignore=True, severity="page"), "ignore"),
])  # fmt: skip
def test_a_snooze_lasts_until_its_moment_and_what_is_said_counts_then(rule: Override, severity: str) -> None:
    assert rule.severity_at(100.0) == severity


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "o.yml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(DataError, match="larger than 1 MiB"):
        overrides.load(str(tmp_path / "o.yml"))


ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([one.name for one in dataclasses.fields(Override)]), ANY)
def test_any_value_is_understood_or_refused(word: str, value: Any) -> None:
    try:
        found = overrides.parse({"features": {"a": {word: value}}})
    except overrides._Fault as fault:
        assert str(fault).startswith(f"features.a.{word}")  # noqa: PT017 (either is right)
    else:
        assert found.feature("a").said().keys() <= {word}
