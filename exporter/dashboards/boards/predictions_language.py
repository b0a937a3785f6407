"""Of the board of predictions: answers of a language model."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.boards import serving_latency
from exporter.dashboards.looks import PLAIN, STACKED
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, rate

_OTHER: Final = PLAIN | {"noValue": "not enough data, or no language model answers"}


def generations() -> Iterator[Panel]:
    """How much is read and written, how it ends, and how soon it begins."""
    ended = f"sum by (reason) ({rate(c.FINISHED)})"
    per_answer = f"sum by (kind) ({rate(c.TOKENS)}) / on () group_left () (sum({rate(c.FINISHED)}) > 0)"
    yield Panel("timeseries", "Tokens per second", "Tokens read (prompt) and generated (completion), as the server"
                " says in its answers; what it bills or computes.", "ops",
                [Query(f"sum by (kind) ({rate(c.TOKENS)})", "{{kind}}")], 8, 8, _OTHER | {"min": 0})  # fmt: skip
    yield Panel("timeseries", "Tokens per answer", "The same, by the number of answers. Shorter answers at the same"
                " prompts: another model or another limit answers.", "short",
                [Query(per_answer, "{{kind}}")], 8, 8, _OTHER | {"min": 0})  # fmt: skip
    yield Panel("timeseries", "How answers end", "Share of the answers by why they ended: `stop` is the model's own"
                " end, `length` was cut off at a limit, `content_filter` was refused. Worry where `length` or a filter"
                " grows.", "percentunit", [Query(f"topk(12, {ended} / on () group_left () (sum({ended}) > 0))",
                                                 "{{reason}}")], 8, 8, STACKED | _OTHER)  # fmt: skip
    yield Panel("timeseries", "Time to the first byte of a stream", "From a request's first byte to its answer's first"
                " one, of answers that are streams; interpolated within buckets. It is what people wait before they"
                " read; it grows with queues and long prompts.", "s",
                serving_latency.levels(c.FIRST_BYTE), 8, 8, _OTHER | {"min": 0})  # fmt: skip
    yield Panel("heatmap", "First bytes by time", "How many streams began after how long; the darker, the more. A"
                " second band above the first is a queue, or longer prompts.", "short",
                [Query(f"sum by (le) (increase({of(c.FIRST_BYTE)}[$__rate_interval]))", "{{le}}")], 16, 8,
                _OTHER, {"yAxis": {"unit": "s"}, "cellValues": {"unit": "short"}})  # fmt: skip
