"""The demo's parts one by one: each a program, for where each has a container of its own (deploy/compose)."""

import argparse
import contextlib
import itertools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from exporter import addresses, values
from exporter.demo.chapters import MINUTES, SHORTEST_S, STORIES
from exporter.errors import ConfigError, UpstreamError

_LOOK_S: Final = 0.2


def add(commands: Any) -> None:  # noqa: ANN401 (argparse has no name for it)
    """Say what parts there are, and what each takes."""
    for name, (run, text, flags) in _PARTS.items():
        part = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        part.set_defaults(run=_ending(run))
        for flag in flags:
            part.add_argument(flag, **_FLAGS[flag])


def _ending(run: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace, Any], int]:
    """As process 1 of a container it is sent no signal that it has no handler for."""

    def ended(given: argparse.Namespace, _: object) -> int:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        run(given)
        return 0

    return ended


def _scenery(given: argparse.Namespace) -> None:
    if not given.duration >= SHORTEST_S:
        raise ConfigError(f"--duration: the story takes {SHORTEST_S:.0f} s at least")
    from exporter.demo import scenery  # noqa: PLC0415 (what a part does not need it does not load)

    places = scenery.Places(given.sidecar, given.prometheus, given.alertmanager, given.pager, given.grafana_url)
    scenery.write(Path(given.directory), places, round(given.duration / MINUTES, 3))
    print(f"the scenery is set: {given.directory}")


def _server(given: argparse.Namespace) -> None:
    from exporter.demo import scenery, server  # noqa: PLC0415

    scenery.minute_of(Path(given.directory))  # or there is no model yet, or half of one
    with _listening(given.listen):
        print(f"serving on {given.listen}", flush=True)
        server.serve(Path(given.directory, "model.pickle"), given.listen)


def _clients(given: argparse.Namespace) -> None:
    from exporter.demo import model, scenery  # noqa: PLC0415
    from exporter.demo.traffic import Traffic  # noqa: PLC0415

    minute_s = scenery.minute_of(Path(given.directory))
    chapters = itertools.takewhile(lambda chapter: chapter.server, STORIES[given.story])  # clients can do no more
    with Traffic(given.sidecar, model.rows_of(Path(given.directory)), given.seed, minute_s) as traffic:
        for chapter in chapters:
            traffic.change = chapter.change
            print(f"── {chapter.text}", flush=True)
            threading.Event().wait(chapter.minutes * minute_s)
            print(f"   {traffic.answered} requests answered, {traffic.failed} failed so far", flush=True)
        print("── the story is over; healthy traffic goes on", flush=True)
        threading.Event().wait()


def _pager(given: argparse.Namespace) -> None:
    from exporter.demo.pager import pager  # noqa: PLC0415
    from exporter.demo.scene import description, headline  # noqa: PLC0415

    with _listening(given.listen), pager(*addresses.split_address(given.listen)) as received:
        print(f"taking webhooks on {given.listen}", flush=True)
        while True:
            for page in received.new():
                words = f"\n         {description(page)}" if page.firing else ""
                print(f"{headline(page)}{words}", flush=True)
            threading.Event().wait(_LOOK_S)


@contextlib.contextmanager
def _listening(address: str) -> Iterator[None]:
    """Whoever cannot have an address says which."""
    try:
        yield
    except OSError as error:
        raise UpstreamError(f"--listen: {address}: {error.strerror or error}") from None


def _place(text: str) -> str:
    """HOST:PORT as it was given."""
    try:
        return addresses.address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _directory(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


_PARTS: Final = {
    "scenery": (
        _scenery, "train the model, write everybody's files into a directory",
        ("--directory", "--duration", "--sidecar", "--prometheus", "--alertmanager", "--pager", "--grafana-url"),
    ),
    "server": (_server, "be the model server", ("--directory", "--listen")),
    "clients": (
        _clients, "be the clients, and do as the story has them do",
        ("--directory", "--sidecar", "--story", "--seed"),
    ),
    "pager": (_pager, "be paged: print what Alertmanager posts", ("--listen",)),
}  # fmt: skip
_PLACE: Final = {"metavar": "HOST:PORT", "required": True, "type": _place}
_FLAGS: Final[dict[str, dict[str, Any]]] = {
    "--directory": {"metavar": "DIRECTORY", "required": True, "type": _directory, "help": "what the parts share"},
    "--listen": _PLACE, "--sidecar": _PLACE, "--prometheus": _PLACE, "--alertmanager": _PLACE, "--pager": _PLACE,
    "--duration": {"type": values.duration, "default": 300.0, "metavar": "TIME"},
    "--grafana-url": {"metavar": "URL", "default": "http://localhost:3000", "help": "where people find it"},
    "--story": {"choices": tuple(STORIES), "default": "whole"},
    "--seed": {"type": int, "default": 0, "metavar": "NUMBER"},
}  # fmt: skip
