# ruff: noqa: INP001 (a script, not a package)
"""Writes what the Helm chart has of the rest: Alertmanager's routes, and in its schema the names of all settings."""

import json
from pathlib import Path
from typing import Any, Final

from exporter import keys
from exporter.config import Settings
from exporter.fleet.settings import Settings as FleetSettings
from exporter.rules import files, operator

CHART: Final = Path(__file__).parents[1] / "deploy" / "helm" / "inference-exporter"
BY_VALUES: Final = frozenset((
    "relay", "upstream", "listen", "web.listen_address", "health.listen_address", "state.directory", "drain.delay",
    "drain.timeout", "analyser.memory_limit",
))  # fmt: skip
"""Settings that have a value of the chart instead: what the environment says would win over them."""
FLEET_BY_VALUES: Final = frozenset(("web.listen_address", "state.directory", "prometheus.url"))


def main() -> None:
    """Both are written whole."""
    path = CHART / "values.schema.json"
    path.write_text(schema(path.read_text(encoding="utf-8")), encoding="utf-8")
    (CHART / operator.EXAMPLE).write_text(routes(), encoding="utf-8")


def routes() -> str:
    """Those of Alertmanager's example, as Prometheus Operator has them."""
    return operator.of_chart(dict(files.examples())["alertmanager.yml"])


def schema(text: str) -> str:
    """The schema with the names of settings as they are now."""
    found = json.loads(text)
    found["properties"]["prometheusRule"]["properties"]["exclude"]["items"] = {"enum": _names("rules", ".rules.yml")}
    found["properties"]["dashboards"]["properties"]["exclude"]["items"] = {"enum": _names("dashboards", ".json")}
    found["properties"]["config"] = _settings(Settings, BY_VALUES)
    found["properties"]["fleet"]["properties"]["config"] = _settings(FleetSettings, FLEET_BY_VALUES)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _names(folder: str, ending: str) -> list[str]:
    return sorted(path.name.removesuffix(ending) for path in (CHART / folder).iterdir())


def _settings(of: type, left_out: frozenset[str]) -> dict[str, Any]:
    """Their values are checked by the command; a name that there is not is an error before anything is deployed."""
    top: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    for key in keys.every_key(of):
        if key.name in left_out:
            continue
        *sections, name = key.name.split(".")
        place = top
        for section in sections:
            empty: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
            place = place["properties"].setdefault(section, empty)
        place["properties"][name] = {}
    return top


if __name__ == "__main__":
    main()
