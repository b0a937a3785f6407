"""What can be wrong with the values of a feature: each kind over its limit, beyond which it is a fault.

Limits are those of the rules: what chance makes of the training data, and so much more that people should know.
"""

from typing import Final

from exporter import catalogue as c
from exporter.dashboards.queries import MODEL, WINDOW, of, recorded
from exporter.rules import files

SHARES: Final = {
    "missing": ("missing", "null or absent"),
    "nonfinite": ("non-finite", "infinite or no number"),
    "out_of_range": ("out of range", "beyond what the training data had"),
    "unseen": ("unseen", "categories that the training data do not list"),
}
"""By the catalogue's word: ours, and what it is."""
_IN_RULES: Final = {"nonfinite": "infinite", "out_of_range": "range", "unseen": "unseen", "wrong type": "type"}
TYPE, ABSENT, STUCK, COLLAPSED = "wrong type", "field absent", "stuck", "few different"
_F: Final = c.FEATURES


def share(kind: str) -> str:
    """Share of the window's values, by feature, on the worst replica."""
    return f"max by (feature) ({_ratio(kind)})"


def _ratio(kind: str) -> str:
    if kind in SHARES:
        return of(_F.quality_ratios[kind], **WINDOW)
    return of(_F.aspects["absent_ratio" if kind == ABSENT else "type_error_ratio"], **WINDOW)


def _limit(kind: str) -> str:
    """Chance, and so much more as the rules want before they tell anybody: else a thousand features are never quiet."""
    if kind == TYPE:
        return _of_rules("type_errors")
    critical = of(_F.critical["missing_ratio" if kind == ABSENT else f"{kind}_ratio"], **WINDOW)
    if kind in {"missing", ABSENT}:
        usual = of(_F.reference_missing)
        # Where the training data miss none, nobody reckons with gaps.
        more = (f"({_of_rules('missing_points')} + {_of_rules('missing_of_reference')} * ({usual} > 0)"
                f" or {_of_rules('missing_never')} + 0 * {usual})")  # fmt: skip
        return f"({critical} + ignoring (window) group_left () {more})"
    return f"({critical} + {_of_rules('infinite' if kind == 'nonfinite' else kind)})"


def _of_rules(name: str) -> str:
    return str(files.defaults()[f"quality.{name}"])


def _times(kind: str, by: str) -> str:
    """On the worst replica: above 1 it is a fault."""
    if kind == "out_of_range":
        # Of what the overrides allow nothing is said to be critical: there the rules' own limit holds.
        allowed = of(_F.critical["out_of_range_ratio"], **WINDOW)
        return (f"max by ({by}) ({_ratio(kind)} / {_limit(kind)}"
                f" or ({_ratio(kind)} unless {allowed}) / {_of_rules(kind)})")  # fmt: skip
    return f"max by ({by}) ({_ratio(kind)} / {_limit(kind)})"


def _alike(by: str) -> dict[str, str]:
    """Values that are all alike, likewise."""
    run, different = (of(_F.aspects[name], **WINDOW) for name in ("longest_run_values", "distinct_values"))
    runs, fewest = (of(_F.aspects[f"{name}_critical"], **WINDOW) for name in ("longest_run_values", "distinct_values"))
    return {
        STUCK: f"max by ({by}) ({run} / clamp_min({runs}, {_of_rules('stuck_values')}))",
        COLLAPSED: f"max by ({by}) ({fewest} * (1 - {_of_rules('collapsed')}) / ({different} > 0))",
    }


def named(kind: str) -> str:
    """The word people see."""
    return SHARES[kind][0] if kind in SHARES else kind


def of_shares() -> str:
    """Every share by feature and kind, where it is not 0."""
    return f"({' or '.join(f'{_labelled(share(kind), kind)} > 0' for kind in (*SHARES, TYPE, ABSENT))})"


def found(kind: str) -> str:
    """What the rules record where there is too much of it, whenever that was."""
    version = {"model_version": MODEL["model_version"]}
    if kind in {STUCK, COLLAPSED}:
        name = "instance_column:model_distinct_values:found"
        return recorded(name, kind="stuck" if kind == STUCK else "collapse", **version)
    if kind in {"missing", ABSENT}:
        return recorded("instance_column:model_missing_ratio:found", **version)
    return recorded("instance_column:model_wrong_values:excessive", kind=_IN_RULES[kind], **version)


def times_limit(by: str = "feature") -> str:
    """Every kind by feature, or replica, too, over its limit: above 1 it is a fault."""
    of_kinds = {kind: _times(kind, by) for kind in (*SHARES, TYPE, ABSENT)} | _alike(by)
    return f"({' or '.join(_labelled(expr, kind) for kind, expr in of_kinds.items())})"


def _labelled(expr: str, kind: str) -> str:
    return f'label_replace({expr}, "kind", "{named(kind)}", "", "")'
