"""What traffic shows of chance goes into overrides: from recorded requests, and by itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from calibrated import MONDAY, Traffic, trained
from support import command

from exporter import cli
from exporter.errors import ConfigError, DataError
from exporter.evidence.engine import Engine
from exporter.evidence.standing import OVERRIDES
from exporter.evidence.streams import of_column
from exporter.evidence.terms import Terms
from exporter.override import Override
from exporter.profile import calibrate, overrides, overrides_file, recorded
from exporter.profile.build import Plan, build
from exporter.profile.calibrate import Calibration, Shown
from exporter.profile.terminal import Paper
from exporter.reference import Profile

SESSIONS = 9.0
"""E[s²] / E[s] of geometric sizes of mean 5."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calibrate") / "profile.json"


@pytest.fixture(scope="module")
def profile(path: Path) -> Profile:
    return trained(path)


def found_in(profile: Profile, *tables: Any, **plan: Any) -> Calibration:
    return recorded.calibrate([Plan(str(table), time="when", **plan) for table in tables], profile)


def shown(found: Calibration) -> dict[str, Shown]:
    return {one.name: one for one in found.columns}


def test_rows_that_come_in_sessions_are_as_dependent_as_these_are_long(profile: Profile, tmp_path: Path) -> None:
    Traffic(72).draw(1).to_parquet(tmp_path / "live.parquet")
    found = found_in(profile, tmp_path / "live.parquet")
    assert found.hours == 72
    assert found.rows == len(pd.read_parquet(tmp_path / "live.parquet"))
    for one in found.columns:
        assert one.dependence == pytest.approx(SESSIONS, rel=0.1), one.name
        assert one.wander < 0.03, "chance in hours of so few sessions is no wander"
        assert one.skew < one.critical


def test_independent_rows_count_each_by_itself(profile: Profile, tmp_path: Path) -> None:
    Traffic(48, 50, 1).draw(2).to_parquet(tmp_path / "live.parquet")
    assert all(one.dependence < 1.08 for one in found_in(profile, tmp_path / "live.parquet").columns)


def test_a_daily_season_is_wander_of_what_has_it_alone_and_no_dependence(profile: Profile, tmp_path: Path) -> None:
    Traffic(72, 60, 1, season=0.2).draw(3).to_parquet(tmp_path / "live.parquet")
    by_name = shown(found := found_in(profile, tmp_path / "live.parquet"))
    assert by_name["town"].wander == pytest.approx(0.2 * 0.9, abs=0.03)
    assert by_name["town"].dependence < 1.1
    assert by_name["amount"].wander < 0.02
    assert by_name["town"].skew < by_name["town"].critical, "over whole days it is the training's"
    assert any("was nothing wrong in that time with town?" in line for line in calibrate.report(found, "x", Paper()))


def test_constant_skew_is_told_and_is_not_wander(profile: Profile, tmp_path: Path) -> None:
    Traffic(48, 40, 1, skew=0.15).draw(4).to_parquet(tmp_path / "live.parquet")
    town = shown(found := found_in(profile, tmp_path / "live.parquet"))["town"]
    assert town.skew == pytest.approx(0.15, abs=0.02)
    assert town.skew > town.critical
    assert town.wander < 0.02
    (line,) = [line for line in calibrate.report(found, "live", Paper()) if "town" in line]
    assert "skew 1" in line
    assert "beyond" in line


def test_neither_the_order_of_rows_nor_how_they_are_shared_out_shows(profile: Profile, tmp_path: Path) -> None:
    frame = Traffic(30).draw(5)
    mixed = frame.sample(frac=1, random_state=1)
    frame.to_parquet(tmp_path / "whole.parquet")
    mixed[:7000].to_csv(tmp_path / "one.csv", index=False)
    mixed[7000:].to_json(tmp_path / "two.jsonl", orient="records", lines=True, double_precision=15)
    whole = found_in(profile, tmp_path / "whole.parquet")
    assert found_in(profile, tmp_path / "one.csv", tmp_path / "two.jsonl") == whole
    assert found_in(profile, tmp_path / "two.jsonl", tmp_path / "one.csv") == whole


def test_a_column_that_traffic_lacks_is_left_out_and_named(profile: Profile, tmp_path: Path) -> None:
    frame = Traffic(30).draw(6)
    frame.drop(columns=["town", "p"]).to_parquet(tmp_path / "asked.parquet")
    found = found_in(profile, tmp_path / "asked.parquet")
    assert found.absent == ("town", "p")
    assert [one.name for one in found.columns] == ["amount"]
    assert any("left out: town, p" in line for line in calibrate.report(found, "x", Paper()))
    frame[["when", "p"]].to_parquet(tmp_path / "answered.parquet")
    both = shown(found_in(profile, tmp_path / "asked.parquet", tmp_path / "answered.parquet"))
    assert both["amount"] == shown(found)["amount"], "each table counts what it has"
    assert both["p"].dependence == pytest.approx(both["amount"].dependence, rel=0.02)


def test_rows_without_a_time_are_told_of(profile: Profile, tmp_path: Path) -> None:
    frame = Traffic(30).draw(7)
    frame.loc[::10, "when"] = np.nan
    frame.to_parquet(tmp_path / "live.parquet")
    found = found_in(profile, tmp_path / "live.parquet")
    assert found.rows == frame["when"].notna().sum()
    assert found.notes == (f"{frame['when'].isna().sum():,} rows without a time are in no hour",)


@pytest.mark.parametrize(
    ("plan", "fault", "words"),
    [
        ({"time": "at"}, DataError, "no column 'at', which --time names"),
        ({"time": "town"}, DataError, "column 'town', row 1: '.*' is no time"),
        ({"time": "when", "zone": "Berlin"}, ConfigError, "no time zone is called 'Berlin'"),
    ],
)
def test_times_that_are_none_are_named(
    profile: Profile, tmp_path: Path, plan: Any, fault: type[Exception], words: str
) -> None:
    source = str(tmp_path / "live.parquet")
    Traffic(1).draw(1).to_parquet(source)
    with pytest.raises(fault, match=words):
        recorded.calibrate([Plan(source, **plan)], profile)


def test_a_table_without_any_time_or_that_is_not_there_is_named(profile: Profile, tmp_path: Path) -> None:
    Traffic(1).draw(1).assign(when=np.nan).to_parquet(tmp_path / "live.parquet")
    with pytest.raises(DataError, match="column 'when' holds no time"):
        found_in(profile, tmp_path / "live.parquet")
    with pytest.raises(ConfigError, match=r"nothing\.csv"):
        found_in(profile, tmp_path / "nothing.csv")


def test_embeddings_and_features_as_one_are_measured_as_far_as_their_fields_are_there(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    columns = {name: random.normal(size=3000) for name in ("a", "b", "c", "e_0", "e_1", "e_2")}
    train = pd.DataFrame(columns | {"p": columns["a"]})
    train.to_parquet(tmp_path / "train.parquet")
    plan = Plan(str(tmp_path / "train.parquet"), ["p"], embeddings={"e": "e_*"}, together=True)
    whole, _ = build(plan)
    assert whole.together is not None
    live = train.assign(when=MONDAY + random.integers(0, 30 * 3600, 3000))
    live.to_parquet(tmp_path / "live.parquet")
    all_names = {column.name for column in (*whole.features, *whole.outputs)}
    assert shown(found_in(whole, tmp_path / "live.parquet")).keys() == all_names
    live.drop(columns=["e_1", "b"]).to_parquet(tmp_path / "less.parquet")
    less = found_in(whole, tmp_path / "less.parquet")
    assert shown(less).keys() == {"a", "c", "p"}
    assert {*less.absent} == all_names - {"a", "c", "p"}


# --- the file


COLUMNS = (Shown("features", "amount", 9.12345, 0.0213456, 0, 0), Shown("outputs", "p", 1.0, 0.0, 0, 0))
EXISTING = """
# the team's own
features:
  amount: &money { range: [0, 1e4], owner: payments, dependence: 2, severity: page }
  total: *money
  "x[0]": { ignore: true }
  "*": { snooze_until: 2026-12-24, weight: 2 }
outputs:
  q: { snooze_until: "2026-12-24T12:00:00+01:00", tolerance: 0.1 }
"""


def test_what_was_measured_stands_in_rules_of_the_columns_own() -> None:
    text = overrides_file.text(overrides_file.merged({}, COLUMNS), ["from traffic"])
    assert text == (
        "# from traffic\nfeatures:\n  amount: {dependence: 9.123, wander: 0.02135}\n"
        "outputs:\n  p: {dependence: 1.0, wander: 0.0}\n"
    )
    rules = overrides.loads(text.encode(), "o")
    assert rules.feature("amount") == Override(dependence=9.123, wander=0.02135)
    assert rules.output("p") == Override(dependence=1.0, wander=0.0)


def test_a_merge_keeps_everything_else_that_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "o.yml").write_text(EXISTING)
    before = overrides.load(str(tmp_path / "o.yml"))
    document = overrides_file.merged(overrides_file.existing(str(tmp_path / "o.yml")), COLUMNS)
    overrides_file.save(str(tmp_path / "n.yml"), overrides_file.text(document, []))
    after = overrides.load(str(tmp_path / "n.yml"))
    for name in ("total", "x[0]", "other", "*"):
        assert after.feature(name) == before.feature(name)
    assert after.output("q") == before.output("q")
    said = before.feature("amount").said() | {"dependence": 9.123, "wander": 0.02135}
    assert after.feature("amount").said() == said
    assert after.output("p").said() == {"dependence": 1.0, "wander": 0.0}
    assert list(after.features) == list(before.features), "an earlier pattern comes before a later one"
    assert "snooze_until: 2026-12-24" in (tmp_path / "n.yml").read_text()


def test_calibrating_again_changes_nothing_but_what_was_measured_anew() -> None:
    once = overrides_file.merged({}, COLUMNS)
    assert overrides_file.merged(once, COLUMNS) == once
    again = overrides_file.merged(once, [COLUMNS[0]._replace(dependence=4.0)])
    assert again == {
        "features": {"amount": {"dependence": 4.0, "wander": 0.02135}},
        "outputs": {"p": {"dependence": 1.0, "wander": 0.0}},
    }


def test_evidence_rests_on_the_overrides_from_the_first_pane(profile: Profile) -> None:
    document = overrides_file.merged({}, [
        Shown("features", "amount", 9.0, 0.04, 0, 0), Shown("features", "town", 4.0, 0.0, 0, 0),
    ])  # fmt: skip
    rules = overrides.on(overrides.parse(document), profile)[0]
    streams = [of_column(column, rule) for column, rule in zip(profile.features, rules, strict=True)]
    engine = Engine(streams, Terms())
    engine.pane(np.ones((2, max(len(one.counts) for one in streams)), np.int64), MONDAY)
    told = engine.told(MONDAY + 60)
    assert told
    assert told.source.tolist() == [OVERRIDES, OVERRIDES]
    assert told.dependence.tolist() == [9.0, 4.0]
    assert told.tolerance[0] == pytest.approx(1.5 * 0.04 + (profile.features[0].reference_error or 0))
    assert told.tolerance[1] == pytest.approx(0.03 + (profile.features[1].reference_error or 0)), "no careful default"


# --- the command


def run(*words: object) -> Any:
    return command("profile", "calibrate", *map(str, words))


def test_the_command_writes_overrides_that_serve_and_check_take(profile: Profile, path: Path, tmp_path: Path) -> None:
    Traffic(30, skew=0.2).draw(8).to_csv(tmp_path / "live.csv", index=False)
    (tmp_path / "o.yml").write_text("features: { amount: { severity: page } }\n")
    done = run(
        path, tmp_path / "live.csv", "--time", "when", "--output", tmp_path / "n.yml", "--merge", tmp_path / "o.yml"
    )
    assert done.returncode == 0, done.stderr
    assert "30 hours compared" in done.stdout
    assert "town: dependence 8" in done.stdout or "town: dependence 9" in done.stdout
    assert "skew 1" in done.stdout or "skew 2" in done.stdout
    text = (tmp_path / "n.yml").read_text()
    assert text.startswith("# Written by `inference-exporter profile calibrate` at ")
    assert f"churn 7, profile {profile.short_digest},\n# from {tmp_path / 'live.csv'}: " in text
    rules = overrides.load(str(tmp_path / "n.yml"))
    assert rules.feature("amount").severity == "page"
    assert 8 < (rules.feature("amount").dependence or 0) < 10
    checked = command("profile", "check", str(path), "--overrides", str(tmp_path / "n.yml"))
    assert checked.returncode == 0, checked.stderr
    assert "amount: dependence " in checked.stdout


@pytest.mark.usefixtures("profile")
def test_too_little_traffic_is_refused_unless_forced(path: Path, tmp_path: Path) -> None:
    Traffic(5).draw(9).to_csv(tmp_path / "live.csv", index=False)
    words = (path, tmp_path / "live.csv", "--time", "when", "--output", tmp_path / "o.yml")
    refused = run(*words)
    assert refused.returncode == 65
    assert "too little traffic" in refused.stderr
    assert "1,000 rows in 24 hours are needed" in refused.stderr
    assert not (tmp_path / "o.yml").exists()
    assert run(*words, "--force").returncode == 0
    assert overrides.load(str(tmp_path / "o.yml")).features.keys() == {"amount", "town"}


def test_a_thousand_rows_are_needed_too() -> None:
    calibrate.require_enough(Calibration((), (), 1000, 24, 0, 86400))
    for rows, hours in ((999, 24), (1000, 23)):
        with pytest.raises(DataError, match="too little traffic"):
            calibrate.require_enough(Calibration((), (), rows, hours, 0, 86400))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which traffic?"),
        (("t.csv",), "--time: which column"),
        (("t.csv", "--time", "when", "--prometheus.url", "http://p:9090"), "which traffic?"),
        (("t.csv", "--time", "when", "--step", "1m"), "--step: says nothing of tables"),
        (("t.csv", "--time", "when", "--prometheus.bearer-token-file", "x"), "--prometheus.bearer-token-file: says"),
        (("--prometheus.url", "http://p:9090", "--time-zone", "UTC"), "--time-zone: says nothing of a Prometheus"),
        (("--prometheus.url", "http://p:9090", "--step", "soon"), "--step: must be a duration"),
        (("--prometheus.url", "http://p:9090", "--step", "20m"), "--step: must be 15m at most"),
        (("--prometheus.url", "http://p:9090", "--range", "30m"), "--range: must be 1 to 2,160 times 3600 s"),
        (("--prometheus.url", "http://p:9090", "--selector", 'job="x"'), "--selector: must be in braces"),
        (("--prometheus.url", "http://p:9090", "--prometheus.header", "x"), "--prometheus.header: must be NAME=VALUE"),
        (("--prometheus.url", "p:9090"), "must be such as http://prometheus:9090"),
        (("t.csv", "--time", "when", "--merge", "/nowhere/o.yml"), "cannot read /nowhere/o.yml"),
    ],
)
@pytest.mark.usefixtures("profile")
def test_what_cannot_be_meant_is_refused_at_once(
    path: Path, tmp_path: Path, words: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["profile", "calibrate", str(path), *words, "--output", str(tmp_path / "o.yml")])
    assert code == 64
    assert said in capsys.readouterr().err
