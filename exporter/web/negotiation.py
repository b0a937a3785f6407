"""Which format a scraper gets, as it asks: RFC 9110 sections 12.5.1 and 12.5.3, not the first that fits."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_options_header

from exporter.collect.rendered import DRAFT_OPEN_METRICS, OPEN_METRICS, TEXT

_OFFERED: Final = (TEXT, OPEN_METRICS, DRAFT_OPEN_METRICS)
"""What everybody can read comes first: of two formats that are as welcome it is taken."""


class _Welcome(NamedTuple):
    """How much a format is wanted; the larger the more."""

    quality: float
    precision: int
    """0 is anything, 1 anything of a type, 2 this format, 3 this version of it."""


def content_type(accepted: MIMEAccept) -> str:
    """The format that is wanted most; text 0.0.4 for who wants none that there is, as other exporters do."""
    best = max(_OFFERED, key=lambda offer: _welcome(offer, accepted))  # the first of several
    return best if _welcome(best, accepted).quality > 0 else TEXT


def takes(media: str, accepted: MIMEAccept) -> bool:
    """Whether this format can be read; by who says nothing, too."""
    return not accepted or _welcome(media, accepted).quality > 0


def takes_gzip(accepted: Accept) -> bool:
    """Whether it is wanted compressed, and rather than not."""
    return 0 < accepted.quality("gzip") >= _listed(accepted, "identity")


def _listed(accepted: Accept, coding: str) -> float:
    """What is said of it by name: plain text is welcome anyway, and `*` means codings."""
    return next((float(quality) for word, quality in accepted if word == coding), 0.0)


def _welcome(offer: str, accepted: MIMEAccept) -> _Welcome:
    """What the range says that fits best, whatever others say that fit, too."""
    fitting = [_Welcome(quality, precision) for quality, precision in _fits(offer, accepted)]
    return max(fitting, key=lambda one: (one.precision, one.quality), default=_Welcome(0, 0))


def _fits(offer: str, accepted: MIMEAccept) -> Iterator[tuple[float, int]]:
    name, said = parse_options_header(offer)
    for text, quality in accepted:
        wanted, options = parse_options_header(str(text))
        version = options.get("version")
        if wanted == "*/*":
            yield float(quality), 0
        elif wanted == name.partition("/")[0] + "/*":
            yield float(quality), 1
        elif wanted == name and version in {None, said["version"]}:
            yield float(quality), 3 if version else 2
