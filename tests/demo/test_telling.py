"""How the story is told on a machine that takes its time, with actors of paper and a clock that nobody waits for."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.demo import chapters, scene, story
from exporter.demo.chapters import Chapter
from exporter.demo.pager import Page
from exporter.demo.scene import Scene
from exporter.errors import UpstreamError

MINUTE_S = 1.0
STORY = [Chapter(10, "dead", server=False), Chapter(10, "alive"), Chapter(10, "over")]


class Theatre:
    """A stage, a screen and everything else that a play talks to. Time passes by pauses alone."""

    def __init__(self, *, listens_after_s: float = 0.0) -> None:
        self.now = 0.0
        self.listens_after_s = listens_after_s
        self.started_at: float | None = None
        self.coming: list[tuple[float, Page]] = []
        self.told: list[tuple[float, int]] = []
        """When the screen was drawn, and in which chapter."""
        self.scene = Scene(STORY, [], MINUTE_S, began=0.0)
        watching = SimpleNamespace(links=self.scene.links, pending=[], remarks=[])
        traffic = SimpleNamespace(change=chapters.as_it_is, answered=0, failed=0, last={})
        actor: Any = self
        self.play = story._Play(actor, actor, traffic, actor, watching, self.scene)

    server = 1  # a port

    def start_server(self, *_: object) -> "Theatre":
        self.started_at = self.now
        return self

    def listening(self, _: int) -> bool:
        return self.started_at is not None and self.now >= self.started_at + self.listens_after_s

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def new(self) -> list[Page]:
        due = [page for at, page in self.coming if at <= self.now]
        self.coming = [(at, page) for at, page in self.coming if at > self.now]
        return [page._replace(at=self.now) for page in due]

    def show(self) -> None:
        self.told.append((self.now, self.scene.chapter))

    def look(self) -> None:
        pass

    def turn(self) -> None:
        pass

    def gone(self) -> dict[str, str]:
        return {}

    def news(self, _: object) -> None:
        pass

    def end(self, _: object) -> None:
        self.started_at = None


@pytest.fixture
def theatre(monkeypatch: pytest.MonkeyPatch) -> Theatre:
    found = Theatre()
    for module in (story, scene):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: found.now))
    monkeypatch.setattr(story, "listening", found.listening)
    monkeypatch.setattr(story.start, "server", found.start_server)
    monkeypatch.setattr(story.start, "last_scores", lambda _: [])
    return found


def tell(theatre: Theatre) -> None:
    actor: Any = theatre
    theatre.play.tell(actor, actor, actor)


def page(status: str) -> Page:
    return Page(0.0, "pager", status, {"alertname": "Down"}, {})


def test_a_chapter_is_as_long_as_it_is(theatre: Theatre) -> None:
    tell(theatre)
    assert theatre.now == 30


def test_the_screen_goes_on_while_the_model_server_starts_and_the_chapter_lasts_from_when_it_listens(
    theatre: Theatre,
) -> None:
    theatre.listens_after_s = 20
    tell(theatre)
    moments = [at for at, chapter in theatre.told if chapter == 1]
    assert moments[0] <= 10.5
    assert all(later - earlier <= 0.5 for earlier, later in itertools.pairwise(moments))
    assert moments[-1] == 40, "ten until it was started, twenty until it listened, ten of its own"
    assert theatre.now == 50


def test_a_model_server_that_never_listens_ends_the_story(theatre: Theatre) -> None:
    theatre.listens_after_s = float("inf")
    with pytest.raises(UpstreamError, match="the start of the model server took longer than 60 s"):
        tell(theatre)


def test_the_end_of_the_last_fault_is_waited_for_and_no_longer(theatre: Theatre) -> None:
    theatre.coming = [(5.0, page("firing")), (37.0, page("resolved"))]
    tell(theatre)
    assert theatre.now == 37
    assert theatre.scene.firing == []


def test_a_fault_that_never_ends_is_not_waited_for_without_end(theatre: Theatre) -> None:
    theatre.coming = [(5.0, page("firing"))]
    tell(theatre)
    assert theatre.now == 45
    assert [one.alert for one in theatre.scene.firing] == ["Down"]
