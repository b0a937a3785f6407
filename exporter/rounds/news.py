"""What the thread that asks has to tell, in the order in which it happened."""

from typing import NamedTuple


class Loaded(NamedTuple):
    """The file was read, and is in force."""

    names: tuple[str, ...]
    """Of its cases, each there once."""


class Unusable(NamedTuple):
    """The file as it is now cannot be used; what was in force stays so."""

    words: str


class Checked(NamedTuple):
    """A case was asked."""

    name: str
    failure: str = ""
    """Of `golden.cases.REASONS`; empty where the answer was as expected."""
    detail: str = ""
    duration_s: float = 0.0
    model: str = ""
    """As the request or its answer names it, empty where neither does; so is the next."""
    version: str = ""
    is_gone: bool = False
    """Whether there is no server."""
    is_unready: bool = False
    """Whether the server says that it is not ready yet."""


class Over(NamedTuple):
    """A round has ended."""

    wall_s: float
    """Unix time."""
    is_complete: bool
    """Whether the server was reached, and was ready for one case at least."""


News = Loaded | Unusable | Checked | Over
