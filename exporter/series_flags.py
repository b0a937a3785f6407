"""What the command line says of the series of /metrics: flags of `check`, and lines. The rest is imported late."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.config import Settings
    from exporter.override import Overrides
    from exporter.reference import Profile


def add(parser: argparse.ArgumentParser) -> None:
    """The flags of `check` that are no settings."""
    parser.add_argument("--replicas", type=_number, metavar="NUMBER",
                        help="say how many series so many replicas have, by who shows the reference")  # fmt: skip
    parser.add_argument("--sample-limit", type=_number, metavar="NUMBER",
                        help="sample_limit of the scrape, to see whether a page stays within it")  # fmt: skip


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 10000000, not {text!r}")
    return int(text)


def refuse_strangers(settings: "Settings") -> None:
    """ConfigError where settings name families that are none."""
    from exporter.budget.switches import switched_off  # noqa: PLC0415 (this child only)

    switched_off(settings.metrics, "")


def told(settings: "Settings", profiles: "Sequence[Profile]", given: argparse.Namespace) -> Iterator[str]:
    """How many series there may be, what is left out, and who misses it."""
    from exporter import series_told  # noqa: PLC0415 (this child only)
    from exporter.override import NO_OVERRIDES  # noqa: PLC0415
    from exporter.profile import overrides  # noqa: PLC0415

    said = overrides.load(settings.overrides) if settings.overrides else NO_OVERRIDES
    shown = _hidden(settings, profiles, said) if settings.privacy.deny or settings.privacy.hash else (profiles, said)
    return series_told.told(settings, *shown, (given.replicas, given.sample_limit))


def _hidden(
    settings: "Settings", profiles: "Sequence[Profile]", said: "Overrides"
) -> "tuple[Sequence[Profile], Overrides]":
    """As `serve` has them: what is denied has no series."""
    from exporter.monitor import door  # noqa: PLC0415 (this child only)
    from exporter.profile import salts  # noqa: PLC0415
    from exporter.profile.veiled import veiled  # noqa: PLC0415
    from exporter.scalars.private import Private  # noqa: PLC0415

    salt = salts.load(settings.salt_file, "salt_file") if settings.salt_file else None
    private = Private(settings.privacy, salt)
    return [veiled(profile, private) for profile in profiles], door.hidden_rules(said, private)
