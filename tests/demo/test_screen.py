"""What the demo's terminal shows."""

import io
import math
import time

import pytest
from rich.console import Console

from exporter.demo import screen
from exporter.demo.chapters import WHOLE, Chapter
from exporter.demo.live import LiveScreen
from exporter.demo.pager import Page
from exporter.demo.scene import Scene, verdict
from exporter.demo.scores import Score, read
from exporter.demo.screen import Lines

PAGE_TEXT = """\
# TYPE model_feature_psi gauge
model_feature_psi{feature="a",window="1h"} 0.5
model_feature_psi{feature="b",window="5m"} 0.2
model_feature_psi{feature="b",window="1h"} 0.3
# TYPE model_feature_psi_critical gauge
model_feature_psi_critical{feature="b",window="5m"} 0.1
# TYPE model_feature_total_variation gauge
model_feature_total_variation{feature="b",window="5m"} 0.3
# TYPE model_feature_total_variation_critical gauge
model_feature_total_variation_critical{feature="b",window="5m"} 0.15
# TYPE model_feature_window_samples gauge
model_feature_window_samples{feature="a",window="5m"} 0
model_feature_window_samples{feature="a",window="1h"} 1000
model_feature_window_samples{feature="b",window="5m"} 300
model_feature_window_samples{feature="b",window="1h"} 1000
# TYPE model_feature_window_sufficient gauge
model_feature_window_sufficient{feature="a",window="5m"} 0
model_feature_window_sufficient{feature="b",window="5m"} 1
# TYPE model_feature_drift_evidence_nats gauge
model_feature_drift_evidence_nats{feature="b"} 12.5
# TYPE model_prediction_window_samples gauge
model_prediction_window_samples{output="y",window="5m"} 300
"""


def page(alert: str, *, at: float, status: str = "firing", severity: str = "warning") -> Page:
    return Page(at, "x", status, {"alertname": alert, "severity": severity}, {"description": f"[{alert}] happened."})


def score(column: str, psi: float, changed: float, *, missing: float = 0.0) -> Score:
    return Score(column, psi, 0.1, 500, True, missing, changed, 0.15)


@pytest.fixture
def scene() -> Scene:
    scene = Scene(WHOLE, [("clients use", "http://127.0.0.1:1")], 1.0)
    scene.chapter = 1
    scene.sent = {"age": 59.0, "bp": 13.466}
    scene.scores = [score("fine", 0.01, 0.02)._replace(nats=0.17), score("distant", 10.0, 0.9),
                    score("gone", 9.0, 0.9, missing=1.0),
                    Score("quiet", math.nan, math.nan, 0, False, math.nan, math.nan, math.nan)]  # fmt: skip
    return scene


def shown(scene: Scene, *, height: int = 50, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(LiveScreen(console, scene)._picture())
    return written(console).splitlines()


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line(lines: list[str], words: str) -> str:
    [found] = {one.rstrip() for one in lines if words in one}
    return found


def test_the_shortest_window_is_read_and_never_mixed_with_another() -> None:
    a, b, y = read(PAGE_TEXT)
    assert (a.column, a.samples, a.sufficient) == ("a", 0, False)
    assert math.isnan(a.psi)
    assert b[:5] == ("b", 0.2, 0.1, 300, True)
    assert b.nats == 12.5
    assert math.isnan(a.nats)
    assert (b.changed, b.critical_change) == (0.3, 0.15)
    assert b.drifted
    assert not a.drifted
    assert y.column == "y"


def test_each_score_stands_beside_its_critical_value_and_says_whether_to_believe_it(scene: Scene) -> None:
    lines = shown(scene)
    assert line(lines, " fine ").split() == ["fine", "0.2", "0.010", "0.100", "500", "fine"]
    assert line(lines, " distant ").split()[:5] == ["distant", "–", "10.000", "0.100", "500"]
    assert line(lines, " distant ").endswith(" 100×")
    assert line(lines, " gone ").split()[5] == "ABSENT"
    assert line(lines, " quiet ").split() == ["quiet", "–", "–", "–", "0", "learning"]


def test_the_story_says_where_it_is_and_what_is_sent(scene: Scene) -> None:
    lines = shown(scene)
    assert f"✓ {WHOLE[0].text}" in line(lines, WHOLE[0].text)
    assert f"▶ {WHOLE[1].text}" in line(lines, WHOLE[1].text)
    assert f"· {WHOLE[2].text}" in line(lines, WHOLE[2].text)
    assert "age 59  bp 13.47" in line(lines, "last row sent")
    assert " of 05:00 " in line(lines, "inference-exporter")


def test_the_newest_pages_are_shown_where_there_is_no_room_for_all(scene: Scene) -> None:
    scene.pages = [page(f"Alert{number}", at=scene.began + number) for number in range(40)]
    lines = shown(scene)
    assert 45 <= len(lines) <= 50
    text = "\n".join(lines)
    assert "Alert39" in text
    assert "[Alert39] happened." in text, "no markup: it is shown as it is"
    assert "Alert1 " not in text


@pytest.mark.parametrize(("changed", "word"), [(0.05, "moved"), (0.12, "moved"), (0.2, "DRIFT")])
def test_it_is_drift_only_where_the_rules_make_a_ticket_of_it(changed: float, word: str) -> None:
    assert verdict(score("a", 0.2, changed))[0] == word
    assert verdict(score("a", 0.05, changed))[0] == "fine", "whatever changed, no more than chance would"


@pytest.mark.parametrize("told", range(len(WHOLE) + 1))
def test_the_fullest_screen_fits_the_smallest_terminal_it_is_shown_in(scene: Scene, told: int) -> None:
    width, height = screen.SMALLEST
    scene.chapters = [*WHOLE, Chapter(math.inf, "the story is over; traffic goes on until you press Ctrl-C")]
    scene.chapter = told
    scene.sent = dict.fromkeys(("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"), 123.45)
    scene.scores = scene.scores[:1] * 11
    scene.links = [("name", "http://127.0.0.1:1")] * 6
    scene.answered, scene.failed = 123_456, 12_345
    scene.remarks = ["Grafana is gone, and the story goes on without it:\n" + "words " * 100] * 3
    scene.pages = [page(f"Alert{number}", at=scene.began + number) for number in range(40)]
    lines = shown(scene, height=height, width=width)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width
    text = "\n".join(lines)
    assert "[Alert39] happened." in text
    assert f"▶ {scene.chapters[told].text}" in text
    assert "Grafana is gone" in text


def test_the_newest_page_is_cut_where_there_is_no_room_for_all_of_it(scene: Scene) -> None:
    endless = Page(scene.began, "x", "firing", {"alertname": "Endless"}, {"description": "words " * 500})
    scene.pages = [page("Old", at=scene.began), endless]
    lines = shown(scene, height=screen.SMALLEST[1])
    assert len(lines) == screen.SMALLEST[1]
    assert "TICKET   Endless" in "\n".join(lines)
    assert "Old" not in "\n".join(lines)


def test_texts_of_the_rules_are_said_to_have_their_own_words_for_time(scene: Scene) -> None:
    words = 'in the rules\' own words: "the last 30m" are 30 s'
    assert words in "\n".join(shown(scene))
    console = Console(file=io.StringIO(), width=120)
    with Lines(console, scene):
        assert words in written(console)


def test_lines_tell_of_who_joins_and_who_leaves_when_they_do(scene: Scene) -> None:
    console = Console(file=io.StringIO(), width=120)
    scene.links = links = list(scene.links)
    with Lines(console, scene) as lines:
        assert "Grafana" not in written(console)
        links.append(("Grafana", "http://127.0.0.1:2"))
        lines.show()
        scene.remarks.append("Prometheus is gone")
        lines.show()
        lines.show()
    assert written(console).count("  Grafana        http://127.0.0.1:2\n") == 1
    assert written(console).count("  Prometheus is gone\n") == 1


def test_the_live_screen_draws_and_leaves_the_last_picture(scene: Scene) -> None:
    console = Console(file=io.StringIO(), width=120, height=50, force_terminal=True, color_system=None)
    with LiveScreen(console, scene) as live:
        live.turn()
        scene.pages = [page("Late", at=scene.began + 2)]
        live.news(scene.pages)
        live.show()
    last = written(console).rpartition("inference-exporter   ")[2]
    assert "00:02  TICKET   Late" in last


def test_lines_are_for_everything_but_a_terminal_that_is_large_enough(scene: Scene) -> None:
    width, height = screen.SMALLEST

    def chosen(width: int, height: int, *, terminal: bool) -> type:
        console = Console(file=io.StringIO(), width=width, height=height, force_terminal=terminal)
        return type(screen.choose(console, scene))

    assert chosen(width, height, terminal=True) is LiveScreen
    assert chosen(width - 1, height, terminal=True) is Lines
    assert chosen(width, height - 1, terminal=True) is Lines
    assert chosen(width, height, terminal=False) is Lines


def test_lines_tell_chapters_scores_and_pages(scene: Scene) -> None:
    console = Console(file=io.StringIO(), width=120)
    news = [
        page("Down", at=time.monotonic(), severity="critical"),
        page("Gone", at=time.monotonic(), status="resolved"),
    ]
    with Lines(console, scene) as lines:
        lines.turn()
        lines.show()
        lines.show()
        lines.news(news)
    printed = written(console)
    assert printed.count("highest three: distant 10.000 / 0.100 DRIFT   gone 9.000 / 0.100 ABSENT   fine 0.010") == 1
    assert "PAGE     Down\n        [Down] happened.\n" in printed
    assert "resolved Gone\n" in printed
    assert printed.count("[Gone]") == 0
    assert "such as  age 59  bp 13.47" in printed
