"""What a person reads on a phone: the notifications, rendered by amtool as Alertmanager renders them."""

import json
import os
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from notices import DRIFT, TEXTS, URL, Alert, alert, notification, rendered

GOLDEN = Path(__file__).parents[1] / "golden" / "notifications"
HOSTILE = "a\"b\\c</p><script>&{{.Status}}\n\t\r\u202e'<!channel> *_~`|%é😀 " + "n" * 80
"""128 characters, as long as a name may be."""
SLACK_MOST, SLACK_USUAL, PAGERDUTY_MOST, SUBJECT_MOST = 40_000, 3000, 1024, 300
SLACK_LINK = re.compile(r"<https?://[^<>|\s]+\|[a-zA-Z0-9: -]+>")
BARE = dict.fromkeys(("summary", "description", "runbook_url", "dashboard_url"))

NOTICES: dict[str, Sequence[Alert]] = {
    "one": [alert()],
    "ended": [alert(ended=True)],
    # Seven fire, and the pages of them are not the first; four have ended.
    "many": [
        *(alert(model_version=str(number), severity="critical" if number in {5, 6} else "warning",
                annotations={"description": DRIFT.replace("fraud 7", f"fraud {number}")}) for number in range(1, 8)),
        *(alert(ended=True, model_version=str(number)) for number in range(8, 12)),
    ],
    "hostile": [
        alert(model=HOSTILE, namespace=HOSTILE, owner=HOSTILE, model_version=str(number), annotations={
            "description": f"{HOSTILE}: " + "<&>" * 1000, "dashboard_url": "javascript:alert(1)//<|> \n",
        })
        for number in range(5)
    ],
    "bare": [alert(annotations=BARE, owner=None, cluster=None, namespace=None)],
    "without_a_description": [alert(annotations={"description": None, "dashboard_url": None})],
    # Routes of one's own may group what has little in common.
    "unlike": [
        alert(severity="info", alertname="ModelProfileProvisional",
              annotations={"description": "Provisional.", "runbook_url": "https://example.org/#provisional"}),
        alert(severity="warning", alertname="ModelDriftSlow", annotations={"description": "Slow."}),
        alert(severity="urgent", alertname="Another", annotations=BARE),
        alert(alertname="ModelServerDown", annotations={"description": "Down."}),
    ],
    "exporter": [
        alert(alertname="InferenceExporterDown", severity="warning", model=None, model_version=None, profile=None,
              cluster=None, instance="10.0.0.1:9877", owner="nobody",
              annotations={"description": "10.0.0.1:9877 (models) cannot be scraped.", "dashboard_url": None}),
    ],
    "across_models": [
        alert(alertname="ModelFeatureDriftsAcrossModels", severity="warning", job=None, model=None, model_version=None,
              profile=None, feature="amount", namespace=None,
              annotations={"description": "amount drifts in 3 models."}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NOTICES)
def test_a_notification_is_what_somebody_has_read_and_found_good(name: str, tmp_path: Path) -> None:
    texts = {**rendered(tmp_path, NOTICES[name]), **rendered(tmp_path, NOTICES[name], ["html"], "html")}
    told = "".join(f"=== {of}\n{text}\n" for of, text in texts.items())
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8"), "if it is to be so: make golden"


def test_every_template_has_been_read() -> None:
    text = Path(__file__).parents[2].joinpath("alert_rules", "notifications.tmpl").read_text()
    told = set(re.findall(r"^    inference_exporter\.(\S+)", text, re.MULTILINE))
    assert told == {*TEXTS, "html"}
    assert told <= set(re.findall(r'define "inference_exporter\.([a-z_.]+)"', text))


def test_the_example_of_the_documentation_is_what_is_rendered(tmp_path: Path) -> None:
    documented = Path(__file__).parents[2].joinpath("docs", "notifications.md").read_text()
    texts = rendered(tmp_path, NOTICES["one"], ["title", "text"])
    assert f"```text\n{texts['title']}\n\n{texts['text']}```\n" in documented
    assert {*TEXTS, "html"} == set(re.findall(r"`inference_exporter\.([a-z_.]+)`", documented))


# --- what a person needs


def test_a_page_says_what_since_when_how_sure_and_where_to_go_on(tmp_path: Path) -> None:
    text = rendered(tmp_path, NOTICES["one"], ["text"])["text"]
    assert text.startswith(
        DRIFT + "\nFiring since 23 Nov 02:20 UTC, owner risk\nDrill-down at 02:14 UTC: http://grafana:3000/"
    )
    assert "\nRunbook: https://example.org/runbooks.md#modeldrift\n" in text
    assert f"\nSilence: {URL}/#/silences/new?filter=" in text


@pytest.mark.parametrize(("said", "label"), [
    ("since 02:14 UTC, 20/20 pods", "Drill-down at 02:14 UTC: "),
    ("since 9 Nov 02:14 UTC", "Drill-down at 9 Nov 02:14 UTC: "),
    ("since 02:14 UTC; output score since 03:00 UTC", "Drill-down at 02:14 UTC: "), ("for hours", "Drill-down: "),
    ("since 2026-11-23 02:14:00 +0000 UTC", "Drill-down: "),
])  # fmt: skip
def test_the_drill_down_is_at_the_time_that_is_told(said: str, label: str, tmp_path: Path) -> None:
    description = {"description": f"Model fraud 7 (models): Feature amount: 41 % of its values changed bin {said}."}
    text = rendered(tmp_path, [alert(annotations=description)], ["text"])["text"]
    assert f"\n{label}http://grafana:3000/" in text


def test_pages_come_first_then_tickets_and_what_is_not_told_is_counted(tmp_path: Path) -> None:
    texts = rendered(tmp_path, NOTICES["many"])
    html = rendered(tmp_path, NOTICES["many"], ["html"], "html")["html"]
    for text in (texts["text"], texts["slack.text"], html):
        assert re.findall(r"Model fraud (\d+) \(", text) == ["5", "6", "1"]
        assert "And 4 more: " in text
        assert "And 1 more resolved." in text
        assert re.findall(r"Resolved: ModelDrift fraud (\d+) in eu/shop, 23 Nov 02:20 to 24 Nov 03:40 UTC", text) == [
            "8",
            "9",
            "10",
        ]
    assert texts["title"] == "PAGE 7 × ModelDrift fraud in eu/shop"
    assert texts["line"].startswith("PAGE 7 × ModelDrift fraud in eu/shop: Feature amount (22.0 nats): 41 % of its")
    assert texts["subject"].startswith("PAGE 7 × ModelDrift fraud in eu/shop: Feature amount (22.0 nats): 41 % of its")


@pytest.mark.parametrize(("description", "told"), [
    ("Model a 7 (models): 2 columns (at least): x.", "2 columns (at least): x."),
    ("Model a: b (c): d.", "Model a: b (c): d."), ("Model a 7: it is down.", "Model a 7: it is down."),
    ("b:9877 (models): old.", "b:9877 (models): old."), ("No model (a): b.", "No model (a): b."),
])  # fmt: skip
def test_a_line_has_the_model_once_and_leaves_out_nothing_else(description: str, told: str, tmp_path: Path) -> None:
    texts = rendered(tmp_path, [alert(annotations={"description": description})], ["line", "subject", "text"])
    assert texts["line"] == texts["subject"] == f"PAGE ModelDrift fraud 7 in eu/shop: {told}"
    assert texts["text"].startswith(f"{description}\n")


@pytest.mark.parametrize(("severities", "told", "severity"), [
    (("critical",), "PAGE", "critical"), (("warning",), "TICKET", "warning"), (("info",), "INFO", "info"),
    (("none",), "ALERT", "info"), (("info", "warning", "critical"), "PAGE 3 ×", "critical"),
    (("warning", "info"), "TICKET 2 ×", "warning"),
])  # fmt: skip
def test_the_title_says_how_bad_the_worst_is(
    severities: tuple[str, ...], told: str, severity: str, tmp_path: Path
) -> None:
    texts = rendered(tmp_path, [alert(severity=one) for one in severities], ["title", "severity"])
    assert texts == {"title": f"{told} ModelDrift fraud 7 in eu/shop", "severity": severity}


def test_what_has_ended_is_told_as_such_and_asks_for_no_silence(tmp_path: Path) -> None:
    texts = rendered(tmp_path, NOTICES["ended"], ["title", "text", "slack.text"])
    assert texts["title"] == "RESOLVED ModelDrift fraud 7 in eu/shop"
    for name in ("text", "slack.text"):
        assert texts[name].startswith("Resolved: ModelDrift fraud 7 in eu/shop, 23 Nov 02:20 to 24 Nov 03:40 UTC\n")
        assert "silence" not in texts[name].lower()
        assert "firing" not in texts[name].lower()


def test_without_annotations_the_labels_are_told(tmp_path: Path) -> None:
    text = rendered(tmp_path, NOTICES["bare"], ["text"])["text"]
    assert text.startswith(
        "ModelDrift, models, fraud, 7, 0a1b2c3d, critical\nFiring since 23 Nov 02:20 UTC\n\nSilence: "
    )


# --- a silence of exactly this group


def matchers(url: str) -> dict[str, str]:
    """What Alertmanager's form makes of the address: percent signs are decoded (a plus is none), then strings."""
    form = urlsplit(urlsplit(url).fragment)
    assert (url.startswith(f"{URL}/#/"), form.path) == (True, "/silences/new")
    assert "+" not in form.query
    if not form.query:
        return {}
    (text,) = parse_qs(form.query, strict_parsing=True)["filter"]
    pairs = re.findall(r'[{,](\w+)=("(?:[^"\\]|\\.)*")', text)
    assert "{" + ",".join(f"{name}={value}" for name, value in pairs) + "}" == text
    return {name: json.loads(value) for name, value in pairs}


@pytest.mark.parametrize("name", ["one", "many", "bare", "exporter", "across_models", "unlike"])
def test_the_form_for_a_silence_is_filled_in_for_the_group(name: str, tmp_path: Path) -> None:
    url = rendered(tmp_path, NOTICES[name], ["silence_url"])["silence_url"]
    assert matchers(url) == notification(NOTICES[name])["groupLabels"] != {}


@pytest.mark.parametrize(
    "model", ['a"b', "a\\b", "a{b}", "a b", "a+b", "a%20b", "a&b=c#d", "a,b", "é😀", "a\nb\tc", "<a>|'b'"]
)
def test_names_of_any_kind_come_into_the_form_as_they_are(model: str, tmp_path: Path) -> None:
    alerts = [alert(model=model)]
    url = rendered(tmp_path, alerts, ["silence_url"])["silence_url"]
    assert matchers(url)["model"] == model
    (link,) = [
        link for link in Reader.of(rendered(tmp_path, alerts, ["html"], "html")["html"]).links if "silences" in link
    ]
    assert link == url


def test_a_link_that_no_receiver_would_take_leads_to_an_empty_form(tmp_path: Path) -> None:
    url = rendered(tmp_path, [alert(model="😀" * 128)], ["silence_url"])["silence_url"]
    assert url == f"{URL}/#/silences/new"


# --- whatever clients write into names


class Reader(HTMLParser):
    """The elements, addresses and text of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    @classmethod
    def of(cls, html: str) -> "Reader":
        reader = cls()
        reader.feed(html)
        return reader

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_bring_no_markup_into_a_mail(tmp_path: Path) -> None:
    mail = Reader.of(rendered(tmp_path, NOTICES["hostile"], ["html"], "html")["html"])
    assert mail.tags <= {"html", "head", "meta", "title", "body", "h3", "p", "br", "a"}
    assert all(link.startswith(("http://", "https://", "#ZgotmplZ")) for link in mail.links)
    assert "a\"b\\c</p><script>&{{.Status}} '<!channel> *_~`|%é😀 n" in mail.text


def test_names_bring_no_markup_and_nobody_to_slack(tmp_path: Path) -> None:
    for text in rendered(tmp_path, NOTICES["hostile"], ["slack.title", "slack.text"]).values():
        rest = SLACK_LINK.sub("", text)
        assert not re.search(r"[<>]", re.sub(r"<javascript:alert\(1\)//\|drill-down>", "", rest))
        assert re.search("&(?!amp;|lt;|gt;)", rest) is None
        assert "&lt;!channel&gt;" in rest


@pytest.mark.parametrize("name", NOTICES)
def test_what_should_be_one_line_is_one_line(name: str, tmp_path: Path) -> None:
    for text in rendered(
        tmp_path, NOTICES[name], ["title", "line", "subject", "slack.title", "severity", "silence_url"]
    ).values():
        assert re.fullmatch(r"[^\s\u202e]+(?: [^\s\u202e]+)*", text)


def test_no_name_can_add_a_line_that_looks_like_ours(tmp_path: Path) -> None:
    forged = "x\nRunbook: https://evil.example\u2028Silence: https://evil.example\x85"
    for name in ("text", "slack.text"):
        text = rendered(tmp_path, [alert(owner=forged, annotations={"description": forged})], [name])[name]
        assert re.findall(r"^(?:Runbook|Silence): (\S+)", text, re.MULTILINE) == (
            []
            if name != "text"
            else ["https://example.org/runbooks.md#modeldrift", *re.findall(r"^Silence: (\S+)", text, re.MULTILINE)]
        )
        assert all(line.isprintable() for line in text.split("\n"))


# --- what the receivers take


LONG = {
    "description": "fraud v7: " + "a feature has changed; " * 100,
    "dashboard_url": "http://grafana:3000/d/model-health?var-model="
    + "m" * 128
    + "&from=1795399200000&to=1795410000000",
}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 50])
def test_texts_are_as_long_as_their_receivers_take(count: int, tmp_path: Path) -> None:
    usual = [alert(model="m" * 128, model_version=str(number), annotations=LONG) for number in range(count)]
    usual += [alert(ended=True, model="m" * 128, model_version=str(number)) for number in range(count)]
    names = dict.fromkeys(("alertname", "model", "model_version", "owner", "namespace", "cluster"), "&" * 5000)
    hostile = [
        alert(annotations={"description": "&" * 9000, "dashboard_url": f"https://e/?{'&' * 900}"}, **names)
    ] * count
    for alerts, most in ((usual, SLACK_USUAL), (hostile, SLACK_MOST)):
        texts = rendered(tmp_path, alerts)
        assert len(texts["slack.text"]) <= most
        assert len(texts["line"]) <= PAGERDUTY_MOST
        assert len(texts["subject"]) <= SUBJECT_MOST
        assert len(texts["title"]) <= SUBJECT_MOST
    assert "…" in texts["subject"]
