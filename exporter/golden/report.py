"""How a check of golden requests went: for people, for programs, and for pipelines that read JUnit's XML."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from exporter.golden.checking import Result
from exporter.profile.terminal import Paper, padded, printable, wide

_NAME_WIDTH: Final = 40
_NOT_XML: Final = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Round(NamedTuple):
    """All that was found."""

    file: str
    url: str
    cases: int
    """That were to be sent."""
    results: Sequence[Result]

    @property
    def failed(self) -> int:
        """Cases."""
        return sum(not result.verdict.passed for result in self.results)


def text(found: Round, paper: Paper) -> str:
    """A line for each case, its first difference below it, and how many of them failed."""
    width = min(_NAME_WIDTH, max((wide(result.case.name) for result in found.results), default=0))
    lines = [printable(f"{found.file}: {found.cases} {'case' if found.cases == 1 else 'cases'}, {found.url}")]
    for result in found.results:
        lines += _lines(result, width, paper)
    return "\n".join([*lines, paper.bold(_summary(found))])


def _lines(result: Result, width: int, paper: Paper) -> Iterable[str]:
    verdict = result.verdict
    word = paper.good("pass") if verdict.passed else paper.warning("FAIL")
    version = f"  version {printable(result.version)}" if result.version else ""
    yield f"  {word}  {padded(result.case.name, width)}  {1000 * result.seconds:8.1f} ms{version}"
    told = [one.words for one in verdict.differences] or [verdict.detail] * (not verdict.passed)
    for place, words in enumerate(told):
        yield f"        {padded(verdict.reason if not place else '', 12)}{paper.cut(words, 20)}"


def _summary(found: Round) -> str:
    left = found.cases - len(found.results)
    words = f"{found.failed} of {len(found.results)} failed" if found.failed else f"all {len(found.results)} passed"
    return words + (f", {left} not sent" if left else "")


def as_json(found: Round, _: Paper) -> str:
    """A document for programs."""
    document = {
        "file": found.file, "url": found.url, "passed": len(found.results) - found.failed, "failed": found.failed,
        "not_sent": found.cases - len(found.results), "cases": list(map(_document, found.results)),
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, indent=2)


def _document(result: Result) -> dict[str, Any]:
    verdict = result.verdict
    differences = [one._asdict() for one in verdict.differences]
    return {
        "name": result.case.name, "passed": verdict.passed, "reason": verdict.reason, "detail": verdict.detail,
        "version": result.version, "seconds": round(result.seconds, 6), "differences": differences,
    }  # fmt: skip


def junit(found: Round, _: Paper) -> str:
    """As test reports are read by pipelines: a suite, a case each, what failed within."""
    time_s = sum(result.seconds for result in found.results)
    counts = f'tests="{len(found.results)}" failures="{found.failed}" errors="0" skipped="0" time="{time_s:.6f}"'
    suite = [f"<testsuite name={_attribute(found.file)} {counts}>", *map(_element, found.results), "</testsuite>"]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", *suite, "</testsuites>"])


def _element(result: Result) -> str:
    verdict = result.verdict
    head = f'<testcase classname="golden" name={_attribute(result.case.name)} time="{result.seconds:.6f}"'
    if verdict.passed:
        return head + "/>"
    words = "\n".join(one.words for one in verdict.differences) or verdict.detail
    failure = f"<failure type={_attribute(verdict.reason)} message={_attribute(verdict.detail)}>"
    return f"{head}>{failure}{escape(_NOT_XML.sub('�', words))}</failure></testcase>"


def _attribute(words: str) -> str:
    return quoteattr(_NOT_XML.sub("�", words))


FORMATS: Final[Mapping[str, Callable[[Round, Paper], str]]] = {"text": text, "json": as_json, "junit": junit}
