"""What arrives: a real Alertmanager with the shipped routes and the example's receivers, and those whom it tells.

Minutes of the routes pass as seconds; see `exporter.demo.compression`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
import yaml
from monitoring import _running
from notices import DRIFT, Alert, alert, rendered
from sinks import Letterbox, mails, posts
from support import eventually, free_port, tool

from exporter.demo.compression import compressed

RULES = Path(__file__).parents[2] / "alert_rules"
ALWAYS = [{"years": ["2000:2999"]}]
RESOLVES_S = 3600
HOSTILE = 'a"b</p>&{{.Status}}'
Change = Callable[[dict[str, Any]], None]


class World(NamedTuple):
    """An Alertmanager and those whom it tells."""

    url: str
    posts: Letterbox
    mails: Letterbox

    def hear(self, *alerts: Alert, ends: timedelta = timedelta(hours=1)) -> None:
        """Alerts as Prometheus sends them."""
        ends_at = (datetime.now(UTC) + ends).isoformat()
        body = [{**{key: one[key] for key in ("labels", "annotations")}, "endsAt": ends_at} for one in alerts]
        data = json.dumps(body).encode()
        urlopen(Request(f"{self.url}/api/v2/alerts", data, {"content-type": "application/json"}), timeout=10).close()

    def told(self, receiver: str, name: str) -> list[Any]:
        """The webhooks of a receiver about an alert."""
        return [one for one in self.posts.posted(f"/{receiver}") if one["commonLabels"]["alertname"] == name]

    def of(self, path: str, text: str) -> Any:
        """The first POST there that has the text, as soon as there is one."""
        return eventually(
            lambda: next((one for one in self.posts.posted(path) if text in json.dumps(one)), None),
            what=f"{text} at {path}",
        )


def configuration(directory: Path, post: int, mail: int) -> dict[str, Any]:
    """The shipped routes, the example's receivers beside the webhooks, and everybody at our addresses."""
    texts = {path.name: path.read_text() for path in RULES.glob("alertmanager*.yml")}
    ours = texts["alertmanager.receivers.example.yml"].replace("/etc/alertmanager/secrets", str(directory))
    config = yaml.safe_load(texts["alertmanager.yml"].replace("http://127.0.0.1:9099", f"http://127.0.0.1:{post}"))
    example = yaml.safe_load(ours)
    webhooks = {one["name"]: one["webhook_configs"] for one in config["receivers"]}
    config["receivers"] = [one | {"webhook_configs": webhooks[one["name"]]} for one in example["receivers"]]
    config["global"] = example["global"] | {
        "smtp_smarthost": f"127.0.0.1:{mail}",
        "smtp_require_tls": False,
        "pagerduty_url": f"http://127.0.0.1:{post}/pagerduty",
    }
    secrets = {"slack-url": f"http://127.0.0.1:{post}/slack", "smtp-password": "x"}
    for name in ("slack-url", "smtp-password", "pagerduty-key", "pagerduty-payments-key"):
        (directory / name).write_text(secrets.get(name, f"our-{name}"))
    return config


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with ExitStack() as stack:

        def started(change: Change = lambda _: None) -> World:
            post, mail = stack.enter_context(posts()), stack.enter_context(mails())
            config = compressed(configuration(tmp_path, post.port, mail.port), 60)
            change(config)
            (tmp_path / "notifications.tmpl").write_text((RULES / "notifications.tmpl").read_text())
            (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
            address = f"127.0.0.1:{free_port()}"
            command = [
                tool("prometheus-alertmanager", "prometheus-alertmanager"), f"--storage.path={tmp_path / 'data'}",
                f"--config.file={tmp_path / 'alertmanager.yml'}", f"--web.listen-address={address}",
                "--cluster.listen-address=", f"--web.external-url=http://{address}",
            ]  # fmt: skip
            stack.enter_context(_running(command, tmp_path / "log", f"http://{address}/-/ready"))
            return World(f"http://{address}", post, mail)

        yield started


def text_of(message: Any, kind: str) -> str:
    content: str = message.get_body((kind,)).get_content()
    return content.replace("\r\n", "\n").rstrip("\n")


def test_a_page_arrives_everywhere_with_our_words(start: Callable[..., World], tmp_path: Path) -> None:
    world = start()
    world.hear(*(alert(model_version=str(number), annotations={"description": f"{HOSTILE} v{number}: " + DRIFT})
                 for number in range(5)))  # fmt: skip
    webhook = world.of("/pager", "ModelDrift")
    assert {one["annotations"]["description"] for one in webhook["alerts"]} == {
        f"{HOSTILE} v{number}: {DRIFT}" for number in range(5)
    }
    assert all(one["annotations"]["dashboard_url"].startswith("http://grafana") for one in webhook["alerts"])
    texts = rendered(tmp_path, webhook["alerts"], externally=world.url)
    incident = world.of("/pagerduty", "trigger")
    assert incident["routing_key"] == "our-pagerduty-key"
    assert incident["payload"]["summary"] == texts["line"]
    assert incident["payload"]["summary"].startswith(f"PAGE 5 × ModelDrift fraud in eu/shop: {HOSTILE} v0: {DRIFT}")
    assert incident["payload"]["severity"] == "critical"
    assert incident["payload"]["custom_details"]["firing"] == texts["text"]
    assert [link["href"] for link in incident["links"]] == [
        texts["runbook_url"], texts["dashboard_url"], texts["silence_url"],
    ]  # fmt: skip
    (attachment,) = world.of("/slack", "PAGE 5")["attachments"]
    assert attachment["title"] == texts["slack.title"]
    assert attachment["text"] == texts["slack.text"]
    assert attachment["text"].startswith(f'a"b&lt;/p&gt;&amp;{{{{.Status}}}} v0: {DRIFT}')
    assert attachment["color"] == "danger"
    assert world.mails.mails == []


def test_a_ticket_arrives_by_mail_and_in_slack_and_so_does_its_end(start: Callable[..., World], tmp_path: Path) -> None:
    world = start()
    labels = {"alertname": "ModelCoverageLow", "severity": "warning", "model": HOSTILE}
    world.hear(alert(**labels))
    (mail,) = eventually(lambda: [*world.mails.mails], what="a mail")
    webhook = world.of("/tickets", "ModelCoverageLow")
    texts = rendered(tmp_path, webhook["alerts"], externally=world.url)
    html = rendered(tmp_path, webhook["alerts"], ["html"], "html", externally=world.url)["html"]
    assert mail["subject"] == texts["subject"]
    assert (mail["to"], mail["from"]) == ("ml-team@example.org", "alertmanager@example.org")
    assert text_of(mail, "plain") == texts["text"].rstrip("\n")
    assert text_of(mail, "html") == html.rstrip("\n")
    assert "<h3>TICKET ModelCoverageLow a&#34;b&lt;/p&gt;&amp;{{.Status}} 7 in eu/shop</h3>" in html
    (attachment,) = world.of("/slack", "TICKET")["attachments"]
    assert attachment["text"] == texts["slack.text"]
    world.hear(alert(**labels), ends=timedelta(seconds=-1))
    (attachment,) = world.of("/slack", "RESOLVED")["attachments"]
    assert attachment["color"] == "good"
    assert attachment["text"].startswith("Resolved: ModelCoverageLow ")
    ended = eventually(lambda: world.mails.mails[1:], what="the mail of its end")[0]
    assert ended["subject"].startswith("RESOLVED ModelCoverageLow ")
    assert world.posts.posted("/pagerduty") == []


def test_an_incident_ends_when_its_alert_does(start: Callable[..., World]) -> None:
    world = start()
    world.hear(alert(owner="payments"))
    begun = world.of("/pagerduty", "trigger")
    assert begun["routing_key"] == "our-pagerduty-payments-key"
    world.hear(alert(owner="payments"), ends=timedelta(seconds=-1))
    assert world.of("/pagerduty", '"resolve"')["dedup_key"] == begun["dedup_key"]


def test_the_heartbeat_is_repeated_and_reaches_nobody_else(start: Callable[..., World]) -> None:
    world = start()
    world.hear(alert(alertname="InferenceExporterHeartbeat", severity="none", model=None))
    eventually(lambda: len(world.told("heartbeat", "InferenceExporterHeartbeat")) >= 3, what="three beats")
    assert {post.path for post in world.posts.posts} == {"/heartbeat"}
    assert world.mails.mails == []


@pytest.mark.parametrize("planned", [True, False])
def test_in_a_planned_window_tickets_about_drift_and_traffic_wait_and_no_outage_does(
    planned: bool,
    start: Callable[..., World],
) -> None:
    def change(config: dict[str, Any]) -> None:
        if planned:
            config["time_intervals"][0]["time_intervals"] = ALWAYS

    world = start(change)
    drift = ("ModelFeatureDrift", "ModelTrainingServingSkew", "ModelTrafficStopped", "ModelFeatureDriftsAcrossModels")
    pages = {"ModelDrift", "ModelTrafficStopped", "ModelServerDown"}
    world.hear(
        *(alert(alertname=name, severity="warning") for name in drift),
        *(alert(alertname=name, severity="warning", owner="payments") for name in drift),
        *(alert(alertname=name, model=f"of-{name}") for name in pages),
        alert(alertname="ModelCoverageLow", severity="warning"),
    )
    told = {"ModelCoverageLow"} if planned else {"ModelCoverageLow", *drift}
    eventually(lambda: names(world, "/tickets") >= told, what="the tickets")
    eventually(lambda: names(world, "/pager") == pages, what="the pages")
    # Who is told of this waited longer than those that were to be told before.
    later = {"ModelSchemaChange"}
    world.hear(
        *(alert(alertname=name, severity="warning", owner=owner) for name in later for owner in ("risk", "payments"))
    )
    eventually(lambda: names(world, "/tickets") >= later, what="a later ticket")
    owners = (told & {*drift} - {"ModelFeatureDriftsAcrossModels"}) | later
    eventually(lambda: names(world, "/payments") >= owners, what="an owner's tickets, a later one among them")
    assert names(world, "/tickets") == told | later
    assert names(world, "/payments") == owners


def names(world: World, path: str) -> set[str]:
    return {one["labels"]["alertname"] for post in world.posts.posted(path) for one in post["alerts"]}


def test_a_feature_that_drifts_in_many_models_is_one_piece_of_news(start: Callable[..., World]) -> None:
    world = start()
    labels = {"alertname": "ModelFeatureDriftsAcrossModels", "severity": "warning", "job": None, "model": None,
              "model_version": None, "profile": None}  # fmt: skip
    world.hear(*(alert(feature=feature, **labels) for feature in ("amount", "age", "country")))
    world.hear(alert(alertname="ModelCoverageLow", severity="warning"))
    eventually(lambda: {"ModelCoverageLow", labels["alertname"]} <= names(world, "/tickets"), what="both")
    (news,) = world.told("tickets", "ModelFeatureDriftsAcrossModels")
    assert {one["labels"]["feature"] for one in news["alerts"]} == {"amount", "age", "country"}
