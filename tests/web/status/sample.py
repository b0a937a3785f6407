"""A made-up world that is told of: a fraud model of which one feature is a hundred times what it was, and others."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from exporter.status.facts import (
    Bin,
    ColumnDetail,
    ColumnFacts,
    CoverageFacts,
    DependencyFacts,
    EvidenceFacts,
    Failing,
    Judgement,
    LatencyFacts,
    MeasureFacts,
    ModelFacts,
    Moment,
    MomentColumn,
    PerformanceFacts,
    ProcessFacts,
    ProfileFacts,
    QualityFacts,
    Reason,
    Score,
    Segment,
    SidecarFacts,
    StatusFacts,
    TrafficFacts,
    Trail,
    Trails,
    VersionFacts,
    WindowFacts,
)

NOW: Final = 1_795_486_500.0  # 2026-11-24 02:15 UTC
PANE_S: Final = 300.0
PANES: Final = 288
BROKE: Final = NOW - 3 * 3600 - 420
HOSTILE: Final = "<script>alert('x')</script>\"&\u202egnp.\x00\x1b[31m"
RUNBOOK: Final = "https://example.com/runbooks.md#"
WORDS: Final = (
    "amount", "merchant_country", "card_age_days", "hour", "distance_km", "mcc", "channel", "device_score",
    "velocity_1h", "velocity_24h", "balance", "limit_used", "tenure_months", "declines_7d", "currency", "is_recurring",
    "ip_risk",
    "email_age_days", "basket_size", "discount", "shipping_match", "billing_zip_risk", "session_seconds",
)  # fmt: skip
ROWBACK: Final = "שם_המוצר"


def names(count: int) -> list[str]:
    """Of features; one is a stranger's, one is written from right to left."""
    found = [*WORDS, HOSTILE, ROWBACK]
    return (found[:24] if count == 24 else found + [f"f{at:04d}" for at in range(count)])[:count]


class Sample:
    """A source; what it says does not change unless `tick` is called."""

    def __init__(self, features: int = 24, others: int = 0, *, is_busy: bool = False) -> None:
        self.is_busy = is_busy
        self.asked_moments: list[float] = []
        self._names = names(features)
        self._others = others
        self._rng = np.random.default_rng(7)
        self._columns = [self._column(at, name) for at, name in enumerate(self._names)]
        self._columns.sort(key=lambda one: -(one.evidence_nats or 0))
        self._outputs = [self._output()]
        self.facts: StatusFacts | None = self._status(NOW)

    def tick(self, seconds: float = 15.0) -> None:
        """A moment later."""
        assert self.facts is not None
        self.facts = self._status(self.facts.time + seconds)

    # what is asked

    def now(self) -> StatusFacts | None:
        return self.facts

    def columns(self, model: str, version: str, side: str) -> Sequence[ColumnFacts] | None:
        if (model, version) != ("fraud", "2026.11"):
            return None
        return self._columns if side == "feature" else self._outputs

    def column(self, model: str, version: str, side: str, name: str) -> ColumnDetail | None:
        one = next((one for one in self.columns(model, version, side) or () if one.name == name), None)
        return None if one is None else _detail(one)

    def trails(self, model: str, version: str, side: str, names: Sequence[str]) -> Trails | None:
        self._may_be_busy()
        shown = [one for one in self.columns(model, version, side) or () if one.name in names]
        return Trails(side, _starts(), PANE_S, tuple(_trail(one) for one in shown)) if shown else None

    def moment(self, model: str, version: str, side: str, names: Sequence[str], at: float) -> Moment | None:
        self._may_be_busy()
        self.asked_moments.append(at)
        shown = [one for one in self.columns(model, version, side) or () if one.name in names]
        start = max(one for one in _starts() if one <= at)
        return Moment(side, start, start + PANE_S, tuple(_then(one, start) for one in shown))

    def _may_be_busy(self) -> None:
        if self.is_busy:
            raise TimeoutError

    # what there is

    def _column(self, at: int, name: str) -> ColumnFacts:
        bins = (
            _categories(self._rng)
            if name in {"merchant_country", "mcc", "channel", "currency", HOSTILE}
            else _numbers(self._rng)
        )
        moved = round(float(self._rng.uniform(0.005, 0.05)), 4)
        plain = ColumnFacts(
            "feature", name,
            "categorical" if bins[0].text[0].isalpha() and " " not in bins[0].text else "numeric", "quiet",
            round(float(self._rng.exponential(0.2)), 3), 0.1, None, "", "", "", "1h", 41_213, moved, 0.061,
            round(1 / (at + 2), 3), "", bins,
        )  # fmt: skip
        change = _CHANGED.get(name)
        return plain if change is None else dataclasses.replace(plain, **change)

    def _output(self) -> ColumnFacts:
        bins = _numbers(self._rng)
        return ColumnFacts(
            "output",
            "score",
            "numeric",
            "moved",
            4.1,
            0.4,
            None,
            "",
            "",
            "",
            "1h",
            41_213,
            0.094,
            0.061,
            None,
            "",
            bins,
        )

    def _status(self, now: float) -> StatusFacts:
        models = (self._model(), *(_other(at) for at in range(self._others)))
        return StatusFacts(now, 15.0, models, _sidecar())

    def _model(self) -> ModelFacts:
        counts: dict[str, int] = {}
        for one in self._columns:
            counts[one.standing] = counts.get(one.standing, 0) + 1
        return ModelFacts(
            "fraud", "2026.11", _JUDGED,
            EvidenceFacts(812.4, 10.7, 2.2, 7.7, NOW - 9 * 86400, True, "measured", False, 30.0),
            TrafficFacts(1_204_881, 311, {"200": 1_204_570, "400": 204, "503": 107}, 2_204_881, NOW - 2,
                         LatencyFacts(1_204_774, 0.0042, 0.0187, 0.094)),
            CoverageFacts(1_199_004, 1_204_881, 1_198_702, 1_204_570, {"request/invalid_json/open_inference": 5877},
                          0.958, 2, 41),
            (WindowFacts("5m", 3_402, True, NOW - 300), WindowFacts("1h", 41_213, True, NOW - 3600),
             WindowFacts("24h", 988_120, True, NOW - 86400)),
            counts, {"moved": 1}, (_PERFORMED,),
            (Segment("channel=app", "24h", 12_044, "drifts by 0.21, all others by 0.03", BROKE),),
            (VersionFacts("2026.11", "champion", NOW - 9 * 86400, 1_204_881, "act"),
             VersionFacts("2026.12-rc1", "challenger", NOW - 86400, 60_112, "learning")),
            ProfileFacts("9f3ac1d2", "fraud", "2026.11", 400_000, len(self._columns), 1, NOW - 12 * 86400, False,
                         "s3://models/fraud/2026.11/profile.json"), None,
            ("Its precision is below that of training by more than chance explains since 2026-11-21.",),
        )  # fmt: skip


def _starts() -> tuple[float, ...]:
    return tuple(NOW - NOW % PANE_S - PANE_S * at for at in reversed(range(PANES)))


def _numbers(rng: np.random.Generator) -> tuple[Bin, ...]:
    shares = rng.dirichlet(np.full(13, 8.0))
    live = np.abs(shares * (1 + rng.normal(0, 0.05, 13)))
    live /= live.sum()
    texts = ["below 4.2", *(f"{4.2 + 7 * at:g} to {11.2 + 7 * at:g}" for at in range(10)), "74.2 and above", "missing"]
    return tuple(
        Bin(f"{at:02d}", text, round(float(shares[at]), 4), round(float(live[at]), 4)) for at, text in enumerate(texts)
    )


def _categories(rng: np.random.Generator) -> tuple[Bin, ...]:
    texts = ["DE", "FR", HOSTILE, "NL", ROWBACK, "other", "unseen", "missing"]
    shares = rng.dirichlet(np.full(8, 3.0))
    live = np.abs(shares * (1 + rng.normal(0, 0.05, 8)))
    live /= live.sum()
    return tuple(
        Bin(f"{at:02d}", text, round(float(shares[at]), 4), round(float(live[at]), 4)) for at, text in enumerate(texts)
    )


_HUNDRED: Final = tuple(
    Bin(f"{at:02d}", text, reference, live) for at, (text, reference, live) in enumerate((
        ("below 1.5", 0.05, 0.001), ("1.5 to 8", 0.1, 0.002), ("8 to 14", 0.1, 0.003), ("14 to 22", 0.1, 0.004),
        ("22 to 35", 0.1, 0.005), ("35 to 52", 0.1, 0.009), ("52 to 77", 0.1, 0.01), ("77 to 120", 0.1, 0.016),
        ("120 to 240", 0.1, 0.03), ("240 to 610", 0.1, 0.06), ("610 and above", 0.05, 0.86), ("missing", 0.0, 0.0),
        ("non-finite", 0.0, 0.0)))
)  # fmt: skip
_CHANGED: Final = {
    "amount": {
        "standing": "drifted", "evidence_nats": 812.4, "since": BROKE, "happened": "moved up, sudden",
        "diagnosis": "amount looks ×100: cents in place of euros?", "diagnosis_code": "scaled",
        "total_variation": 0.861, "bins": _HUNDRED,
        "quality": (QualityFacts("out_of_range", "1h", 0.42, 0.0, 0.002),), "owner": "payments",
    },
    "device_score": {
        "standing": "drifted", "evidence_nats": 44.2, "since": BROKE + 300, "happened": "more missing, sudden",
        "diagnosis": "31 % of device_score are missing, where training had 2 %", "diagnosis_code": "missing",
        "total_variation": 0.29, "quality": (QualityFacts("missing", "1h", 0.31, 0.02, 0.026),),
    },
    HOSTILE: {"standing": "moved", "evidence_nats": 6.3, "total_variation": 0.08,
              "happened": "has more of <img src=x onerror=alert(1)>"},
    "session_seconds": {"standing": "too_few", "samples": 12, "total_variation": None, "total_variation_critical": None,
                        "evidence_nats": None},
    "tenure_months": {"standing": "ignored", "evidence_nats": None},
}  # fmt: skip
_JUDGED: Final = Judgement(
    "act", "Act: 2 of 24 features moved since 23:08 UTC; amount looks ×100.",
    (Reason("ModelDrift", "act", "Evidence of drift is over the line that pages: 812 of 10.7 nats.", BROKE, "",
            f"{RUNBOOK}modeldrift"),
     Reason("ModelFeatureDrift", "watch", "amount looks ×100: cents in place of euros?", BROKE, "amount",
            f"{RUNBOOK}modelfeaturedrift"),
     Reason("ModelFeatureMissing", "watch", "31 % of device_score are missing, where training had 2 %.", BROKE + 300,
            "device_score", f"{RUNBOOK}modelfeaturemissing"),
     Reason("ModelDependencyDown", "watch", "The dependency <b>feature-store</b> cannot be reached.", NOW - 1800, "",
            f"{RUNBOOK}modeldependencydown")),
    ("0.5 % of requests could not be decoded: their JSON is broken (5,877 since the start).",
     "session_seconds has 12 values of 200 that are needed: nothing is said of it yet.",
     "tenure_months is ignored: overrides.yml says so.",
     "The truth of 97 % of the predictions is not known yet: it comes a week later."),
)  # fmt: skip
_PERFORMED: Final = PerformanceFacts(
    "binary_classification", "24h", 24_120, 988_120, True,
    (MeasureFacts("auc", 0.871, 0.853, 0.889, 0.921), MeasureFacts("precision", 0.412, 0.371, 0.455, 0.58),
     MeasureFacts("recall", 0.77, 0.72, 0.82, 0.79), MeasureFacts("brier", 0.061, 0.058, 0.065, 0.049)),
)  # fmt: skip


def _sidecar() -> SidecarFacts:
    words = f"/v2/models/{HOSTILE}/infer: nested too deeply"
    failures = [Failing(NOW - 60.0 * at, "request payload", "invalid_json", words) for at in range(30)]
    return SidecarFacts(
        "0.1.0", NOW - 9 * 86400, True, True, 1_204_881, 1_204_880, {"full": 1, "damaged": 0}, True,
        ProcessFacts("server", 81_203.0, 2 << 30, NOW - 9 * 86400),
        (ProcessFacts("analyser", 2_104.0, 201 << 20, NOW - 9 * 86400),
         ProcessFacts("worker-0", 612.0, 48 << 20, NOW - 9 * 86400)),
        (DependencyFacts("<b>feature-store</b>", "redis://features:6379", False, "connection refused", NOW - 1800,
                         0.0021),
         DependencyFacts("postgres", "db:5432", True, "", NOW - 4, 0.0011)),
        (Failing(NOW - 1800, "dependency", "down", "<b>feature-store</b>: connection refused"), *failures),
        ("3 windows of 24h were not kept at the last start: they are of another profile.",),
    )  # fmt: skip


def _other(at: int) -> ModelFacts:
    """A model of which little is to be said."""
    verdict = ("healthy", "learning", "blind", "watch")[at % 4]
    return ModelFacts(
        f"model-{at}", "1", Judgement(verdict, f"{verdict.capitalize()}: as model {at} is."), None,
        TrafficFacts(0, 0, {}, 0, None, LatencyFacts(0, None, None, None)),
        CoverageFacts(0, 0, 0, 0, {}, None, 0, 0), (),
        {}, {}, (), (), (), None, 112,
    )  # fmt: skip


def _detail(one: ColumnFacts) -> ColumnDetail:
    windows = (WindowFacts("5m", 3_402, True, NOW - 300), WindowFacts("1h", one.samples, True, NOW - 3600),
               WindowFacts("24h", 988_120, True, NOW - 86400))  # fmt: skip
    tv = one.total_variation
    scores = tuple(
        Score(statistic, window.window, None if tv is None else round(tv * times, 4), critical)
        for statistic, times, critical in (
            ("total_variation", 1.0, 0.061), ("psi", 2.3, 0.02), ("kolmogorov_smirnov", 0.8, 0.05),
            ("mean_shift", 3.0, None),
        )
        for window in windows
    )  # fmt: skip
    return ColumnDetail(one, windows, scores, one.quality or (QualityFacts("missing", "1h", 0.001, 0.001, 0.004),))


def _is_broken(one: ColumnFacts, start: float) -> bool:
    return one.since is not None and start >= one.since - PANE_S


def _trail(one: ColumnFacts) -> Trail:
    values = [
        None if at % 97 == 50 else round(((one.total_variation or 0) if _is_broken(one, start) else 0.04)
                                         + 0.01 * math.sin(at * 1.7 + len(one.name)), 4)
        for at, start in enumerate(_starts())
    ]  # fmt: skip
    return Trail(one.name, (340,) * PANES, tuple(values))


def _then(one: ColumnFacts, start: float) -> MomentColumn:
    if _is_broken(one, start) or one.since is None:
        return MomentColumn(one.name, 340, one.total_variation, one.bins)
    return MomentColumn(
        one.name, 340, 0.012, tuple(dataclasses.replace(each, live=each.reference) for each in one.bins)
    )
