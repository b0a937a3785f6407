"""A golden request and what became of it: asked of the model server, whose it is, and whether it is as expected."""

import contextlib
import time
from typing import Final

from exporter import reaching
from exporter.golden import answers, comparing, sending
from exporter.golden.cases import Answer, Case, Golden
from exporter.reaching import Way
from exporter.rounds.news import Checked

_UNREACHABLE: Final = "unreachable"
_UNREADY: Final = 503


class Asking:
    """Asks one server."""

    def __init__(self, way: Way, timeout_s: float, version: str) -> None:
        """`version` is what answers are of that name none, as far as settings say; empty where they do not."""
        self._way, self._timeout_s, self._version = way, timeout_s, version

    def __call__(self, golden: Golden, case: Case) -> Checked:
        """What became of a case of a file."""
        answer = sending.send(case, self._way, self._timeout_s)
        if answer.failure == _UNREACHABLE and not self._is_there():
            return Checked(case.name, answer.failure, answer.detail, is_gone=True)
        model, version = _named(golden, case, answer)
        verdict = comparing.compare(case, answer, version or self._version)
        is_unready = answer.status == _UNREADY and not verdict.passed
        return Checked(
            case.name, verdict.reason, verdict.detail, answer.seconds, model, version, is_unready=is_unready
        )  # fmt: skip

    def _is_there(self) -> bool:
        """Whether it accepts a connection: then it was this request that it cut off."""
        with contextlib.suppress(OSError):
            reaching.connected(self._way, time.monotonic() + self._timeout_s).close()
            return True
        return False


def _named(golden: Golden, case: Case, answer: Answer) -> tuple[str, str]:
    found = answers.named(case, answer, golden.version_from)
    return found.model, found.version
