"""`inference-exporter rules --format prometheusrule`: what it writes for Prometheus Operator, keeps, and refuses."""

from pathlib import Path

import pytest
import yaml

from exporter import cli
from exporter.errors import ConfigError
from exporter.rules import operator

SHIPPED = Path(__file__).parents[2] / "alert_rules"
FORMAT = ("--format", "prometheusrule")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["rules", *words]) == 64
    printed, told = capsys.readouterr()
    assert (printed, told.count("\n")) == ("", 1)
    return told.removeprefix("inference-exporter: ").strip()


def written(place: Path, *words: str) -> dict[str, str]:
    assert cli.main(["rules", *FORMAT, *words, "--output", str(place)]) == 0
    return {path.name: path.read_text() for path in place.iterdir()}


def test_each_file_of_rules_is_a_resource_of_its_own(tmp_path: Path) -> None:
    found = written(tmp_path)
    names = {path.name.removesuffix(".rules.yml").replace("_", "-") for path in SHIPPED.glob("*.rules.yml")}
    assert found.keys() == {f"{name}.prometheusrule.yml" for name in names}
    one = yaml.safe_load(found["fleet-process.prometheusrule.yml"])
    assert one["metadata"]["name"] == "inference-exporter-fleet-process"
    assert one["spec"] == yaml.safe_load((SHIPPED / "fleet_process.rules.yml").read_text())


def test_thresholds_of_ones_own_are_in_the_resources(tmp_path: Path) -> None:
    text = written(tmp_path, "--set", "owners.exporter=sre")["exporter.prometheusrule.yml"]
    assert "\n  #   owners.exporter: sre (shipped: nobody)\n" in text
    rules = [rule for group in yaml.safe_load(text)["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert "sre" in {rule["labels"]["owner"] for rule in rules}


def test_a_second_time_it_touches_nothing_and_check_says_what_was_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "--label", "release=main")
    words = ["rules", *FORMAT, "--label", "release=main"]
    assert cli.main([*words, "--check", str(tmp_path)]) == 0
    changed = tmp_path / "heartbeat.prometheusrule.yml"
    changed.write_text(changed.read_text().replace("vector(1)", "vector(2)"))
    (tmp_path / "older.prometheusrule.yml").write_text(changed.read_text())
    (tmp_path / "mine.prometheusrule.yml").write_text("kind: PrometheusRule\n")
    capsys.readouterr()
    assert cli.main([*words, "--check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{changed} is another", f"{tmp_path}/older.prometheusrule.yml is made no more",
    ]  # fmt: skip


def test_the_example_of_alertmanager_is_yours_once_it_is_there(tmp_path: Path) -> None:
    first = written(tmp_path, "--examples")["alertmanagerconfig.yml"]
    assert yaml.safe_load(first)["kind"] == "AlertmanagerConfig"
    (tmp_path / "alertmanagerconfig.yml").write_text("mine\n")
    assert written(tmp_path, "--examples")["alertmanagerconfig.yml"] == "mine\n"


@pytest.mark.parametrize(
    "label", ["release=kube-prometheus-stack", "a=", "example.org/team=risk", "a.b_c-d=0.1", "a=" + 63 * "x"]
)
def test_labels_that_kubernetes_takes_are_taken(tmp_path: Path, label: str) -> None:
    name, _, value = label.partition("=")
    text = written(tmp_path, "--label", label)["heartbeat.prometheusrule.yml"]
    assert yaml.safe_load(text)["metadata"]["labels"][name] == value


@pytest.mark.parametrize(
    "label", ["release", "=x", "a b=c", "a=-", "a=" + 64 * "x", "A.ORG/x=y", "a=b\n", "ä=b", "/a=b"]
)
def test_other_labels_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], label: str) -> None:
    told = refused(capsys, *FORMAT, "--label", label, "--output", str(tmp_path))
    assert told == f"--label: must be NAME=VALUE such as release=kube-prometheus-stack, not {label!r}"
    assert [*tmp_path.iterdir()] == []


def test_a_label_needs_a_resource(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, "--label", "release=main", "--output", str(tmp_path))
    assert told == "--label: only a PrometheusRule has labels: --format prometheusrule"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"route": {"receiver": "a", "matchers": ["severity"]}}, "is no matcher"),
        ({"time_intervals": [{"name": "x", "time_intervals": [{"location": "Europe/Vienna"}]}]}, "write it in UTC"),
    ],
    ids=["matcher", "location"],
)
def test_what_the_operator_cannot_say_is_refused(config: dict[str, object], told: str) -> None:
    whole = {"route": {"receiver": "a"}, "inhibit_rules": [], "time_intervals": [], "receivers": []}
    with pytest.raises(ConfigError, match=told):
        operator.spec(whole | config)


def test_days_of_a_month_are_ranges_of_numbers() -> None:
    days = [{"days_of_month": ["28", "1:5", "-3:-1"]}]
    made = operator.spec(
        {
            "route": {"receiver": "a"}, "inhibit_rules": [], "receivers": [],
            "time_intervals": [{"name": "x", "time_intervals": days}],
        }
    )  # fmt: skip
    assert made["muteTimeIntervals"][0]["timeIntervals"][0]["daysOfMonth"] == [
        {"start": 28, "end": 28}, {"start": 1, "end": 5}, {"start": -3, "end": -1},
    ]  # fmt: skip
