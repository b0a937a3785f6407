"""Models of four kinds, what they answer, and what turns out: for tests of late truth."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from monitor_scenes import exchange, write_csv

from exporter.profile.build import Plan, build
from exporter.records import Exchange
from exporter.reference import Profile

CLASSES = ("ant", "bee", "cow")


class Kind(NamedTuple):
    """A model of one kind."""

    name: str
    outputs: tuple[str, ...]

    def answers(self, random: np.random.Generator, rows: int) -> list[Any]:
        """What it says of some rows, as a server would write it."""
        if self.name == "binary":
            return random.random(rows).round(3).tolist()
        if self.name == "labels":
            return random.choice(["no", "yes"], rows, p=[0.7, 0.3]).tolist()
        if self.name == "regression":
            return random.normal(100, 30, rows).round(2).tolist()
        shares = random.dirichlet([1.0, 1.0, 1.0], rows)
        return [dict(zip(self.outputs, row, strict=True)) for row in shares.tolist()]

    def truths(self, random: np.random.Generator, answers: Sequence[Any]) -> list[Any]:
        """What turns out: mostly near what was said."""
        if self.name == "binary":
            return [int(random.random() < said) for said in answers]
        if self.name == "labels":
            return [said if random.random() < 0.8 else "no" for said in answers]
        if self.name == "regression":
            return [round(said + random.normal(0, 10), 2) for said in answers]
        return [CLASSES[random.choice(3, p=[*said.values()])] for said in answers]


KINDS = {
    "binary": Kind("binary", ("p",)),
    "labels": Kind("labels", ("approved",)),
    "multiclass": Kind("multiclass", tuple(f"proba_{name}" for name in CLASSES)),
    "regression": Kind("regression", ("price",)),
}


def table(kind: Kind, rows: int = 2000) -> dict[str, list[Any]]:
    """Training data, by column name."""
    random = np.random.default_rng(7)
    said = kind.answers(random, rows)
    columns = [[one[name] for one in said] for name in kind.outputs] if kind.name == "multiclass" else [said]
    return {"x": random.normal(size=rows).round(4).tolist(), **dict(zip(kind.outputs, columns, strict=True))}


def profile_of(kind: Kind, directory: Path) -> Profile:
    profile, _ = build(Plan(write_csv(directory / f"{kind.name}.csv", table(kind)), [*kind.outputs]))
    return profile


def answered(answers: Sequence[Any], at: float, request_id: str, **changes: Any) -> Exchange:
    """A request with an id, and its answer."""
    body = json.dumps({"predictions": answers}).encode()
    headers = {"x-request-id": request_id} if request_id else {}
    return exchange([{"x": 0.5}] * len(answers), body, at, request_headers=headers, **changes)
