"""The files: a dashboard each, and what has Grafana read them as it starts."""

from collections.abc import Iterator
from typing import Final

from exporter.dashboards import grafana
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.choice import Choice

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
"""


def made(choice: Choice) -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    for board in BOARDS:
        yield f"{board.uid}.json", grafana.text(board, choice)
    yield PROVIDER, _PROVIDER.format(folder=choice.folder)
    yield SOURCE, _SOURCE.format(uid=choice.datasource or "prometheus")
