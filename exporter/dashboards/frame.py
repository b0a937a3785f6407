"""What stands around the panels of every dashboard: what is chosen at the top, and what happened meanwhile."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter import catalogue as c
from exporter.dashboards.choice import Choice
from exporter.dashboards.pieces import Board, Json
from exporter.dashboards.queries import alerts, of

_OF_TIME: Final = "~[0-9]+(ms|s|m|h|d)"
"""Windows of rows, such as 200rows, are no ranges of time that a panel could ask for."""
_SHOWN, _HIDDEN = 0, 2
_ALPHABET, _NUMBERS, _NUMBERS_DOWN = 1, 3, 4
_WHEN_TIME_CHANGES: Final = 2
_ALWAYS_SHOWN: Final = frozenset({"job", "model"})


class _Asked(NamedTuple):
    """A variable whose values Prometheus is asked for: those of a label of some series."""

    name: str
    title: str
    series: str
    label: str
    order: int


def variables(board: Board, choice: Choice) -> list[Json]:
    """What is chosen, each among what those before it leave."""
    return [*_source(choice), *(_variable(one, board, choice) for one in _asked(choice))]


def _asked(choice: Choice) -> list[_Asked]:
    matchers = [f'{label}=~"${label}"' for label in choice.labels]
    fleets = [
        _Asked(label, label.replace("_", " ").capitalize(), _served(matchers[:place]), label, _ALPHABET)
        for place, label in enumerate(choice.labels)
    ]
    return [
        *fleets,
        _Asked("job", "Job", _served(matchers), "job", _ALPHABET),
        _Asked("model", "Model", of(c.MODEL_INFO, model="*", model_version="*"), "model", _ALPHABET),
        _Asked("version", "Version", of(c.MODEL_INFO, model_version="*"), "model_version", _NUMBERS_DOWN),
        _Asked("feature", "Feature", of(c.FEATURES.reference_samples), "feature", _ALPHABET),
        _Asked("window", "Window", of(c.WINDOW_START, window=_OF_TIME), "window", _NUMBERS),
    ]


def _served(matchers: Sequence[str]) -> str:
    return c.MODEL_INFO.name + (f"{{{','.join(matchers)}}}" if matchers else "")


def _source(choice: Choice) -> list[Json]:
    if choice.datasource:
        return []
    return [{
        "current": {}, "hide": _SHOWN, "includeAll": False, "label": "Data source", "multi": False,
        "name": "datasource", "options": [], "query": "prometheus", "refresh": 1, "regex": "", "type": "datasource",
    }]  # fmt: skip


def _variable(asked: _Asked, board: Board, choice: Choice) -> Json:
    """Fleets are all chosen at first, and may be several; anything else is one."""
    several = asked.name in {"job", *choice.labels}
    query = choice.filled(f"label_values({asked.series}, {asked.label})")
    is_shown = several or asked.name in _ALWAYS_SHOWN | board.shows
    return {
        **({"allValue": ".+" if asked.name == "job" else ".*"} if several else {}),
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if several else {},
        "datasource": {"type": "prometheus", "uid": choice.source}, "definition": query,
        "hide": _SHOWN if is_shown else _HIDDEN, "includeAll": several, "label": asked.title, "multi": several,
        "name": asked.name, "options": [], "query": {"query": query, "refId": f"variable-{asked.name}"},
        "refresh": _WHEN_TIME_CHANGES, "regex": "", "sort": asked.order, "type": "query",
    }  # fmt: skip


def annotations(choice: Choice) -> list[Json]:
    """What happened meanwhile."""
    by_profile, info = "max by (model, model_version, profile)", of(c.PROFILE_INFO, model_version="*")
    by_version, served = "max by (model, model_version)", of(c.MODEL_INFO, model_version="*")
    down = f"{of(c.DEPENDENCY_UP, model_version='*')} == 0"
    events = (
        ("Server started", f"changes({of(c.SERVER_START)}[$__rate_interval]) > 0", "orange", "{{instance}}", True),
        # By version and by profile, not by replica: a new pod is neither.
        (
            "New version",
            f"{by_version} ({served}) unless {by_version} ({served} offset 5m)",
            "purple",
            "version {{model_version}}",
            True,
        ),
        (
            "New profile",
            f"{by_profile} ({info}) unless {by_profile} ({info} offset 5m)",
            "blue",
            "profile {{profile}} of version {{model_version}}",
            True,
        ),
        ("Dependency down", f"max by (dependency) ({down})", "orange", "{{dependency}} cannot be reached", True),
        ("Alerts", f"max by (alertname) ({alerts(severity='critical')})", "red", "{{alertname}}", True),
        ("Tickets", f"max by (alertname) ({alerts(severity='warning')})", "yellow", "{{alertname}}", False),
    )
    return [
        {
            "datasource": {"type": "prometheus", "uid": choice.source}, "enable": is_on, "expr": choice.filled(expr),
            "hide": False, "iconColor": colour, "name": name, "step": "1m", "textFormat": text, "titleFormat": name,
        }
        for name, expr, colour, text, is_on in events
    ]  # fmt: skip
