"""What the status page says of a model that drifts, as a browser shows it; names that would be markup are text."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from status_world import CHURN, DEPENDENCY, FEATURES, FRAUD, FRESH, PATH, PICTURE, SCRIPT, VERSION, World
from watched_pages import Watched

pytestmark = pytest.mark.browser
OF_FRAUD = f"/?model={FRAUD}&version={VERSION}"
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


def row(page: Any, name: str) -> Any:
    """Of the table of features; names are not markup, so any will do."""
    return page.locator("#t-feature tbody tr").filter(has=page.get_by_role("rowheader", name=name)).first


def told(world: World, path: str) -> Any:
    """What the API says."""
    status, body = world.sidecar.get(world.sidecar.web_port, path)
    assert status == 200, body
    return json.loads(body)


# --- the five questions


def test_the_page_opens_with_the_model_that_somebody_should_act_upon(world: World, watched: Watched) -> None:
    page = watched.open(world.url)
    assert page.locator("#verdict .badge").first.inner_text() == "Act"
    assert FRAUD in page.locator("#h-verdict").inner_text()
    assert page.title().startswith(f"Act: {FRAUD}")
    models = page.locator("#models li")
    assert FRAUD in models.first.inner_text()
    assert "Watch" in models.filter(has_text=CHURN).inner_text()


def test_it_says_what_moved_since_when_how_sure_and_what_is_not_seen(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    verdict = page.locator("#verdict").inner_text()
    assert "amount" in verdict
    assert "×100" in verdict
    assert re.search(r"since \d\d:\d\d UTC|since 20\d\d-\d\d-\d\d \d\d:\d\d", verdict)
    assert re.search(r"[\d.]+ of [\d.]+ nats of evidence: over the line that pages", verdict)
    assert re.search(r"once in 30 days at most", verdict)
    assert page.locator("#verdict .unseen li").count() > 0
    assert page.locator("#verdict .why a[href*='runbooks']").count() > 0


def test_a_model_that_is_as_it_was_is_watched_for_what_is_down_beside_it_and_nothing_else(
    world: World, watched: Watched
) -> None:
    page = watched.open(f"{world.url}/?model={CHURN}")
    assert page.locator("#verdict .badge").first.inner_text() == "Watch"
    assert "below the line that pages" in page.locator("#verdict").inner_text()
    (why,) = page.locator("#verdict .why li").all_inner_texts()
    assert DEPENDENCY[1:] in why
    assert "Drifted" not in page.locator("#t-feature").inner_text()


def test_features_stand_by_evidence_with_diagnosis_quality_and_bars(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    rows = page.locator("#t-feature tbody tr")
    assert rows.count() == FEATURES
    first = " ".join(rows.nth(at).inner_text() for at in range(4))
    assert all(name in first for name in ("amount", "age", "region", SCRIPT[:10]))
    amount = row(page, "amount")
    assert "amount looks ×100" in amount.inner_text()
    assert "Drifted" in amount.inner_text()
    assert "missing" in row(page, "age").inner_text()
    assert "Quiet" in row(page, "calm_18").inner_text()
    bars = amount.locator("svg.bars")
    assert re.search(r"\d+ ?%", bars.get_attribute("aria-label"))
    assert bars.locator("path.r").get_attribute("d") != bars.locator("path.l").get_attribute("d")
    assert amount.locator("svg.line path").count() == 1


def test_the_page_and_the_api_say_the_same(world: World, watched: Watched) -> None:
    facts = told(world, f"/api/v1/model{OF_FRAUD[1:]}")
    page = watched.open(world.url + OF_FRAUD)
    assert page.locator("#verdict .badge").first.inner_text() == facts["judgement"]["verdict"].capitalize()
    said = page.locator("#verdict").inner_text()
    assert all(one["code"] in said for one in facts["judgement"]["reasons"][:3])


def test_what_is_beside_the_model_is_on_the_page(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    dependency = page.locator("#k-dependencies tbody tr")
    assert DEPENDENCY in dependency.inner_text()
    assert "down" in dependency.inner_text()
    assert PATH in page.locator("#t-failures").inner_text()
    assert "10m" in page.locator("#k-windows").inner_text()
    assert re.search(r"p50 .+ p95 .+ p99", page.locator("#k-traffic").inner_text())
    assert re.search(r"\d+ of \d+", page.locator("#k-coverage").inner_text())
    assert "3,000 rows" in page.locator("#k-profile").inner_text()
    assert page.get_by_role("link", name="Metrics").get_attribute("href")


def test_a_feature_has_a_page_with_all_its_scores_and_bins(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    row(page, "amount").get_by_role("link").click()
    page.wait_for_selector("#detail")
    assert "amount" in page.locator("#h-detail").inner_text()
    shares = page.locator("#t-bins tbody tr td:nth-child(2)").all_inner_texts()
    assert len(shares) == 16
    assert sum(float(one.split()[0].strip("%<")) for one in shares) == pytest.approx(100, abs=1)
    assert page.locator("#t-windows tbody tr").count() == 2
    psi = page.locator("#t-scores tr", has_text="psi").first.inner_text()
    assert psi.count("chance") == 2
    page.get_by_role("link", name="All features and outputs").click()
    page.wait_for_selector("#t-feature")


# --- hostile names


@pytest.mark.parametrize("view", ["", "&feature=region", "&feature=" + "%3C/script%3E%3Cscript%3Ewindow.hurt=%27name"
                                  "%27%3C/script%3E%22%27%26amp;"], ids=["all", "category", "name"])  # fmt: skip
def test_no_name_category_or_path_becomes_markup(world: World, watched: Watched, view: str) -> None:
    page = watched.open(world.url + OF_FRAUD + view)
    text = page.locator("body").inner_text()
    shown = {"": (SCRIPT, PATH, DEPENDENCY), "&feature=region": (PICTURE,)}.get(view, (SCRIPT,))
    assert all(" ".join(one.split())[:25] in text for one in shown)
    assert FRESH.rstrip("\u202e") in text or view
    assert page.evaluate("window.hurt") is None
    assert page.locator("img, iframe, object, embed, base, style").count() == 0
    assert page.locator("script:not([src])").count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]).map((one) => one.name)"
    names = set(page.evaluate(handlers))
    assert not {name for name in names if name.startswith("on") or name == "style"}


@pytest.mark.parametrize(
    "word", ["model", "version", "feature", "output", "q", "standing", "side", "page", "at", "new"]
)
def test_what_somebody_is_made_to_ask_for_is_text_too(world: World, watched: Watched, word: str) -> None:
    page = watched.open(f"{world.url}/?model={FRAUD}&{word}={quote(PICTURE + SCRIPT + TURNING)}")
    assert page.locator("img, iframe, object, embed, base, style").count() == 0
    assert page.locator("script:not([src])").count() == 0
    assert page.evaluate("window.hurt") is None
    assert page.locator("h1, h2").count() > 0


def test_what_turns_text_or_controls_a_terminal_is_made_visible(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    whole = page.content()
    assert not set(TURNING) & set(whole)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", whole)
    assert "rtl" in whole
    assert row(page, "rtl").locator("bdi").count() > 0


def test_the_policy_of_the_page_lets_nothing_in_but_its_own_files(world: World, watched: Watched) -> None:
    page = watched.open(world.url)
    policy = page.request.get(world.url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    page.evaluate("""() => { const added = document.createElement('script'); added.textContent = 'window.hurt = 1';
                             document.body.append(added) }""")
    assert page.evaluate("window.hurt") is None
    watched.faults.clear()  # that was against the policy


# --- without a script


def test_all_of_it_works_without_a_script(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, java_script_enabled=False)
    assert page.locator("#verdict .badge").first.inner_text() == "Act"
    page.locator("#q").fill("calm_1")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**q=calm_1**")
    assert page.locator("#t-feature tbody tr").count() == 9
    assert page.locator("#q").input_value() == "calm_1"
    page.locator("#q").fill("amount")
    page.locator("#at").press("Home")
    page.locator("#filter").get_by_role("button").click()
    page.wait_for_url("**q=amount**")
    page.locator("#at").press("Home")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**at=**")
    assert "q=amount" in page.url
    assert page.get_by_role("link", name="Back to now").count() == 1
    row(page, "amount").get_by_role("link").click()
    page.wait_for_selector("#detail")
