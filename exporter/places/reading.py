"""Profiles for commands: read once, and every fault is an error."""

import hashlib
from pathlib import Path
from typing import Final

from exporter import locations
from exporter.errors import ConfigError, DataError
from exporter.locations import FILE, Location
from exporter.places import asking
from exporter.places.asking import FOUND, INVALID, Order
from exporter.profile import document, whole_file
from exporter.reference import Profile

_BESIDE_MODELS: Final = "/mnt/models"
"""Where KServe's storage initializer puts a model, and what lies beside it."""
_NAME: Final = "profile.json"


def default(root: str = _BESIDE_MODELS) -> str | None:
    """The profile that lies beside the model, or one beside each of several; None where there is none."""
    if (Path(root) / _NAME).is_file():
        return f"{root}/{_NAME}"
    return f"{root}/{locations.MODEL}/{_NAME}" if any(Path(root).glob(f"*/{_NAME}")) else None


def load(text: str) -> Profile:
    """The profile in a place. ConfigError where it cannot be had, DataError where it cannot be used."""
    place = locations.parse(text)
    if place.scheme == FILE:
        return _load_file(place)
    answer, raw = asking.ask(Order(text))
    if answer.outcome == FOUND:
        return document.loads(raw, place.shown)
    raise (DataError if answer.outcome == INVALID else ConfigError)(f"profile: {place.shown}: {answer.words}")


def _load_file(place: Location) -> Profile:
    found = document.load(place.text)
    if place.sha256 is not None:
        digest = hashlib.sha256(whole_file.read(Path(place.text), whole_file.LARGEST)).hexdigest()
        if digest != place.sha256:
            raise DataError(f"profile: {place.text}: its SHA-256 is {digest}, not the pinned one")
    return found


def each(text: str) -> dict[str, Profile]:
    """All profiles that files have for models, by path: in a directory, or whatever `{model}` may stand for."""
    place = locations.parse(text)
    path = Path(place.text)
    if place.is_template:
        pattern = place.of("*", "*").text.lstrip("/")
        files = sorted(Path("/" if path.is_absolute() else ".").glob(pattern))
    else:
        files = sorted(path.glob("*.json")) + sorted(path.glob("*/*.json"))
    return {str(file): document.load(str(file)) for file in files}
