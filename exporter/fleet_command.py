"""The command `inference-exporter fleet`: its flags, and the settings that they, a file and the environment make."""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Final

from exporter import keys
from exporter.errors import ConfigError
from exporter.fleet.settings import Settings

_CONFIG: Final = "INFERENCE_EXPORTER_CONFIG"


def add(command: argparse.ArgumentParser) -> None:
    """Say what it takes."""
    command.set_defaults(run=_run)
    command.add_argument("--config", metavar="FILE", help="YAML file of settings")
    for key in keys.every_key(Settings):
        default = f" (default {key.default})" if key.default is not None else ""
        command.add_argument(
            *key.flags, dest=key.name, metavar="VALUE", action="append" if key.item else "store",
            help=(key.help + default).replace("%", "%%"),
        )  # fmt: skip


def settings_of(given: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Flags over environment over file over defaults. ConfigError."""
    known = keys.every_key(Settings)
    file = given.config or environ.get(_CONFIG)
    own = {word: text for word, text in environ.items() if word != _CONFIG}
    settings = keys.resolve(
        Settings,
        ("command line", {key.name: getattr(given, key.name) for key in known}),
        ("environment", keys.from_environment(known, own)),
        (file or "", keys.flatten(known, _read(file), file) if file else {}),
    )
    if settings.prometheus.url is None:
        raise ConfigError("--prometheus.url: which Prometheus has the exporters' series?")
    return settings


def _read(path: str) -> object:
    from exporter.profile import strict_yaml  # noqa: PLC0415 (where there is a file only)

    return strict_yaml.of_file(path)


def _run(given: argparse.Namespace, _: Sequence[str]) -> int:
    settings = settings_of(given, os.environ)
    from exporter.fleet import process  # noqa: PLC0415 (this command only)

    return process.run(settings)
