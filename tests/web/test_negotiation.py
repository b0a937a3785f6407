"""Which format a scraper gets."""

import pytest
from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header

from exporter.collect.rendered import DRAFT_OPEN_METRICS, OPEN_METRICS, TEXT
from exporter.web.negotiation import content_type, takes_gzip

OM = "application/openmetrics-text"
PROMETHEUS_2 = f"{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
PROMETHEUS_3 = (
    f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.6,{OM};version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
NATIVE = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
    f"text/plain;version=0.0.4;q=0.6,{OM};version=1.0.0;q=0.5"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),
        ("text/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("application/json", TEXT),
        (OM, OPEN_METRICS),
        (f"{OM};version=0.0.1", DRAFT_OPEN_METRICS),
        (f"{OM};version=2.0.0", TEXT),
        (f"{OM};version=2.0.0;q=0.9,{OM};version=1.0.0;q=0.8,text/plain;q=0.7", OPEN_METRICS),
        (PROMETHEUS_2, OPEN_METRICS),
        (PROMETHEUS_3, OPEN_METRICS),
        (NATIVE, TEXT),
        # what is asked for first is not what is wanted most
        (f"text/plain;q=0.3,{OM};q=0.9", OPEN_METRICS),
        (f"{OM};q=0.3,text/plain;q=0.9", TEXT),
        # the range that fits best counts, not the one that promises most
        (f"*/*,{OM};q=0,text/plain;q=0", TEXT),
        (f"*/*;q=1,text/plain;q=0.1,{OM};q=0.2", OPEN_METRICS),
        (f"text/plain;q=0,{OM};version=1.0.0;q=0.1", OPEN_METRICS),
        (f"{OM};q=0.9,{OM};version=1.0.0;q=0.1,text/plain;q=0.5", DRAFT_OPEN_METRICS),
        # as welcome as each other
        (f"{OM},text/plain", TEXT),
        (f"{OM};version=1.0.0, */*", OPEN_METRICS),
        # nonsense
        (f"{OM};q=much,;;,=,q=", TEXT),
        ("," * 5000, TEXT),
    ],
)
def test_the_format_is_the_one_that_is_wanted_most(accept: str | None, wanted: str) -> None:
    assert content_type(parse_accept_header(accept, MIMEAccept)) == wanted


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip", True),
        ("identity;q=0, gzip;q=0.1", True),
        ("br", False),
    ],
)
def test_it_is_compressed_where_that_is_wanted(accept: str | None, taken: bool) -> None:
    assert takes_gzip(parse_accept_header(accept, Accept)) is taken
