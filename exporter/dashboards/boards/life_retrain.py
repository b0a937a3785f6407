"""Of the life board: whether somebody was asked to train the model again, how near that is, and whether it arrived."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.looks import (
    BLUE,
    CRITICAL,
    GREEN,
    GREY,
    ORANGE,
    PLAIN,
    by_name,
    states,
    steps,
)
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import here, of

_R: Final = c.RETRAIN
_OFF: Final = {"noValue": "nobody is asked (retrain.url)"}
_STATES: Final = ("idle", "holding", "cooling", "fired")


def panels() -> Iterator[Panel]:
    """State and evidence of the model, then what became of events."""
    yield _state()
    asked = f"max({of(_R.asked)}) * 1000"
    yield Panel("stat", "Last asked", "When the last event was made that asked for anything, and was sent or, with"
                " retrain.dry_run, logged.", "dateTimeFromNow", [Query(asked, instant=True)], 6, 8,
                PLAIN | {"noValue": "never"}, {"colorMode": "none"})  # fmt: skip
    ratio = of(_R.ratio)
    yield Panel("timeseries", "Evidence over what it takes", "What there is of each kind of finding over what it takes,"
                " of the replica with most: from 1 on it is found, and somebody is asked once it has been found for"
                " retrain.hold, where retrain.reasons has that kind and the advice is one to send.", "none", [
                    Query(f"max by (kind) ({ratio})", "{{kind}}"),
                    Query(f"0 * max({ratio}) + 1", "critical: found"),
                ], 12, 8, PLAIN | {"custom": {"axisSoftMin": 0}} | _OFF,
                overrides=[CRITICAL])  # fmt: skip
    yield from _events()


def _state() -> Panel:
    """The worst of all replicas, as a number: its place among the states."""
    worst = " or ".join(f"{place} * {of(_R.state, state=word)}" for place, word in enumerate(_STATES))
    colours = steps((None, GREY), (0, GREEN), (1, ORANGE), (2, BLUE), (3, ORANGE))
    words = states((0, "idle", GREEN), (1, "holding", ORANGE), (2, "cooling", BLUE), (3, "fired", ORANGE))
    return Panel(
        "stat", "Is it to be trained again", "idle: nothing is found. holding: something is, and nobody was asked yet."
        " cooling: the cool-down of the last event goes on. fired: somebody was asked, and the episode goes on. The"
        " farthest of all replicas.", "none", [Query(f"max({worst})", instant=True)], 6, 8, colours | words | _OFF,
    )  # fmt: skip


def _events() -> Iterator[Panel]:
    became = here(f"increase({of(_R.events)}[$__rate_interval])")
    waiting = here(of(_R.waiting))
    yield Panel("timeseries", "Events and what became of them", "Events of all models of these exporters, arrived or"
                " given up, and those on their way. Ticket: one was given up, or waits for an hour.", "short", [
                    Query(f"sum by (outcome) ({became})", "{{outcome}}"), Query(f"sum({waiting})", "on their way"),
                ], 12, 8, PLAIN | {"min": 0, "decimals": 0} | _OFF,
                overrides=[by_name("undelivered", color={"mode": "fixed", "fixedColor": ORANGE})])  # fmt: skip
    why = here(f"increase({of(_R.suppressed)}[$__range])")
    failed = here(f"increase({of(_R.failures)}[$__range])")
    yield Panel("table", "Why nobody was asked, or did not hear", "Of the chosen time: findings that held without an"
                " event that was sent, once an episode and reason; and posts that were in vain.", "short", [
                    Query(f"sum by (reason) ({why}) > 0", "nobody was asked"),
                    Query(f"sum by (reason) ({failed}) > 0", "posts in vain"),
                ], 12, 8, PLAIN | {"decimals": 0, "noValue": "nothing, or nobody is asked (retrain.url)"})  # fmt: skip
