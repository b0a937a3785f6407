"""Predictions and truths for tests, by short words."""

import time
from typing import Any, Final

from exporter.truths import Owner, Prediction, Truth, key_of

NOW_MS: Final = int(time.time() * 1000)
ONE: Final = Owner("credit", "1", "t1")
TWO: Final = Owner("credit", "2", "t1")
OTHER: Final = Owner("fraud", "1", "t2")


def prediction(name: str, owner: Owner = ONE, at_ms: int = NOW_MS, said: bytes = b"\x00said\xff") -> Prediction:
    return Prediction(key_of(name), owner, at_ms, said)


def truth(name: str, true: bytes = b"1", model: str = "", *, told_ms: int = NOW_MS + 5, **more: Any) -> Truth:
    """`more` are predicted_ms and extra."""
    return Truth(key_of(name), model, told_ms, more.get("predicted_ms", 0), true, more.get("extra", b""))
