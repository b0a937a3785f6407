"""Objectives of the rules, as they are shipped (alert_rules/values.yml): what panels draw as lines."""

from typing import Final

from exporter.rules import files

AS_SHIPPED: Final = "The objective is the one that the rules are shipped with."
"""What panels say whose lines do not follow rules that somebody has tuned."""


def value(name: str) -> float:
    """A threshold by its name, such as `slo.failed`. KeyError where there is none."""
    return float(files.defaults()[name])


def share(name: str) -> str:
    """It as people say it: 0.1 %."""
    return f"{100 * value(name):.4g} %"
