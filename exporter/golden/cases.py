"""Golden requests as nouns: what is sent, what is expected, what came back, and how the two were judged."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MOST_CASES: Final = 1000
LONGEST_NAME: Final = 100
MOST_BODY: Final = 1 << 20
"""Bytes of a request's body, and of an answer's that are read."""
ANY: Final = "*"
"""In place of a version, or of a key or position in a pointer: any."""
REASONS: Final = (
    "local", "unreachable", "timeout", "status", "body", "type", "missing", "extra", "value", "version",
)  # fmt: skip
"""Why a case fails: a file of a header cannot be read; no whole answer; none in time; another code; not what is read
(no JSON, too long, damaged); at a place of the body another kind of value, nothing, something that is not expected,
another value; or nothing is expected of this version."""

Pointer = tuple[str, ...]
"""The keys and positions that a JSON pointer goes by; ANY may be among them where it is a pattern."""


class Tolerance(NamedTuple):
    """How far a number may be from the expected one: `absolute + relative * |expected|`."""

    absolute: float
    relative: float


DEFAULT: Final = Tolerance(1e-8, 1e-5)
"""What other processors and other builds of a library make of the same model. Of fractions alone."""


class Rules(NamedTuple):
    """How answers are compared."""

    tolerance: Tolerance | None = None
    """None where the file says nothing: DEFAULT then, and whole numbers must be equal."""
    tolerances: tuple[tuple[Pointer, Tolerance], ...] = ()
    """Of places; the first pattern that fits counts."""
    ignore: tuple[Pointer, ...] = ()
    extra: bool = True
    """Whether objects may have keys that are not expected."""


class Expected(NamedTuple):
    """What one answer must be: of `parts`, `text` and `content` one at most; else the code is all."""

    status: int = 200
    parts: tuple[tuple[Pointer, Any], ...] = ()
    """JSON values by where they are; the whole body is at ()."""
    text: str | None = None
    content: bytes | None = None
    rules: Rules = Rules()


class Request(NamedTuple):
    """What is sent."""

    method: str
    path: str
    """The target, query and all."""
    headers: tuple[tuple[str, str], ...] = ()
    header_files: tuple[tuple[str, str], ...] = ()
    """Headers and the files that hold their values: secrets are not in the file of cases."""
    content: bytes = b""


class Case(NamedTuple):
    """One golden request."""

    name: str
    request: Request
    expected: Mapping[str, Expected]
    """By the model's version; under ANY what is expected of all others."""

    def expected_of(self, version: str) -> Expected | None:
        """What a version must answer; None where nobody said."""
        return self.expected.get(version) or self.expected.get(ANY)


class Source(NamedTuple):
    """Where an answer says which version of the model it is of, where its protocol does not say so."""

    pointer: str = ""
    header: str = ""


class Golden(NamedTuple):
    """A file of cases."""

    cases: tuple[Case, ...]
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal."""
    version_from: Source = Source()


class Answer(NamedTuple):
    """What came back, or why nothing did."""

    status: int = 0
    headers: Mapping[str, str] = {}
    """Names in lower case."""
    content: bytes = b""
    seconds: float = 0.0
    """From the request's first byte to the answer's last; the connection was there."""
    failure: str = ""
    """`local`, `unreachable`, `timeout` or `body`; empty where all of it is here."""
    detail: str = ""
    """Of the failure, in words."""


class Difference(NamedTuple):
    """One place of an answer that is not as expected."""

    pointer: str
    """RFC 6901; empty for the whole."""
    reason: str
    expected: str
    """As JSON, cut where it is long, with the tolerance; empty where nothing is expected. As is the next."""
    got: str

    @property
    def words(self) -> str:
        """In one line."""
        where = f"{self.pointer}: " if self.pointer else ""
        return f"{where}expected {self.expected or 'nothing'}, got {self.got or 'nothing'}"


class Verdict(NamedTuple):
    """How a case went."""

    reason: str = ""
    """One of REASONS; empty where it passed."""
    detail: str = ""
    """Of the first difference, in words."""
    differences: tuple[Difference, ...] = ()
    """The first ones of them."""

    @property
    def passed(self) -> bool:
        """Whether the answer is as expected."""
        return not self.reason
