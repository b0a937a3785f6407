"""Numbers, times and strangers' texts as the status page writes them. What is None was not known: an en dash."""

import re
import time
from hashlib import blake2s
from typing import Final

NOTHING: Final = "–"
_LONGEST: Final = 48
_STEPS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""What no browser shows, or what turns the text around it: control characters, halves of characters."""


def seen(text: str) -> str:
    """A text of which every character can be seen."""
    return _UNSEEN.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u2039U+{code:04X}\u203a"


def cut(text: str, longest: int = _LONGEST) -> str:
    """A text that takes no more room than others."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def key(*texts: str) -> str:
    """A word for an id, of whatever texts."""
    return blake2s("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def when(at: float | None) -> str:
    """A moment, UTC."""
    return f"{clock(at)} UTC" if at else NOTHING


def clock(at: float | None) -> str:
    """A moment without its zone, where that is said beside it."""
    return _formatted("%Y-%m-%d %H:%M", at) if at else NOTHING


def exact(at: float | None) -> str:
    """A moment to the second."""
    return _formatted("%Y-%m-%d %H:%M:%S UTC", at) if at else NOTHING


def machine(at: float | None) -> str:
    """A moment for programs."""
    return _formatted("%Y-%m-%dT%H:%M:%SZ", at) if at else ""


def _formatted(pattern: str, at: float) -> str:
    try:
        return time.strftime(pattern, time.gmtime(at))
    except (ValueError, OverflowError, OSError):
        return NOTHING


def ago(at: float | None, now: float) -> str:
    """How long before `now` a moment was."""
    if not at:
        return ""
    return f"{lasting(now - at)} ago" if now - at >= 1 else "now"


def lasting(seconds: float | None) -> str:
    """A span of time, to its largest unit or two."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    at = next(place for place, (size, _) in enumerate(_STEPS) if seconds >= size)
    size, unit = _STEPS[at]
    whole, rest = divmod(seconds, size)
    less = f" {int(rest // _STEPS[at + 1][0])} {_STEPS[at + 1][1]}" if at < 2 and whole < 3 else ""
    return f"{int(whole)} {unit}{'' if less.startswith(' 0 ') else less}"


def number(value: float | None) -> str:
    """To three digits, large ones whole."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def nats(value: float | None) -> str:
    """Evidence."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def bare(sentence: str, verdict: str) -> str:
    """A sentence without the verdict that it begins with, where that stands beside it."""
    head = f"{verdict.capitalize()}: "
    rest = sentence.removeprefix(head)
    return rest[:1].upper() + rest[1:] if rest != sentence else sentence


def score(value: float | None) -> str:
    """A statistic, so that those below each other compare."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def share(value: float | None) -> str:
    """Of one, in percent."""
    if value is None:
        return NOTHING
    percent = value * 100
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99 < percent < 100:
        return f"{min(percent, 99.9):.1f} %"  # nearly all is not all
    return f"{percent:.0f} %" if percent >= 10 or percent == int(percent) else f"{percent:.1f} %"


def size(count: float) -> str:
    """Bytes."""
    for unit in _SIZES[:-1]:
        if count < 1024:
            return f"{count:.3g} {unit}" if count < 1000 else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.3g} {_SIZES[-1]}"


FILTERS: Final = {
    "seen": seen, "cut": cut, "key": key, "when": when, "clock": clock, "exact": exact, "machine": machine, "ago": ago,
    "lasting": lasting, "number": number, "score": score, "nats": nats, "bare": bare, "share": share, "size": size,
}  # fmt: skip
"""By their names in templates."""
