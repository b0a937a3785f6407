"""What is taken of a server's page, and what Prometheus and prometheus_client make of that."""

import itertools
import random
import re
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from merging.judging import judged
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text
from support import tool

from exporter.collect.rendered import OPEN_METRICS, TEXT
from exporter.merging import clashes
from exporter.merging.grammar import FORMS
from exporter.merging.parting import CutOff, Part, TooLong, parted, refuse_beyond

READERS = {TEXT: read_text, OPEN_METRICS: read_open}
JAVA = (
    "# HELP ts_inference_requests_total Total number of inference requests.\n"
    "# TYPE ts_inference_requests_total counter\n"
    'ts_inference_requests_total{uuid="d5f84dfb-fae8-4f92-b217-2f385ca7470b",model_name="noop",} 1.0\n'
)
SERVING = (
    "# TYPE :tensorflow:serving:request_count counter\n"
    ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} 5\n'
)


def _of(text: str, media: str = TEXT) -> list[Part]:
    return parted(text, FORMS[media], 10_000)


def _faults(text: str, media: str = TEXT) -> dict[str, str]:
    return {part.name: part.fault for part in _of(text, media)}


def _passed(text: str, media: str = TEXT) -> str:
    """The page that is made of what is passed on."""
    blocks = [part.block() for part in _of(text, media) if not part.fault]
    end = "# EOF\n" if media == OPEN_METRICS else ""
    return b"".join(block.head + block.body for block in blocks).decode() + end


def _registry() -> CollectorRegistry:
    """A server of ordinary habits: each type of prometheus_client's, any values, texts with all that is escaped."""
    registry = CollectorRegistry()
    requests = Counter("served_requests", "Requests.", ["code", "path"], registry=registry)
    requests.labels("200", 'a "quoted" \\ back\nslash ü').inc(7, exemplar={"trace_id": "abc"})
    requests.labels("500", "").inc(1e300)
    queue = Gauge("queue_length", "A help with \\ and\na second line.", registry=registry)
    queue.set(float("nan"))
    latency = Histogram("latency_seconds", "Latency.", ["model"], registry=registry)
    latency.labels("m").observe(0.3, {"trace_id": "x" * 20})
    Summary("size_bytes", "", registry=registry).observe(3)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("phase", "Phase.", states=["up", "down"], registry=registry).state("down")
    return registry


ORDINARY = {TEXT: generate_latest(_registry()).decode(), OPEN_METRICS: generate_open(_registry()).decode()}


@pytest.mark.parametrize(("media", "text"), ORDINARY.items())
def test_what_prometheus_client_writes_is_passed_on_unchanged(media: str, text: str) -> None:
    assert set(_faults(text, media).values()) == {""}
    before, after = list(READERS[media](text)), list(READERS[media](_passed(text, media)))
    assert [repr(family) for family in before] == [repr(family) for family in after]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in _passed(text, media).splitlines() if not line.startswith("#")] == lines


def test_pages_of_servers_in_java_and_of_tensorflow_serving_are_passed_on() -> None:
    assert _passed(JAVA + SERVING) == JAVA + SERVING


@pytest.mark.parametrize(("line", "name"), [
    ("x", "x"), ("x one", "x"), ('x{a="1" 1', "x"), ('x{a="1"} 1 2 3', "x"), ("x{a=1} 1", "x"), ('x{a="\\d"} 1', "x"),
    ('x{a="1",a="2"} 1', "x"), ('x{__name__="y"} 1', "x"), ("x 1e999", "x"), ("x 0x10", "x"), ("x 1_0", "x"),
    ("x 1\r", "x"), ("<html>", "before"), ("1 2", "before"), (" x 1", "before"), ('x{a="\udcff"} 1', "x"),
    ("x \u0661", "x"), ("x 1 9999999999999999", "x"), ("# TYPE x thing", "x"), ("# HELP x \\d", "x"),
    ('x{a="\x00"} 1', "x"),
    ('# TYPE x histogram\nx_bucket{le="much"} 1', "x"), ("# TYPE x histogram\nx_bucket 1", "x"), ("x +NaN", "x"),
    ('# TYPE x summary\nx{quantile="a"} 1', "x"), ("# TYPE x", "x"),
])  # fmt: skip
def test_a_line_that_is_none_costs_its_family_and_no_other(line: str, name: str) -> None:
    text = f"# TYPE before gauge\nbefore 1\n{line}\nafter 2\n"
    assert _faults(text) == {"before": "", "after": ""} | {name: "malformed"}


@pytest.mark.parametrize("line", [
    'x{a="1",} 1', "x  1", 'x{a="1"} 1 # {t="1"} 1', "# TYPE x gauge\nx 1 # {} 1", "# UNIT x seconds\nx 1", "x 1 ",
    '# TYPE x counter\nx_total 1 # {t="1",t="2"} 1', "# TYPE x counter\nx_total 1 # {} 1e999",
])  # fmt: skip
def test_openmetrics_is_stricter(line: str) -> None:
    assert _faults(f"{line}\nafter 2\n# EOF\n", OPEN_METRICS) == {"x": "malformed", "after": ""}


@pytest.mark.parametrize(("text", "names"), [
    ("x 1\ny 1\nx 2\n", {"x"}),
    ('# TYPE x gauge\nx 1\n# TYPE y gauge\ny 1\n# TYPE x gauge\nx{a="1"} 2\n', {"x"}),
    ('x{a="1",b="2"} 1\nx{b="2",a="1"} 2\ny 1\n', {"x"}),
    ("# TYPE x gauge\n# TYPE x gauge\nx 1\ny 1\n", {"x"}),
    ("x 1\n# HELP x Late.\ny 1\n", {"x"}),
    ('# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_sum 1\nx_count 1\ny 1\nx_count 3\n', {"x", "x_count"}),
])  # fmt: skip
def test_what_is_there_twice_is_refused_both_times(text: str, names: set[str]) -> None:
    parts = _of(text)
    assert {part.name for part in parts if part.fault} == names
    assert {part.fault for part in parts if part.fault} == {"duplicate"}
    assert [part.name for part in parts if not part.fault] == ["y"]


def test_a_line_that_is_too_long_is_none() -> None:
    text = "t" * (64 << 10)
    for line in (f'x{{a="{text}"}} 1', f"# HELP x {text}"):
        assert _faults(f"{line}\ny 1\n") == {"x": "malformed", "y": ""}


@pytest.mark.parametrize("text", [
    "".join("x{" + ",".join(f'l{at}x{label}=""' for label in range(1000)) + "} 1\n" for at in range(350)),
    "x{" + ",".join(f'l{label}=""' for label in range(300_000)) + "} 1\n",
    'x{a="' + "\\\\" * 2_000_000 + '"} 1\n',
    "# HELP x " + "\\n" * 2_000_000 + "\n",
    "# remark\n" * 40 + "\u2028" * 1_200_000,
])  # fmt: skip
def test_a_hostile_page_takes_memory_by_its_size(text: str) -> None:
    most = 4 << 20
    assert most / 2 < len(text.encode()) <= most
    assert _memory(text) < 10 * most


def test_as_many_families_as_there_may_be_lines_take_no_more() -> None:
    assert _memory("".join(f"x{at} 1\n" for at in range(10_000))) < 10 * (1 << 20)  # of 40,000 for 4 MiB


def _memory(text: str) -> int:
    """Bytes at the most while a page is taken apart."""
    tracemalloc.start()
    try:
        _ = [part.block() for part in parted(text, FORMS[TEXT], 50_000) if not part.fault]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_page_of_openmetrics_without_an_end_is_of_no_use_and_nothing_behind_the_end_counts() -> None:
    with pytest.raises(CutOff):
        _of("x 1\n", OPEN_METRICS)
    assert _faults("x 1\n# EOF\ny 1\n", OPEN_METRICS) == {"x": ""}


def test_remarks_empty_lines_and_families_of_no_series_are_left_out() -> None:
    assert _passed("# a remark\n\n#HELP none\n# TYPE nobody gauge\nx 1\n# HELP last Nothing.\n") == "x 1\n"


def test_families_beyond_the_room_there_is_are_refused_whole() -> None:
    parts = _of("".join(f'a{{n="{at}"}} 1\n' for at in range(4)) + 'b{n="0"} 1\nb{n="1"} 1\nc 1\n')
    assert refuse_beyond(parts, 5) == 5
    assert [(part.name, part.fault) for part in parts] == [("a", ""), ("b", "too_many"), ("c", "")]
    with pytest.raises(TooLong):
        parted("x 1\n" * 11, FORMS[TEXT], 10)


@pytest.mark.parametrize("text", [
    "inference_exporter_anything 1\n", "model_rows_total 1\n", "# TYPE model_rows counter\nmodel_rows 1\n",
    "model_request_duration_seconds_bucket 1\n", "model_request_duration_seconds_sum 1\n",
    "up 1\n", "scrape_duration_seconds 1\n", "model_fleet_replicas 1\n",
    "# TYPE inference_exporter_new histogram\ninference_exporter_new_sum 1\n",
])  # fmt: skip
def test_names_of_ours_and_of_prometheus_are_refused(text: str) -> None:
    parts = _of(text + "model_temperature 1\nprocess_cpu_seconds_total 1\n")
    clashes.refuse(parts, FORMS[TEXT])
    assert [part.fault for part in parts] == ["clash", "", ""]


def test_a_counter_of_ours_clashes_by_the_name_that_openmetrics_has_for_it() -> None:
    parts = _of("# TYPE model_rows counter\nmodel_rows_total 1\n# EOF\n", OPEN_METRICS)
    clashes.refuse(parts, FORMS[OPEN_METRICS])
    assert [part.fault for part in parts] == ["clash"]


# --- whatever gets through can be read

PIECES = (
    "x", "0x1", "y_total", "z_bucket", "z_sum", "z_count", "x_created", " ", "  ", "\t", "{", "}", ",", '"', "\\",
    '\\"', "\\n", "a=", 'a="1"', 'le="+Inf"', 'le="1"', 'quantile="0.5"', 'b="ü"', "1", "-2.5", "1e3", "+Inf", "NaN",
    "1e999",
    "# HELP ", "# TYPE ", "# UNIT ", "# EOF", " counter", " gauge", " histogram", " summary", " unknown", " untyped",
    "# {", "\n", "\n", "\n", "\r", "\x00", "\udcff", ".5", "5.", " # {} 1", "seconds", "x_seconds",
)  # fmt: skip
WHOLE = (
    "x 1", 'x{a="1"} 2', 'x{b="2",a="1"} NaN', "# TYPE x counter", "# TYPE x gauge", "# HELP x Said.", "y_total 3",
    "# TYPE z histogram", 'z_bucket{le="1.0"} 1', 'z_bucket{le="+Inf"} 2', "z_sum 1.5", "z_count 2", "# TYPE y counter",
    "# EOF", "x 1 1600000000000", 'y_total 4 # {a="1"} 2', "# UNIT w_seconds seconds", "w_seconds 1",
)  # fmt: skip


def _pages(draw: random.Random, count: int) -> list[str]:
    """Pages from pieces and whole lines, and ordinary ones of which a few characters are others."""
    return [_page(draw) for _ in range(count)]


def _page(draw: random.Random) -> str:
    if draw.random() < 0.5:
        lines = (
            "".join(draw.choices(PIECES, k=draw.randint(1, 6))) if draw.random() < 0.3 else draw.choice(WHOLE)
            for _ in range(draw.randint(1, 12))
        )
        return "\n".join(lines) + "\n# EOF\n"
    text = draw.choice((*ORDINARY.values(), JAVA + SERVING))
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice((*PIECES, "")) + text[at + draw.randint(0, 2) :]
    return text.removesuffix("# EOF\n") + "\n# EOF\n"


@given(st.randoms(use_true_random=False))
def test_prometheus_client_reads_whatever_gets_through_of_a_text(draw: random.Random) -> None:
    for page in _pages(draw, 5):
        passed = _passed(page)
        families = list(read_text(passed))
        samples = sum(len(family.samples) for family in families)
        assert samples == sum(1 for line in passed.split("\n") if not re.match(r"#|$", line))


def test_a_real_prometheus_reads_whatever_gets_through(tmp_path: Path) -> None:
    draw = random.Random(5)
    pages = [(media, page) for media in (TEXT, OPEN_METRICS) for page in _pages(draw, 120)]
    passed = [(media, _passed(page, media)) for media, page in pages]
    judgement = judged(tmp_path, [*pages, *passed])
    raw, mended = judgement[: len(pages)], judgement[len(pages) :]
    assert [(passed[at][1], why) for at, why in enumerate(mended) if why] == []
    assert sum(map(bool, raw)) > len(pages) / 3, "most of the pages should have been refused as they were"
    assert sum(1 for _, text in passed if text not in {"", "# EOF\n"}) > len(pages) / 3


def test_promtool_reads_whatever_gets_through() -> None:
    draw = random.Random(6)
    command = [tool("promtool", "prometheus"), "check", "metrics"]
    for page in filter(None, map(_passed, _pages(draw, 25))):
        done = subprocess.run(command, input=page, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 3}, (page, done.stderr)  # 3: it has an opinion on names and helps


def test_pages_in_any_order_of_families_give_the_same_families() -> None:
    texts = ["# TYPE a gauge\na 1\n", "b 1\n", "b_sum 2\n", '# TYPE c counter\nc_total{x="1"} 1\n', "a 3\n"]
    found = {
        tuple(sorted((part.name, part.fault) for part in _of("".join(order))))
        for order in itertools.permutations(texts)
        if abs(order.index(texts[0]) - order.index(texts[4])) > 1
    }  # fmt: skip
    assert len(found) == 1
