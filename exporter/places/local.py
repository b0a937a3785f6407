"""Files of this machine."""

from pathlib import Path

from exporter.errors import DataError
from exporter.locations import Location
from exporter.places.content import Absent, Content, Refused
from exporter.profile import whole_file


def fetch(location: Location, _: str) -> Content:
    """The file's bytes."""
    try:
        return Content(whole_file.read(Path(location.text), whole_file.LARGEST))
    except (FileNotFoundError, NotADirectoryError):
        raise Absent("there is no such file") from None
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    except DataError:
        raise Refused(f"larger than {whole_file.LARGEST >> 20} MiB") from None
