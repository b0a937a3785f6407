"""Golden requests sent one after the other, and how each went; for who waits for them, such as a pipeline."""

import fnmatch
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter.errors import ConfigError, UpstreamError
from exporter.golden import answers
from exporter.golden.cases import Case, Golden, Verdict
from exporter.golden.comparing import compare
from exporter.golden.sending import send
from exporter.reaching import Way

_PAUSE_S: Final = 0.5
_NOT_YET: Final = 503
_TRIES: Final = 3
"""Cases that nobody answers, from the first on: then nobody is there."""


class Wishes(NamedTuple):
    """How it is done."""

    pattern: str = "*"
    """Of the cases' names, as in a shell."""
    repeat: int = 1
    timeout_s: float = 10.0
    wait_s: float = 0.0
    """How long the server may not be there yet."""
    most_failures: int = 0
    """After so many no further case is sent; 0: all are."""


class Result(NamedTuple):
    """How a case went; of several times, the first one that failed, or the last."""

    case: Case
    verdict: Verdict
    version: str
    seconds: float
    """The longest."""


def check(golden: Golden, way: Way, wishes: Wishes) -> list[Result]:
    """How each case went, up to where it was enough. ConfigError: no case is meant; UpstreamError: nobody is there."""
    cases = chosen(golden, wishes.pattern)
    if wishes.wait_s:
        wait(cases[0], way, wishes)
    results: list[Result] = []
    for case in cases:
        results.append(_result(golden, case, way, wishes))
        if _is_enough(results, wishes):
            break
    if _is_nobody(results):
        raise UpstreamError(f"the model server does not answer: {results[0].verdict.detail}")
    return results


def _is_enough(results: Sequence[Result], wishes: Wishes) -> bool:
    failures = sum(not result.verdict.passed for result in results)
    return 0 < wishes.most_failures <= failures or (len(results) >= _TRIES and _is_nobody(results))


def _is_nobody(results: Sequence[Result]) -> bool:
    return all(result.verdict.reason == "unreachable" for result in results)


def chosen(golden: Golden, pattern: str) -> tuple[Case, ...]:
    """Those whose name fits. ConfigError where none does."""
    found = tuple(case for case in golden.cases if fnmatch.fnmatchcase(case.name, pattern))
    if not found:
        raise ConfigError(f"--case: no case is called {pattern}")
    return found


def wait(case: Case, way: Way, wishes: Wishes) -> None:
    """Until a server that may be starting yet answers a case, as far as there is time."""
    until_s = time.monotonic() + wishes.wait_s
    while time.monotonic() < until_s:
        answer = send(case, way, wishes.timeout_s)
        if answer.failure != "unreachable" and answer.status != _NOT_YET:
            return
        time.sleep(_PAUSE_S)


def _result(golden: Golden, case: Case, way: Way, wishes: Wishes) -> Result:
    longest_s = 0.0
    for left in reversed(range(wishes.repeat)):
        answer = send(case, way, wishes.timeout_s)
        longest_s = max(longest_s, answer.seconds)
        version = "" if answer.failure else answers.named(case, answer, golden.version_from).version
        verdict = compare(case, answer, version)
        if not verdict.passed or not left:
            break
    return Result(case, verdict, version, longest_s)
