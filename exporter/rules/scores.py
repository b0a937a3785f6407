"""What is recorded of a fleet, in terms of a side and a window; `pooled` makes rules of it.

In the templates `$level` is feature or output, `$of` the beginning of its series' names, `$by` what tells columns
apart, `$w` a window. The trap of such rules: a division by 0, or the logarithm of it, is NaN, and one NaN ends the sum.
"""

from collections.abc import Mapping
from string import Template
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """One recording rule, or the template of one."""

    record: str
    expr: str
    why: str


class Group(NamedTuple):
    """Rules that are evaluated in order and at one moment."""

    name: str
    interval: str
    rules: tuple[Rule, ...]


MODEL: Final = "cluster, namespace, job, model, model_version, profile"
TERM: Final = Template("""\
label_replace(sum by ($by) (${level}_bin:${of}_ordered_gap:ratio$w{bin=~"$bins"}), "bin", "$bin", "", "")""")
"""How far the shares at or below a bin differ."""

BIN: Final = "${level}_bin:${of}_bin:increase$w"
_REFERENCE: Final = "${level}_bin:${of}_reference:count$w"
N: Final = "${level}:${of}_bin:increase$w"
_M: Final = f"sum by ($by) ({_REFERENCE})"
_USED: Final = "${level}:${of}_bins_in_use:count$w"
_INVERSE: Final = "${level}:${of}_inverse_samples:sum$w"
LIVE: Final = "${level}_bin:${of}_live:ratio$w"
_SHARE: Final = "${level}_bin:${of}_reference:ratio$w"
VARIATION: Final = "${level}:${of}_total_variation:fleet$w"
_GAP: Final = "${level}_bin:${of}_ordered_gap:ratio$w"
_CUMULATIVE: Final = "${level}_bin:${of}_cumulative_gap:ratio$w"
_WASSERSTEIN: Final = "${level}:${of}_wasserstein_ratio:fleet$w"
ON: Final = "on ($by) group_left ()"

COUNTED: Final = (
    Rule(BIN, """\
sum by ($by, bin) (
  increase(${of}_bin_total[$w])
)""", "Live counts c by bin, of all replicas. increase() knows counter resets."),
)  # fmt: skip


def of_history(words: Mapping[str, object]) -> tuple[Rule, ...]:
    """Live counts of a long window: increase() over a day of every series would be more than Prometheus answers."""
    fine = f"${{level}}_bin:${{of}}_bin:increase6mfor{words['w']}"
    return (
        Rule(fine, """\
sum by ($by, bin) (
  increase(${of}_bin_total[6m])
)""", "Added up over replicas before it is added up over time: a series for each bin, however many replicas."),
        Rule(BIN, f"sum_over_time({fine}[$w]) / 2",
             "Live counts c by bin. Six minutes, every three: each value is counted twice."),
    )  # fmt: skip


_SMOOTHED: Final = f"""\
  ({BIN} + 0.5 and {BIN} + {_REFERENCE} > 0)
/ {ON}
  ({N} + {_USED} / 2)"""
_SMOOTHED_REFERENCE: Final = f"""\
  ({_REFERENCE} + 0.5)
/ {ON}
  ({_M} + {_USED} / 2)"""


def further_in(text: str, many: int) -> str:
    """Further in, but for the first line, which stands behind what is there."""
    return text.replace("\n", "\n" + " " * many)


_CHI_SQUARE: Final = """\
  1.000054 * (USED - 1 > 0)
+ 4.368680 * (USED - 1 > 0) ^ 0.5
+ 5.717742
+ 0.511236 * (USED - 1 > 0) ^ -0.5
- 1.238941 * (USED - 1 > 0) ^ -1
+ 0.581234 * (USED - 1 > 0) ^ -1.5
- 0.112439 * (USED - 1 > 0) ^ -2""".replace("USED", _USED)

SCORES: Final = (
    Rule(_REFERENCE, """\
round(
    max by ($by, bin) (last_over_time(${of}_reference_ratio[15m]))
  * on ($by) group_left ()
    max by ($by) (${of}_reference_samples)
)""", """\
Reference counts: equal on all replicas, so max, not sum; where one replica alone shows them, what it showed
before it was last restarted. Rounded, a share times the size is the count again; added up, they are m."""),
    Rule(N, f"""\
sum by ($by) (
  {BIN}
) > 0""", "n, the sample size of every score below; nothing where there was no traffic, so that nothing divides by 0."),
    Rule(_USED, f"""\
count by ($by) (
  {BIN} + {_REFERENCE} > 0
)""", "B', the bins that live or reference values fell into."),
    Rule(_INVERSE, f"""\
  (max by ($by) (${{of}}_dependence_ratio) or {N} ^ 0)
/
  {N}
+
  1 / {_M}""", """\
d/n + 1/m, to which the variance of a difference of shares is proportional: n values weigh as n / d that are
independent of each other, where the profile knows d (else it is 1)."""),
    Rule("${level}:${of}_psi:fleet$w", f"""\
sum by ($by) (
    (
        (
          {further_in(_SMOOTHED, 10)}
        )
      -
        (
          {further_in(_SMOOTHED_REFERENCE, 10)}
        )
    )
  * ln(
        (
          {further_in(_SMOOTHED, 10)}
        )
      /
        (
          {further_in(_SMOOTHED_REFERENCE, 10)}
        )
    )
)""", """\
PSI, the sum of (p - r) ln(p / r) over the bins in use, half a value added to each: p = (c + 1/2) / (n + B'/2), and
r alike."""),
    Rule("${level}:${of}_psi_critical:fleet$w", f"""\
  (
    {further_in(_CHI_SQUARE, 4)}
  )
*
  {_INVERSE}""", """\
What PSI exceeds once in 1000 windows of this size without drift: the chi-square distribution's 0.999 quantile for
k = B' - 1 degrees of freedom, times d/n + 1/m. The quantile is a Cornish-Fisher series in powers of sqrt(k), its
coefficients fitted to scipy.stats.chi2.isf(0.001, k) for k = 1 to 98, the most that two-digit bins allow. Relative
error below 1e-6. Nothing where one bin holds everything: PSI is 0 then."""),
    Rule(LIVE, f"""\
  {BIN}
/ {ON}
  {N}""", "p = c / n, raw: for every score but PSI."),
    Rule(_SHARE, f"""\
  {_REFERENCE}
/ {ON}
  {_M}""", "r, raw."),
    Rule(VARIATION, f"""\
sum by ($by) (
  abs({LIVE} - {_SHARE})
) / 2""", "Total variation: the share of values that changed bin."),
    Rule("${level}:${of}_total_variation_critical:fleet$w", f"""\
clamp_max(
    sqrt({_INVERSE})
  * (
        (2 / pi()) ^ 0.5 / 2
      * sum by ($by) (
          sqrt(clamp_min(
              ({BIN} + {_REFERENCE})
            * {ON}
              ({N} + {_M})
            -
              ({BIN} + {_REFERENCE}) ^ 2
          , 0))
        )
      / ({N} + {_M})
      + (6.907755278982137 / 2) ^ 0.5
    )
, 1)""", """\
What it exceeds at most once in 1000 windows of this size without drift: what it is on average, half the sum of
sqrt(2/pi q (1 - q) (d/n + 1/m)) with q the bin's share of both sides together, and McDiarmid's bound on top,
sqrt(ln(1000) / 2 (d/n + 1/m))."""),
    Rule("${level}:${of}_js_distance:fleet$w", f"""\
sqrt(clamp(
    (
        sum by ($by) (
            ({LIVE} > 0)
          * ln(2 * {LIVE} / ({LIVE} + {_SHARE}))
        )
      +
        sum by ($by) (
            ({_SHARE} > 0)
          * ln(2 * {_SHARE} / ({LIVE} + {_SHARE}))
        )
    )
  / (2 * 0.6931471805599453)
, 0, 1))""", "Jensen-Shannon distance, base 2. Bins that are empty on a side add nothing to that side's sum."),
    Rule(_GAP, f"""\
    {BIN}{{bin=~"$ordered"}}
  / {ON}
    (sum by ($by) ({BIN}{{bin=~"$ordered"}}) > 0)
-
    {_REFERENCE}{{bin=~"$ordered"}}
  / {ON}
    (sum by ($by) ({_REFERENCE}{{bin=~"$ordered"}}) > 0)""", """\
The ordered bins for themselves, without missing and non-finite values; of categories this says nothing, and
nothing is made of it."""),
    Rule(_CUMULATIVE, "$cumulation", """\
F - G, the difference of the shares at or below each bin. One term for each, as PromQL has no running sums; of a
bin that the column lacks it is that of the bin before."""),
    Rule(_WASSERSTEIN, f"""\
sum by ($by) (
    abs({_CUMULATIVE})
  *
    max by ($by, bin) (last_over_time(${{of}}_bin_step_ratio[15m]))
)""", """\
Wasserstein distance in standard deviations of the reference. Only columns of numbers have steps from bin to bin, and
only those whose reference is more than one number."""),
    Rule("${level}:${of}_ks:fleet$w", f"""\
max by ($by) (
  abs({_CUMULATIVE})
)
and
  {_WASSERSTEIN}""", "Kolmogorov-Smirnov distance at the bins' edges, of the same columns."),
)  # fmt: skip
