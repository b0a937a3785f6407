"""Rows of the faults that are nothing but what their clients do: no stream goes on beside those."""

from typing import Any

from faults.stage import Fault, rounded


class OwnClients:
    """What a test's own clients saw, added up over all of its cases."""

    def __init__(self, plan: Fault | None) -> None:
        """Without a plan it is no row."""
        self.plan = plan
        self._requests = self._unanswered = self._wrong = 0
        self._words = ""

    def saw(self, requests: int, *, unanswered: int = 0, wrong: int) -> None:
        """`unanswered` are those that were cut off on purpose."""
        self._requests += requests
        self._unanswered += unanswered
        self._wrong += wrong

    def say(self, words: str) -> None:
        """What the row has of metrics."""
        self._words = words

    def row(self) -> dict[str, Any] | None:
        """None where nothing is to be told."""
        if not (self.plan and self._requests):
            return None
        cut_off = f"{rounded(self._unanswered)} (cut off on purpose)" if self._unanswered else "0"
        return {
            "number": self.plan.number, "title": self.plan.title, "injected": self.plan.injected,
            "clients": self.plan.clients, "requests": f"own clients: {rounded(self._requests)}, {cut_off}, "
            f"{self._wrong}", "latency": "–", "metrics": self._words or "–", "verdict": "",
        }  # fmt: skip
