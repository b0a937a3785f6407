"""The status page without its processes, of a made-up world."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web.status.sample import BROKE, HOSTILE, NOW, ROWBACK, Sample

from exporter.web import status
from exporter.web.limits import Bucket
from exporter.web.status import page
from exporter.web.status.budget import Budget
from exporter.web.status.links import Links

BIDI = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LINKS = Links("https://grafana.example.com/g", "https://alerts.example.com")


class Reader(HTMLParser):
    """What a browser would make of a page: elements, their attributes, and the text that is read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        return [value for _, given in self.elements if (value := given.get(name)) is not None]


def client(source: Sample, links: Links = LINKS, budget: Budget | None = None) -> FlaskClient:
    app = Flask("test", static_folder=None)
    page.add(app, source, links, budget or Budget(Bucket(1e9, 1e9)))
    return app.test_client()


def read(source: Sample, address: str = "/") -> Reader:
    answer = client(source).get(address)
    assert answer.status_code == 200
    return Reader(answer.get_data(as_text=True))


def test_it_says_whether_what_since_when_how_sure_and_what_is_not_seen() -> None:
    text = read(Sample()).text
    assert "Act fraud version 2026.11 2 of 24 features moved since 23:08 UTC; amount looks ×100." in text
    assert "amount looks ×100: cents in place of euros?" in text
    assert "since 2026-11-23 23:08 UTC (3 h ago)" in text
    assert "812 of 10.7 nats of evidence: over the line that pages" in text
    assert "crossed once in 30 days at most, on average" in text
    assert "Not observed 0.5 % of requests could not be decoded" in text
    assert "session_seconds has 12 values of 200 that are needed" in text


def test_each_feature_has_scores_with_what_chance_makes_of_them_and_how_many_values_they_are_of() -> None:
    text = read(Sample()).text
    assert re.search(r"amount numeric · payments Drifted .*? 812 0.861 chance 0.061 n 41,213 in 1h", text)
    assert "31 % missing (training 2 %)" in text
    assert "session_seconds numeric Too few values – – n 12 in 1h" in text


def test_it_says_how_the_model_and_the_sidecar_do() -> None:
    text = read(Sample()).text
    for said in (
        "p50 4.2 ms, p95 18.7 ms, p99 94 ms", "1,204,881, 311 failed (< 0.1 %)", "precision 0.412 0.371 to 0.455 0.580",
        "1,199,004 of 1,204,881 (99.5 %)", "24h 988,120 yes 2026-11-23 02:15 UTC", "2026.12-rc1 challenger",
        "9f3ac1d2", "channel=app : drifts by 0.21", "1,204,880 of 1,204,881 observed, full: 1", "connection refused",
        "invalid_json", "19 more: see the API", "Its precision is below that of training",
        "3 windows of 24h were not kept",
    ):  # fmt: skip
        assert said in text, said


def test_links_lead_to_metrics_settings_the_api_dashboards_alerts_and_runbooks() -> None:
    links = read(Sample()).values("href")
    assert {"metrics", "config", "api/v1/openapi.json"} <= set(links)
    assert "https://example.com/runbooks.md#modelfeaturedrift" in links
    assert "https://grafana.example.com/g/d/model-health?var-model=fraud&var-version=2026.11" in links
    assert "https://alerts.example.com/#/alerts?filter=%7Bmodel%3D%22fraud%22%7D" in links
    bare = Reader(client(Sample(), status.NOWHERE).get("/").get_data(as_text=True)).values("href")
    assert not [one for one in bare if "grafana" in one or "alerts." in one]


def test_what_strangers_write_is_shown_as_text_with_every_character_to_be_seen() -> None:
    source = Sample(30)
    for address in ("/", f"/?q={HOSTILE[:5]}", "/?feature=merchant_country", "/?model=%3Cscript%3E&version=%00"):
        answer = client(source).get(address)
        text = answer.get_data(as_text=True)
        found = Reader(text)
        assert [given["src"] for tag, given in found.elements if tag == "script"] == found.values("src")
        assert len([tag for tag, _ in found.elements if tag == "script"]) == 1
        assert not [tag for tag, _ in found.elements if tag in {"img", "b-feature-store", "style", "iframe", "object"}]
        assert not [name for _, given in found.elements for name in given if name.startswith("on") or name == "style"]
        assert not BIDI.search(text)
    whole = read(source).text
    assert "<script>alert('x')</script>\"&\u2039U…" in whole
    assert "\u2039U+202E\u203agnp.␀␛[31m" in " ".join(read(source).values("title"))
    assert "<b>feature-store</b>" in whole
    assert ROWBACK in whole


def test_names_of_strangers_lead_to_their_own_page() -> None:
    source = Sample(30)
    links = [one for one in read(source).values("href") if "feature=" in one]
    asked = {dict(parse_qsl(one.removeprefix("?"))).get("feature") for one in links}
    assert {HOSTILE, ROWBACK, "amount"} <= asked
    for link in links:
        assert "There is nothing of that name" not in read(source, f"/{link}").text


def test_no_id_is_there_twice_and_each_label_has_its_field() -> None:
    for address in ("/", "/?feature=amount", "/?side=output", "/?q=zzz"):
        found = read(Sample(100, others=3), address)
        ids = found.values("id")
        assert len(ids) == len(set(ids))
        assert set(found.values("for")) <= set(ids)
        assert {one.removeprefix("#") for one in found.values("href") if one.startswith("#")} <= set(ids)


def test_the_policy_allows_what_the_page_is_made_of_and_nothing_else() -> None:
    answer = client(Sample()).get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    assert "Content-Security-Policy" not in client(Sample()).get("/static/status.css").headers


def test_a_page_of_a_hundred_features_is_small() -> None:
    assert len(client(Sample(100)).get("/").data) <= 100_000
    assert len(client(Sample(1000, others=20)).get("/").data) <= 110_000


def names_of(found: Reader) -> list[str | None]:
    """Of the rows of its tables."""
    shown = [given for tag, given in found.elements if tag == "tr" and (given.get("id") or "").startswith("c-f")]
    return [given.get("id") for given in shown]


def test_a_thousand_features_come_fifty_to_a_page_and_each_once() -> None:
    source = Sample(1000)
    seen = [name for at in range(1, 21) for name in names_of(read(source, f"/?page={at}"))]
    assert len(seen) == len(set(seen)) == 1000
    assert "Page 20 of 20" in read(source, "/?page=999").text
    assert names_of(read(source, "/?page=-1")) == names_of(read(source))


def test_names_are_searched_and_states_chosen() -> None:
    source = Sample(1000)
    found = read(source, "/?q=AMOU")
    assert len(names_of(found)) == 1
    assert "1 of 1,000" in found.text
    assert len(names_of(read(source, "/?standing=drifted"))) == 2
    assert names_of(read(source, "/?standing=nonsense")) == names_of(read(source))
    assert "None is so." in read(source, "/?q=nothing+has+this").text


def bars(found: Reader) -> list[str | None]:
    return [given.get("d") for tag, given in found.elements if tag == "path" and given.get("class") == "l"]


def test_the_slider_shows_the_bars_of_another_moment() -> None:
    source = Sample()
    now, then = read(source), read(source, f"/?at={BROKE - 7200:.0f}")
    assert bars(now)[0] != bars(then)[0]
    (slider,) = [given for tag, given in then.elements if given.get("type") == "range"]
    assert float(slider["min"] or 0) <= float(slider["value"] or 0) <= BROKE - 7200 < float(slider["max"] or 0)
    assert slider["aria-valuetext"] == "2026-11-23 21:05 UTC"
    assert "Back to now" in then.text
    assert "Back to now" not in now.text


@pytest.mark.parametrize("at", ["nan", "inf", "-1", "1e300", "x", "", f"{NOW + 9999:.0f}"])
def test_what_is_no_moment_is_now(at: str) -> None:
    source = Sample()
    assert bars(read(source, f"/?at={at}")) == bars(read(source))


@pytest.mark.parametrize("query", [
    "page=-1", f"page={'9' * 31}", "page=1e3", "page=%C2%B2", "page=%D9%A1", "models=-5", f"models={'9' * 40}",
    f"q={'x' * 9000}", "&".join(["q=a"] * 3000), "model=%00", "model=%ff%fe", "feature=%ed%a0%80", "output=%00",
    f"feature={'%C3%A9' * 2000}", f"model={'m' * 10_000}", "side=%3Cx%3E", f"unknown={'y' * 8000}", "at=1&at=NaN",
], ids=lambda query: query[:20])  # fmt: skip
def test_whatever_is_asked_there_is_a_page_with_a_head_of_its_own(query: str) -> None:
    browser = client(Sample(100))
    answer = browser.get(f"/?{query}")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert len(answer.data) <= 110_000
    head = browser.head(f"/?{query}")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])


def test_a_models_name_of_any_length_takes_no_more_room_than_others() -> None:
    source = Sample()
    assert source.facts is not None
    (model,) = source.facts.models
    source.facts = dataclasses.replace(source.facts, models=(dataclasses.replace(model, model="m" * 10_000),))
    found = read(source)
    assert max(len(one) for one in found.texts) < 1000


def test_a_moment_before_all_panes_is_the_first() -> None:
    assert read(Sample(), "/?at=12").text.count("Back to now") == 1


def test_a_feature_is_shown_whole() -> None:
    text = read(Sample(), "/?feature=amount").text
    assert "Feature amount Drifted" in text
    assert "610 and above 5 % 86 %" in text
    assert re.search(r"total variation 0.861 chance 0.061 0.861 chance 0.061 0.861 chance 0.061", text)
    assert "out of range 1h 42 % 0 % 0.2 %" in text
    assert "Output score" in read(Sample(), "/?output=score").text


def test_the_most_urgent_of_many_models_is_shown_and_any_other_can_be_chosen() -> None:
    source = Sample(others=45)
    first = read(source)
    assert "Act fraud version 2026.11" in first.text
    assert len([one for one in first.values("id") if one.startswith("m-")]) == 20
    assert "Learning model-1 version 1" in read(source, "/?model=model-1").text
    assert "There is no model of that name" in read(source, "/?model=nobody").text


def test_before_the_first_snapshot_it_says_so() -> None:
    source = Sample()
    source.facts = None
    assert "No numbers yet" in read(source).text


def test_where_the_analyser_is_busy_the_page_comes_without_what_only_it_knows() -> None:
    source = Sample(is_busy=True)
    busy = read(source)
    assert "The analyser is busy" in busy.text
    assert "2 of 24 features moved" in busy.text
    source.is_busy = False
    assert "The analyser is busy" not in read(source).text


def test_a_page_that_has_not_changed_is_not_sent_again() -> None:
    source = Sample()
    browser = client(source)
    first = browser.get("/", headers={"Accept-Encoding": "gzip"})
    same = browser.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    source.tick()
    later = browser.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert later.status_code == 200
    assert browser.get("/").headers["ETag"] != later.headers["ETag"]


def test_a_page_is_made_once_for_each_snapshot_and_query() -> None:
    source = Sample()
    browser = client(source)
    for _ in range(5):
        browser.get(f"/?at={BROKE - 7200:.0f}")
    assert len(source.asked_moments) == 2
    source.tick()
    browser.get(f"/?at={BROKE - 7200:.0f}")
    assert len(source.asked_moments) == 4


def test_whoever_asks_for_ever_new_pages_is_put_off_and_those_that_are_made_still_come() -> None:
    now = [0.0]
    browser = client(Sample(100), budget=Budget(Bucket(0.1, 0.1, lambda: now[0])))
    assert browser.get("/").status_code == 200
    answers = [browser.get(f"/?q={at}") for at in range(200)]
    refused = [one for one in answers if one.status_code == 503]
    assert refused
    assert all(one.headers["Retry-After"] == "1" for one in refused)
    assert len(answers) - len(refused) < 200
    now[0] += 1000.0
    assert browser.get("/?q=z").status_code == 200


def test_pages_are_held_in_bounds() -> None:
    press = page.Press(Sample(), LINKS, Budget(Bucket(1e9, 1e9)))
    for at in range(100):
        press.page(status.page.parse({"q": str(at)}))
    assert len(press._held) <= 32


def test_style_and_script_are_small_ours_and_asked_for_once() -> None:
    found = read(Sample())
    files = [given["href"] for tag, given in found.elements if given.get("rel") == "stylesheet"] + found.values("src")
    assert len(files) == 2
    for file, most in zip(files, (12_000, 10_000), strict=True):
        answer = client(Sample()).get(f"/{file}")
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(answer.data) < most
        assert not re.search(rb"https?://|@import|url\(", answer.data)
    assert client(Sample()).get("/static/status.css?v=old").headers["Cache-Control"] == "no-cache"
    assert client(Sample()).get("/static/page.py").status_code == 404


COLOURS = re.compile(r"--([a-z]+): (#[0-9a-f]{3,6})")


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_for_texts_and_charts(scheme: str) -> None:
    style = (Path(page.__file__).parent / "static" / "status.css").read_text()
    light, _, rest = style.partition("@media (prefers-color-scheme: dark)")
    of = dict(COLOURS.findall(light if scheme == "light" else rest.partition("* {")[0]))
    for ground in ("bg", "card"):
        for ink in ("text", "soft", "link", "act", "watch", "blind", "learning", "healthy"):
            assert contrast(of[ink], of[ground]) >= 4.5, (ink, ground)
        for shape in ("ref", "live", "focus"):
            assert contrast(of[shape], of[ground]) >= 3, (shape, ground)
    for badge in ("act", "watch", "blind", "learning", "healthy"):
        assert contrast(of["on"], of[badge]) >= 4.5, badge
