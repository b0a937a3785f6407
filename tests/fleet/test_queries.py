"""A real Prometheus adds up what replicas counted in a pane: every row once, and none of which nobody is sure."""

import time
from collections.abc import Iterator
from typing import Any

import promql
import pytest
from monitoring import recorded

from exporter import catalogue
from exporter.fleet import answers, queries
from exporter.fleet.answers import Fleet, Place
from exporter.prometheus import Access, PrometheusClient

PANE = 60
T0 = PANE * (int(time.time()) // PANE) - 7200
"""The start of pane 0."""
BY = ("job",)
FEATURES = queries.SIDES[0]
Row = tuple[float, tuple[int, int]]
"""Seconds after T0 and what both bins have counted."""


class Process:
    """What Prometheus has of one process; `began` is its start, seconds after T0, as it tells it."""

    def __init__(self, job: str, began: float, rows: list[Row], instance: str = "a:9877", of: str = "amount") -> None:
        self.job, self.began, self.rows, self.instance, self.of = job, began, rows, instance, of

    def counters(self, place: int) -> Iterator[str]:
        labels = f'job="{self.job}",instance="{self.instance}",model="m",model_version="1",profile="0a"'
        for at, counts in self.rows:
            name = f'{FEATURES.bins.name}{{{labels},feature="{self.of}",bin="{place:02d}"}}'
            yield f"{name} {counts[place]} {T0 + at}"

    def starts(self) -> Iterator[str]:
        for at, _ in self.rows:
            yield f'{catalogue.START.name}{{job="{self.job}",instance="{self.instance}"}} {T0 + self.began} {T0 + at}'


def steady(until: int, every: int = 15, start: int = 0, rate: int = 1) -> list[Row]:
    return [(at, (rate * (at - start), 2 * rate * (at - start))) for at in range(start, until, every)]


LATE = [(at, (500 + at, 7 * at)) for at in range(330, 600, 15)]
PROCESSES = [
    Process("steady", -5000, steady(600)), Process("steady", -9000, steady(600, rate=10), "b:9877"),
    # Scraped at odd moments: what a pane misses the next one has.
    Process("odd", -5000, [(7.3 * n, (n * n, 3 * n)) for n in range(80)]),
    # The process is another one, in the midst of pane 3: one bin has fewer rows than before, the other one more.
    Process("restart", -5000, [(at, (100 + at, 2)) for at in range(0, 195, 15)]),
    Process("restart", 200, [(at, (at - 200, 3 * (at - 200))) for at in range(210, 600, 15)]),
    # A new replica, and one that was there before Prometheus knew it.
    Process("new", 190, [(at, (at - 190, 0)) for at in range(195, 600, 15)]),
    Process("found", -5000, LATE),
    # Gone without a word: Prometheus goes on showing its last sample for five minutes.
    Process("gone", -5000, steady(200)),
    # Neither was seen for longer than that; one of them started anew meanwhile.
    Process("gap", -5000, [*steady(100), *[(at, (5000 + at, at)) for at in range(600, 900, 15)]]),
    Process("gap_restart", -5000, steady(100), "b:9877"),
    Process("gap_restart", 400, [(at, (at, at)) for at in range(600, 900, 15)], "b:9877"),
    # Its clock is fast by five minutes, the other one's slow: when they say that they started is wrong.
    Process("fast", 190 + 300, [(at, (at - 190, 0)) for at in range(195, 900, 15)]),
    Process("slow", 190 - 300, [(at, (at - 190, 0)) for at in range(195, 900, 15)]),
    # A column that appears in a process that is there already.
    Process("appears", -5000, steady(600)), Process("appears", -5000, LATE, of="late"),
]  # fmt: skip


def history() -> str:
    """Families one after another, and the samples of a series in the order of time, as OpenMetrics wants them."""
    bins: list[str] = []
    for place in range(2):
        for one in PROCESSES:
            bins += one.counters(place)
    name = FEATURES.bins.name.removesuffix("_total")
    starts = dict.fromkeys(line for one in PROCESSES for line in one.starts())
    return "\n".join((f"# TYPE {name} counter", *bins, f"# TYPE {catalogue.START.name} gauge", *starts, "# EOF\n"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusClient]:
    with recorded(tmp_path_factory.mktemp("prometheus") / "p", history()) as address:
        yield PrometheusClient(Access(address), timeout_s=30)


def counted(client: PrometheusClient, job: str, pane: int, matchers: str = "", of: str = "amount") -> Any:
    """Rows by bin; empty where nothing is known."""
    query = queries.counted(FEATURES, BY, matchers, PANE)
    found = answers.counts([client.query(query, T0 + PANE * (pane + 1))], queries.SIDES, BY)
    return found.get(Fleet((job,), "m", "1", "0a"), {}).get(Place(0, of), {})


def panes(client: PrometheusClient, job: str, many: range) -> list[tuple[int, ...]]:
    return [tuple(counted(client, job, pane).values()) for pane in many]


def test_replicas_are_added_up_and_nothing_is_extrapolated(client: PrometheusClient) -> None:
    assert panes(client, "steady", range(8)) == [(60 * 11, 120 * 11)] * 8


def test_panes_add_up_to_what_a_counter_grew_by_whenever_it_is_scraped(client: PrometheusClient) -> None:
    found = panes(client, "odd", range(1, 9))
    first, last = (int((60 + PANE * pane) // 7.3) for pane in (0, 8))
    assert len({*found}) > 1
    assert tuple(map(sum, zip(*found, strict=True))) == (last**2 - first**2, 3 * (last - first))


def test_of_a_process_that_started_again_all_bins_count_from_zero(client: PrometheusClient) -> None:
    assert panes(client, "restart", range(1, 6)) == [(60, 0), (60, 0), (40, 120), (60, 180), (60, 180)]


def test_a_new_replica_counts_from_its_first_row_once(client: PrometheusClient) -> None:
    assert panes(client, "new", range(2, 6)) == [(), (50, 0), (60, 0), (60, 0)]


def test_what_a_replica_had_counted_before_anybody_saw_it_is_no_pane(client: PrometheusClient) -> None:
    assert panes(client, "found", range(4, 8)) == [(), (), (60, 420), (60, 420)]


def test_a_replica_that_is_gone_adds_nothing(client: PrometheusClient) -> None:
    assert panes(client, "gone", range(2, 12)) == [(60, 120), (15, 30), *[(0, 0)] * 4, (), (), (), ()]


def test_after_a_gap_only_what_came_since_counts(client: PrometheusClient) -> None:
    found = panes(client, "gap", range(14))
    assert found[9] == ()
    assert found[10:14] == [(60, 60)] * 4
    assert sum(sum(one) for one in panes(client, "gap_restart", range(9))) == 90 * 3
    assert panes(client, "gap_restart", range(9, 12)) == [(), (60, 60), (60, 60)]


@pytest.mark.parametrize("job", ["fast", "slow"])
def test_a_clock_that_is_wrong_costs_rows_but_counts_none_twice(client: PrometheusClient, job: str) -> None:
    found = panes(client, job, range(2, 14))
    assert found[0] == ()
    assert found[1] in {(), (50, 0)}
    assert found[2:11] == [(60, 0)] * 9


def test_a_column_that_appears_later_counts_from_its_second_sample_on(client: PrometheusClient) -> None:
    found = [counted(client, "appears", pane, of="late") for pane in range(4, 8)]
    assert [tuple(one.values()) for one in found] == [(), (), (60, 420), (60, 420)]


def test_what_the_selector_leaves_out_is_not_counted(client: PrometheusClient) -> None:
    assert counted(client, "steady", 3, 'instance="b:9877"') == {0: 600, 1: 1200}
    assert counted(client, "new", 3, 'instance="b:9877"') == {}


def test_the_pane_of_an_hour_ago_is_what_it_was_then(client: PrometheusClient) -> None:
    """Whoever comes late catches up: the answer depends on the moment that is asked for alone."""
    assert [counted(client, "steady", 2) for _ in range(2)] == [{0: 660, 1: 1320}] * 2


def test_queries_name_only_series_and_labels_that_exist() -> None:
    for side in queries.SIDES:
        for query in (queries.counted(side, BY, 'job="x"', PANE), queries.replicas(BY, "")):
            assert promql.unknown(query) == set()
