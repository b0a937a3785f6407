"""What is recorded beside the pooled scores: versions of a model, and replicas that are not like the fleet.

Templates as in `scores`; `$share` is how far back a replica's window must reach.
"""

from collections.abc import Iterator
from typing import Final

from exporter.rules.scores import BIN, LIVE, MODEL, ON, VARIATION, N, Rule, further_in

_VERSIONLESS: Final = "cluster, namespace, job, model, profile"
_SAME: Final = f"on ({_VERSIONLESS}, $level)"
_ALL_BIN: Final = f"sum by ({_VERSIONLESS}, $level, bin) ({BIN})"
_ALL_N: Final = f"sum by ({_VERSIONLESS}, $level) ({N})"
_OTHERS_N: Final = f"({_ALL_N} - {_SAME} group_right () {N} > 0)"

VERSIONS: Final = (
    Rule("${level}:${of}_version_total_variation:fleet$w", f"""\
sum by ($by) (
  abs(
      {LIVE}
    -
        (
            {_ALL_BIN}
          - on ({_VERSIONLESS}, $level, bin) group_right ()
            {BIN}
        )
      / {ON}
        {_OTHERS_N}
  )
) / 2""", """\
Versions side by side: the total variation between what one version of a model is asked and what all its other
versions are, in the same window; of two versions it is the same number twice. Only versions that are compared with
the same profile have the same bins, so others stand alone and have no such score."""),
    Rule("${level}:${of}_version_total_variation_critical:fleet$w", f"""\
clamp_max(
    sqrt(
        (max by ($by) (${{of}}_dependence_ratio) or {N} ^ 0)
      *
        (1 / {N} + 1 / {_OTHERS_N})
    )
  * {_SAME} group_left ()
    (
        (2 / pi()) ^ 0.5 / 2
      * sum by ({_VERSIONLESS}, $level) (
          sqrt(clamp_min(
            {_ALL_BIN} * {_SAME} group_left () {_ALL_N} - {_ALL_BIN} ^ 2
          , 0))
        )
      / {_ALL_N}
      + (6.907755278982137 / 2) ^ 0.5
    )
, 1)""", "What that exceeds at most once in 1000 windows of these two sizes where versions are asked alike."),
)  # fmt: skip

_FULL: Final = f"""\
  ${{of}}_total_variation{{window="$w"}}
and
  ${{of}}_window_sufficient{{window="$w"}} == 1
and ignoring ($level)
  (
      time() - model_window_start_timestamp_seconds{{window="$w"}}
    >= on ({MODEL}) group_left ()
      $share * max by ({MODEL}) (time() - model_window_start_timestamp_seconds{{window="$w"}})
  )"""

REPLICAS: Final = (
    Rule("${level}:${of}_divergence:fleet$w", f"""\
clamp_min(
    max by ($by) (
      {further_in(_FULL, 6)}
    )
  -
    {VARIATION}
, 0)""", """\
How far the worst replica is from the fleet, at least: its own total variation less that of all together, which the
triangle inequality keeps below the total variation between them. Of replicas whose window of that name holds enough
values and reaches back nearly as far as that of the oldest; else a new one would differ by the hour alone."""),
    Rule("instance_${level}:${of}_divergence:fleet$w", f"""\
  (
      (
        {further_in(_FULL, 8)}
      )
    - {ON}
      {VARIATION}
  )
>
    ${{of}}_total_variation_critical{{window="$w"}}
  * {ON}
    sqrt(
        1
      +
        ln(count by ($by) (${{of}}_total_variation{{window="$w"}}))
      / 6.907755278982137
    )""", """\
The replicas that are farther than chance explains, and how far: beyond the critical value of their own window,
raised by sqrt(1 + ln(replicas) / ln(1000)): the largest of so many exceeds that at most once in 1000 windows."""),
)  # fmt: skip


def worst() -> Iterator[Rule]:
    """The replica that has drifted farthest, by each score. Each has the noise of its own, smaller sample."""
    for score, words in (
        ("psi", "The largest score of a replica whose window holds enough values, beside the pooled one of the fleet."),
        ("total_variation", ""), ("js_distance", ""), ("ks", ""), ("wasserstein_ratio", ""),
    ):  # fmt: skip
        yield Rule(f"${{level}}_window:${{of}}_{score}:max", f"""\
max by ($by, window) (
  ${{of}}_{score} and ${{of}}_window_sufficient == 1
)""", words)  # fmt: skip
