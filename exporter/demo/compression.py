"""Compressed time: what shipped rules, routes and dashboards say in minutes passes in seconds; nothing else changes."""

import re
from typing import Any, Final

_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = r"(?:[0-9]+(?:ms|[smhdw]))+"
_IN_QUERY: Final = re.compile(rf"(?<=\[){_DURATION}(?=[\]:])|(?<=:){_DURATION}(?=\])|(?<=\boffset ){_DURATION}\b")
_WHOLE: Final = re.compile(_DURATION)
_NANOSECONDS: Final = re.compile(r"(?<=\.Add )-?[0-9]+")
"""From a time within a template to another, as Go has it."""
_DURATION_KEYS: Final = frozenset((
    "for", "keep_firing_for", "interval",  # rules
    "group_wait", "group_interval", "repeat_interval",  # routes
    "step", "timeFrom", "timeShift",  # dashboards
))  # fmt: skip


def compressed(node: Any, factor: float, key: str = "") -> Any:  # noqa: ANN401 (a YAML document)
    """A YAML document in which each duration is `factor` times as short.

    Durations are the values of the keys that hold one, and range selectors, subqueries and offsets in any text:
    expressions, and queries within annotations; there also what is added to a time.
    """
    if isinstance(node, dict):
        return {name: compressed(value, factor, name) for name, value in node.items()}
    if isinstance(node, list):
        return [compressed(value, factor) for value in node]
    if not isinstance(node, str):
        return node
    if key in _DURATION_KEYS and _WHOLE.fullmatch(node):
        return shortened(node, factor)
    brief = _IN_QUERY.sub(lambda found: shortened(found[0], factor), node)
    return _NANOSECONDS.sub(lambda found: str(int(int(found[0]) / factor)), brief)


def shortened(text: str, factor: float) -> str:
    """A duration in Prometheus' notation, `factor` times as short, in whole milliseconds."""
    parts = re.findall(r"([0-9]+)(ms|[smhdw])", text)
    total = int(sum(int(number) * _UNITS_MS[unit] for number, unit in parts) / factor)
    return f"{total}ms" if total % 1000 else f"{total // 1000}s"
