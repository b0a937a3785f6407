"""A web server that takes truths, with a store behind it: what is posted, over real sockets."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from web.doors import Answer, Served, served

from exporter.feedback.desk import Desk
from exporter.feedback.keeping import Keeping
from exporter.feedback.record import Rules
from exporter.feedback.stores import Limits, Store, open_store
from exporter.handoff import board
from exporter.performance.task import Task
from exporter.truths import Owner, Prediction, key_of

OWNER = Owner("churn", "1", "t")
LIMITS = Limits(1_000_000, 30 * 86_400_000, 3_600_000)
RULES = Rules(columns=("customer", "day"), segments=("country",), most_bytes=1 << 20, most_records=1000)


class Posted(NamedTuple):
    """A server, and what is behind it."""

    web: Served
    keeping: Keeping

    def post(self, body: Any, path: str = "/feedback", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.web.ask(path, "POST", body=content, headers=headers)

    def told(self, body: Any, path: str = "/feedback", **headers: str) -> dict[str, Any]:
        answer = self.post(body, path, **headers)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def predicted(self, *ids: str, rows: int = 1, at_ms: int = 1_800_000_000_000) -> None:
        """Have predictions kept, and wait until they are: what is told next comes behind them."""
        self.keeping.open(
            [Prediction(key_of(one, row), OWNER, at_ms, b"8 bytes.") for one in ids for row in range(rows)]
        )


def task_of(kind: str | None) -> Callable[[str], Task | None]:
    return lambda _: Task(kind, classes=("0", "1")) if kind else None


@contextmanager
def posted(
    store: Callable[[], Store] | Path, rules: Rules = RULES, kind: str | None = None, most_bytes: int = 1 << 20,
    **more: Any,
) -> Iterator[Posted]:  # fmt: skip
    """A server with a store, or one in a file of SQLite; `more` is of `served`."""
    opened = store if callable(store) else lambda: open_store(f"sqlite:{store}", LIMITS, "r")
    keeping = Keeping(opened, "sqlite", LIMITS, most_bytes, board.attach(board.create()))
    keeping.settle()
    try:
        with served(truths=Desk(rules, keeping, task_of(kind)), **more) as web:
            yield Posted(web, keeping)
    finally:
        keeping.close(10.0)
