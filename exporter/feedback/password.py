"""The password of a store that is a server."""

from pathlib import Path

from exporter.errors import ConfigError
from exporter.feedback.stores import Unavailable


class Password:
    """As it is in a file now, else as it was in the address."""

    def __init__(self, file: str | None, said: str | None) -> None:
        self._file = file
        self._said = said
        self._last = said

    @property
    def is_there(self) -> bool:
        """Whether there is one."""
        return self._file is not None or self._said is not None

    def __call__(self) -> str | None:
        """Unavailable where the file cannot be read."""
        if self._file is not None:
            try:
                self._last = Path(self._file).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                raise Unavailable(f"feedback.store_password_file: {self._file}: {_reason(error)}") from None
        return self._last

    def verify(self) -> None:
        """ConfigError where the file cannot be read."""
        try:
            self()
        except Unavailable as error:
            raise ConfigError(str(error)) from None

    def hidden(self, text: str) -> str:
        """A text without it."""
        return text.replace(self._last, "…") if self._last else text


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
