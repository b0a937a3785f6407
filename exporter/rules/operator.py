"""What Prometheus Operator reads: a PrometheusRule for each file of rules, an AlertmanagerConfig for the example."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from exporter.errors import ConfigError

EXAMPLE: Final = "alertmanagerconfig.yml"
ALERTS: Final = "Model.+|InferenceExporter.+"
"""What the names of all our alerts are like: of others in the same namespace nothing is to be said."""
_ENDS: Final = ".prometheusrule.yml"
_MADE: Final = "# Made by `inference-exporter rules` for Prometheus Operator"
_RULE: Final = (
    _MADE
    + """: {file}, unchanged.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: inference-exporter-{name}
  labels:
    app.kubernetes.io/name: inference-exporter
{labels}spec:
{text}"""
)
_CONFIG: Final = (
    _MADE
    + """ of Alertmanager's example: receivers are to be yours, and secrets by reference.
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata:
  name: inference-exporter
  labels:
    app.kubernetes.io/name: inference-exporter
{labels}spec:
{text}"""
)
_MATCHER: Final = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"(.*)"\s*')
_NAME: Final = r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?"
_LABEL: Final = re.compile(rf"([a-z0-9][a-z0-9.-]{{0,252}}/)?{_NAME}=({_NAME})?", re.ASCII)


def rules(documents: Mapping[str, str], labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and text of a resource for each file of rules, whose text it holds as it is, only farther in."""
    said = _labels(labels)
    for file, text in documents.items():
        name = file.removesuffix(".rules.yml")
        inside = textwrap.indent(text, "  ")
        yield (
            f"{name.replace('_', '-')}{_ENDS}",
            _RULE.format(file=file, name=name.replace("_", "-"), labels=said, text=inside),
        )


def example(alertmanager: str, labels: Iterable[str]) -> str:
    """The same for Alertmanager."""
    text = _yaml(spec(yaml.safe_load(alertmanager)))
    return _CONFIG.format(labels=_labels(labels), text=textwrap.indent(text, "  "))


def of_chart(alertmanager: str) -> str:
    """What the Helm chart makes one of; receivers are among its values, and `payments` stands for each owner."""
    found = spec(yaml.safe_load(alertmanager))
    del found["receivers"]
    return "# Made by `make docs` of alert_rules/alertmanager.yml.\n" + _yaml(found)


def _yaml(node: Any) -> str:  # noqa: ANN401 (YAML)
    return yaml.safe_dump(node, sort_keys=False, width=120, allow_unicode=True)


def leftovers(directory: Path, documents: Mapping[str, str]) -> Iterator[Path]:
    """Resources of an earlier version."""
    for path in sorted(directory.glob(f"*{_ENDS}")):
        if path.name not in documents and path.read_text(encoding="utf-8", errors="replace").startswith(_MADE):
            yield path


def _labels(given: Iterable[str]) -> str:
    """Lines of labels. ConfigError: Kubernetes would refuse one."""
    lines = []
    for one in given:
        if not _LABEL.fullmatch(one):
            raise ConfigError(f"--label: must be NAME=VALUE such as release=kube-prometheus-stack, not {one!r}")
        name, _, value = one.partition("=")
        lines.append(f'    {name}: "{value}"\n')
    return "".join(lines)


# --- Alertmanager's words and the Operator's


def spec(alertmanager: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of an AlertmanagerConfig (v1alpha1) that does what this configuration does, of our alerts."""
    top = {"matchers": [{"name": "alertname", "matchType": "=~", "value": ALERTS}]}
    return {
        "route": top | _route(alertmanager["route"]),
        "inhibitRules": [_inhibition(rule) for rule in alertmanager["inhibit_rules"]],
        "muteTimeIntervals": [_interval(one) for one in alertmanager["time_intervals"]],
        "receivers": [_camel(one) for one in alertmanager["receivers"]],
    }


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    found = {_word(key): value for key, value in route.items()}
    if "matchers" in found:
        found["matchers"] = [_matcher(text) for text in found["matchers"]]
    if "routes" in found:
        found["routes"] = [_route(one) for one in found["routes"]]
    return found


def _matcher(text: str) -> dict[str, str]:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ConfigError(f'{text}: is no matcher such as severity="critical"')
    return {"name": found[1], "matchType": found[2], "value": found[3]}


def _inhibition(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sourceMatch": [_matcher(text) for text in rule["source_matchers"]],
        "targetMatch": [_matcher(text) for text in rule["target_matchers"]],
        "equal": [*rule["equal"]],
    }


def _interval(interval: Mapping[str, Any]) -> dict[str, Any]:
    """The Operator knows no time zones, and days of a month as numbers."""
    found: dict[str, Any] = _camel(interval)
    for one in found["timeIntervals"]:
        if "location" in one:
            raise ConfigError(f"{interval['name']}: the Operator knows no location of a time interval: write it in UTC")
        if "daysOfMonth" in one:
            one["daysOfMonth"] = [_days(days) for days in one["daysOfMonth"]]
    return found


def _days(text: str) -> dict[str, int]:
    first, _, last = text.partition(":")
    return {"start": int(first), "end": int(last or first)}


def _camel(node: Any) -> Any:  # noqa: ANN401 (YAML)
    if isinstance(node, dict):
        return {_word(key): _camel(value) for key, value in node.items()}
    return [_camel(one) for one in node] if isinstance(node, list) else node


def _word(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
