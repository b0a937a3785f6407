"""The worst few of many: a panel of a thousand lines says nothing."""

from typing import Final

FEW: Final = 20
_SEEN: Final = "[$__range:10m] @ end()"
_SHORT: Final = "[2m:1m] @ end()"
"""Of a range of a few minutes, in which no ten are full."""


def worst(expr: str, by: str, count: int = FEW, rank: str = "") -> str:
    """Those that were highest at any time of the chosen range, all along it; `rank` may be `abs`."""
    ranked = f"{rank}({expr})"
    highest = f"max_over_time(({ranked}){_SEEN}) or max_over_time(({ranked}){_SHORT})"
    return f"({expr}) and on ({by}) topk({count}, {highest})"


def worst_now(expr: str, count: int = FEW) -> str:
    """Those that are highest at the end of the chosen range, of what is asked for that moment."""
    return f"topk({count}, {expr})"
