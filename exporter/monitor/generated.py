"""Tokens of language models: how many went in and came out, why answers ended, when streams began."""

from bisect import bisect_left
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.decode import openai
from exporter.records import DURATION_BOUNDS, Exchange, Observation, Table
from exporter.snapshots import GenerationCounts, Histogram

PROTOCOL: Final = "openai"
_KINDS: Final = {"prompt": "usage.prompt_tokens", "completion": "usage.completion_tokens"}
_REASONS: Final = (*openai.FINISH_REASONS, openai.OTHER)
_STREAM: Final = "text/event-stream"
_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in DURATION_BOUNDS)
_MOST_TOKENS: Final = 10**9
"""Of one answer; what says that it has more is a joke."""


class Generated:
    """Counts since start, as two arrays."""

    def __init__(self) -> None:
        self._counts = np.zeros(2 + len(_KINDS) + len(_REASONS), np.int64)
        """Answers, nanoseconds until streams began, tokens by kind, answers by reason."""
        self._first_bytes = np.zeros(len(DURATION_BOUNDS) + 1, np.int64)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {f"{prefix}.counts": self._counts, f"{prefix}.first_bytes": self._first_bytes}

    def add(self, exchange: Exchange, observation: Observation) -> None:
        """Count an answer of a language model, an exchange of PROTOCOL."""
        answer = observation.predictions
        if not isinstance(answer, Table):
            return
        cells = {name: column[0] for name, column in zip(answer.names or (), answer.columns, strict=True) if column}
        self._counts[0] += 1
        for place, name in enumerate(_KINDS.values(), 2):
            tokens = cells.get(name)
            if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS:
                self._counts[place] += tokens
        reason = cells.get("finish_reason")
        if reason in _REASONS:
            self._counts[2 + len(_KINDS) + _REASONS.index(reason)] += 1
        streamed = exchange.response_headers.get("content-type", "").startswith(_STREAM)
        if streamed and exchange.first_byte_ns > 0:
            self._counts[1] += exchange.first_byte_ns
            self._first_bytes[bisect_left(_BOUNDS_NS, exchange.first_byte_ns)] += 1

    def snapshot(self) -> GenerationCounts | None:
        """The counts so far; None where there was no such answer."""
        answers, first_bytes_ns, *counts = self._counts.tolist()
        if not answers:
            return None
        return GenerationCounts(
            tokens=dict(zip(_KINDS, counts, strict=False)),
            finished=dict(zip(_REASONS, counts[len(_KINDS) :], strict=True)),
            first_byte=Histogram(tuple(self._first_bytes.tolist()), first_bytes_ns / 1e9),
        )
