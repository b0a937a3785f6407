"""What the person who builds a profile says about the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exporter.errors import ConfigError
from exporter.profile.files import Dialect
from exporter.reference import Profile
from exporter.scalars.salted import Salt


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person who builds the profile says about the table."""

    source: str = "a data frame"
    """The file; of a table in memory what the profile says it was made from."""
    predictions: Sequence[str] = ()
    """Columns the model answers with, in the order of its answer."""
    target: str | None = None
    """The column of the truth: neither fed to the model nor answered."""
    positive: str | None = None
    """Of a target of two classes the one that a score is the probability of; the second where nothing is said."""
    threshold: float | None = None
    """The score from which on it is predicted; a half where nothing is said."""
    ignored: Sequence[str] = ()
    model: str = "default"
    version: str = "unknown"
    trained_at: float | None = None
    """Unix time."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Declared kinds by column; the others are inferred."""
    dialect: Dialect = field(default_factory=Dialect)
    """Of a text file."""
    time: str | None = None
    """The column that says when a row is from; it is no feature."""
    zone: str = "UTC"
    """IANA name of the zone of its times without one, and of the hours of the week."""
    influenced: str | None = None
    """The column that says whether the model itself had influenced a row; it is no feature."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """Of features, on any scale; estimated where nothing is said."""
    performance: Mapping[str, float] = field(default_factory=dict)
    """Measures of the training, by whatever name."""
    hashed: Sequence[str] = ()
    """Columns whose categories are written as their hashes under the salt."""
    salt: Salt | None = None
    segments: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Columns that divide the rows, whose segments are counted by themselves; of numbers the edges between them."""
    together: bool = False
    """Whether the numeric features are watched as one, too."""
    embeddings: Mapping[str, str] = field(default_factory=dict)
    """Names of embeddings, and patterns of the columns that are their dimensions; * stands for anything.

    An empty pattern is the column of lists of that name.
    """


def require_salt(plan: Plan, reference: Profile) -> None:
    """ConfigError where categories cannot be hashed as those of the profile are."""
    column = reference.salted_otherwise(plan.salt.fingerprint if plan.salt else "")
    if column is not None:
        words = "is of another salt" if plan.salt else "is needed"
        raise ConfigError(f"--salt-file: {words}: the profile has hashes of the categories of {column.name!r}")
