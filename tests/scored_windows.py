"""Models of many features, what their windows say of live rows, and which alerts the shipped rules make of it."""

import math
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from monitor_scenes import exchange, watch
from numpy.typing import NDArray
from support import tool

from exporter.collect import columns, exposition, reference
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.monitor import Monitor
from exporter.profile import Plan, build_frame, document
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import Scores

WINDOWS: Final = Windows(pane=1.0, lengths=(60.0,))
ROOT: Final = Path(__file__).parents[1]
Rows = Mapping[str, Sequence[Any] | NDArray[Any]]
SIGNED: Final = "mean_shift_zscore"


def trained(directory: Path, rows: Rows) -> Profile:
    """The profile of some columns, and of a prediction that hangs on nothing."""
    count = len(next(iter(rows.values())))
    predictions = np.random.default_rng(0).random(count)
    profile, _ = build_frame({**rows, "p": predictions}, Plan(predictions=["p"]))
    return document.save(profile, str(directory / "profile.json"))


def requests(rows: Rows, at: float, size: int = 1000) -> list[Any]:
    """The rows as exchanges of so many each."""
    cells = [values.tolist() if isinstance(values, np.ndarray) else list(values) for values in rows.values()]
    listed = list(zip(*cells, strict=True))
    parts = [listed[start : start + size] for start in range(0, len(listed), size)]
    return [exchange([dict(zip(rows, row, strict=True)) for row in part], [0.5] * len(part), at) for part in parts]


def scores_of(profile: Profile, rows: Rows) -> Scores:
    """What a window of nothing but these rows says of the features."""
    features = watch(profile, requests(rows, 1.0), WINDOWS).snapshot(1.0).features
    assert features
    return features.scores[0]


def beyond(scores: Scores, place: int) -> set[str]:
    """The scores of a column that are beyond their critical values."""
    size = {name: abs(float(values[place])) for name, values in [*scores.values.items(), *ratios(scores).items()]}
    return {name for name, critical in scores.critical.items() if size[name] > critical[place]}


def ratios(scores: Scores) -> dict[str, NDArray[np.float64]]:
    return {f"{name}_ratio": values for name, values in scores.ratios.items()}


def drifted(scores: Scores) -> NDArray[np.bool_]:
    """What the shipped rules call so, of a window that suffices."""
    moved = scores.values["total_variation"]
    found = (scores.values["psi"] > scores.critical["psi"]) & (moved > scores.critical["total_variation"])
    return np.asarray(found & (moved > 0.1))


def at_most(trials: int, rate: float) -> int:
    """What a binomial count exceeds less than once in a million times."""
    return math.ceil(trials * rate + 5 * math.sqrt(trials * rate) + 5)


# --- the page


class Clock:
    snapshot_wall_s = 1000.0


def page(monitor: Monitor, profile: Profile, now: float) -> str:
    """What of the page is about features and outputs."""
    scene = Scene("m", "7", profile, monitor.snapshot(now), ServerVitals(), Clock())  # type: ignore[arg-type]
    return exposition.render([*reference.collect(scene), *columns.collect(scene)]).decode()


def firing(text: str, directory: Path, expected: set[tuple[str, str]]) -> None:
    """Assert that of a page that stays as it is these alerts of features fire after half an hour, and no others."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    series = [{"series": f'{name[:-1]},job="j",instance="i"}}', "values": f"{value}x30"} for name, _, value in
              (line.rpartition(" ") for line in lines)]  # fmt: skip
    samples = [{"labels": f'{{alertname="{alert}",feature="{feature}"}}', "value": 1} for alert, feature in expected]
    asked = (
        'count by (alertname, feature) (ALERTS{alertstate="firing",feature!=""}) or label_replace('
        "count by (feature) (instance_feature:model_feature_psi:told and on () "
        'ALERTS{alertname="ModelFeatureDrift",alertstate="firing"}), "alertname", "ModelFeatureDrift", "", "")'
    )
    (directory / "page.test.yml").write_text(yaml.safe_dump({
        "rule_files": [str(ROOT / "alert_rules" / f"{name}.rules.yml") for name in ("drift", "quality")],
        "tests": [{
            "interval": "1m", "input_series": series,
            "promql_expr_test": [{"expr": asked, "eval_time": "30m", "exp_samples": samples}],
        }],
    }))  # fmt: skip
    asked_of = [tool("promtool", "prometheus"), "test", "rules", str(directory / "page.test.yml")]
    done = subprocess.run(asked_of, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
