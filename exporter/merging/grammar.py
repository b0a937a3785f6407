"""What a line of a page of metrics may be, in text 0.0.4 and in OpenMetrics 1.0.

Stricter than Prometheus, for which one bad line fails a whole scrape: what gets through here gets through there.
Nothing is repeated within what is repeated, so a line costs what it is long. Bytes that are no UTF-8 are surrogates
here, and never fit.

https://prometheus.io/docs/instrumenting/exposition_formats and the specification of OpenMetrics 1.0
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from exporter.collect.rendered import OPEN_METRICS, TEXT

_NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_LABEL: Final = r"[a-zA-Z_][a-zA-Z0-9_]*+"
_PLAIN: Final = r"\\\n\x00\ud800-\udfff"
"""What texts do not hold as it is."""
_QUOTED: Final = rf'"([^"{_PLAIN}]*+(?:\\["\\n][^"{_PLAIN}]*+)*+)"'
_UNNAMED: Final = _QUOTED.replace("([^", "(?:[^", 1)
_NUMBER: Final = r"(?:[+-]?(?:(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?|[Ii]nf)|NaN)"
_MILLISECONDS: Final = r"-?[0-9]{1,15}"
_SECONDS: Final = r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?"
PAIR: Final = re.compile(rf"({_LABEL})={_QUOTED}")
"""A label and its value, as they are written."""
LEADING_NAME: Final = re.compile(_NAME)
_WORDS: Final = ("HELP", "TYPE", "UNIT")


def _labels(blank: str, end: str) -> str:
    pair = f"{_LABEL}={_UNNAMED}"
    return rf"\{{(?:{pair}(?:,{blank}{pair})*+{end})?+\}}"


class Form(NamedTuple):
    """A format."""

    media: str
    sample: re.Pattern[str]
    """Groups: name, labels with their braces or None, value, what is an exemplar or None."""
    about: re.Pattern[str]
    """Groups: HELP, TYPE or UNIT, the family's name, and the text."""
    suffixes: Mapping[str, tuple[str, ...]]
    """What the names of a family's series have behind the family's, by its type."""
    untyped: str
    """The type of families that say none."""
    ends: bool
    """Whether a page has a last line, without which it broke off."""


_HELP_OF: Final = {
    "text": rf"[^{_PLAIN}]*+(?:\\[\\n][^{_PLAIN}]*+)*+",
    "open": rf"[^{_PLAIN}]*+(?:\\[\\n\"][^{_PLAIN}]*+)*+",
}
_TEXT_FORM: Final = Form(
    TEXT,
    re.compile(
        rf"({_NAME})({_labels(' *+', '(?:, *+)?+')})?+[ \t]++({_NUMBER})(?:[ \t]++{_MILLISECONDS})?+[ \t]*+()??"
    ),
    re.compile(rf"#[ \t]++(HELP|TYPE)[ \t]++({_NAME})(?:[ \t]++({_HELP_OF['text']}))?+"),
    {
        "counter": ("",), "gauge": ("",), "untyped": ("",), "unknown": ("",),
        "histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count"),
    },
    "untyped",
    ends=False,
)  # fmt: skip
_OPEN_FORM: Final = Form(
    OPEN_METRICS,
    re.compile(
        rf"({_NAME})({_labels('', '')})?+ ({_NUMBER})(?: {_SECONDS})?+"
        rf"( # {_labels('', '')} {_NUMBER}(?: {_SECONDS})?+)?+"
    ),
    re.compile(rf"# (HELP|TYPE|UNIT) ({_NAME})(?: ({_HELP_OF['open']}))?+"),
    {
        "counter": ("_total", "_created"), "gauge": ("",), "unknown": ("",), "stateset": ("",), "info": ("_info",),
        "histogram": ("_bucket", "_sum", "_count", "_created"), "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
        "summary": ("", "_sum", "_count", "_created"),
    },
    "unknown",
    ends=True,
)  # fmt: skip
FORMS: Final = {TEXT: _TEXT_FORM, OPEN_METRICS: _OPEN_FORM}
WITH_EXEMPLARS: Final = ("_total", "_bucket")
"""Series that may have one."""
BOUNDED: Final = {("histogram", "_bucket"): "le", ("gaugehistogram", "_bucket"): "le", ("summary", ""): "quantile"}
"""A label that must be there and be a number, by the family's type and the suffix."""


def told(line: str) -> str | None:
    """The name that a line about a family has, whatever else it has; None where it is a remark."""
    words = line[1:].split(None, 2) if line[1:2] in {" ", "\t"} else []
    return words[1] if len(words) > 1 and words[0] in _WORDS else None
