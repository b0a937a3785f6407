"""Sections of the settings about what models are called, and how many there may be; as in `sections`."""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.values import integer, label_value


@dataclass(frozen=True, slots=True)
class Model:
    """What the model is called on /metrics, and whose it is."""

    name: str | None = setting(
        None, "Label model; what the traffic names, else the profile, else 'default', where left out.", label_value
    )
    version: str | None = setting(
        None,
        "Label model_version; what the traffic names, else the profile, else 'unknown', where left out.",
        label_value,
    )
    owner: str | None = setting(None, "Whose it is: label owner of its alerts, by which they are routed.", label_value)


@dataclass(frozen=True, slots=True)
class Models:
    """How many models may be watched."""

    limit: int = setting(
        32,
        "Most models and versions that are watched; what the traffic names beyond them is counted as model '_other'.",
        integer(1, 1000),
    )
