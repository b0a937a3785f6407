"""Notifications as Alertmanager gives them to its templates, for the tests of these."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from support import tool

TEMPLATES: Final = Path(__file__).parents[1] / "alert_rules" / "notifications.tmpl"
TEXTS: Final = (
    "title", "line", "subject", "text", "slack.title", "slack.text", "severity",
    "runbook_url", "dashboard_url", "silence_url",
)  # fmt: skip
GROUPED_BY: Final = ("alertname", "cluster", "namespace", "job", "model", "owner")
URL: Final = "http://alertmanager.example.org:9093"
DRIFT: Final = (
    "Model fraud 7 (models, namespace shop, cluster eu): Feature amount (22.0 nats): 41 % of its values changed bin "
    'since 02:14 UTC, 20/20 replicas, most of all "above 1200" (+41 points); amount looks ×100. '
    "PSI 0.62 (noise 0.004), n 12400 in 5m. Evidence 1.8 × page line (19.3 nats, the mean of 20 "
    "replicas). Predictions (score, median) 0.12 → 0.31. Coverage 99 %."
)
_LABELS: Final = {
    "alertname": "ModelDrift", "severity": "critical", "cluster": "eu", "namespace": "shop", "job": "models",
    "model": "fraud", "model_version": "7", "profile": "0a1b2c3d", "owner": "risk",
}  # fmt: skip
_ANNOTATIONS: Final = {
    "summary": "What a model is asked or answers has drifted from its training data.",
    "description": DRIFT,
    "runbook_url": "https://example.org/runbooks.md#modeldrift",
    "dashboard_url": "http://grafana:3000/d/model-health?var-model=fraud&var-version=7&from=1795399200000&to=1795410000000",
}
Alert = dict[str, Any]


def alert(*, ended: bool = False, annotations: Mapping[str, str | None] | None = None, **labels: str | None) -> Alert:
    """An alert that fires or has ended; what is given as None it has not."""
    return {
        "status": "resolved" if ended else "firing",
        "labels": _with(_LABELS, labels),
        "annotations": _with(_ANNOTATIONS, annotations or {}),
        "startsAt": "2026-11-23T02:20:11Z",
        "endsAt": "2026-11-24T03:40:00Z" if ended else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0123456789abcdef",
    }


def _with(usual: Mapping[str, str], given: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**usual, **given}.items() if value is not None}


def notification(alerts: Sequence[Alert]) -> dict[str, Any]:
    """What is sent of a group of alerts, as the shipped routes group them."""
    first = alerts[0]["labels"]
    return {
        "receiver": "pager",
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "alerts": [*alerts],
        "groupLabels": {name: first[name] for name in GROUPED_BY if name in _common(alerts, "labels")},
        "commonLabels": _common(alerts, "labels"),
        "commonAnnotations": _common(alerts, "annotations"),
        "externalURL": URL,
    }


def _common(alerts: Sequence[Alert], of: str) -> dict[str, str]:
    return {name: value for name, value in alerts[0][of].items() if all(one[of].get(name) == value for one in alerts)}


def rendered(
    directory: Path, alerts: Sequence[Alert], names: Sequence[str] = TEXTS, kind: str = "text", externally: str = URL
) -> dict[str, str]:
    """What amtool makes of each template, where Alertmanager's own address is that one."""
    (directory / "data.json").write_text(json.dumps(notification(alerts) | {"externalURL": externally}))
    mark = "\x1e"
    asked = mark.join(f'{{{{ template "inference_exporter.{name}" . }}}}' for name in names)
    done = subprocess.run(
        [tool("amtool", "prometheus-alertmanager"), "template", "render", f"--template.glob={TEMPLATES}",
         f"--template.type={kind}", f"--template.text={asked}", f"--template.data={directory / 'data.json'}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(names, done.stdout.split(mark), strict=True))
