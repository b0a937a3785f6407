"""What the page does by itself and under somebody's hands: numbers anew, search, moments, pages, keys."""

import json
import re
from typing import Any

import pytest
from status_world import FEATURES, FRAUD, MOVED, VERSION, WIDE, WIDE_FEATURES, World
from support import eventually
from watched_pages import PHONE, Watched

pytestmark = pytest.mark.browser
OF_FRAUD = f"/?model={FRAUD}&version={VERSION}"
LARGEST = 100_000
TEN_MINUTES_MS = 600_000
ROW = re.compile(r"<tr id=\"c-.*?</tr>\n", re.DOTALL)
HIDE = """(is) => { Object.defineProperty(document, 'hidden', { value: is, configurable: true });
    document.dispatchEvent(new Event('visibilitychange')) }"""
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


def test_rows_that_change_places_take_focus_and_selection_along(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    before = rows(page)
    row = page.locator("#t-feature tbody tr").nth(9)
    row.get_by_role("link").focus()
    row.locator("td").nth(3).evaluate("(cell) => getSelection().selectAllChildren(cell)")
    held = ["document.activeElement.textContent", "getSelection().toString()"]
    focused, selected = (page.evaluate(one) for one in held)
    assert focused == before[9]
    assert "chance" in selected

    def backwards(route: Any) -> None:
        answer = route.fetch()
        turned = list(reversed(ROW.findall(answer.text())))
        route.fulfill(response=answer, body=ROW.sub(lambda _: turned.pop(0), answer.text()))

    page.route("**/*", backwards)
    page.wait_for_function(
        "(name) => document.querySelector('#t-feature tbody th a').innerText !== name", arg=before[0]
    )
    assert rows(page)[0] != before[0]
    assert rows(page).index(focused) > FEATURES // 2
    assert page.evaluate(held[0]) == focused
    assert "chance" in page.evaluate(held[1])
    page.unroute_all(behavior="wait")


def test_a_page_nobody_answers_says_how_old_it_is_and_goes_on_later(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, own_clock=True)
    page.context.set_offline(True)
    page.wait_for_function("() => document.getElementById('fault').innerText")
    said = page.locator("#fault").inner_text()
    assert f"does not answer: these numbers are of {page.locator('#time').inner_text()}" in said
    page.clock.run_for(TEN_MINUTES_MS)
    page.wait_for_function("() => /not refreshed for 1\\d min/.test(document.getElementById('live').innerText)")
    assert page.locator("#fault").inner_text() == said, "and nobody is told again and again"
    assert page.locator("#verdict .badge").first.inner_text() == "Act"
    page.context.set_offline(False)
    eventually(lambda: _is_fine_soon(page), what="an answer")
    text_changes(page, "#time")
    assert page.locator("#live").inner_text().startswith("live")
    watched.faults.clear()  # a browser complains of what it cannot have


def _is_fine_soon(page: Any) -> bool:
    """After fewer seconds than an answer is waited for."""
    page.clock.run_for(9000)
    return not page.locator("#fault").inner_text()


def test_an_exporter_that_cannot_answer_is_asked_ever_less_often(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, own_clock=True)
    page.clock.pause_at(page.evaluate("() => Date.now() + 1"))
    page.context.set_offline(True)
    asked: list[int] = []
    for _ in range(20):
        page.clock.run_for(TEN_MINUTES_MS // 20)
        page.wait_for_timeout(20)
        asked.append(len(watched.asked))
    assert 1 <= asked[-1] - asked[9] <= 5, "about once a minute, while once a second would be 300"
    watched.faults.clear()  # as above


def test_an_unchanged_page_is_not_sent_again(wide: World, watched: Watched) -> None:
    page = watched.open(wide.url)

    def is_as_it_was() -> bool:
        """Of the same snapshot, which is the page's only a moment long."""
        answer = page.request.get(wide.url)
        again = page.request.get(wide.url, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status in {200, 304}
        return again.status == 304 and not again.body()

    eventually(is_as_it_was, what="a page that is not sent again")
    styles = page.locator("link[rel=stylesheet]").get_attribute("href")
    assert "immutable" in page.request.get(f"{wide.url}/{styles}").headers["cache-control"]


def test_a_hidden_page_asks_for_nothing_and_a_page_that_is_seen_again_at_once(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, own_clock=True)
    text_changes(page, "#time")
    page.evaluate(HIDE, True)
    page.clock.run_for(1000)  # and what is under way comes
    before = len(watched.asked)
    page.clock.run_for(TEN_MINUTES_MS)
    page.wait_for_timeout(200)
    assert len(watched.asked) == before
    with page.expect_request(lambda request: request.url.startswith(world.url)):
        page.evaluate(HIDE, False)
    text_changes(page, "#time")


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
    assert MOVED not in rows(page)  # what is quiet has no lasting order
    assert "Page 2 of 20" in page.locator("#pages").inner_text()
    page.locator("#q").press_sequentially("777")
    page.wait_for_function("() => document.querySelectorAll('#t-feature tbody tr').length === 1")
    assert rows(page) == [MOVED]
    assert f"1 of {WIDE_FEATURES:,}" in page.locator("#found").inner_text()
    assert WIDE in page.title()


def test_a_thousand_features_need_no_script(wide: World, watched: Watched) -> None:
    page = watched.open(wide.url, java_script_enabled=False)
    assert rows(page)[0] == MOVED
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    assert "Page 2 of 20" in page.locator("#pages").inner_text()
    assert MOVED not in rows(page)
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(re.compile(r"^(?!.*page=2)"))
    assert rows(page)[0] == MOVED
    page.locator("#standing").select_option("quiet")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**standing=quiet**")
    assert len(rows(page)) == 50
    assert MOVED not in rows(page)
    page.get_by_role("link", name="Quiet").click()
    page.wait_for_url(re.compile(r"^(?!.*standing=)"))
    page.locator("#t-feature").get_by_role("link", name=MOVED).click()
    page.wait_for_selector("#detail")


# --- moments


def healthy_moment(world: World) -> float:
    """The middle of a pane before anything changed."""
    path = f"/api/v1/trails?model={FRAUD}&version={VERSION}&name=amount"
    _, body = eventually(lambda: is_fine(world.sidecar.get(world.sidecar.web_port, path)), what=path)
    trails = json.loads(body)
    width, samples = trails["width_seconds"], trails["columns"][0]["samples"]
    healthy = [(count, start) for count, start in zip(samples, trails["starts"], strict=True)
               if start + width <= world.changed]  # fmt: skip
    return float(max(healthy)[1] + width / 2)


def is_fine(answer: tuple[int, bytes]) -> tuple[int, bytes] | None:
    """An answer, unless the analyser is too busy for one."""
    return answer if answer[0] == 200 else None


def shown(page: Any, name: str) -> float:
    """The total variation of a feature."""
    found = page.locator("#t-feature tbody tr").filter(has=page.get_by_role("rowheader", name=name))
    return float(re.findall(r"\d\.\d+", found.locator("td").nth(3).inner_text())[0])


def test_a_slider_shows_an_earlier_moment_and_comes_back(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD)
    now, moved = bars(page, "amount"), shown(page, "amount")
    slider = page.locator("#at")
    step, first = (float(slider.get_attribute(word)) for word in ("step", "min"))
    slider.fill(f"{first + step * round((healthy_moment(world) - first) / step):.0f}")
    page.wait_for_url("**at=**")
    page.wait_for_selector("#back")
    assert bars(page, "amount") != now
    assert shown(page, "amount") < moved - 0.1
    assert re.search(r"\d\d:\d\d", page.locator("#then").inner_text())
    page.locator("#back").click()
    page.wait_for_selector("#back", state="detached")
    assert shown(page, "amount") > moved - 0.1
    assert page.locator("#then").inner_text() == "now"


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
