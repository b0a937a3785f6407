"""The Helm chart as Helm renders it: valid for Kubernetes, with words for what is wrong, no larger than it may be."""

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft7Validator

from deploy import charts
from deploy.charts import ALL, CHART, MONITORING, NAME, ROOT, Document, documents, named, texts

pytestmark = pytest.mark.deploy
VERSIONS = ("1.29", kubernetes_validate.latest_version())
ORDINARY = ALL | {"nativeSidecar": False}
MADE = runpy.run_path(str(ROOT / "docs" / "chart.py"))
"""What `make docs` writes of the chart."""
FEW = {"server": {"enabled": True, "image": "model-server:1"}}

_TOLD = {name: charts.RECEIVERS[name] for name in ("pager", "tickets")}
LEAST_TOLD = {"alertmanagerConfig": {"enabled": True, "receivers": _TOLD}}


@pytest.fixture(params=[{}, FEW, ALL, ORDINARY], ids=["nothing", "a server", "everything", "ordinary container"])
def values(request: pytest.FixtureRequest) -> Any:
    return request.param


# --- what is rendered


def test_the_linter_finds_nothing_wrong(values: Document) -> None:
    found = helm_python.lint(CHART, values, strict=True, kube_version="v1.30.0")
    assert found["total_charts_linted"] == 1
    assert [one["error"] for one in found["messages"]] == ["icon is recommended"]  # a wish, not a fault


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_all_that_is_made(values: Document, version: str) -> None:
    for one in documents(values):
        if not one["apiVersion"].startswith(MONITORING):
            kubernetes_validate.validate(one, version, strict=True)


def test_a_word_that_kubernetes_does_not_know_is_found() -> None:
    wrong = named(documents(ALL), "Deployment", NAME)
    wrong["spec"]["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="ressources"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_without_values_there_are_settings_and_nothing_else() -> None:
    (one,) = documents({})
    assert (one["kind"], one["metadata"]["name"], one["metadata"]["namespace"]) == (
        "ConfigMap", "shop-inference-exporter", "models",
    )  # fmt: skip
    assert yaml.safe_load(one["data"]["exporter.yml"]) == {"upstream": "http://127.0.0.1:8080"}


def test_everything_can_be_told_by_labels_and_no_name_is_there_twice(values: Document) -> None:
    found = [*documents(values)]
    for one in found:
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "shop"
        assert labels["helm.sh/chart"] == f"{NAME}-{charts.chart().version}"
    names = [(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]) for one in found]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name) for *_, name in names)


def test_names_stay_names_under_a_long_release() -> None:
    for one in documents(ALL, release="a-release-whose-name-is-as-long-as-helm-lets-it-be--"):
        assert len(one["metadata"]["name"]) <= 63 or one["kind"] in {"ConfigMap", "PrometheusRule"}


def test_a_full_name_of_ones_own_is_everybodys() -> None:
    assert {one["metadata"]["name"].partition("-")[0] for one in documents(ALL | {"fullnameOverride": "churn"})} == {
        "churn"
    }


def test_no_line_ends_with_blanks(values: Document) -> None:
    ours = {name: text for name, text in texts(values).items() if "prometheusrule" not in name}
    assert not [name for name, text in ours.items() if re.search(r"[ \t]$", text, re.MULTILINE)]


# --- what is refused


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"podMonitr": {}}, "podMonitr"),
        ({"server": {"enable": True}}, "enable"),
        ({"config": {"windows": {"lenghts": ["5m"]}}}, "lenghts"),
        ({"config": {"listen": "0.0.0.0:1"}}, "listen"),
        ({"fleet": {"config": {"selectr": ""}}}, "selectr"),
        ({"ports": {"relay": 0}}, "relay"),
        ({"nativeSidecar": "yes"}, "nativeSidecar"),
        ({"upstream": "127.0.0.1:8080"}, "upstream"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"podMonitor": {"interval": "30 s"}}, "interval"),
        ({"podMonitor": {"scope": "everything"}}, "scope"),
        ({"prometheusRule": {"exclude": ["hartbeat"]}}, "exclude"),
        ({"dashboards": {"exclude": ["model-flet"]}}, "exclude"),
        ({"networkPolicy": {"metricsFrom": [{"podSelectors": {}}]}}, "podSelectors"),
        ({"analyserMemoryLimit": "320Mi"}, "analyserMemoryLimit"),
        ({"fullnameOverride": "Churn_7"}, "fullnameOverride"),
        ({"podMonitor": {"endpoint": {"schema": "https"}}}, "schema"),
        ({"server": {"podDisruptionBudget": {"selector": {}}}}, "podDisruptionBudget"),
        ({"server": {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}}, "podDisruptionBudget"),
        ({"alertmanagerConfig": {"owners": ["tickets"]}}, "owners"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_name(given: Document, told: str) -> None:
    with pytest.raises(helm_python.HelmError, match=told):
        texts(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"server": {"enabled": True}}, "server.image: which image serves the model?"),
        ({"fleet": {"enabled": True}}, "fleet.prometheusUrl: which Prometheus"),
        ({"alertmanagerConfig": {"enabled": True}}, "alertmanagerConfig.receivers.tickets: who is told?"),
        (
            {"alertmanagerConfig": {"enabled": True, "receivers": charts.RECEIVERS, "owners": ["payments"]}},
            "alertmanagerConfig.receivers.risk: no route leads there",
        ),
    ],
    ids=["server", "fleet", "nobody", "no owner"],
)  # fmt: skip
def test_what_is_missing_is_told_in_words(given: Document, told: str) -> None:
    with pytest.raises(helm_python.HelmError, match=re.escape(told)):
        texts(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ports": {"relay": 9877}}, "ports: relay, metrics and health must be three different ones"),
        ({"server": {"port": 9876}}, "server.port: 9876 is the sidecar's own"),
        ({"existingConfigMap": "mine", "upstream": "http://127.0.0.1:1"}, "existingConfigMap: `config` and `upstream`"),
        ({"existingConfigMap": "mine", "config": {"model": {"name": "churn"}}}, "existingConfigMap: `config`"),
        ({"profile": "{}", "profileConfigMap": "mine"}, "profile: not together with profileConfigMap"),
        ({"server": FEW["server"], "drainSeconds": 60}, "drainSeconds: pods are killed after"),
        (
            {"podMonitor": {"sampleLimit": 100}, "config": {"metrics": {"sample_limit": 200}}},
            "podMonitor.sampleLimit: a scrape over it fails whole",
        ),
        ({"podMonitor": {"interval": "10s", "scrapeTimeout": "15s"}}, "podMonitor.scrapeTimeout"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_values_that_cannot_all_be_meant_are_told(given: Document, told: str) -> None:
    with pytest.raises(helm_python.HelmError, match=re.escape(told)):
        texts(given)


@pytest.mark.parametrize(
    "given",
    [
        {"existingConfigMap": "mine", "sink": {"enabled": True}, "config": {"model": {"name": "churn"}}},
        {"podMonitor": {"sampleLimit": 200}, "config": {"metrics": {"sample_limit": 200}}},
        {"podMonitor": {"interval": "1m", "scrapeTimeout": "50s"}},
        {"config": None, "fleet": {"enabled": True, "prometheusUrl": "http://prometheus", "config": None}},
    ],
    ids=["settings of the sink", "as many samples", "other units", "a word with nothing behind it"],
)
def test_values_that_go_together_are_taken(given: Document) -> None:
    assert texts(given)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("v1.28.9", "nativeSidecar: Kubernetes v1.28.9 has no native sidecars"),
        ("v1.29.3", "server.preStop: Kubernetes v1.29.3 knows no `sleep`"),
    ],
    ids=["sidecar", "sleep"],
)
def test_a_kubernetes_that_would_do_something_else_is_told_so(
    version: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of the linter, for which nothing fails, it is in the log."""
    own = FEW["server"] | {"preStop": {"exec": {"command": ["sleep", "5"]}}}
    for values, is_told in ({"server": own} if "native" in told else FEW, True), (ORDINARY | {"server": own}, False):
        helm_python.lint(CHART, values, kube_version=version)
        assert (told in capfd.readouterr().err) is is_told


def test_the_schema_knows_every_value_and_no_other() -> None:
    def named_by(schema: Document, prefix: str = "") -> set[str]:
        found = set()
        for name, one in schema["properties"].items():
            inner = one.get("properties")
            open_to_all = name in {"config", "endpoint", "podDisruptionBudget"} or inner is None
            found |= {prefix + name} if open_to_all else named_by(one, f"{prefix}{name}.")
        return found

    def said(values: Document, known: set[str], prefix: str = "") -> set[str]:
        found = set()
        for name, one in values.items():
            is_leaf = prefix + name in known or not isinstance(one, dict)
            found |= {prefix + name} if is_leaf else said(one, known, f"{prefix}{name}.")
        return found

    known = named_by(json.loads((CHART / "values.schema.json").read_text()))
    assert said(yaml.safe_load((CHART / "values.yaml").read_text()), known) == known - {"global", "enabled"}


def test_every_group_of_values_says_what_it_is() -> None:
    blocks = re.split(r"\n(?=\n|  # )", (CHART / "values.yaml").read_text())
    said = [block for block in blocks if re.search(r"^ *# ", block, re.MULTILINE)]
    assert {block.strip().partition("\n")[0] for block in blocks if block not in said} <= {
        "image:", "imagePullSecrets: []", "resources:", "podMonitor:", "prometheusRule:", "alertmanagerConfig:",
        "dashboards:", "networkPolicy:", "server:", "sink:", "fleet:", "tests:",
    }  # fmt: skip


def test_the_schema_is_one_and_knows_what_the_defaults_are() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    Draft7Validator(schema).validate(yaml.safe_load((CHART / "values.yaml").read_text()))


# --- the chart and the rest


def test_the_chart_has_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (charts.chart().version, charts.chart().metadata["appVersion"]) == (version, version)


def test_what_is_generated_is_what_would_be_generated() -> None:
    text = (CHART / "values.schema.json").read_text()
    assert MADE["schema"](text) == text
    assert (CHART / "alertmanagerconfig.yml").read_text() == MADE["routes"]()


@pytest.mark.parametrize(("folder", "pattern"), [("rules", "*.rules.yml"), ("dashboards", "*.json")])
def test_the_charts_copies_are_links_to_the_one_original(folder: str, pattern: str) -> None:
    originals = ROOT / {"rules": "alert_rules", "dashboards": "dashboards"}[folder]
    found = {path.name: path.resolve() for path in (CHART / folder).iterdir() if path.is_symlink()}
    assert found == {path.name: path for path in originals.glob(pattern)}


def test_a_package_holds_the_files_themselves_and_renders_the_same(tmp_path: Path) -> None:
    package = Path(helm_python.package(CHART, destination=tmp_path))
    assert package.name == f"{NAME}-{charts.chart().version}.tgz"
    assert texts(ALL, package) == texts(ALL)


def test_a_release_fits_into_the_secret_that_helm_keeps_it_in() -> None:
    """A Secret holds 1 MiB: with every rule, every dashboard and a large profile a quarter is left."""
    assert charts.kept(ALL) < 768 * 1024


def test_what_is_made_fits_into_what_kubernetes_takes() -> None:
    for one in documents(ALL):
        assert len(json.dumps(one)) < 1_000_000
        if one["kind"] != "ConfigMap":  # `kubectl apply` keeps a copy in an annotation
            assert len(json.dumps(one)) < 256 * 1024


def test_the_dashboards_are_those_of_the_repository() -> None:
    found = {name: text for one in documents(ALL) if one["kind"] == "ConfigMap" for name, text in one["data"].items()}
    shipped = {path.name: path.read_text() for path in (ROOT / "dashboards").glob("*.json")}
    assert {name: text for name, text in found.items() if name.endswith(".json") and name != "profile.json"} == shipped
    one = named(documents(ALL), "ConfigMap", "-model-health")["metadata"]
    assert (one["namespace"], one["labels"]["grafana_dashboard"]) == ("monitoring", "1")
    assert one["annotations"] == {"grafana_folder": "Model monitoring"}


def test_what_is_left_out_is_left_out() -> None:
    exclude = {
        "prometheusRule": {"enabled": True, "exclude": ["heartbeat"]},
        "dashboards": {"enabled": True, "exclude": ["model-fleet"]},
    }
    names = {one["metadata"]["name"] for one in documents(exclude)}
    assert {"shop-inference-exporter-drift", "shop-inference-exporter-model-health"} <= names
    assert not {"shop-inference-exporter-heartbeat", "shop-inference-exporter-model-fleet"} & names


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "There is no pod yet."),
        ({"server": FEW["server"] | {"bypass": True}}, "NOW IT IS NOT"),
        ({"sink": {"enabled": True}}, "Whoever reaches that writes the numbers"),
        (FEW, "Nobody scrapes it yet"),
        (ALL, "once for each Prometheus"),
        (LEAST_TOLD, "Nobody is told of what goes to the receiver `heartbeat`"),
    ],
    ids=["nothing", "bypass", "open", "unscraped", "rules", "receivers"],
)  # fmt: skip
def test_notes_say_what_to_do_next(given: Document, said: str) -> None:
    assert said in texts(given)["templates/NOTES.txt"]
