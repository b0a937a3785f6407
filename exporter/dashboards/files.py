"""The files: a dashboard each, and what has Grafana read them as it starts, or has Kubernetes hand them to it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from exporter.dashboards import grafana, links
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.choice import Choice
from exporter.errors import ConfigError

PROVIDER: Final = "provisioning/dashboards/inference-exporter.yml"
SOURCE: Final = "provisioning/datasources/prometheus.yml"
_PROVIDER: Final = """\
# Has Grafana read the dashboards, in a folder of their own. Put it into /etc/grafana/provisioning/dashboards/, and the
# files beside this directory into the path below.
apiVersion: 1
providers:
  - name: inference-exporter
    folder: {folder}
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: /var/lib/grafana/dashboards/inference-exporter
"""
_SOURCE: Final = """\
# The Prometheus to ask, if Grafana knows none yet. Put it into /etc/grafana/provisioning/datasources/. Its time
# interval is that of the scrapes: rates span four of them.
apiVersion: 1
datasources:
  - name: Prometheus
    uid: {uid}
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
    jsonData:
      httpMethod: POST
      timeInterval: 15s
      # Exemplars lead to traces at the address in TRACES_URL: Jaeger's http://HOST:16686/trace/, or Zipkin's
      # http://HOST:9411/zipkin/traces/. Of a data source of traces in this Grafana say datasourceUid in place of url.
      exemplarTraceIdDestinations:
        - name: trace_id
          url: ${{TRACES_URL}}$${{__value.raw}}
          urlDisplayLabel: Trace
"""
_MAP_ENDS: Final = ".configmap.yml"
_MADE_MAP: Final = "# Made by `inference-exporter dashboard`"
_MAP: Final = (
    _MADE_MAP
    + """ for the sidecar of Grafana's chart, which looks for the label and the annotation.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {uid}-dashboard
  labels:
    app.kubernetes.io/name: inference-exporter
    grafana_dashboard: "1"
  annotations:
    grafana_folder: {folder}
data:
  {uid}.json: |
{text}"""
)
_LARGEST_MAP: Final = 1_000_000
"""Kubernetes takes 1 MiB, of which names and annotations are a part."""
_BREAKS_YAML: Final = re.compile("[\x7f-\x84\x86-\x9f\x85\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON may have within its texts and a block of YAML may not."""


def made(choice: Choice) -> Iterator[tuple[str, str]]:
    """Name and text of each file that Grafana itself reads."""
    for board in BOARDS:
        yield f"{board.uid}.json", grafana.text(board, choice)
    # Grafana would look for a variable of its environment behind a single $.
    yield PROVIDER, _PROVIDER.format(folder=_quoted(choice.folder.replace("$", "$$")))
    yield SOURCE, _SOURCE.format(uid=_quoted(choice.datasource) if choice.datasource else "prometheus")


def config_maps(choice: Choice) -> Iterator[tuple[str, str]]:
    """Name and text of each file for Kubernetes: a dashboard each. ConfigError where one is too large for it."""
    for board in BOARDS:
        name = f"{board.uid}{_MAP_ENDS}"
        lines = _BREAKS_YAML.sub(_escaped, grafana.text(board, choice)).splitlines(keepends=True)
        text = _MAP.format(uid=board.uid, folder=_quoted(choice.folder), text="".join(f"    {line}" for line in lines))
        if len(text.encode()) > _LARGEST_MAP:
            raise ConfigError(f"--format configmap: {name} would be larger than Kubernetes takes: fewer --feature")
        yield name, text


FORMATS: Final[Mapping[str, Callable[[Choice], Iterator[tuple[str, str]]]]] = {
    "files": made, "configmap": config_maps,
}  # fmt: skip


def _quoted(text: str) -> str:
    """As YAML and JSON both have it, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def leftovers(directory: Path, documents: Mapping[str, str]) -> Iterator[Path]:
    """Files of an earlier version, of the same form: their dashboards would be shown beside what took their place."""
    is_made = _is_made_map if any(name.endswith(_MAP_ENDS) for name in documents) else _is_made_board
    for path in sorted(directory.glob(f"*{_MAP_ENDS}" if is_made is _is_made_map else "*.json")):
        if path.name not in documents and path.is_file() and is_made(path):
            yield path


def _is_made_map(path: Path) -> bool:
    return path.read_text(encoding="utf-8", errors="replace").startswith(_MADE_MAP)


def _is_made_board(path: Path) -> bool:
    """Those that people saved as their own can be edited."""
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict):
        return False
    return (found.get("uid"), found.get("tags"), found.get("editable")) == (path.stem, [links.TAG], False)
