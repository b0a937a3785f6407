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


def test_dark_is_dark_and_light_is_light(world: World, watched: Watched) -> None:
    lights = {}
    for scheme in ("light", "dark"):
        page = watched.open(world.url + OF_FRAUD, color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lights[scheme] = sum(int(one) for one in colour.strip("rgba()").split(",")[:3])
    assert lights["light"] > 600
    assert lights["dark"] < 150
