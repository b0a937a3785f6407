"""A process that writes to a store is killed in the midst of it: each batch is there wholly, or not at all."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from feedback import teller
from feedback.places import LIMITS, Place

from exporter.feedback.stores import Store

SEEDS = range(6)


def killed(url: str, first: int, batches: int, pause_s: float) -> list[str]:
    """Have batches written, and some more; the lines that were said. The process dies at any instant."""
    paths = [str(Path(teller.__file__).parents[1]), str(Path(__file__).parents[2])]
    child = subprocess.Popen(
        [sys.executable, teller.__file__, url, str(first)],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(2 * batches)]
    time.sleep(pause_s)
    child.kill()
    with child:
        return [line for line in [*lines, *child.stdout] if line.endswith("\n")]


def said(lines: list[str], what: str) -> set[int]:
    return {int(line.split()[1]) for line in lines if line.startswith(what)}


def whole_batches(store: Store) -> set[int]:
    """Batches that were joined; each must be whole, with numbers that follow one another."""
    rows = store.joined(0, 10**6)
    batches = Counter(int(row.true.decode().partition("-")[0]) for row in rows)
    assert set(batches.values()) <= {teller.BATCH}
    assert len({row.true for row in rows}) == len(rows)
    assert [row.number for row in rows] == sorted({row.number for row in rows})
    return set(batches)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_batch_is_joined_wholly_or_not_at_all_whenever_the_process_dies(lasting: Place, seed: int) -> None:
    chance = random.Random(seed)
    opened: set[int] = set()
    told: set[int] = set()
    for life in range(2):
        lines = killed(lasting.url, 100_000 * life, chance.randrange(5, 40), chance.random() * 0.01)
        opened |= said(lines, "opened")
        told |= said(lines, "told")
        store = lasting.open(LIMITS._replace(predictions=10**6))
        joined = whole_batches(store)
        assert told <= joined  # what was said to be done, is
        assert len(joined - told) <= life + 1  # and at most what it was about to say
        sizes = store.sizes()
        assert sizes.joined == len(joined) * teller.BATCH
        assert sizes.open % teller.BATCH == 0
        assert len(opened) <= len(joined) + sizes.open // teller.BATCH <= len(opened) + life + 1
        store.close()
