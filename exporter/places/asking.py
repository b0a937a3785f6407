"""How a store is asked: by a process of its own, that ends by itself. The standard library only.

Its order is one line of JSON on its standard input, its answer one on its standard output; the bytes come in memory
that whoever asks has made.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from exporter.handoff import memory

TIME_LIMIT_S: Final = 60.0
"""Importing the library of a store may take seconds of a busy machine."""
_GRACE_S: Final = 5.0
FOUND, SAME, ABSENT, INVALID, FAILED = "found", "same", "absent", "invalid", "failed"


class Known(NamedTuple):
    """What whoever asks has already."""

    mark: str = ""
    """The store's own, of the last answer."""
    sha256: str = ""
    """Of the bytes."""


class Order(NamedTuple):
    """What is wanted."""

    place: str
    """As in the settings, with its checksum; of one model."""
    known: Known = Known()
    copy: str | None = None
    """Where to leave a copy of what is found."""
    time_limit_s: float = TIME_LIMIT_S


class Answer(NamedTuple):
    """What came of it."""

    outcome: str
    """FOUND and usable, the SAME as what is known, ABSENT, INVALID and of no use, or FAILED: it cannot be had."""
    words: str = ""
    """Why there is nothing to be used."""
    known: Known = Known()
    """Of what is there now."""


def ask(order: Order) -> tuple[Answer, bytes]:
    """The answer and, where something was found, its bytes. For threads: it takes as long as the store may."""
    descriptor = memory.create("profile", 0)
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module)
            _COMMAND, input=_line(order, descriptor), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,), timeout=order.time_limit_s + _GRACE_S, check=False,
        )  # fmt: skip
        answer = _answer(done.stdout, done.returncode, order)
        return answer, memory.kept(descriptor) if answer.outcome == FOUND else b""
    except subprocess.TimeoutExpired:
        return _late(order), b""
    except OSError as error:
        return _unasked(error), b""
    finally:
        os.close(descriptor)


async def asked(order: Order, descriptor: int) -> Answer:
    """The answer; what is found is in a descriptor's memory then, which is new. Cancelled, it ends its process."""
    import asyncio  # noqa: PLC0415 (whoever awaits it has it; who asks in a thread may not)

    try:
        child = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, pass_fds=(descriptor,),
        )  # fmt: skip
    except OSError as error:
        return _unasked(error)
    try:
        said = await asyncio.wait_for(child.communicate(_line(order, descriptor)), order.time_limit_s + _GRACE_S)
    except TimeoutError:
        return _late(order)
    finally:
        with contextlib.suppress(ProcessLookupError):
            if child.returncode is None:
                child.kill()
    return _answer(said[0], child.returncode, order)


_COMMAND: Final = (sys.executable, "-m", "exporter.places.fetch")


def _line(order: Order, descriptor: int) -> bytes:
    return json.dumps({**order._asdict(), "descriptor": descriptor}).encode() + b"\n"


def order_of(line: str) -> tuple[Order, int]:
    """The inverse: an order, and the descriptor for what is found."""
    told: dict[str, Any] = json.loads(line)
    descriptor: int = told.pop("descriptor")
    return Order(**{**told, "known": Known(*told["known"])}), descriptor


def answer_line(answer: Answer) -> str:
    """An answer on its way."""
    return json.dumps(answer._asdict())


def _answer(said: bytes, status: int | None, order: Order) -> Answer:
    if status is not None and status < 0:
        return _late(order)
    try:
        told = json.loads(said)
        return Answer(told["outcome"], told["words"], Known(*told["known"]))
    except (ValueError, KeyError, TypeError):
        return Answer(FAILED, f"whoever should fetch it ended with status {status}")


def _late(order: Order) -> Answer:
    return Answer(FAILED, f"not fetched within {order.time_limit_s:g} s")


def _unasked(error: OSError) -> Answer:
    return Answer(FAILED, f"nobody could be sent for it: {error.strerror}")


def copy_of(place: str, directory: Path | None) -> Path | None:
    """Where the copy of what is in a place is kept; None where none is."""
    import hashlib  # noqa: PLC0415 (only where something is kept)

    return directory and directory / f"{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"
