"""How far a file was sent, in a small file of its own, so that whoever was interrupted goes on."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exporter.errors import ConfigError
from exporter.profile import whole_file
from exporter.profile.signature import signature_of

ENDING: Final = ".progress"
_VERSION: Final = 1


class Noted:
    """Of one file and one way to send it."""

    def __init__(self, path: str, sent: str, way: str) -> None:
        """`path` is where it is noted, `sent` the file, `way` all that says how it is sent, and where."""
        self._path = Path(path)
        whole = repr((way, signature_of(Path(sent))))
        self._about = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()

    def read(self) -> tuple[int, dict[str, int]]:
        """Rows that were acknowledged, and what became of them; none where it was another file or another way."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
            if (found["version"], found["about"]) == (_VERSION, self._about):
                return int(found["rows"]), {str(word): int(count) for word, count in found["counted"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return 0, {}

    def write(self, rows: int, counted: Mapping[str, int]) -> None:
        """So many are acknowledged. What was noted before stays until this is whole. ConfigError."""
        said = {"version": _VERSION, "about": self._about, "rows": rows, "counted": dict(counted)}
        try:
            whole_file.write(self._path, json.dumps(said))
        except OSError as error:
            raise ConfigError(f"--resume: cannot write {self._path}: {error.strerror}") from None

    def done(self) -> None:
        """Nothing is left to go on with."""
        self._path.unlink(missing_ok=True)
