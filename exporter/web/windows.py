"""What a window holds, for those who adopt it as the reference.

GET /api/v1/window?window=24h   values by bin of the profile in force, as JSON; &model=, &model_version= and &profile=
                                (its digest) say of which model, where there are several

Nothing is in it that is not on /metrics. The answer is of the last scoring, and as long as the profile has columns.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from flask import Flask, Response, jsonify, request

from exporter.records import Label
from exporter.reference import Column, Profile
from exporter.snapshots import BlockSnapshot, Scores, Snapshot

_MOST_NAMED: Final = 20


class Scored(NamedTuple):
    """A model that is compared with a profile."""

    label: Label
    profile: Profile
    snapshot: Snapshot


def add(app: Flask, scored: Callable[[], Sequence[Scored]], minimum_samples: int) -> None:
    """Have an application answer; `scored` gives what was scored last."""

    @app.get("/api/v1/window")
    def window() -> Response:
        models = scored()
        found = [one for one in models if _is_meant(one)]
        if len(found) != 1:
            return _refused("no model is so" if not found else "several models are so", found or models)
        (one,) = found
        words = request.args.get("window", "")
        blocks = [one.snapshot.features, one.snapshot.outputs]
        scores = [_of(block, words) for block in blocks]
        if not any(scores):
            names = dict.fromkeys(each.window for block in blocks if block for each in block.scores)
            return _error(f"no window is called {words!r}: there are {', '.join(names)}")
        columns = (one.profile.features, one.profile.outputs)
        sides = [_columns(*each) for each in zip(columns, scores, strict=True)]
        return jsonify(
            model=one.label.model, model_version=one.label.version, profile=one.profile.known_by, window=words,
            minimum_samples=minimum_samples, features=sides[0], outputs=sides[1],
        )  # fmt: skip


def _is_meant(one: Scored) -> bool:
    """Whether it is as the request says, as far as it says anything."""
    own = {"model": one.label.model, "model_version": one.label.version, "profile": one.profile.known_by}
    return all(request.args.get(word, value) == value for word, value in own.items())


def _of(block: BlockSnapshot | None, window: str) -> Scores | None:
    return next((one for one in block.scores if one.window == window), None) if block else None


def _columns(columns: Sequence[Column], scores: Scores | None) -> list[dict[str, Any]]:
    """By column: its name, its values by bin, and the summed distance from the reference's mean, in its sd."""
    if scores is None:
        return []
    counts, deviation = scores.counts.tolist(), scores.deviation.tolist()
    return [
        {"name": column.name, "counts": counts[at][: len(column.counts)], "deviation": deviation[at]}
        for at, column in enumerate(columns)
    ]


def _refused(words: str, models: Sequence[Scored]) -> Response:
    shown = [f"{one.label.model} {one.label.version} (profile {one.profile.short_digest})" for one in models]
    more = ", …" if len(shown) > _MOST_NAMED else ""
    return _error(f"{words}; compared with a profile are: {', '.join(shown[:_MOST_NAMED]) or 'none'}{more}")


def _error(words: str) -> Response:
    answer = jsonify(error=words)
    answer.status_code = 404
    return answer
