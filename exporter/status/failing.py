"""What failed, remembered: successes push none of it out, and no kind of failure pushes out all others."""

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple

from exporter.collect.scene import Page
from exporter.status.facts import Failing
from exporter.status.wording import text

MOST: Final = 100
"""Failures that are remembered, all in all."""
MOST_OF_KIND: Final = 10
_LONGEST: Final = 500
"""Characters of what is said of one."""
_PAYLOADS: Final = {"request": "request payload", "response": "response payload"}


class _Kept(NamedTuple):
    """What failed, and what makes it the same as one before: that one is told no longer."""

    same: str
    failing: Failing


class Failures:
    """Told of page after page; asked from any thread."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], dict[str, Failing]] = {}
        """By place and reason, then by what is the same; the oldest first."""
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def look(self, page: Page) -> None:
        """At what has failed since the page before."""
        found = [*_unread(page), *_dependencies(page), *_golden(page), *self._counted(page)]
        with self._lock:
            for one in found:
                self._keep(one)

    def _keep(self, one: _Kept) -> None:
        kind = (one.failing.where, one.failing.reason)
        kept = self._kinds.setdefault(kind, {})
        kept.pop(one.same, None)
        kept[one.same] = one.failing
        if len(kept) > MOST_OF_KIND:
            del kept[min(kept, key=lambda same: kept[same].time)]
        if sum(map(len, self._kinds.values())) > MOST:
            self._forget()

    def _forget(self) -> None:
        """The oldest of the kind that has most."""
        most = max(self._kinds, key=lambda kind: len(self._kinds[kind]))
        kept = self._kinds[most]
        del kept[min(kept, key=lambda same: kept[same].time)]
        if not kept:
            del self._kinds[most]

    @property
    def kept(self) -> tuple[Failing, ...]:
        """The newest first."""
        with self._lock:
            found = [one for kept in self._kinds.values() for one in kept.values()]
        return tuple(sorted(found, key=lambda one: -one.time))

    def _counted(self, page: Page) -> Iterator[_Kept]:
        """Of what there is no more than a count: that it has grown."""
        health = page.health
        settings = health.web.file if health.web else None
        if not health.reload_successful or (settings is not None and not settings.is_fine):
            words = "could not be used as they are now in their file: see the log"
            yield _kept(health.snapshot_wall_s, "settings", "unusable", words)
        errors = page.attribution.profile_errors + health.profile_errors
        refused = health.web.refused if health.web else {}
        for where, reason, words, count in (
            ("profile", "unusable", "could not be had or used: see the log", errors),
            *(("state", reason, "windows were not kept or read: see the log", n)
              for reason, n in health.state.errors.items()),
            *(("web", reason, "a request was refused", n) for reason, n in refused.items()),
        ):  # fmt: skip
            if count > self._counts.get((where, reason), 0):
                self._counts[where, reason] = count
                failing = Failing(health.snapshot_wall_s, where, reason, f"{words} ({count:,} since the start)")
                yield _Kept("", failing)


def _unread(page: Page) -> Iterator[_Kept]:
    for scene in page.scenes:
        for one in scene.snapshot.unread:
            words = f"{one.path} ({one.protocol}): {one.detail}".removesuffix(": ")
            yield _kept(one.wall_s, _PAYLOADS.get(one.side, one.side), one.reason, words)


def _dependencies(page: Page) -> Iterator[_Kept]:
    for one in page.health.dependencies:
        if one.failure:
            words = f"{one.name} ({one.place}): {one.detail}".removesuffix(": ")
            yield _kept(page.health.snapshot_wall_s, "dependency", one.failure, words)


def _golden(page: Page) -> Iterator[_Kept]:
    golden = page.health.golden
    if golden is None:
        return
    now = golden.round_wall_s or page.health.snapshot_wall_s
    if golden.fault:
        yield _kept(now, "golden request", "file", golden.fault)
    for version in golden.versions:
        for case in version.cases:
            if case.failed_times:
                words = f"{case.name}, {version.model} {version.version}: {case.detail}".removesuffix(": ")
                yield _kept(now, "golden request", case.reason, words)


def _kept(at: float, where: str, reason: str, words: str) -> _Kept:
    shown = text(words)[:_LONGEST]
    return _Kept(shown, Failing(at, where, reason, shown))
