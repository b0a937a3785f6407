"""The demonstration: everything is started, the chapters are played before whoever watches, everything is ended."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Console

from exporter.demo import model, start
from exporter.demo.chapters import MINUTES, STORIES, Chapter
from exporter.demo.pager import Pager, pager
from exporter.demo.screen import Scene, Screen, choose, clock
from exporter.demo.stage import Process, Stage, free_ports, stage
from exporter.demo.start import Ports
from exporter.demo.traffic import Traffic

SHORTEST_S: Final = 60.0
"""Below that the minutes of the rules are shorter than a scrape and an evaluation take."""
_TICK_S: Final = 0.25
_AFTERWARDS: Final = Chapter(float("inf"), "the story is over; traffic goes on until you press Ctrl-C")


class Wishes(NamedTuple):
    """What was asked for."""

    duration_s: float = 300.0
    story: str = "whole"
    seed: int = 0
    keep: bool = False
    """Go on after the story until somebody presses Ctrl-C."""
    grafana: str = "auto"
    """auto: where it is installed; docker: in a container; off."""

    @property
    def minute_s(self) -> float:
        """How long a minute of the rules takes, in whole milliseconds."""
        return round(self.duration_s / MINUTES, 3)

    @property
    def chapters(self) -> Sequence[Chapter]:
        """What is to be played."""
        return [*STORIES[self.story], *([_AFTERWARDS] if self.keep else [])]


def run(wishes: Wishes) -> int:
    """Tell the story; the exit code. Every process that was started is ended, whatever happens."""
    console = Console(highlight=False)
    with stage() as found, pager() as received:
        console.print("training a gradient-boosting model on scikit-learn's diabetes data")
        trained = model.train(found.directory)
        ports = Ports(*free_ports(4))
        server = start.server(found, trained, ports)
        console.print("building its profile, starting the sidecar and those who watch")
        start.sidecar(found, trained, ports, wishes.minute_s)
        scene = Scene(wishes.chapters, _watch(console, found, ports, received, wishes), wishes.minute_s)
        with Traffic(ports.relay, trained.rows, wishes.seed, wishes.minute_s) as traffic:
            play = _Play(found, ports, traffic, received, scene)
            try:
                play.tell(console, server, trained)
            finally:
                _sum_up(console, scene)
                console.print("ending every process of the demo")
    return 0


def _watch(console: Console, found: Stage, ports: Ports, received: Pager, wishes: Wishes) -> list[start.Link]:
    """Start those who watch; where everything is to be found."""
    watching = start.monitoring(found, ports.web, received.port, wishes.minute_s)
    addresses = dict(watching.links)
    if "Prometheus" in addresses:
        drawn = start.grafana(found, addresses["Prometheus"], wishes.minute_s, wishes.grafana)
        watching.links.extend(drawn.links)
        watching.remarks.extend(drawn.remarks)
    for remark in watching.remarks:
        console.print(remark, markup=False)
    return [
        ("clients use", f"http://127.0.0.1:{ports.relay}"),
        ("model server", f"http://127.0.0.1:{ports.server}"),
        ("metrics", f"http://127.0.0.1:{ports.web}/metrics"),
        *watching.links,
    ]


class _Play(NamedTuple):
    """Those who act while the story is told."""

    stage: Stage
    ports: Ports
    traffic: Traffic
    pager: Pager
    scene: Scene

    def tell(self, console: Console, server: Process | None, trained: model.Trained) -> None:
        """Every chapter, one after the other."""
        until = 0.0
        with choose(console, self.scene) as screen:
            for place, chapter in enumerate(self.scene.chapters):
                self.scene.chapter = place
                self.traffic.change = chapter.change
                if server is not None and not chapter.server:
                    self.stage.end(server)
                    server = None
                elif server is None and chapter.server:
                    server = start.server(self.stage, trained, self.ports)
                screen.turn()
                until += chapter.minutes * self.scene.minute_s
                while self.scene.elapsed_s < until:
                    self._tick(screen)

    def _tick(self, screen: Screen) -> None:
        self.stage.look()
        self.stage.pause(_TICK_S)
        scene = self.scene
        scene.scores = start.last_scores(self.ports) or scene.scores
        scene.answered, scene.failed, scene.sent = self.traffic.answered, self.traffic.failed, self.traffic.last
        pages = self.pager.new()
        scene.pages += pages
        screen.news(pages)
        screen.show()


def _sum_up(console: Console, scene: Scene) -> None:
    """What was told in the end, and for how long each alert fired."""
    console.print(f"\n{scene.answered} requests answered, {scene.failed} failed (the model server's death among them)"
                  if scene.failed else f"\n{scene.answered} requests answered, none failed")  # fmt: skip
    told = [page for page in scene.pages if page.firing]
    critical = sum(page.critical for page in told)
    console.print(f"pages: {critical}, tickets: {len(told) - critical}" if told else "no page, no ticket")
    for page in told:
        ended = next((one for one in scene.pages if not one.firing and one.same(page) and one.at >= page.at), None)
        end = f"resolved {clock(ended.at - scene.began)}" if ended else "still firing"
        words = f"{'page' if page.critical else 'ticket':8} {page.alert:22} {page.subject:12}"
        console.print(f"  {clock(page.at - scene.began)}  {words} {end}", markup=False)
