"""The Helm chart: what it renders, through Helm's own library, and what Helm would keep of it."""

import functools
import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from helm_python import Chart

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "inference-exporter"
NAME: Final = "inference-exporter"
MONITORING: Final = "monitoring.coreos.com/"
"""What the API versions of Prometheus Operator begin with."""

Document = dict[str, Any]

RECEIVERS: Final[Document] = {
    "pager": {"pagerdutyConfigs": [{"routingKey": {"name": "alerting", "key": "pagerduty"}}]},
    "tickets": {"slackConfigs": [{"apiURL": {"name": "alerting", "key": "slack"}, "channel": "#model-tickets"}]},
    "info": {"webhookConfigs": [{"url": "http://127.0.0.1:9099/info", "sendResolved": False}]},
    "heartbeat": {"webhookConfigs": [{"urlSecret": {"name": "alerting", "key": "heartbeat"}}]},
    "payments": {"emailConfigs": [{"to": "payments@example.org", "authPassword": {"name": "alerting", "key": "smtp"}}]},
    "payments-pager": {"pagerdutyConfigs": [{"routingKey": {"name": "alerting", "key": "payments"}}]},
    "risk": {"webhookConfigs": [{"url": "http://127.0.0.1:9099/risk"}]},
    "risk-pager": {"webhookConfigs": [{"url": "http://127.0.0.1:9099/risk-pager"}]},
}
ALL: Final[Document] = {
    "image": {"repository": "registry.example/inference-exporter", "digest": "sha256:" + 64 * "0"},
    "imagePullSecrets": [{"name": "pull"}],
    "profile": '{"name": "a profile"}\n',
    "config": {"model": {"name": "churn", "version": "7"}, "windows": {"lengths": ["5m", "1h"]}},
    "shareProcessNamespace": True,
    "extraArgs": ["--workers=2"],
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "serviceAccount": {"create": True, "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/profiles"}},
    "podMonitor": {
        "enabled": True, "labels": {"release": "kube-prometheus-stack"}, "sampleLimit": 12000,
        "relabelings": [{"targetLabel": "team", "replacement": "risk"}],
        "endpoint": {"scheme": "https", "basicAuth": {"username": {"name": "watch", "key": "user"}}},
    },
    "prometheusRule": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}, "annotations": {"by": "us"}},
    "alertmanagerConfig": {
        "enabled": True, "labels": {"alertmanager": "main"}, "owners": ["payments", "risk"], "receivers": RECEIVERS,
        "planned": [{"weekdays": ["sunday"], "times": [{"startTime": "02:00", "endTime": "04:00"}]}],
    },
    "dashboards": {"enabled": True, "namespace": "monitoring"},
    "networkPolicy": {"enabled": True, "clients": [{"podSelector": {"matchLabels": {"app": "shop"}}}]},
    "server": {
        "enabled": True, "image": "model-server:1", "replicas": 2, "command": ["serve"], "args": ["--port=8080"],
        "env": [{"name": "MODEL", "value": "churn"}], "envFrom": [{"configMapRef": {"name": "more"}}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "startupProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}},
        "volumes": [{"name": "model", "emptyDir": {}}], "volumeMounts": [{"name": "model", "mountPath": "/model"}],
        "podLabels": {"team": "risk"}, "podAnnotations": {"team": "risk"}, "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
        ],
        "priorityClassName": "high", "podDisruptionBudget": {"maxUnavailable": 1},
        "service": {"type": "NodePort", "annotations": {"team": "risk"}},
    },
    "sink": {
        "enabled": True, "tokenSecret": {"name": "events"}, "podLabels": {"team": "risk"},
        "podAnnotations": {"team": "risk"}, "service": {"annotations": {"team": "risk"}},
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kserve"}}}],
        "nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}],
    },
    "fleet": {
        "enabled": True, "prometheusUrl": "http://prometheus.monitoring:9090",
        "config": {"by": ["cluster", "namespace"]}, "nodeSelector": {"disk": "ssd"},
    },
}  # fmt: skip
"""Everything that can be switched on."""


class Reader(yaml.CSafeLoader):
    """A key that is said twice is an error, as Kubernetes takes it for one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        assert len(set(keys)) == len(keys), node.start_mark
        return super().construct_mapping(node, deep)


@functools.cache
def chart(path: Path = CHART) -> Chart:
    return Chart.load(path)


def texts(values: Document, path: Path = CHART, release: str = "shop") -> dict[str, str]:
    """By the file's name."""
    made = chart(path).render(values, name=release, namespace="models")
    return {name.partition("/")[2]: text for name, text in made.items()}


def documents(values: Document, path: Path = CHART, release: str = "shop") -> Iterator[Document]:
    """Anew for whoever may change them: to read so much YAML takes a second."""
    return iter(json.loads(_read(json.dumps(values), path, release)))


@functools.cache
def _read(values: str, path: Path, release: str) -> str:
    made = texts(json.loads(values), path, release)
    manifests = [text for name, text in made.items() if not name.endswith("NOTES.txt")]
    return json.dumps([one for text in manifests for one in yaml.load_all(text, Reader) if one])


def named(found: Iterator[Document], kind: str, ending: str = "") -> Document:
    """The only one of its kind with such a name."""
    (one,) = [each for each in found if each["kind"] == kind and each["metadata"]["name"].endswith(ending)]
    return one


def kept(values: Document) -> int:
    """Bytes of the Secret in which Helm keeps a release: chart, values and what came of them."""
    loaded = chart()
    files = [
        {"name": one["name"], "data": b64encode(one["data"].encode()).decode()}
        for one in [*loaded.templates, *loaded.files]
    ]
    release = {
        "chart": {"metadata": loaded.metadata, "values": loaded.values, "schema": loaded.schema, "files": files},
        "config": values,
        "manifest": "".join(texts(values).values()),
    }
    return len(b64encode(gzip.compress(json.dumps(release).encode())))
