"""The worst few of many: a panel of a thousand lines says nothing."""

from typing import Final

FEW: Final = 20
_EVER: Final = "[$__range:10m] @ end()"
_LAST: Final = "[10m:15s] @ end()"
"""The end, of which a look at every ten minutes may know nothing yet; the whole, where little time is chosen."""


def worst(expr: str, by: str, count: int = FEW, rank: str = "") -> str:
    """So many that are highest at the end of the chosen range, and half as many that ever were; all along it.

    `rank` may be `abs`. Of few series: it looks at all of them over the whole range a second time.
    """
    last, ever = (f"max_over_time(({rank}({expr})){span})" for span in (_LAST, _EVER))
    half = count // 2
    return f"({expr}) and on ({by}) (topk({count - half}, {last}) or topk({half}, {ever}))"


def worst_or_found(expr: str, by: str, found: str, count: int = FEW) -> str:
    """Likewise of many series: beside the highest at the end those that a rule found anything about, which are few."""
    half = count // 2
    ever = f"max by ({by}) (max_over_time({found}[$__range] @ end()))"
    return f"({expr}) and on ({by}) (topk({count - half}, max_over_time(({expr}){_LAST})) or topk({half}, {ever}))"


def highest(expr: str, by: str, count: int = FEW) -> str:
    """Those that were highest at any moment of the chosen range; all along it."""
    return f"{expr} and on ({by}) topk({count}, max_over_time(({expr})[$__range:$__interval] @ end()))"


def lowest(expr: str, by: str, count: int = FEW) -> str:
    """Those that were lowest at any moment, likewise."""
    return f"{expr} and on ({by}) bottomk({count}, min_over_time(({expr})[$__range:$__interval] @ end()))"


def worst_now(expr: str, count: int = FEW) -> str:
    """Those that are highest at the end of the chosen range, of what is asked for that moment."""
    return f"topk({count}, {expr})"
