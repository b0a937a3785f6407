"""What a family of series is, and the families that features and outputs have alike. `catalogue` holds all of them."""

from typing import Any, Final, NamedTuple

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
MODEL: Final = ("model", "model_version")
PROFILED: Final = (*MODEL, "profile")
FLEET: Final = ("cluster", "namespace", "job")
"""Labels that tell fleets apart, where nobody says otherwise."""
FEATURE: Final = "feature"
"""What names and labels of the features' side have in them."""


UNITS: Final = ("seconds", "bytes", "ratio", "nats")
"""Words that are units, as the last one of a name: base units, a share or quotient (1 is all), and what evidence is in.

What is counted (rows, values, requests) has none, as Prometheus has it; nor has what is critical of something, because a
name may end in its unit only.
"""


class Family(NamedTuple):
    """One family of series."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str

    @property
    def base(self) -> str:
        """The name without `_total`, as OpenMetrics calls a counter."""
        return self.name.removesuffix("_total") if self.type == COUNTER else self.name

    @property
    def unit(self) -> str:
        """What the name ends in, where that is a unit; empty else. Unix times are in seconds."""
        last = self.base.rpartition("_")[2]
        return last if last in UNITS else ""


class Columns(NamedTuple):
    """The families of one side, features or outputs; the side's label comes behind the model's."""

    label: str
    bins: Family
    reference_ratio: Family
    reference_samples: Family
    reference_missing: Family
    reference_largest: Family
    training_ratio: Family
    bin_step: Family
    bin_info: Family
    values: Family
    type_errors: Family
    quality_values: dict[str, Family]
    quality_ratios: dict[str, Family]
    samples: Family
    sufficient: Family
    bin_change: Family
    statistics: dict[str, Family]
    critical: dict[str, Family]
    known: dict[str, Family]
    override_info: Family
    tolerance: Family
    weight: Family
    snoozed_until: Family
    adopted: Family
    adoption_expiry: Family
    shortest: Family
    live: dict[str, Family]
    live_critical: dict[str, Family]
    aspects: dict[str, Family]
    """What is counted beside bins and moments, by the word that snapshots have for it."""
    evidence: dict[str, Family]
    """Of drift, by the word behind the side's."""


class Segments(NamedTuple):
    """The families of one side by segment; the side's label comes behind the segment's."""

    samples: Family
    sufficient: Family
    variation: Family
    critical: Family


_QUALITY: Final = {
    "missing": "null, NaN, absent, or an empty cell of training data",
    "nonfinite": "infinite, or of a type that is no number",
    "out_of_range": "below the smallest or above the largest number of the reference",
    "unseen": "a category that the reference does not list",
}
_OPTIONAL: Final = "Computed where windows.scores asks for it."
_STATISTICS: Final = {
    "psi": "Population stability index in nats, live against reference: sum of (p-r) ln(p/r) over the bins in use, p=(c+1/2)/(n+B/2), r alike; 0 where nothing differs. Beyond its _critical it is drift, by total_variation how much.",
    "total_variation": "Share of the values that changed bin, live against reference: half the sum of |p-r|; 0 to 1. The score to begin with: beyond its _critical it is no chance.",
    "js_distance": "Jensen-Shannon distance, base 2, live against reference: root of half KL(p,m) + half KL(r,m) with m=(p+r)/2; 0 to 1.",
    "ks": "Kolmogorov-Smirnov distance: largest difference between the live and the reference's share of numbers below a bin's edge, missing and non-finite values left out; 0 to 1.",
    "wasserstein_ratio": "How far numbers have moved on average, in standard deviations of the reference: Wasserstein distance over the ordered bins, each at its middle.",
    "mean_shift_zscore": "Shift of the mean in standard errors, negative where it fell: (mean - reference mean) / (reference sd * sqrt(d/n + 1/m)), d being the profile's dependence factor, else 1. A value counts at most as one twice as far out as the reference's farthest (8 sd at least), so that none decides alone.",
    "hellinger_distance": f"Hellinger distance: root of 1 - sum of sqrt(p r); 0 to 1. {_OPTIONAL}",
    "kl_divergence": f"Kullback-Leibler divergence in nats: sum of p ln(p/r), smoothed as the PSI is. {_OPTIONAL}",
    "l_infinity": f"Largest change of one bin's share: max |p-r|. {_OPTIONAL}",
    "chi_square_pvalue": f"P-value of the two-sample chi-square test of homogeneity: how likely so large a difference is by chance; 1 where nothing differs. {_OPTIONAL}",
    "tolerant_chi_square_pvalue": f"P-value of the chi-square test that lets 3 % of the values change bin (noncentral). {_OPTIONAL}",
    "impact_ratio": "How much of what the model looks at has moved here: importance (times the weight of the overrides) times the total variation, less what that is on average without drift; 0 where it is not beyond its _critical. Many features drift? Begin with the largest. The sum over features is the share of the model's attention that has moved. Absent where the profile knows no importance.",
}
_BY_CHANCE: Final = "What {} exceeds about once in 1000 windows of this very size without drift"
_BY_CHANCE_AT_MOST: Final = "What {} exceeds at most about once in 1000 windows of this very size without drift"
_CRITICAL: Final = {
    "psi": "What the PSI exceeds once in 1000 windows of this very size without drift: chi-square at 0.999 times (1/n + 1/m).",
    "total_variation": f"{_BY_CHANCE_AT_MOST.format('the total variation')}: what it is on average, half the sum of sqrt(2 r (1-r)/pi (1/n + 1/m)), and sqrt(ln(1000)/2 (1/n + 1/m)) on top.",
    "js_distance": f"{_BY_CHANCE.format('the Jensen-Shannon distance')}: root of chi-square at 0.999 times (1/n + 1/m) / (8 ln 2), more where bins expect few values.",
    "ks": f"{_BY_CHANCE_AT_MOST.format('the Kolmogorov-Smirnov distance')}: 1.95 sqrt(1/n + 1/m), of finite numbers.",
    "wasserstein_ratio": f"{_BY_CHANCE_AT_MOST.format('the Wasserstein distance')}: what it is on average, and sqrt(2 ln(1000) (1/n + 1/m)) on top, in standard deviations of the binned numbers.",
    "mean_shift_zscore": "What the size of the z-score exceeds about once in 1000 windows of this very size without drift: 3.29, and more by the square root of 1/n the farther from its mean the reference has values.",
    "hellinger_distance": f"{_BY_CHANCE.format('the Hellinger distance')}: root of chi-square at 0.999 times (1/n + 1/m) / 8, more where bins expect few values.",
    "kl_divergence": f"{_BY_CHANCE.format('the Kullback-Leibler divergence')}: chi-square at 0.999 times (1/n + 1/m) / 2.",
    "l_infinity": f"{_BY_CHANCE_AT_MOST.format('the largest change of a share')}: by the normal law of each bin's change, for as many bins as are in use.",
}
_CRITICAL_SHARE: Final = "What the share of {} values exceeds at most about once in 1000 windows of this very size, if it is the reference's: where Fisher's exact test is 0.001."


_LIVE: Final = ("total_variation", "psi")
_BY_CHANCE_LIVE: Final = "What {} exceeds once in 1000 pairs of windows of these very sizes that do not differ. Where the profile has a dependence factor, it counts for both."
_AGAINST: Final = "Live values against other live values instead of the training data's, measured as {}. `against` says which: previous, the window of the same length just before; last_week, the last full hour against the same hour a week ago; version:NAME, another version of the model with the same profile. Beyond its _critical something is new since then, or the versions are asked or answer differently. Absent where either holds too few values."


_KNOWN: Final = {
    "importance": "Share of all features' importance for the model, given or estimated at the build of the profile.",
    "reference_error": "How far off the reference itself may be, for it is a sample: the total variation that as many rows, drawn from that very distribution, exceed once in a hundred times. Less drift than that cannot be told, however many live values there are.",
    "dependence": "How many rows come as one: factor by which counts of a minute varied more in the training data than those of independent rows do. Critical values are wider by it. Where the overrides say another one, it is told instead: it counts for evidence alone.",
    "wander": "How much an hour may differ without anything being wrong: total variation between hours of the training data and all of them, sampling noise taken off; what the overrides say instead, where they do.",
}
_QUALITY_NOTE: Final = {"out_of_range": " Where an override says what is allowed, what is not."}
_CRITICAL_NOTE: Final = {"out_of_range": " Absent where an override says what is allowed."}
# fmt: off
_PLAIN: Final[dict[str, tuple[str, str, str, tuple[str, ...]]]] = {
    "bins": ("bin_total", COUNTER, "Values of decoded rows by bin of the profile: disjoint, all present at 0 from the start, to be added over replicas.", ("bin",)),
    "reference_ratio": ("reference_ratio", GAUGE, "Share of the reference's values in the bin, missing ones among all: the profile's counts.", ("bin",)),
    "reference_samples": ("reference_samples", GAUGE, "Values that the reference has, missing ones included, as the profile counts them: the m of critical values.", ()),
    "reference_missing": ("reference_missing_ratio", GAUGE, "Share of the reference's values that were missing. On every page, whatever metrics.expose_reference and metrics.max_series say.", ()),
    "reference_largest": ("reference_largest_ratio", GAUGE, "Share of the reference's values in its fullest bin: above 0.5 the column is nearly constant by nature. On every page, likewise.", ()),
    "training_ratio": ("training_ratio", GAUGE, "Share of the training data's values in the bin, where a live distribution was adopted as the reference.", ("bin",)),
    "bin_step": ("bin_step_ratio", GAUGE, "Distance from the middle of the bin to that of the next ordered one, in standard deviations of the reference.", ("bin",)),
    "bin_info": ("bin_info", GAUGE, "1; what the bin holds, in words: its edges, category or fault, from the profile.", ("bin", "text")),
    "values": ("values_total", COUNTER, "Values of rows that were decoded, missing ones included: the sum over bins.", ()),
    "type_errors": ("type_error_values_total", COUNTER, "Values of decoded rows whose type does not fit the profile's kind, such as text where numbers were.", ()),
    "samples": ("window_samples", GAUGE, "Values in the window, missing ones included: the n of its scores.", ("window",)),
    "sufficient": ("window_sufficient", GAUGE, "Whether the window holds enough values for its scores to be judged (windows.minimum_samples).", ("window",)),
    "shortest": ("shortest_window_info", GAUGE, "1; the window to look at: of those that hold enough values, the one that reaches least far back. Absent where none holds enough yet.", ("window",)),
    "bin_change": ("bin_change_ratio", GAUGE, "Which range or category moved: share of the window's values in the bin minus that of the reference's, of the three bins that changed most. Absent unless the total variation is beyond its _critical; model_*_bin_info has the bin in words.", ("bin", "window")),
    "override_info": ("override_info", GAUGE, "1; who the overrides say owns it, and the most that may come of it now: `ignore` (while it is snoozed, too), `ticket` or `page`; empty where they say nothing of that, as where the whole is absent: then scores make tickets, and evidence pages.", ("owner", "severity")),
    "tolerance": ("tolerance_ratio", GAUGE, "Total variation that the overrides tolerate; where they say nothing, 0.1.", ()),
    "weight": ("weight", GAUGE, "How much it counts among the others, where the overrides say so: a factor of its importance.", ()),
    "snoozed_until": ("snoozed_until_timestamp_seconds", GAUGE, "Unix time until which the overrides let nothing come of it.", ()),
    "adopted": ("adopted_timestamp_seconds", GAUGE, "Unix time at which somebody took live values as its new normal (`profile adopt`).", ()),
    "adoption_expiry": ("adoption_expiry_timestamp_seconds", GAUGE, "Unix time from which the training data count again, because what was adopted in their place expires.", ()),
}
"""By field of `Columns`: name, type, help and labels beside the side's own."""

_ASPECTS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "type_error_ratio": (GAUGE, "Share of the window's values that were of a type that does not fit the kind, such as text where numbers were.", ("window",)),
    "quantile": (GAUGE, "Quantile of the window's finite numbers, for the eye: `rank` is the share of values that are not above it (0.5 is the median). Off by a twelfth of its bin's width at most, beyond the outer edges by an eighth of the distance from them and a 64th of their range. The window's beginning moves in steps of a quarter of its length; absent unless ten values lie on either side.", ("rank", "window")),
    "reference_quantile": (GAUGE, "Quantile of the reference's finite numbers, to be laid beside the live one of the same `rank`; of ranks at which the profile has an edge.", ("rank",)),
    "longest_run_values": (GAUGE, "How often the same value came in a row at most: longest run in the window, in the order of the rows and with what it had before the window; what is missing or not finite neither ends nor lengthens it. Beyond its _critical a sensor is stuck, or a default or one row is sent again and again.", ("window",)),
    "longest_run_values_critical": (GAUGE, "What the longest run exceeds at most once in 1000 windows of this very size without drift: d (1 + ln(1000 n) / -ln q), q being the share of the reference's fullest bin with three standard errors on top, d the dependence factor. Absent where the reference has one value alone.", ("window",)),
    "distinct_values": (GAUGE, "How many different values came, missing and not finite ones left out: of the last half to whole of the window, estimated within 5 % (one standard error). Below its _critical values are rounded, cut off, cached or replayed.", ("window",)),
    "distinct_values_critical": (GAUGE, "Fewest different values that so many rows have without drift, but in one of 1000 windows: here too few is the finding, not too many. By the reference's own different values and bins; absent where a single value could be enough.", ("window",)),
    "reference_distinct_values": (GAUGE, "How many different values the reference has, where the profile says it: of numbers estimated within 5 %, of categories those that it lists.", ()),
    "unseen_category_values": (GAUGE, "How often a new category came, `text`, that the reference does not list: the three most frequent ones of the last half to whole of the window, from 10 rows on. Never too high; too low by a 33rd of all unseen values at most, where over 32 different ones came. windows.unseen_values: false names none.", ("text", "window")),
    "absent_ratio": (GAUGE, "Share of the window's rows whose payload did not have the field in any of its rows: at 1 a client has dropped or renamed it. They are among the missing ones, of which the others came as null or NaN. Absent where every payload had the field.", ("window",)),
    "infinite_ratio": (GAUGE, "Share of the window's values that were infinite, by sign: a division by zero or an overflow upstream. Absent where none was; the rest of nonfinite_ratio is of a wrong type.", ("sign", "window")),
    "diagnosis_info": (GAUGE, "1; what seems to have happened to it, for as long as it drifts: `code` is the kind of fault, `text` a sentence with its beginning. By a closer look at up to 2,000 rows that came since the drift was seen, of 16 columns at a time. Absent where nothing drifts and where no one explanation fits, or several do.", ("code", "text")),
    "current_run_values": (GAUGE, "How often the newest value has come in a row by now, counted row by row; 1 where it differs from the one before.", ()),
}
"""Of columns. By word, which is the name behind the side's: type, help and labels beside the column's."""
_SIDES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {}
"""Of a whole side, likewise: the label of the column is not there."""
_OF_FEATURES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "association_shift": (GAUGE, "Whether the model answers the same value of the feature otherwise than on the training data, in standard deviations of the output: root mean square, over the feature's bins, of the change of the mean answer in each; a shift that all bins share is taken off. Beyond its _critical features were swapped or belong to other rows, what they mean has changed, or another model answers. Numbers count as they are, truth values as 0 and 1, categories as 1 for the most frequent one; bins with fewer than 10 rows on either side are left out. Of windows of 60 panes or more, whose beginning moves in steps of a twelfth, once windows.minimum_samples rows have both sides.", ("output", "window")),
    "association_shift_critical": (GAUGE, "What the association shift exceeds about once in 1000 windows with as many rows in each bin without drift, from the answers' variance within the bins.", ("output", "window")),
}
"""As `_ASPECTS`, of features alone."""
_ROWS_OF_FEATURES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "duplicate_rows_ratio": (GAUGE, "Share of the window's rows that were identical, in all features, to one of the 10,000 rows before them: retries, a replayed batch, a test client. What is normal depends on the traffic, so nothing is critical.", ("window",)),
    "unusual_rows_ratio": (GAUGE, "Share of the window's rows that are as unusual as one in a hundred of the training data's, all features together: by the sum of -ln of the share that the training data have in each value's bin. Without drift about 0.01 at most; beyond its _critical rows come that are a little off in several features at once, though each feature may look as ever.", ("window",)),
    "unusual_rows_ratio_critical": (GAUGE, "What the share of unusual rows exceeds at most once in 1000 windows of this very size without drift.", ("window",)),
}
"""As `_SIDES`, of features alone."""
# fmt: on


# fmt: off
_NAMED: Final = "Of columns that are named once evidence pages: of F columns the j with most, for the largest j at which each of them has the threshold and ln(F/j) more."
_EVIDENCE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "drift_evidence_nats": ("Evidence that more of its values have changed bin than is tolerated: logarithm of what bets on that have won, pane by pane. model_drift_evidence_nats is the logarithm of the mean of exp(nats) over columns, of which those that may not page have none: one alone pages where it has the threshold and the logarithm of their number more.", ()),
    "drift_tolerance_ratio": ("Share of its values that may change bin without a page, all in all: evidence.tolerance or what the overrides say, or more where an hour alone may differ by more, plus what the reference itself may be off.", ()),
    "drift_dependence_factor": ("How many rows are taken to come as one by its evidence: from the overrides, the profile or the traffic, else evidence.default_dependence.", ()),
    "drift_defaults_info": ("1; what its evidence rests on. `calibration`: who says how many rows come as one (overrides, profile, traffic; with group_key they never do), or `default` until somebody does. `reference`: the training data (training); the rows of the warm-up where these differ from it (warm_up, see skew_ratio); what is usual in this hour of the week (hour).", ("calibration", "reference")),
    "drift_monitored": ("Whether its evidence can page: 0 where more than a fifth of its values would have to be tolerated, because the reference is too small or hours differ too much, and no override asks for it.", ()),
    "drift_info": (f"1; what has happened to it, by the bet that has won most. `kind`: values went up or down, became wider or narrower, one bin grew, or changed otherwise. `bin`: the one that grew. `shape`: sudden or gradual, empty where nobody can tell. {_NAMED}", ("kind", "bin", "shape")),
    "drift_onset_timestamp_seconds": (f"Unix time at which its drift began: the beginning of the pane after which the bet that has won most never lost all again. {_NAMED}", ()),
    "slow_drift_evidence_nats": ("Evidence that more than half of what is tolerated has changed bin, hour by hour: logarithm of what bets on that have won. Of columns that are named once model_slow_drift_evidence_nats makes a ticket.", ()),
    "skew_ratio": ("Share of its values that are in other bins than those of the training data, of all rows from the first one to the end of the warm-up: not drift, but training and serving that differ. Absent before the end of the warm-up.", ()),
    "skew_ratio_critical": ("What the skew exceeds about once in 1000 warm-ups of that size without skew beyond the tolerance: chance, what the reference may be off, and the tolerance.", ()),
}
"""By word: help and labels beside the column's. All are gauges."""
# fmt: on


def of_side(side: str, label: str) -> Columns:
    """The families of one side, whose names have `side` in them and whose label is `label`."""

    def family(name: str, kind: str, text: str, labels: tuple[str, ...]) -> Family:
        return Family(f"model_{side}_{name}", kind, (*PROFILED, label, *labels), text)

    plain: dict[str, Any] = {field: family(*words) for field, words in _PLAIN.items()}
    quality = {word: f"were {text}.{_QUALITY_NOTE.get(word, '')}" for word, text in _QUALITY.items()}
    window = ("window",)
    return Columns(
        label=label,
        quality_values={
            word: family(f"{word}_values_total", COUNTER, f"Values that {text}", ()) for word, text in quality.items()
        },
        quality_ratios={
            word: family(f"{word}_ratio", GAUGE, f"Share of the window's values that {text}", window)
            for word, text in quality.items()
        },
        statistics={word: family(word, GAUGE, text, window) for word, text in _STATISTICS.items()},
        critical={
            word: family(f"{word}_critical", GAUGE, text, window)
            for word, text in {
                **_CRITICAL,
                **{
                    f"{word}_ratio": f"{_CRITICAL_SHARE.format(word.replace('_', ' '))}{_CRITICAL_NOTE.get(word, '')}"
                    for word in _QUALITY
                },
            }.items()
        },
        live={
            word: family(f"live_{word}", GAUGE, _AGAINST.format(f"model_{side}_{word}"), ("against", "window"))
            for word in _LIVE
        },
        live_critical={
            word: family(
                f"live_{word}_critical",
                GAUGE,
                _BY_CHANCE_LIVE.format(f"model_{side}_live_{word}"),
                ("against", "window"),
            )
            for word in _LIVE
        },
        known={word: family(f"{word}_ratio", GAUGE, text, ()) for word, text in _KNOWN.items()},
        aspects={
            **{word: family(word, *words) for word, words in _ASPECTS.items()},
            **({word: family(word, *words) for word, words in _OF_FEATURES.items()} if side == FEATURE else {}),
            **{
                word: Family(f"model_{side}_{word}", kind, (*PROFILED, *labels), text)
                for word, (kind, text, labels) in (_SIDES | (_ROWS_OF_FEATURES if side == FEATURE else {})).items()
            },
        },
        evidence={word: family(word, GAUGE, text, labels) for word, (text, labels) in _EVIDENCE.items()},
        **plain,
    )


def of_segments(side: str, label: str) -> Segments:
    """The families by segment of one side, whose names have `side` in them and whose label is `label`."""
    segment, window = (*PROFILED, "segment", "value"), ("window",)
    name = f"model_segment_{side}"
    score = (*segment, label, *window)
    return Segments(
        samples=Family(
            f"{name}_window_samples",
            GAUGE,
            (*segment, *window),
            "Rows of the segment in the window; the windows are those of windows.lengths nearest to segments.windows, and their beginning moves in steps of a twelfth of their length.",
        ),
        sufficient=Family(
            f"{name}_window_sufficient",
            GAUGE,
            (*segment, *window),
            "Whether the segment has enough rows in the window for its scores to be judged (windows.minimum_samples).",
        ),
        variation=Family(
            f"{name}_total_variation",
            GAUGE,
            score,
            "Share of the segment's values that changed bin, live against the same segment of the training data: half the sum of |p-r|. Beyond its _critical this part of the traffic has drifted, whatever the whole looks like.",
        ),
        critical=Family(
            f"{name}_total_variation_critical",
            GAUGE,
            score,
            "What the largest total variation among all segments exceeds at most once in 1000 windows of these very sizes without drift: the more segments, the higher.",
        ),
    )
