"""Asks Prometheus what a dashboard asks, in Grafana's way: variables first, then panels and annotations."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from spans import Span, duration, rate_interval, seconds, step

Json = dict[str, Any]
ALL: Final = "$__all"
_USED: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)|\[\[(\w+)\]\]")
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(.+),\s*)?([a-zA-Z_]\w*)\)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\^$*+?.()|[\]{}]")
_ANNOTATION_POINTS: Final = 100


class Variable(NamedTuple):
    """One of those at the top, with what is chosen."""

    name: str
    label: str
    chosen: list[str]
    options: list[str]
    all_value: str
    is_pattern: bool
    """Several may be chosen: queries take it for a pattern."""
    is_hidden: bool

    @property
    def text(self) -> str:
        """What stands there."""
        return "All" if self.chosen == [ALL] else " + ".join(self.chosen)

    @property
    def value(self) -> str:
        """What queries have of it."""
        if self.chosen == [ALL] and self.all_value:
            return self.all_value
        chosen = self.options if self.chosen == [ALL] else self.chosen
        if not self.is_pattern:
            return chosen[0] if chosen else ""
        escaped = [_SPECIAL.sub(r"\\\\\g<0>", one) for one in chosen]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


class Prometheus(NamedTuple):
    """Whom to ask, and about when."""

    url: str
    span: Span
    scrape_interval: float

    def get(self, path: str, **parameters: object) -> Any:  # noqa: ANN401 (whatever was asked for)
        """What the API answers; ValueError with its words where it refuses."""
        body = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url.rstrip('/')}/api/v1/{path}?{body}", timeout=120) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise ValueError(json.load(refused).get("error", str(refused))) from refused


def scrape_interval(url: str) -> float:
    """Of the Prometheus' own configuration: what its data source in Grafana should be told, too."""
    written = Prometheus(url, Span(0, 0), 0).get("status/config")["yaml"]
    found = re.search(r"^  scrape_interval: (\S+)$", written, re.MULTILINE)
    return seconds(found[1]) if found else 60.0


# --- variables


def variables(board: Json, prometheus: Prometheus, wanted: Mapping[str, str]) -> list[Variable]:
    """All of the board, each asked for with what those before it are; what is not wanted is as Grafana chooses."""
    known: list[Variable] = []
    for one in board.get("templating", {}).get("list", ()):
        options = _options(one, prometheus, known)
        chosen = [value for value in wanted.get(one["name"], "").split(",") if value] or _first(one, options)
        several = bool(one.get("multi") or one.get("includeAll"))
        known.append(Variable(one["name"], one.get("label") or one["name"], chosen, options,
                              one.get("allValue") or "", several, one.get("hide", 0) == 2))  # fmt: skip
    return known


def _options(one: Json, prometheus: Prometheus, known: list[Variable]) -> list[str]:
    if one["type"] == "datasource":
        return ["Prometheus"]
    if one["type"] != "query":
        texts = [option["value"] for option in one.get("options", ())]
        return texts or [part.strip() for part in str(one.get("query", "")).split(",") if part.strip()]
    query = one["query"]["query"] if isinstance(one["query"], dict) else one["query"]
    found = _LABEL_VALUES.fullmatch(query)
    if not found:
        raise ValueError(f"variable {one['name']}: {query!r} is not understood")
    limits = {"start": prometheus.span.begin, "end": prometheus.span.end}
    match = {"match[]": filled(found[1], known, prometheus, prometheus.scrape_interval)} if found[1] else {}
    return _ordered(_filtered(prometheus.get(f"label/{found[2]}/values", **limits, **match), one), one.get("sort", 0))


def _filtered(values: list[str], one: Json) -> list[str]:
    pattern = one.get("regex", "").strip("/")
    if not pattern:
        return values
    found = (re.search(pattern, value) for value in values)
    return [match[1] if match.groups() else match[0] for match in found if match]


def _ordered(values: list[str], order: int) -> list[str]:
    def number(text: str) -> float:
        found = re.search(r"-?\d+(?:\.\d+)?", text)
        return float(found[0]) if found else float("inf")

    if order in {3, 4}:
        values = sorted(values, key=number)
    elif order:
        values = sorted(values, key=str.lower if order > 4 else str)
    return values[::-1] if order and order % 2 == 0 else values


def _first(one: Json, options: list[str]) -> list[str]:
    current = one.get("current", {}).get("value")
    current = current if isinstance(current, list) else [current]
    if current[0] and (current == [ALL] or current[0] in options):
        return current
    return [ALL] if one.get("includeAll") else options[:1]


def filled(text: str, known: list[Variable], prometheus: Prometheus, between: float) -> str:
    """A query with its variables filled in."""
    rates = rate_interval(between, prometheus.scrape_interval)
    length = prometheus.span.length
    values = {one.name: one.value for one in known} | {
        "__interval": duration(between), "__interval_ms": f"{between * 1000:.0f}",
        "__rate_interval": duration(rates), "__rate_interval_ms": f"{rates * 1000:.0f}",
        "__range": f"{length:.0f}s", "__range_s": f"{length:.0f}", "__range_ms": f"{length * 1000:.0f}",
        "__from": f"{prometheus.span.begin * 1000:.0f}", "__to": f"{prometheus.span.end * 1000:.0f}",
    }  # fmt: skip

    def value(found: re.Match[str]) -> str:
        return values.get(found[1] or found[3] or found[4], found[0])

    return _USED.sub(value, text)


# --- panels


class Asked(NamedTuple):
    """A query's answer for the page, with the time that it took."""

    answer: Json
    took: float


def answers(panel: Json, prometheus: Prometheus, known: list[Variable], width: float) -> Iterator[Asked]:
    """Of each query of a panel that is so many pixels wide."""
    for target in panel.get("targets", ()):
        if target.get("hide"):
            continue
        least = _least(target.get("interval") or panel.get("interval") or "", prometheus, known)
        between = step(prometheus.span, panel.get("maxDataPoints") or width, least)
        expr = filled(target["expr"], known, prometheus, between)
        began = time.monotonic()
        try:
            result, error = _result(expr, prometheus, None if target.get("instant") else between), ""
        except ValueError as refused:
            result, error = [], str(refused)
        answer = {"refId": target["refId"], "format": target.get("format", "time_series"), "expr": expr, "error": error,
                  "legend": target.get("legendFormat", ""), "step": between, "result": result}  # fmt: skip
        yield Asked(answer, time.monotonic() - began)


def _least(given: str, prometheus: Prometheus, known: list[Variable]) -> float:
    """The shortest interval: the one given, `>` before it or not, else that of scrapes."""
    text = filled(given.lstrip(">"), known, prometheus, prometheus.scrape_interval)
    return seconds(text) if text else prometheus.scrape_interval


def _result(expr: str, prometheus: Prometheus, between: float | None) -> list[Json]:
    """Of an instant at the end, or at points so far apart, which Grafana puts on multiples."""
    begin, end = prometheus.span
    if between is None:
        found: list[Json] = prometheus.get("query", query=expr, time=end)["result"]
        return found
    begin, end = begin // between * between, end // between * between
    ranged: list[Json] = prometheus.get("query_range", query=expr, start=begin, end=end, step=between)["result"]
    return ranged


# --- annotations


def annotations(board: Json, prometheus: Prometheus, known: list[Variable]) -> list[Json]:
    """What happened meanwhile, by name."""
    return [
        {"name": one["name"], "colour": one["iconColor"], "isOn": bool(one.get("enable")),
         "events": [*_events(one, prometheus, known)] if one.get("enable") else []}
        for one in board.get("annotations", {}).get("list", ()) if "expr" in one
    ]  # fmt: skip


def _events(one: Json, prometheus: Prometheus, known: list[Variable]) -> Iterator[Json]:
    between = step(prometheus.span, _ANNOTATION_POINTS, seconds(one.get("step") or "60s"))
    for series in _result(filled(one["expr"], known, prometheus, between), prometheus, between):
        labels = series["metric"]
        said = {"name": one["name"], "colour": one["iconColor"], "text": _legend(one.get("textFormat", ""), labels)}
        moments = [at for at, value in series["values"] if float(value) > 0]
        for begin, end in _together(moments, between):
            yield said | {"time": begin * 1000, "timeEnd": end * 1000}


def _together(moments: list[float], between: float) -> Iterator[tuple[float, float]]:
    """From when to when something was so, without a break."""
    begin: float | None = None
    for place, moment in enumerate(moments):
        begin = moment if begin is None else begin
        if place + 1 == len(moments) or moments[place + 1] > moment + between:
            yield begin, moment
            begin = None


def _legend(form: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), form)
