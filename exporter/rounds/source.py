"""The file of golden requests, read again when it is another one; one that cannot be used changes nothing."""

from collections.abc import Sequence
from pathlib import Path

from exporter.errors import ExporterError
from exporter.golden import reading
from exporter.golden.cases import Golden
from exporter.rounds.news import Loaded, Unusable


class Source:
    """One file; of the thread that asks."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mark: tuple[int, int, int] | None = None
        """Of what is in force; None where what is there now is not."""
        self._fault = ""
        self._golden: Golden | None = None

    def __call__(self) -> tuple[Golden | None, Sequence[Loaded | Unusable]]:
        """What is in force now, None where nothing was ever usable; and what is new."""
        try:
            found = Path(self._path).stat()
            mark = found.st_mtime_ns, found.st_ino, found.st_size
            if mark == self._mark:
                return self._golden, ()
            self._golden, self._mark, self._fault = reading.load(self._path), mark, ""
        except (ExporterError, OSError) as error:
            return self._golden, self._unusable(str(error))
        return self._golden, [Loaded(tuple(case.name for case in self._golden.cases))]

    def _unusable(self, words: str) -> list[Loaded | Unusable]:
        before, self._fault, self._mark = self._fault, words, None
        return [] if before == words else [Unusable(words)]
