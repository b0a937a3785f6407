"""The file that a salt is in."""

from pathlib import Path

from exporter.errors import ConfigError, DataError
from exporter.profile import whole_file
from exporter.scalars.salted import Salt

LARGEST = 1 << 20


def load(path: str, key: str) -> Salt:
    """The salt in a file. ConfigError, naming the setting, where there is none; never a word of what is in it."""
    try:
        return Salt(whole_file.read(Path(path), LARGEST))
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from None
    except (DataError, ValueError) as error:
        raise ConfigError(f"{key}: {path}: {error}") from None
