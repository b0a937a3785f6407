"""Reasons that are values: missing, absent, out of range, never seen, of a wrong type, infinite, stuck."""

from collections.abc import Iterator

import numpy as np

from exporter.reference import NONFINITE, Column
from exporter.status.facts import Reason
from exporter.status.reasons.drifting import absent, by_severity
from exporter.status.reasons.stuck import collapsed, stuck, tolerated
from exporter.status.recent import ALL, INFINITE, RANGE, TYPE, UNSEEN
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, SIDES, Marks, Side, Values
from exporter.status.wording import listed

_WRONG = {
    RANGE: ("ModelFeatureOutOfRange", "Values out of the range of {}"),
    UNSEEN: ("ModelFeatureUnseen", "Categories that are not in {}"),
    TYPE: ("ModelFeatureTypeErrors", "Values of a wrong type"),
    INFINITE: ("ModelFeatureNonFinite", "Infinite values"),
}


def reasons(seen: Seen) -> Iterator[Reason]:
    """Side by side."""
    for side in seen.view.sides:
        gone = absent(seen, side)
        for code, words, marks in (
            ("ModelFeatureAbsent", "All values are null or absent", gone),
            ("ModelFeatureMissingSurge", "Far more values are missing than in {}", missing(seen, side) & ~gone),
            *_wrong(seen, side),
            ("ModelFeatureStuck", "The same value again and again", stuck(seen, side)),
            ("ModelFeatureCollapse", "Far fewer different values than in {}", collapsed(seen, side)),
        ):  # fmt: skip
            for verdict, names in by_severity(seen, side, marks):
                only = names[0] if len(names) == 1 else ""
                yield seen.reason(code, f"{words.format(seen.reference)}: {listed(names)}.", None, only, verdict)
        yield from _many(seen, side, gone)


def missing(seen: Seen, side: Side) -> Marks:
    """Beyond chance, and by so much that it matters."""
    ratio, critical = side.ratio("missing"), side.critical("missing_ratio")
    trained = np.array([_share(column, "missing") for column in side.columns])
    rows = np.array([column.rows for column in side.columns])
    much = critical + seen.limit("quality.missing_points") + seen.limit("quality.missing_of_reference") * trained
    nearly_all = seen.limit("quality.missing_of_present") * (1 - trained) + trained
    never = (trained == 0) & (rows >= seen.limit("quality.missing_never_of"))
    found = (ratio > much) | (
        (ratio > critical) & ((ratio > nearly_all) | (never & (ratio > seen.limit("quality.missing_never"))))
    )
    found &= side.sufficient
    freshest = side.at_chosen(found).astype(bool)
    return np.asarray(found.any(axis=0) & freshest & ~tolerated(side) & side.judged)


def _many(seen: Seen, side: Side, gone: Marks) -> Iterator[Reason]:
    if side.word != FEATURE:
        return
    count, total = int(gone.sum()), len(side.columns) - int(side.ignored.sum())
    if count >= seen.limit("quality.absent_many") and count >= seen.limit("quality.absent_many_share") * total:
        yield seen.reason("ModelManyFeaturesAbsent", f"{count} of {total} features do not arrive any longer.")


# --- counted lately


def _wrong(seen: Seen, side: Side) -> Iterator[tuple[str, str, Marks]]:
    least, at = seen.limit("quality.wrong_least"), SIDES.index(side.word)
    quarter, hour = seen.quarter.columns[at], seen.hour.columns[at]
    if not quarter or not hour:
        return
    enough = quarter[ALL] >= least
    more = tolerated(side) & _tolerates_more(seen, side)
    for word, (code, words) in _WRONG.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            lately = np.where(enough, quarter[word] / quarter[ALL], hour[word] / hour[ALL])
        known = (enough | (hour[ALL] >= least)) & (quarter[word] > 0)
        marks = known & (lately > _limit(seen, side, word)) & ~more & ~side.ignored
        yield code, words, np.asarray(marks)


def _limit(seen: Seen, side: Side, word: str) -> Values:
    rows = np.array([max(column.rows, 1) for column in side.columns], np.float64)
    if word == TYPE:
        return np.full(rows.size, seen.limit("quality.type_errors"))
    if word == INFINITE:
        often = [column.ordered and column.counts[NONFINITE] / (column.rows or 1)
                 > seen.limit("quality.infinite_of_reference") for column in side.columns]  # fmt: skip
        return np.where(often, np.inf, seen.limit("quality.infinite"))
    name = "quality.out_of_range" if word == RANGE else "quality.unseen"
    return np.asarray(seen.limit(name) + seen.limit("quality.chance_values") / rows)


def _tolerates_more(seen: Seen, side: Side) -> Marks:
    usual = seen.limit("drift.tolerance")
    return np.array([rule.tolerance is not None and rule.tolerance > usual for rule in side.said])


def _share(column: Column, word: str) -> float:
    return sum(column.counts[place] for place in column.quality_bins()[word]) / (column.rows or 1)
