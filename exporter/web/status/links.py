"""Where a page leads to beside itself, as far as settings say where that is."""

from typing import Final, NamedTuple
from urllib.parse import urlencode

_DASHBOARD: Final = "model-health"
_FEATURE: Final = "model-feature"
"""Uids of dashboards, as in dashboards/."""


class Links(NamedTuple):
    """What others serve: their addresses without a slash at the end; empty where it is not known."""

    grafana: str = ""
    alertmanager: str = ""

    def dashboard(self, model: str, version: str, feature: str = "") -> str:
        """The dashboard of a model, or of one of its features."""
        words = {"var-model": model, "var-version": version} | ({"var-feature": feature} if feature else {})
        return f"{self.grafana}/d/{_FEATURE if feature else _DASHBOARD}?{_query(words)}"

    def alerts(self, model: str) -> str:
        """The alerts of a model that fire."""
        value = model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        wanted = '{model="' + value + '"}'
        return f"{self.alertmanager}/#/alerts?{_query({'filter': wanted})}"


def _query(words: dict[str, str]) -> str:
    return urlencode(words, errors="replace")
