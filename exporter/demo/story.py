"""The demonstration: everything is started, the chapters are played before whoever watches, everything is ended."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Console

from exporter.demo import model, start, watchers
from exporter.demo.chapters import MINUTES, STORIES, Chapter
from exporter.demo.pager import Pager, pager
from exporter.demo.scene import Scene, clock
from exporter.demo.screen import Screen, choose
from exporter.demo.stage import START_TIMEOUT_S, Process, Stage, free_ports, listening
from exporter.demo.start import Ports, Watching, port_of
from exporter.demo.traffic import Traffic
from exporter.errors import UpstreamError

_TICK_S: Final = 0.25
_LAST_NEWS_MINUTES: Final = 15
"""How long, in the time of the rules, the end of the last fault is waited for where the machine is slow."""
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


def run(wishes: Wishes, found: Stage) -> int:
    """Tell the story on a stage, which ends every process that was started, whatever happens; the exit code."""
    console = Console(highlight=False)
    with pager() as received:
        console.print("training a gradient-boosting model on scikit-learn's diabetes data")
        trained = model.train(found.directory)
        found.pause(0)  # training does not listen to interrupts
        ports = Ports(*free_ports(5))
        server = start.server(found, trained, ports)
        found.wait(lambda: listening(ports.server), "the start of the model server")
        console.print("building its profile, starting the sidecar and those who watch")
        start.sidecar(found, trained, ports, wishes.minute_s)
        watching = _watch(console, found, ports, received, wishes)
        scene = Scene(wishes.chapters, watching.links, wishes.minute_s)
        with Traffic(f"127.0.0.1:{ports.relay}", trained.rows, wishes.seed, wishes.minute_s) as traffic:
            play = _Play(found, ports, traffic, received, watching, scene)
            found.act_at_once()
            try:
                with choose(console, scene) as screen:
                    play.tell(screen, server, trained)
            finally:
                _sum_up(console, scene, watching)
                console.print("ending every process of the demo")
    return 0


def _watch(console: Console, found: Stage, ports: Ports, received: Pager, wishes: Wishes) -> Watching:
    """Start those who watch; where everything is to be found."""
    watching = start.monitoring(found, ports, received.port, wishes.minute_s)
    addresses = dict(watching.links)
    if "Prometheus" in addresses:
        plan = watchers.Grafana(addresses["Prometheus"], wishes.minute_s)
        drawn = start.grafana(found, plan, ports.grafana, wishes.grafana)
        watching.remarks.extend(drawn.remarks)
        watching.pending.extend(drawn.pending)
    for remark in watching.remarks:
        console.print(remark, markup=False)
    watching.links[:0] = [
        ("clients use", f"http://127.0.0.1:{ports.relay}"),
        ("model server", f"http://127.0.0.1:{ports.server}"),
        ("status page", f"http://127.0.0.1:{ports.web}/"),
        ("metrics", f"http://127.0.0.1:{ports.web}/metrics"),
    ]
    return watching


class _Play(NamedTuple):
    """Those who act while the story is told."""

    stage: Stage
    ports: Ports
    traffic: Traffic
    pager: Pager
    watching: Watching
    scene: Scene

    def tell(self, screen: Screen, server: Process | None, trained: model.Trained) -> None:
        """Every chapter, one after the other, and the end of the last fault."""
        until = 0.0
        for place, chapter in enumerate(self.scene.chapters):
            self.scene.chapter = place
            self.traffic.change = chapter.change
            screen.turn()
            if server is not None and not chapter.server:
                self.stage.end(server)
                server = None
            elif server is None and chapter.server:
                server = start.server(self.stage, trained, self.ports)
                until += self._until_it_listens(screen)
            until += chapter.minutes * self.scene.minute_s
            while self.scene.elapsed_s < until:
                self._tick(screen)
        until += _LAST_NEWS_MINUTES * self.scene.minute_s
        while self.scene.firing and self.scene.elapsed_s < until:
            self._tick(screen)

    def _until_it_listens(self, screen: Screen) -> float:
        """The story goes on while the model server starts; how long that took."""
        began = time.monotonic()
        while not listening(self.ports.server):
            if time.monotonic() > began + START_TIMEOUT_S:
                raise UpstreamError(f"the start of the model server took longer than {START_TIMEOUT_S:.0f} s")
            self._tick(screen)
        return time.monotonic() - began

    def _tick(self, screen: Screen) -> None:
        self.stage.look()
        self.stage.pause(_TICK_S)
        self._look_at_those_who_watch()
        scene = self.scene
        scene.scores = start.last_scores(self.ports) or scene.scores
        scene.answered, scene.failed, scene.sent = self.traffic.answered, self.traffic.failed, self.traffic.last
        pages = self.pager.new()
        scene.pages += pages
        screen.news(pages)
        screen.show()

    def _look_at_those_who_watch(self) -> None:
        """Who listens by now has a link, who has ended has one no longer."""
        links, pending = self.watching.links, self.watching.pending
        for name, how in self.stage.gone().items():
            self.scene.remarks.append(f"{name} is gone, and the story goes on without it: {how}")
            for known in (links, pending):
                known[:] = [link for link in known if link[0] != name]
        for link in [link for link in pending if listening(port_of(link[1]))]:
            pending.remove(link)
            links.append(link)


def _sum_up(console: Console, scene: Scene, watching: Watching) -> None:
    """What was told in the end, for how long each alert fired, and what was not as it should be."""
    console.print(f"\n{scene.answered} requests answered, {scene.failed} failed (the model server's death among them)"
                  if scene.failed else f"\n{scene.answered} requests answered, none failed")  # fmt: skip
    told = [page for page in scene.pages if page.firing]
    critical = sum(page.critical for page in told)
    console.print(f"pages: {critical}, tickets: {len(told) - critical}" if told else "no page, no ticket")
    for page in told:
        ended = scene.resolution(page)
        end = f"resolved {clock(ended.at - scene.began)}" if ended else "still firing"
        words = f"{'page' if page.critical else 'ticket':8} {page.alert:22} {page.subject:12}"
        console.print(f"  {clock(page.at - scene.began)}  {words} {end}", markup=False)
    for remark in [*scene.remarks, *(f"{name} has not listened so far" for name, _ in watching.pending)]:
        console.print(remark, markup=False)
