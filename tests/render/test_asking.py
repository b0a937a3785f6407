"""What dashboards ask is asked of a real Prometheus as Grafana would ask it."""

import time
from collections.abc import Iterator
from typing import Any

import asking
import pytest
import spans
from asking import Prometheus
from monitoring import recorded
from spans import Span

END = 60 * (int(time.time()) // 60)
START = END - 3600
Json = dict[str, Any]


def history() -> str:
    def series(name: str, value: Any) -> list[str]:
        return [
            f'{name}{{model="{model}",version="{version}"}} {value(at)} {at}'
            for model, version in (("a.b", "9"), ("a.b", "10"), ("c", "1")) for at in range(START, END + 1, 60)
        ]  # fmt: skip

    fires = ['fires{alert="Drift"} 1 ' + str(START + 60 * minute) for minute in (*range(10, 16), *range(40, 43))]
    lines = ["# TYPE served gauge", *series("served", lambda at: at - START), "# TYPE fires gauge", *fires, "# EOF\n"]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with recorded(tmp_path_factory.mktemp("asking") / "p", history()) as address:
        yield Prometheus(address, Span(START, END), 60)


def query(name: str, text: str, **more: Any) -> Json:
    return {"type": "query", "name": name, "label": name.title(), "query": {"query": text}, **more}


BOARD = {"templating": {"list": [
    {"type": "datasource", "name": "datasource", "query": "prometheus"},
    query("model", "label_values(served, model)", sort=1),
    query("version", 'label_values(served{model="$model"}, version)', sort=4),
    query("every", "label_values(served, model)", includeAll=True, multi=True, allValue=".+"),
    query("each", "label_values(served, model)", includeAll=True, multi=True, hide=2),
]}}  # fmt: skip


def test_variables_are_chosen_first_as_grafana_does_each_among_what_those_before_leave(prometheus: Prometheus) -> None:
    found = {one.name: one for one in asking.variables(BOARD, prometheus, {})}
    assert found["model"].options == ["a.b", "c"]
    assert found["version"].options == ["10", "9"]
    assert [found[name].text for name in ("datasource", "model", "version", "every")] == [
        "Prometheus",
        "a.b",
        "10",
        "All",
    ]
    assert [found[name].value for name in ("every", "each")] == [".+", r"(a\\.b|c)"]
    assert [name for name, one in found.items() if one.is_hidden] == ["each"]


def test_what_is_wanted_is_chosen_instead_and_variables_below_follow(prometheus: Prometheus) -> None:
    found = {one.name: one for one in asking.variables(BOARD, prometheus, {"model": "c", "each": "c"})}
    assert (found["model"].value, found["version"].text, found["each"].value) == ("c", "1", "c")


def panel(expr: str, **more: Any) -> Json:
    return {"targets": [{"refId": "A", "expr": expr, "format": "time_series", "instant": False, **more}]}


def test_a_range_is_asked_at_round_steps_for_as_many_points_as_there_are_pixels(prometheus: Prometheus) -> None:
    known = asking.variables(BOARD, prometheus, {})
    for width, between in ((1000, 60), (20, 120), (3, 1200)):
        (found,) = asking.answers(panel('served{version="9"}'), prometheus, known, width)
        (series,) = found.answer["result"]
        assert found.answer["step"] == between
        assert {at % between for at, _ in series["values"]} == {0}


def test_an_instant_is_asked_at_the_end(prometheus: Prometheus) -> None:
    known = asking.variables(BOARD, prometheus, {})
    (found,) = asking.answers(panel('served{model=~"$each"}', instant=True), prometheus, known, 500)
    assert {tuple(one["value"]) for one in found.answer["result"]} == {(END, "3600")}
    assert len(found.answer["result"]) == 3


def test_times_are_filled_in_as_grafana_counts_them(prometheus: Prometheus) -> None:
    text = asking.filled(
        "$__interval ${__rate_interval} $__range $__range_s ${model:regex} $unknown", [], prometheus, 120
    )
    assert text == "120s 240s 3600s 3600 ${model:regex} $unknown"


def test_a_query_that_prometheus_refuses_is_told_with_its_words(prometheus: Prometheus) -> None:
    (found,) = asking.answers(panel("sum(served"), prometheus, [], 500)
    assert "unclosed left parenthesis" in found.answer["error"]


def test_what_is_so_without_a_break_is_one_event(prometheus: Prometheus) -> None:
    one = {"name": "Alerts", "expr": "fires > 0", "iconColor": "red", "textFormat": "{{alert}}", "step": "1m"}
    board = {"annotations": {"list": [one | {"enable": True}, one | {"name": "Tickets", "enable": False}]}}
    alerts, tickets = asking.annotations(board, prometheus, [])
    assert tickets["events"] == []
    assert [(event["text"], (event["time"] / 1000 - START) // 60) for event in alerts["events"]] == [
        ("Drift", 10),
        ("Drift", 40),
    ]
    assert all(event["timeEnd"] > event["time"] for event in alerts["events"])


@pytest.mark.parametrize(
    ("text", "moment"), [("now", 1e6), ("now-6h", 1e6 - 21600), ("5", 5.0), ("1970-01-02T00:00:00", 86400.0)]
)
def test_times_are_read_as_people_write_them(text: str, moment: float) -> None:
    assert spans.moment(text, 1e6) == moment


@pytest.mark.parametrize(("points", "least", "step"), [(1000, 15, 20), (1000, 60, 60), (10, 15, 1800), (100, 60, 300)])
def test_steps_are_those_that_grafana_rounds_to(points: float, least: float, step: float) -> None:
    assert spans.step(Span(0, 6 * 3600), points, least) == step


def test_rates_span_four_scrapes_at_least() -> None:
    assert (spans.rate_interval(20, 15), spans.rate_interval(300, 15)) == (60, 315)
