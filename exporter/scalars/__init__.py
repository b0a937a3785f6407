"""What is watched of values that have no order: numbers and words that are computed of texts and vectors.

The same functions work on training data and on traffic. `texts` has those of texts, `vectors` those of embeddings,
`salted` turns a category into one that says nothing of it.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from exporter.scalars import scripts, texts

NORM: Final = "norm"
COSINE: Final = "cosine"
RESIDUAL: Final = "residual"
NUMBER: Final = "text"
WORD: Final = "categorical"


class TextScalar(NamedTuple):
    """One entry of the table."""

    kind: str
    """Of its columns: `text` where it is a number, `categorical` where it is a word."""
    of: Callable[[str], float | str]


LENGTH: Final = "length"
TEXT_SCALARS: Final[Mapping[str, TextScalar]] = {
    LENGTH: TextScalar(NUMBER, texts.length),
    "tokens": TextScalar(NUMBER, texts.tokens),
    "token_length": TextScalar(NUMBER, texts.token_length),
    "non_ascii": TextScalar(NUMBER, texts.non_ascii),
    "charset": TextScalar(WORD, scripts.charset),
}
"""What is computed of a text, by name."""


def vector_scalars(axes: int) -> tuple[str, ...]:
    """What is computed of an embedding that has so many principal axes, in the order of `vectors.Measure`."""
    return (NORM, COSINE, RESIDUAL, *(f"axis_{number}" for number in range(1, axes + 1)))


def name(field: str, scalar: str) -> str:
    """What the column of a scalar is called."""
    return f"{field}.{scalar}"


def fault(kind: str, scalar: str, axes: int | None) -> str:
    """What is wrong with a column of this kind and scalar; nothing where it is fine.

    `axes` are those of the embedding that it is computed of, None where that is a field.
    """
    if axes is not None:
        known, needed = vector_scalars(axes), "embedding"
    else:
        known, needed = tuple(TEXT_SCALARS), TEXT_SCALARS[scalar].kind if scalar in TEXT_SCALARS else ""
        if not scalar:
            return "" if kind != "embedding" else "an embedding's column needs an embedding as its origin"
    if scalar not in known:
        return f"must be one of {', '.join(known)}"
    return "" if kind == needed else f"its kind must be {needed}"
