"""axe-core finds nothing on the status page, dark or light, wide or narrow."""

import pytest
from status_world import FRAUD, VERSION, World
from watched_pages import PHONE, WIDE, Watched

pytestmark = pytest.mark.browser
OF_FRAUD = f"/?model={FRAUD}&version={VERSION}"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(world: World, watched: Watched, scheme: str, size: tuple[int, int]) -> None:
    page = watched.open(world.url + OF_FRAUD, size, color_scheme=scheme)
    assert watched.violations(page) == []
    page.goto(world.url + OF_FRAUD + "&feature=amount")
    assert watched.violations(page) == []


def test_axe_finds_nothing_on_pages_that_are_seldom_seen(world: World, watched: Watched) -> None:
    page = watched.open(world.url)
    least = page.locator("#at").get_attribute("min")
    seldom = [
        OF_FRAUD + words for words in (f"&at={least}", "&side=output", "&output=score", "&q=none", "&feature=none")
    ]
    for address in (*seldom, "/?model=nobody"):
        page.goto(world.url + address)
        assert watched.violations(page) == [], address


def test_axe_finds_nothing_on_a_page_of_many(wide: World, watched: Watched) -> None:
    assert watched.violations(watched.open(wide.url)) == []


def test_dark_is_dark_and_light_is_light(world: World, watched: Watched) -> None:
    lights = {}
    for scheme in ("light", "dark"):
        page = watched.open(world.url + OF_FRAUD, color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lights[scheme] = sum(int(one) for one in colour.strip("rgba()").split(",")[:3])
    assert lights["light"] > 600
    assert lights["dark"] < 150
