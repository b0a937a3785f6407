"""Rows that failed a check, as a browser shows them: they open, stay open, fit a phone, and are text."""

import json
from typing import Any

import pytest
from status_world import FRAUD, FRESH, VERSION, World
from watched_pages import PHONE, WIDE, Watched

pytestmark = pytest.mark.browser
OF_FRAUD = f"/?model={FRAUD}&version={VERSION}"
OPEN = "() => document.getElementById('examples').open"


def opened(world: World, watched: Watched, size: tuple[int, int] = WIDE, **options: Any) -> Any:
    """The page with its rows to be seen."""
    page = watched.open(world.url + OF_FRAUD, size, **options)
    assert not page.locator("#t-examples").is_visible(), "nobody sees rows who has not asked for them"
    page.locator("#examples summary").click()
    page.locator("#t-examples").wait_for(state="visible")
    return page


def test_rows_that_failed_are_shown_with_what_failed_and_the_fields_that_are_allowed(
    world: World, watched: Watched
) -> None:
    page = opened(world, watched)
    text = page.locator("#t-examples").inner_text()
    assert "amount: out of range" in text or "age: missing" in text or "region: unseen" in text
    names = {name.removesuffix(" (output)") for name in page.locator("#t-examples dt").all_inner_texts()}
    assert {"amount", "age", "region"} <= names
    assert not [name for name in names if name.startswith("calm")], "which nobody has allowed"
    assert 1 <= page.locator("#t-examples tbody tr").count() <= 20


def test_they_stay_open_while_numbers_and_rows_change(world: World, watched: Watched) -> None:
    page = opened(world, watched)
    for _ in range(2):
        first = page.locator("#t-examples tbody tr").first.get_attribute("id")
        page.wait_for_function("(was) => document.querySelector('#t-examples tbody tr').id !== was", arg=first)
        assert page.evaluate(OPEN)
    page.locator("#examples summary").click()
    before = page.locator("#time").inner_text()
    page.wait_for_function("(was) => document.getElementById('time').innerText !== was", arg=before)
    assert not page.evaluate(OPEN), "nor is it opened again"


def test_they_are_opened_by_key_and_without_a_script(world: World, watched: Watched) -> None:
    page = watched.open(world.url + OF_FRAUD, java_script_enabled=False)
    page.locator("#examples summary").focus()
    page.keyboard.press("Enter")
    page.locator("#t-examples").wait_for(state="visible")


@pytest.mark.parametrize("width", [PHONE[0], 320])
def test_on_a_phone_nothing_is_wider_and_each_cell_says_what_it_is(world: World, watched: Watched, width: int) -> None:
    page = opened(world, watched, (width, PHONE[1]))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    words = """() => [...document.querySelectorAll('#t-examples tbody tr:first-child td')]
        .map((one) => getComputedStyle(one, '::before').content)"""
    assert [one.strip('" ') for one in page.evaluate(words)[1:3]] == ["Code", "Row"]


def test_nobody_is_kept_from_reading_them(world: World, watched: Watched) -> None:
    for scheme in ("light", "dark"):
        assert watched.violations(opened(world, watched, color_scheme=scheme)) == []


def test_values_that_would_be_markup_are_text(world: World, watched: Watched) -> None:
    page = opened(world, watched)
    seen = FRESH.rstrip("\u202e")
    page.wait_for_function("(text) => document.getElementById('t-examples').innerText.includes(text)", arg=seen)
    assert page.evaluate("window.hurt") is None
    assert page.locator("#t-examples :is(svg, img, script, style)").count() == 0


def test_the_api_tells_the_same_rows(world: World) -> None:
    status, body = world.sidecar.get(world.sidecar.web_port, f"/api/v1/model{OF_FRAUD[1:]}")
    assert status == 200
    found = json.loads(body)["examples"]
    assert 1 <= len(found) <= 20
    assert all(one["flags"] and set(one["features"]) <= {"amount", "age", "region"} for one in found)
    assert [one["time"] for one in found] == sorted((one["time"] for one in found), reverse=True)
