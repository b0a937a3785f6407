"""Sections of the settings about late truth: how it comes, where predictions wait for it, what is made of it.

As in `config`, which puts them in their places.
"""

from dataclasses import dataclass

from exporter.costing import Cost, costs
from exporter.keys import setting
from exporter.truths import TASKS
from exporter.values import (
    duration,
    durations,
    format_duration,
    integer,
    label_value,
    number,
    one_of,
    path,
    size,
    switch,
)

_DAY_S = 86400.0
_SHORTEST_PANE_S = 1.0
_OWN_STORES = frozenset(("sqlite", "memory"))
"""Schemes of stores that one exporter has for itself."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """How truth comes, and where predictions wait for it."""

    enable: bool = setting(
        False,
        "Whether POST /feedback on the web address takes truths, and predictions are kept for them: a hash of the id,"
        " and what was answered.",
        switch,
        "false",
    )
    token_file: str | None = setting(
        None,
        "File of a bearer token that a POST of truths must show; it counts there instead of a password, and is read"
        " again when it changes.",
        path,
    )
    store: str | None = setting(
        None,
        "Where predictions wait: sqlite:/PATH, memory:, or, where truth may reach another replica than the one that"
        " predicted, redis://, rediss:// or postgresql:// with an address. A file in state.directory where left out,"
        " and memory without that. Passwords belong into store_password_file.",
        path,
    )
    store_password_file: str | None = setting(
        None, "File of the password of a store of redis or postgresql; it is read again at each connect.", path
    )
    max_predictions: int = setting(
        1_000_000, "Most predictions that are kept, with truth or without; beyond them the oldest go.",
        integer(1, 1_000_000_000),
    )  # fmt: skip
    retention: float = setting(30 * _DAY_S, "How long a prediction is kept, with truth or without.", duration, "30d")
    early: float = setting(3600.0, "How long a truth waits for a prediction that is not known yet.", duration, "1h")
    max_body: int = setting(16 << 20, "Longest body of a POST of truths, inflated.", size(1 << 10), "16MiB")
    max_records: int = setting(10_000, "Most truths of one POST.", integer(1, 1_000_000))
    max_buffer: int = setting(
        32 << 20,
        "Most bytes of predictions and truths that wait for their store, as while it is down; beyond them predictions"
        " are dropped, and who posts truths is asked to come again.",
        size(1 << 16),
        "32MiB",
    )

    @property
    def is_shared(self) -> bool:
        """Whether truth may reach another replica than the one that predicted."""
        return self.store is not None and self.store.partition(":")[0].lower() not in _OWN_STORES


@dataclass(frozen=True, slots=True)
class Performance:
    """What is made of predictions and truths."""

    task: str = setting(
        "auto",
        "What is predicted: binary, multiclass, regression or ranking; by the profile and its outputs where left out.",
        one_of("auto", *TASKS),
    )
    output: str | None = setting(
        None, "The output that is held against the truth: the class, the score or the number.", label_value
    )
    positive: str | None = setting(None, "The class that a score is the probability of, of two.", label_value)
    threshold: float | None = setting(
        None,
        "The score from which on the positive class is predicted; what the profile says, else 0.5, where left out.",
        number(0.0, 1.0),
    )
    windows: tuple[float, ...] = setting(
        (3600.0, _DAY_S, 7 * _DAY_S, 30 * _DAY_S),
        "Lengths of the windows of performance, none shorter than windows.pane: truth comes late.",
        durations,
        "[1h, 24h, 7d, 30d]",
    )
    minimum_samples: int = setting(
        200, "Fewest predictions with truth in a window for its measures to count as sufficient.", integer(1, 10**9)
    )
    ranks: int = setting(10, "The k of hit rate and NDCG.", integer(1, 1000))
    tolerance: float = setting(
        0.02,
        "By how much more than in training may be wrong without a page: a share of the predictions; of numbers, of"
        " those that are farther off than nine in ten were in training.",
        number(0.0, 0.5),
    )

    costs: tuple[Cost, ...] = setting(
        (),
        "What it costs to predict one class where another is true, for cost_per_thousand: mappings with actual,"
        " predicted and cost, such as {actual: fraud, predicted: honest, cost: 120}; 0 where nothing is said, `other`"
        " is any class that is not known. It is JSON outside of this file.",
        costs,
        "[]",
    )

    def __post_init__(self) -> None:
        if len({format_duration(length) for length in self.windows}) < len(self.windows):
            raise ValueError("windows: two of them would have the same name")

    def refuse_shorter(self, pane_s: float) -> None:
        """ValueError where a window would be shorter than a pane."""
        if min(self.windows) < pane_s:
            raise ValueError(
                f"performance.windows: {format_duration(min(self.windows))} is shorter than windows.pane"
                f" ({format_duration(pane_s)})"
            )
