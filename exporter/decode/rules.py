"""What the operator says about payloads, where they do not say it themselves."""

from dataclasses import dataclass

from exporter.business import BusinessValue
from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.origins import Origin
from exporter.reference import Profile
from exporter.rollout import HeaderRule
from exporter.values import nearest


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that decoding can be told. The default is to find out."""

    protocols: tuple[tuple[str, str], ...] = ()
    """Patterns of paths with the protocol that is spoken there, the first that fits wins."""
    features: tuple[Origin, ...] = ()
    """What columns are made of, where names do not say it."""
    outputs: tuple[Origin, ...] = ()
    id_pointer: str = ""
    """JSON pointer to a request's id in its body."""
    id_columns: tuple[str, ...] = ()
    """Columns that together are the id of a row."""
    id_header: str = ""
    """Header that holds a request's id, in lower case."""
    values: tuple[BusinessValue, ...] = ()
    """Business values of exchanges."""
    shadow: HeaderRule | None = None
    """By what copies of requests are known, whose answers nobody gets."""


def of(settings: Settings) -> Rules:
    """The rules that settings make."""
    own = settings.request_id
    return Rules(
        settings.protocols, settings.features, settings.outputs, own.pointer or "", own.columns, own.header or "",
        tuple(one for one in settings.values if not one.feedback), settings.versions.shadow,
    )  # fmt: skip


def refuse_strangers(told: Rules, profile: Profile) -> None:
    """ConfigError where a map is of a column that the profile does not have."""
    for key, origins, side in (
        ("features", told.features, profile.asked),
        ("outputs", told.outputs, profile.answered),
    ):
        known = set(side.fields)
        for origin in origins:
            if origin.column not in known:
                raise ConfigError(f"{key}.{origin.column}: no column of the profile{nearest(origin.column, known)}")
