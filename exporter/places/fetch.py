"""The process that fetches a profile from where it lives, and sees whether it can be used. It lives for seconds.

Whatever it says is its own words and those of the profile's faults: never an address, a header or a page of a server.
"""

import contextlib
import hashlib
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from exporter import locations
from exporter.errors import DataError
from exporter.places import STORES, asking
from exporter.places.asking import ABSENT, FAILED, FOUND, INVALID, SAME, Answer, Known, Order
from exporter.places.content import Absent, Content, Refused
from exporter.profile import document, whole_file

_MOST_COPIES: Final = 64


def answer(order: Order, descriptor: int) -> Answer:
    """Fetch what is wanted into a descriptor's memory."""
    try:
        return _answer(order, descriptor)
    except Absent as nothing:
        return Answer(ABSENT, str(nothing), order.known)
    except Refused as error:
        return Answer(FAILED, str(error), order.known)
    except DataError as error:
        return Answer(INVALID, str(error), order.known)
    except Exception as error:  # noqa: BLE001 (a library's; its words may hold secrets)
        return Answer(FAILED, f"the store's library failed ({type(error).__name__})", order.known)


def _answer(order: Order, descriptor: int) -> Answer:
    place = locations.parse(order.place)
    content: Content | None = import_module(STORES[place.scheme]).fetch(place, order.known.mark)
    if content is None:
        if not order.known.mark:
            raise Refused("the store says that nothing has changed, and was not asked that")
        return Answer(SAME, known=order.known)
    found = Known(content.mark, hashlib.sha256(content.raw).hexdigest())
    if found.sha256 == order.known.sha256:
        return Answer(SAME, known=found)
    _check(place, content.raw, found)
    _hand_over(content.raw, descriptor)
    if order.copy is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):  # a disk that is full or read-only costs the copy alone
            _keep(content.raw, Path(order.copy))
    return Answer(FOUND, known=found)


def _check(place: locations.Location, raw: bytes, found: Known) -> None:
    """DataError where it is not what was pinned, or no profile, naming the path to the fault."""
    if place.sha256 is not None and place.sha256 != found.sha256:
        raise DataError(f"its SHA-256 is {found.sha256}, not the pinned one")
    document.loads(raw, "the profile")


def _hand_over(raw: bytes, descriptor: int) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _keep(raw: bytes, path: Path) -> None:
    """A copy for the owner's eyes, whole or not at all; of the many that settings may have named, the newest stay."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    whole_file.write(path, raw.decode())
    others = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in others[_MOST_COPIES:]:
        old.unlink(missing_ok=True)


def main() -> None:
    """Take the order, answer it and end, in any case within the time limit."""
    os.umask(0o077)
    order, descriptor = asking.order_of(sys.stdin.readline())
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, order.time_limit_s)  # kills, whatever a library waits for
    most = whole_file.LARGEST + (1 << 20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # of libraries that fetch to a file
    os.nice(5)
    said = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries print
    os.write(said, asking.answer_line(answer(order, descriptor)).encode() + b"\n")
    os._exit(0)  # threads of a library may hang


if __name__ == "__main__":
    main()
