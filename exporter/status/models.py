"""All that is told of one model, but for its columns."""

from collections import Counter
from collections.abc import Iterator, Mapping

from exporter.status import columns, coverage, evidence, examples, performance, profile, segments, traffic
from exporter.status.facts import STANDINGS, Judgement, ModelFacts, VersionFacts, WindowFacts
from exporter.status.reasons import ageing
from exporter.status.scores import began
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, OUTPUT, View
from exporter.status.wording import text


def of(seen: Seen, judgement: Judgement, versions: tuple[VersionFacts, ...]) -> ModelFacts:
    """As it was judged."""
    view = seen.view
    scene = view.scene
    return ModelFacts(
        model=text(scene.model), version=text(scene.version), judgement=judgement,
        evidence=evidence.of(view, seen.settings), traffic=traffic.of(view), coverage=coverage.of(view),
        windows=tuple(_windows(view)), features=_standings(view, FEATURE), outputs=_standings(view, OUTPUT),
        performance=performance.of(view), segments=segments.of(seen), versions=versions,
        profile=profile.of(scene.profile), collecting=view.page.collecting.get(view.key),
        due=tuple(ageing.due(seen)), examples=examples.of(view, seen.settings),
    )  # fmt: skip


def _standings(view: View, word: str) -> Mapping[str, int]:
    side = view.side(word)
    found = Counter(columns.standings(side)) if side is not None else Counter[str]()
    return {standing: found[standing] for standing in STANDINGS}


def _windows(view: View) -> Iterator[WindowFacts]:
    """Of the column that has most, by window."""
    found: dict[str, WindowFacts] = {}
    for side in view.sides:
        for one in side.windows:
            samples = int(one.samples.max(initial=0))
            before = found.get(one.window)
            if before is None or samples > before.samples:
                since = began(one, view.now) if samples else None
                found[one.window] = WindowFacts(one.window, samples, bool(one.sufficient.any()), since)
    yield from found.values()
