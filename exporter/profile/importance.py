"""How much a model's answers hang on each of its features."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from exporter.calibration import rounded
from exporter.errors import ConfigError
from exporter.reference import Association, Column, Profile
from exporter.values import nearest

GIVEN: Final = "given"
ESTIMATED: Final = "estimated"


def given(profile: Profile, weights: Mapping[str, float]) -> Profile:
    """The profile with an importance that somebody states, by feature or field of a payload; features without are 0.

    What is said of a field that is watched by several scalars is theirs in equal parts. ConfigError for unknown names.
    """
    names = {column.name for column in profile.features}
    fields = {column.field for column in profile.features}
    for name in weights:
        if name not in names | fields:
            raise ConfigError(f"--importance: {name}: no feature is called so{nearest(name, names | fields)}")
    sharing = {field: sum(column.field == field and column.name not in weights for column in profile.features)
               for field in fields}  # fmt: skip
    raw = [weights.get(column.name, weights.get(column.field, 0.0) / max(1, sharing[column.field]))
           for column in profile.features]  # fmt: skip
    if not sum(raw):
        raise ConfigError("--importance: at least one feature must have some")
    return _shared(profile, raw, GIVEN)


def estimated(profile: Profile) -> Profile:
    """The profile with an importance that is estimated, where answers were counted and differ; else without.

    The share of the answers' variance that is between a feature's bins (the correlation ratio), less what chance alone
    makes of it (Kelley's ε²); the mean of all outputs. Each feature by itself: those that say the same have the same.
    """
    raw = [_of(column, profile) for column in profile.features]
    if any(raw):
        return _shared(profile, raw, ESTIMATED)
    features = tuple(replace(column, importance=None) for column in profile.features)
    return replace(profile, features=features, importance="", digest="")


def _shared(profile: Profile, raw: list[float], origin: str) -> Profile:
    largest = max(raw)  # the sum may be beyond every float
    total = sum(one / largest for one in raw)
    features = tuple(replace(column, importance=rounded(one / largest / total))
                     for column, one in zip(profile.features, raw, strict=True))  # fmt: skip
    return replace(profile, features=features, importance=origin, digest="")


def _of(column: Column, profile: Profile) -> float:
    outputs = {output.name: output for output in profile.outputs}
    found = list(_each(column, outputs))
    return sum(found) / len(found) if found else 0.0


def _each(column: Column, outputs: Mapping[str, Column]) -> Iterator[float]:
    for association in column.association:
        yield _explained(association, outputs[association.output])


def _explained(found: Association, output: Column) -> float:
    """ε², 0 to 1."""
    rows, bins = sum(found.counts), sum(map(bool, found.counts))
    if rows <= bins or not bins:
        return 0.0
    mean = sum(count * one for count, one in zip(found.counts, found.means, strict=True)) / rows
    between = sum(count * (one - mean) ** 2 for count, one in zip(found.counts, found.means, strict=True)) / rows
    variance = output.sd**2 if output.ordered else mean * (1 - mean)
    if not variance:
        return 0.0
    return max(0.0, 1 - (1 - min(1.0, between / variance)) * (rows - 1) / (rows - bins))
