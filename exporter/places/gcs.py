"""Google Cloud Storage. Credentials, project and endpoint are those of its library's environment."""

import importlib
from collections.abc import Iterator
from typing import Any, Final

from exporter.locations import Location
from exporter.places.content import Absent, Content, Refused, missing, whole

_PATIENCE_S: Final = 10
_PIECE: Final = 1 << 18
"""The library wants a multiple of this."""
_SAME: Final = 304


def fetch(location: Location, mark: str) -> Content | None:
    """The object's bytes; None where its generation is the mark."""
    try:
        storage, called, auth = map(
            importlib.import_module, ("google.cloud.storage", "google.api_core.exceptions", "google.auth.exceptions")
        )
    except ImportError as error:
        raise missing("gcs", error) from None
    bucket, _, name = location.text.removeprefix("gs://").partition("/")
    try:
        blob = storage.Client().bucket(bucket).blob(name)
        blob.reload(timeout=_PATIENCE_S, retry=None)
        generation = str(blob.generation or "")
        return None if mark and generation == mark else Content(whole(_pieces(blob)), generation)
    except called.NotFound:
        raise Absent("the store has nothing there (404)") from None
    except called.GoogleAPICallError as error:
        raise Refused(_said(error.code)) from None
    except auth.GoogleAuthError as error:
        raise Refused(f"there are no credentials for the store ({type(error).__name__})") from None
    except OSError as error:
        raise Refused(f"the store cannot be reached ({type(error).__name__})") from None


def _pieces(blob: Any) -> Iterator[bytes]:  # noqa: ANN401 (the library is not there when this is checked)
    with blob.open("rb", chunk_size=_PIECE, timeout=_PATIENCE_S) as file:
        while piece := file.read(_PIECE):
            yield piece


def _said(code: int | None) -> str:
    return f"the store forbids it ({code})" if code in {401, 403} else f"the store answered {code}"
