"""What the page does by itself and under somebody's hands: numbers anew, search, moments, pages, keys."""

import re
import time
from typing import Any

import pytest
from status_world import FEATURES, FRAUD, MOVED, VERSION, WIDE, WIDE_FEATURES, World
from watched_pages import PHONE, Watched

pytestmark = pytest.mark.browser
OF_FRAUD = f"/?model={FRAUD}&version={VERSION}"
LARGEST = 100_000
SHIFT = """() => { window.moved = 0; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.moved += one.value;
}).observe({ type: 'layout-shift' }) }"""
CALM_SHIFT = 0.1
"""What browsers call good."""


def rows(page: Any) -> list[str]:
    found: list[str] = page.locator("#t-feature tbody th").all_inner_texts()
    return [name.split("\n")[0] for name in found]


def bars(page: Any, name: str) -> str:
    """The live ones of a feature, as drawn."""
    found = page.locator("#t-feature tbody tr").filter(has=page.get_by_role("rowheader", name=name))
    drawn: str = found.locator("svg.bars path.l").get_attribute("d")
    return drawn


def text_changes(page: Any, selector: str) -> None:
    """Wait until it is another one."""
    before = page.locator(selector).inner_text()
    page.wait_for_function("([at, was]) => document.querySelector(at).innerText !== was", arg=[selector, before])


# --- anew


def test_numbers_change_and_nothing_else_does(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.locator("#q").focus()
    page.evaluate("() => { document.getElementById('verdict').mark = 1; window.scrollTo(0, 120) }")
    page.evaluate(SHIFT)
    at = page.evaluate("window.scrollY")
    text_changes(page, "#k-traffic")
    text_changes(page, "#time")
    assert page.evaluate("document.getElementById('verdict').mark") == 1
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.evaluate("window.scrollY") == at
    assert page.evaluate("window.moved") < CALM_SHIFT


def test_what_somebody_types_stays_while_numbers_change(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.locator("#q").press_sequentially("calm_1")
    page.wait_for_function("() => document.querySelectorAll('#t-feature tbody tr').length === 9")
    page.evaluate("document.getElementById('q').setSelectionRange(2, 4)")
    text_changes(page, "#time")
    text_changes(page, "#time")
    field = "const q = document.getElementById('q'); return [q.value, q.selectionStart, q.selectionEnd]"
    assert page.evaluate(f"() => {{ {field} }}") == ["calm_1", 2, 4]
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_page_nobody_answers_says_how_old_it_is_and_goes_on_later(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.context.set_offline(True)
    page.wait_for_function("() => document.getElementById('fault').innerText.includes('s old')")
    assert page.locator("#verdict .badge").first.inner_text() == "Act"
    page.context.set_offline(False)
    page.wait_for_function("() => !document.getElementById('fault').innerText")
    text_changes(page, "#time")
    watched.faults.clear()  # a browser complains of what it cannot have


def test_an_unchanged_page_is_not_sent_again(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    answer = page.request.get(world.url + OF_FRAUD)
    again = page.request.get(world.url + OF_FRAUD, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status in {200, 304}
    styles = page.locator("link[rel=stylesheet]").get_attribute("href")
    assert "immutable" in page.request.get(f"{world.url}/{styles}").headers["cache-control"]


# --- search and pages


def test_features_are_found_as_somebody_types(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.evaluate("window.same = 1")
    page.locator("#q").press_sequentially("AMO")
    page.wait_for_function("() => document.querySelectorAll('#t-feature tbody tr').length === 1")
    assert rows(page) == ["amount"]
    assert "q=AMO" in page.url
    assert f"1 of {FEATURES}" in page.locator("#found").inner_text()
    page.locator("#q").fill("nothing is called that")
    page.wait_for_function("() => !document.getElementById('t-feature')")
    page.locator("#q").fill("")
    page.wait_for_function(f"() => document.querySelectorAll('#t-feature tbody tr').length === {FEATURES}")
    assert page.evaluate("window.same") == 1, "and the page was never left"


def test_features_are_found_by_their_state(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.locator("#standing").select_option("drifted")
    page.wait_for_function(f"() => document.querySelectorAll('#t-feature tbody tr').length < {FEATURES}")
    assert "amount" in rows(page)
    assert "calm_00" not in rows(page)


def test_a_thousand_features_are_pages_of_fifty(wide: World, watched: Watched) -> None:
    page = watched.open(wide.url)
    assert len(page.request.get(wide.url).body()) <= LARGEST
    first = rows(page)
    assert len(first) == len(set(first)) == 50
    assert first[0] == MOVED, "most evidence comes first"
    assert "Page 1 of 20" in page.locator("#pages").inner_text()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    assert not set(rows(page)) & set(first)
    assert "Page 2 of 20" in page.locator("#pages").inner_text()
    page.locator("#q").press_sequentially("777")
    page.wait_for_function("() => document.querySelectorAll('#t-feature tbody tr').length === 1")
    assert rows(page) == [MOVED]
    assert f"1 of {WIDE_FEATURES:,}" in page.locator("#found").inner_text()
    assert WIDE in page.title()


# --- moments


def test_a_slider_shows_an_earlier_moment_and_comes_back(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    now = bars(page, "amount")
    slider = page.locator("#at")
    step, first = (float(slider.get_attribute(word)) for word in ("step", "min"))
    healthy = first + step * round((world.healthy + 2 - first) / step)
    slider.fill(f"{healthy:.0f}")
    page.wait_for_url("**at=**")
    page.wait_for_selector("#back")
    then = bars(page, "amount")
    assert then != now
    assert float(shown(page, "amount")) < 0.7
    assert re.search(r"\d\d:\d\d", page.locator("#then").inner_text())
    page.locator("#back").click()
    page.wait_for_selector("#back", state="detached")
    assert float(shown(page, "amount")) > 0.8
    assert page.locator("#then").inner_text() == "now"


def shown(page: Any, name: str) -> str:
    """The total variation of a feature."""
    found = page.locator("#t-feature tbody tr").filter(has=page.get_by_role("rowheader", name=name))
    return str(re.findall(r"\d\.\d+", found.locator("td").nth(3).inner_text())[0])


def test_a_slider_is_moved_by_keys_and_says_where_it_is(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    slider = page.locator("#at")
    slider.focus()
    slider.press("Home")
    page.wait_for_selector("#back")
    assert page.evaluate("document.activeElement.id") == "at"
    assert slider.get_attribute("aria-valuetext") == page.locator("#then").inner_text() != "now"
    slider.press("End")
    page.wait_for_selector("#back", state="detached")
    assert slider.get_attribute("aria-valuetext") == "now"


# --- keys, small screens, still eyes


def test_all_that_can_be_done_can_be_done_by_keys(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached, marks = set(), []
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => { const at = document.activeElement, look = getComputedStyle(at);
            return [at.id || at.textContent.trim(), look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0
                    || look.boxShadow !== 'none'] }""")
        reached.add(found[0])
        marks.append(found)
        if found[0] == "amount":
            break
    assert {"q", "standing", "at", "Find", "amount", "Metrics"} <= reached
    assert [one for one in marks if not one[1]] == [], "whoever walks sees where they are"
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail")


@pytest.mark.parametrize("width", [390, 360, 320])
def test_nothing_is_wider_than_a_phone(world: World, watched: Watched, width: int) -> None:
    page = watched.open(world.url + OF_FRAUD, (width, PHONE[1]))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(world.url + OF_FRAUD + "&feature=amount")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_moves_for_those_who_cannot_bear_it(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, reduced_motion="reduce")
    lasting = page.evaluate("""() => Math.max(...[...document.querySelectorAll('*')].flatMap((one) => {
        const look = getComputedStyle(one);
        return [look.transitionDuration, look.animationDuration].flatMap((all) => all.split(',').map(parseFloat));
    }))""")
    assert lasting <= 0.01


def test_a_hidden_page_asks_for_nothing(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    text_changes(page, "#time")
    page.evaluate("""() => { Object.defineProperty(document, 'hidden', { value: true });
                             document.dispatchEvent(new Event('visibilitychange')) }""")
    page.wait_for_timeout(300)  # what is under way
    before = len(watched.asked)
    time.sleep(3)
    page.wait_for_timeout(1)
    assert len(watched.asked) == before
