"""What is on the stage before the first one enters, written into a directory that all parts share.

Where each part has a container of its own, nobody starts the others: each finds its files here.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from exporter.demo import model, start, watchers
from exporter.errors import ConfigError

_READY: Final = "ready"
"""Says by its being there that the directory is ours, and by what is in it that the scenery is whole."""
_MADE: Final = ("prometheus", "alertmanager", "grafana")
_WRITTEN: Final = ("train.csv", "model.pickle", "profile.json", "exporter.yml", *_MADE)


class Places(NamedTuple):
    """Where the parts find each other: HOST:PORT each, and addresses of pages for people."""

    sidecar: str
    """Its page of metrics."""
    prometheus: str
    alertmanager: str
    pager: str
    grafana_url: str


def write(directory: Path, places: Places, minute_s: float) -> None:
    """The model, its profile, and the files of everybody; those of an earlier run are written anew."""
    try:
        with _claimed(directory):
            _write(directory, places, minute_s)
            (directory / _READY).write_text(f"{minute_s}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{directory}: {error.strerror or error}") from None


@contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Nobody else's files are written over, and nobody else writes meanwhile; until it is whole it says it is not."""
    foreign = [name for name in _WRITTEN if (directory / name).exists()]
    if foreign and not (directory / _READY).exists():
        raise ConfigError(f"{directory}: {foreign[0]} is not of a scenery and would be lost; take an empty directory")
    with (directory / _READY).open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{directory}: another scenery is being made there") from None
        file.truncate(0)
        yield


def _write(directory: Path, places: Places, minute_s: float) -> None:
    for name in _MADE:
        shutil.rmtree(directory / name, ignore_errors=True)
    _profile(model.train(directory), directory / "profile.json")
    settings = yaml.safe_dump(_nested(start.timing(minute_s)))
    (directory / "exporter.yml").write_text(settings, encoding="utf-8")
    _watchers(directory, places, minute_s)


def minute_of(directory: Path) -> float:
    """How long a minute of the rules takes on this stage."""
    try:
        return float((directory / _READY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(f"{directory}: no scenery there; `inference-exporter demo scenery` makes it") from None


def _profile(trained: model.Trained, path: Path) -> None:
    from exporter import cli  # noqa: PLC0415 (it has this module among its commands)

    if cli.main(start.profile_words(trained, path)):
        raise ConfigError(f"{path}: not made")


def _watchers(directory: Path, places: Places, minute_s: float) -> None:
    prometheus = watchers.Prometheus([places.sidecar], [places.alertmanager], minute_s, places.grafana_url)
    prometheus.write(directory / "prometheus")
    watchers.Alertmanager(f"http://{places.pager}", minute_s).write(directory / "alertmanager")
    watchers.Grafana(f"http://{places.prometheus}", minute_s).environment(directory / "grafana", 0)


def _nested(settings: dict[str, str]) -> dict[str, Any]:
    """A file of settings, of dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        place = found.setdefault(section, {}) if section else found
        place[name] = value.split(",") if "," in value else value
    return found
