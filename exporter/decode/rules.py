"""What the operator says about payloads, where they do not say it themselves."""

from dataclasses import dataclass

from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.origins import Origin
from exporter.reference import Profile
from exporter.values import nearest


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that decoding can be told. The default is to find out."""

    protocols: tuple[tuple[str, str], ...] = ()
    """Patterns of paths with the protocol that is spoken there, the first that fits wins."""
    features: tuple[Origin, ...] = ()
    """What columns are made of, where names do not say it."""
    outputs: tuple[Origin, ...] = ()
    feature_order: tuple[str, ...] = ()
    """What the columns of bare arrays are called, by the profile."""
    output_order: tuple[str, ...] = ()


def of(settings: Settings, profile: Profile | None) -> Rules:
    """What settings and profile say. ConfigError where a map is of a column that the profile does not have."""
    features = tuple(column.name for column in profile.features) if profile else ()
    outputs = tuple(column.name for column in profile.outputs) if profile else ()
    for key, origins, known in (("features", settings.features, features), ("outputs", settings.outputs, outputs)):
        for origin in origins:
            if profile and origin.column not in known:
                raise ConfigError(
                    f"{key}.{origin.column}: no column of the profile{nearest(origin.column, set(known))}"
                )
    return Rules(features=settings.features, outputs=settings.outputs, feature_order=features, output_order=outputs)
