"""Traffic whose rows come in sessions and whose hours differ, for the tests of calibration."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.reference import Profile

TOWNS = np.array(["paris", "berlin", "rome"])
MONDAY = 1_760_313_600.0
"""2025-10-13T00:00:00Z."""


class Traffic(NamedTuple):
    """What is drawn."""

    hours: float
    sessions_a_minute: float = 10.0
    mean_size: float = 5.0
    """Of sessions, geometric; all rows of one are alike."""
    season: float = 0.0
    """Share of towns that changes over the day, at most, both ways."""
    skew: float = 0.0
    """Share of rows that are from Rome instead of elsewhere."""

    def draw(self, seed: int, start: float = MONDAY) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        sessions = random.poisson(self.sessions_a_minute * 60 * self.hours)
        at = np.sort(random.integers(0, round(self.hours * 3600), sessions)).astype(float)
        sizes = random.geometric(1 / self.mean_size, sessions)
        share = 0.5 + self.season * np.sin(at / 86400 * 2 * np.pi)
        towns = np.where(random.random(sessions) < share, 0, 1)
        towns = np.where(random.random(sessions) < 0.1 + self.skew, 2, towns)
        amounts = random.normal(size=sessions)
        return pd.DataFrame({
            "when": np.repeat(start + at, sizes), "amount": np.repeat(amounts, sizes),
            "town": np.repeat(TOWNS[towns], sizes), "p": np.repeat(np.tanh(amounts), sizes),
        })  # fmt: skip


def trained(path: Path, **plan: Any) -> Profile:
    """A profile of rows that are independent and alike at any hour, in a file."""
    table = str(path.with_suffix(".parquet"))
    Traffic(24, 20, 1).draw(0).drop(columns="when").to_parquet(table)
    profile, _ = build(Plan(table, ["p"], model="churn", version="7", **plan))
    return document.save(profile, str(path))


def binned(profile: Profile, frame: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """By column the bin of each row."""
    found = {}
    for column in (*profile.features, *profile.outputs):
        values = frame[column.name].to_numpy()
        if column.ordered:
            places = np.searchsorted(column.edges, values, side="right")
            found[column.name] = np.where(places == len(column.edges), 13, places)
        else:
            found[column.name] = np.array([column.categories.index(value) for value in values], np.int64)
    return found


class Replica(NamedTuple):
    """An exporter that is scraped each minute, from one minute to before another."""

    name: str
    frame: pd.DataFrame
    begins: int
    ends: int
    restarts: int = 10**9
    """Minute after whose scrape its counters begin at 0 again."""


def history(profile: Profile, replicas: list[Replica], digits: str | None = None) -> str:
    """What a Prometheus has scraped of them, in OpenMetrics."""
    lines: dict[str, list[str]] = {"model_feature_bin": [], "model_prediction_bin": []}
    for replica in replicas:
        minute = ((replica.frame["when"].to_numpy() - MONDAY) // 60).astype(np.int64)
        bins = binned(profile, replica.frame)
        for side, columns in (("feature", profile.features), ("prediction", profile.outputs)):
            for column in columns:
                panes = np.zeros((replica.ends, len(column.counts)), np.int64)
                inside = (minute >= replica.begins) & (minute < replica.ends)
                np.add.at(panes, (minute[inside], bins[column.name][inside]), 1)
                totals = panes.cumsum(axis=0)
                if replica.restarts < replica.ends:
                    totals[replica.restarts + 1 :] -= totals[replica.restarts]
                label = "feature" if side == "feature" else "output"
                for place, _ in column.bins():
                    of = (f'model="churn",profile="{digits or profile.short_digest}",instance="{replica.name}"'
                          f',{label}="{column.name}",bin="{place:02d}"')  # fmt: skip
                    lines[f"model_{side}_bin"] += [
                        f"model_{side}_bin_total{{{of}}} {count} {MONDAY + 60 * at:.0f}"
                        for at, count in enumerate(totals[replica.begins :, place].tolist(), replica.begins + 1)
                    ]
    return "".join(f"# TYPE {family} counter\n" + "\n".join(of) + "\n" for family, of in lines.items()) + "# EOF\n"
