"""What is asked about bins: how values are spread over them, and what each adds to the PSI.

Replicas and jobs of one profile add up; two profiles are never mixed, for their bins hold different things.
"""

from typing import Final

from exporter.dashboards.queries import of, text_of
from exporter.families import Columns, Family


class Bins:
    """The bins of one column, for what is chosen."""

    def __init__(self, columns: Columns, span: str, **labels: str) -> None:
        self._columns, self._labels, self._span = columns, labels, span
        self._column: Final = f"profile, {columns.label}"
        self._bin: Final = f"{self._column}, bin"

    def live(self, offset: str = "") -> str:
        """Share of the live values in each bin, in words; `offset` looks back, such as ` offset 1d`."""
        return self._share(self._counts(self._columns.bins, offset))

    def of(self, family: Family, **more: str) -> str:
        """Share in each bin of what another family counts, in words."""
        return self._share(self._counts(family, "", **more))

    def share(self, family: Family) -> str:
        """What a family says of each bin, equal on all replicas, in words."""
        return self._in_words(f"max by ({self._bin}) ({of(family, **self._labels)})")

    def change(self) -> str:
        """Share of the live values less that of the reference, in words; without words it is not asked twice."""
        live, reference = self._counts(self._columns.bins), of(self._columns.reference_ratio, **self._labels)
        shares = f"{live} / on ({self._column}) group_left () (sum by ({self._column}) ({live}) > 0)"
        return self._in_words(f"({shares} - max by ({self._bin}) ({reference}))")

    def contributions(self) -> str:
        """What each bin adds to the PSI: (p - r) ln(p / r), half a value added to each bin in use; in words.

        Over the bins in use c + 1/2 adds up to n + B/2, which is what each is divided by.
        """
        live, reference = self._counts(self._columns.bins), self._reference()
        in_use = f"({live} + {reference} > 0)"
        ours, theirs = f"({in_use} - {reference} + 0.5)", f"({reference} + 0.5)"
        p = f"({ours} / on ({self._column}) group_left () sum by ({self._column}) ({ours}))"
        used = f"({in_use} - {live} + 0.5)"
        r = f"({theirs} / on ({self._column}) group_left () sum by ({self._column}) ({used}))"
        values = of(self._columns.values, **self._labels)
        any_at_all = f"and on ({self._column}) sum by ({self._column}) (increase({values}[{self._span}])) > 0"
        return self._in_words(f"(({p} - {r}) * ln({p} / {r}) {any_at_all})")

    def _counts(self, family: Family, offset: str = "", **more: str) -> str:
        return f"sum by ({self._bin}) (increase({of(family, **self._labels, **more)}[{self._span}]{offset}))"

    def _reference(self) -> str:
        """Counts of the reference: its shares times its size, rounded as they were whole."""
        ratio, size = (of(one, **self._labels) for one in (self._columns.reference_ratio,
                                                           self._columns.reference_samples))  # fmt: skip
        sizes = f"on ({self._column}) group_left () max by ({self._column}) ({size})"
        return f"round(max by ({self._bin}) ({ratio}) * {sizes})"

    def _share(self, counts: str) -> str:
        all_of_it = f"on ({self._column}) group_left () (sum by ({self._column}) ({counts}) > 0)"
        return self._in_words(f"({counts} / {all_of_it})")

    def _in_words(self, expr: str) -> str:
        return f"{expr} * on ({self._bin}) group_left (text) {text_of(self._columns, self._bin, **self._labels)}"
