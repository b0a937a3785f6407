"""`inference-exporter rules`: what it writes, what it leaves alone, what it says, and what it refuses."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from support import command, tool

from exporter.rules import files, rendering, tables, values

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "alert_rules"
RULES = sorted(path.name for path in SHIPPED.glob("*.rules.yml"))


def owner_of(directory: Path, alert: str) -> str:
    for path in directory.glob("*.rules.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == alert:
                    return str(rule["labels"]["owner"])
    raise AssertionError(alert)


def promtool(*words: str | Path) -> str:
    done = subprocess.run(
        [tool("promtool", "prometheus"), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_refused(*words: str, told: str) -> None:
    done = command("rules", *words)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("inference-exporter: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


# --- what is written


def test_the_files_in_the_repository_are_what_is_made() -> None:
    done = command("rules", "--check", str(SHIPPED))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_other_thresholds_it_writes_what_is_shipped_and_rules_only(tmp_path: Path) -> None:
    place = tmp_path / "made" / "here"
    done = command("rules", "--output", str(place))
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == [str(place / name) for name in RULES]
    assert {path.name: path.read_text() for path in place.iterdir()} == {
        name: (SHIPPED / name).read_text() for name in RULES
    }


def test_a_second_time_it_touches_nothing(tmp_path: Path) -> None:
    command("rules", "--output", str(tmp_path))
    for name in RULES:
        os.utime(tmp_path / name, (1, 1))
    (tmp_path / RULES[0]).write_text("groups: []\n")
    done = command("rules", "--output", str(tmp_path))
    assert str(tmp_path / RULES[0]) in done.stdout.splitlines()
    assert done.stdout.count("is as it should be") == len(RULES) - 1
    assert [path.name for path in tmp_path.glob("*.rules.yml") if path.stat().st_mtime > 1] == [RULES[0]]
    assert (tmp_path / RULES[0]).read_text() == (SHIPPED / RULES[0]).read_text()


def test_a_tuned_copy_says_what_differs_and_promtool_accepts_it(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("owners:\n  default: risk\n  exporter: platform\n")
    place = tmp_path / "rules"
    done = command(
        "rules", "--values", str(tmp_path / "own.yml"), "--set", "owners.exporter=sre", "--output", str(place)
    )
    assert done.returncode == 0, done.stderr
    for path in place.iterdir():
        head = path.read_text().split("# Made by")[0]
        assert head == (
            "# A tuned copy, made by `inference-exporter rules`. What differs:\n"
            "#   owners.default: risk (shipped: nobody)\n"
            "#   owners.exporter: sre (shipped: nobody)\n"
        )
    assert owner_of(place, "InferenceExporterDown") == "sre"
    assert "{{ else }}risk{{ end }}" in owner_of(place, "ModelDrift")
    promtool("check", "rules", "--lint=all", "--lint-fatal", *place.iterdir())


def moved(name: str, value: values.Value) -> values.Value:
    """Another one of its kind."""
    if isinstance(value, str) and value[:1].isdigit():
        return re.sub(r"\d+", lambda found: str(2 * int(found[0])), value)
    if isinstance(value, str):
        return f"https://{name}.example" if "://" in value else "somebody"
    return value / 2 if isinstance(value, float) else value + 1


def test_promtool_accepts_a_copy_in_which_every_threshold_is_another(tmp_path: Path) -> None:
    shipped = files.defaults()
    other = {name: moved(name, value) for name, value in shipped.items()}
    assert not {name for name in shipped if other[name] == shipped[name]}
    words = [word for name, value in other.items() for word in ("--set", f"{name}={value}")]
    done = command("rules", *words, "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    promtool("check", "rules", "--lint=all", "--lint-fatal", *tmp_path.iterdir())


SOURCE = """\
groups:
  - name: few
    rules:
      - alert: Few
        expr: things_total > <<few.things>>
        for: <<few.lasting>>
"""
CASES = """\
rule_files: [few.rules.yml]
tests:
  - interval: 1m
    input_series: [{ series: things_total, values: 5x20 }]
    alert_rule_test: [{ eval_time: 10m, alertname: Few, exp_alerts: [%s] }]
"""


@pytest.mark.parametrize(
    ("given", "fires"),
    [((), True), (("few.things=6",), False), (("few.lasting=1h",), False), (("few.things=4",), True)],
)
def test_a_tuned_threshold_decides_what_fires(tmp_path: Path, given: tuple[str, ...], fires: bool) -> None:
    shipped: dict[str, values.Value] = {"few.things": 4, "few.lasting": "5m"}
    own = values.tuned(shipped, values.of_words(given, shipped), "--set")
    (tmp_path / "few.rules.yml").write_text(rendering.rendered(SOURCE, "few.yml", own))
    (tmp_path / "few.test.yml").write_text(CASES % ("{}" if fires else ""))
    promtool("test", "rules", tmp_path / "few.test.yml")


BLIND = """\
rule_files: [fleet_process.rules.yml]
tests:
  - interval: 1m
    input_series: [{ series: inference_exporter_fleet_pane_timestamp_seconds, values: -540+60x60 }]
    promql_expr_test:
      - expr: count(ALERTS{alertname="InferenceExporterFleetBlind",alertstate="firing"}) or vector(0)
        eval_time: 1h
        exp_samples: [{ labels: "{}", value: %d }]
"""


@pytest.mark.parametrize(("given", "fires"), [([], 0), (["--set", "fleet_process.blind_seconds=300"], 1)])
def test_a_tuned_copy_of_the_shipped_rules_fires_as_it_is_tuned(tmp_path: Path, given: list[str], fires: int) -> None:
    assert command("rules", *given, "--output", str(tmp_path)).returncode == 0
    (tmp_path / "blind.test.yml").write_text(BLIND % fires)
    promtool("test", "rules", tmp_path / "blind.test.yml")


def test_examples_are_written_once_and_are_then_theirs(tmp_path: Path) -> None:
    done = command("rules", "--output", str(tmp_path), "--examples")
    assert done.returncode == 0
    assert (tmp_path / "alertmanager.yml").read_text() == (SHIPPED / "alertmanager.yml").read_text()
    (tmp_path / "alertmanager.yml").write_text("route: {}\n")
    done = command("rules", "--output", str(tmp_path), "--examples")
    assert f"{tmp_path / 'alertmanager.yml'} is yours" in done.stdout
    assert (tmp_path / "alertmanager.yml").read_text() == "route: {}\n"


def test_what_an_earlier_version_made_is_named_and_what_people_wrote_is_not(tmp_path: Path) -> None:
    (tmp_path / "old.rules.yml").write_text("# A tuned copy\n" + rendering.rendered("groups: []\n", "old.yml", {}))
    (tmp_path / "own.rules.yml").write_text("groups: []\n")
    done = command("rules", "--output", str(tmp_path))
    assert done.returncode == 0
    assert done.stderr == f"{tmp_path / 'old.rules.yml'} is made no more: remove it, or its rules go on\n"
    done = command("rules", "--check", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, f"{tmp_path / 'old.rules.yml'} is made no more\n")


def test_whether_a_directory_is_up_to_date_is_said_by_name_and_exit_code(tmp_path: Path) -> None:
    tuned = ("--set", "owners.default=risk")
    command("rules", *tuned, "--output", str(tmp_path))
    assert command("rules", *tuned, "--check", str(tmp_path)).returncode == 0
    first, second = tmp_path / RULES[0], tmp_path / RULES[1]
    first.write_text(first.read_text().replace("risk", "me"))
    second.unlink()
    before = sorted(path.name for path in tmp_path.iterdir())
    done = command("rules", *tuned, "--check", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    assert sorted(done.stdout.splitlines()) == [f"{first} is another", f"{second} is missing"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert command("rules", "--check", str(tmp_path)).stdout.count("is another") == len(RULES) - 1


# --- what is printed


def test_the_thresholds_are_printed_as_people_wrote_them() -> None:
    assert command("rules").stdout == (SHIPPED / "values.yml").read_text()


def test_what_is_printed_is_what_values_takes(tmp_path: Path) -> None:
    words = ("--set", "owners.default=007", "--set", "urls.grafana=https://g.example/x")
    printed = command("rules", "--set", "owners.default=risk", *words[2:]).stdout
    assert "  # And of alerts about the exporters themselves.\n" in printed
    (tmp_path / "all.yml").write_text(printed)
    found = values.tuned(files.defaults(), values.of_file(str(tmp_path / "all.yml")), "all.yml")
    assert {name: value for name, value in found.items() if value != files.defaults()[name]} == {
        "owners.default": "risk",
        "urls.grafana": "https://g.example/x",
    }
    assert command("rules", "--values", str(tmp_path / "all.yml")).stdout == printed


def test_a_value_keeps_its_comment() -> None:
    text = "a:\n  # One.\n  few: 5 # things\n  many: 7\n"
    assert tables.commented(text, {"a.few": 6, "a.many": 0.5}) == "a:\n  # One.\n  few: 6 # things\n  many: 0.5\n"


# --- what is refused


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("owners.defalt=x", "--set: owners.defalt is no threshold; owners.default?"),
        ("owners.default", "--set owners.default: SECTION.NAME=VALUE is needed"),
        ("=x", "--set =x: SECTION.NAME=VALUE is needed"),
        ("owners.default=", "owners.default: a text without blanks, quotes, commas and brackets is needed, not ''"),
        ("owners.default=a b", "not 'a b' (default 'nobody')"),
        ("owners.default={{x", "not '{{x'"),
        ("owners.default=a,b", "not 'a,b'"),
        ("owners.default=[a]", "not '[a]'"),
        ("owners.default=#a", "not '#a'"),
        ("owners.default=null", "not 'null'"),
        ("owners.default=007", "not '007'"),
        ("owners.default=a:", "not 'a:'"),
        ("urls.grafana=grafana.example", "an address that begins with http:// or https:// is needed"),
        ("urls.grafana=http://", "an address that begins with http:// or https:// is needed"),
        ("urls.grafana=http://a/?orgId=1", "an address without ? and without / at its end is needed"),
        ("urls.grafana=http://a/", "an address without ? and without / at its end is needed"),
        ("urls.runbooks=https://a/b#c", "an address without # is needed"),
    ],
)
def test_what_is_no_threshold_or_no_value_of_one_is_refused_with_its_name(word: str, told: str) -> None:
    assert_refused("--set", word, told=told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5\n", "own.yml: a mapping of sections is needed"),
        ("owners: nobody\n", "own.yml: owners: a mapping of names is needed"),
        ("owners:\n  default: [a]\n", "own.yml: owners.default: a number, a duration or a text is needed"),
        ("owners:\n  default: yes\n", "own.yml: owners.default: a number, a duration or a text is needed"),
        ("owners:\n  default: 5\n", "own.yml: owners.default: a text without blanks"),
        ("owners:\n  default: a\n  default: b\n", "own.yml: not YAML: 'default' stands there twice"),
        ("owner:\n  default: a\n", "own.yml: owner.default is no threshold; owners.default?"),
        ("owners: {\n", "own.yml: not YAML: "),
    ],
)
def test_a_file_of_thresholds_that_is_none_is_refused_with_the_path_to_the_fault(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "own.yml").write_text(text)
    assert_refused("--values", str(tmp_path / "own.yml"), "--output", str(tmp_path / "out"), told=told)
    assert not (tmp_path / "out").exists()


def test_an_empty_file_of_thresholds_is_all_of_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("# nothing yet\n")
    assert command("rules", "--values", str(tmp_path / "own.yml"), "--check", str(SHIPPED)).returncode == 0


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    none, file = str(tmp_path / "none"), str(tmp_path / "file")
    assert_refused("--values", none, told=f"--values: cannot read {none}: No such file")
    assert_refused("--values", str(tmp_path), told=f"--values: cannot read {tmp_path}: Is a directory")
    assert_refused("--values", file, told=f"{file}: not YAML: ")
    assert_refused("--output", file, told=f"--output: cannot write {file}: File exists")
    assert_refused("--check", none, told=f"--check: no directory: {none}")
    (tmp_path / RULES[0]).mkdir()
    assert_refused("--check", str(tmp_path), told=f"--check: cannot read {tmp_path / RULES[0]}: Is a directory")


def test_flags_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    assert_refused("--output", str(tmp_path), "--check", str(tmp_path), told="not allowed with argument")
    assert_refused("--examples", told="--examples: --output is needed, too")
