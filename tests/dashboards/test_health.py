"""Model health at a glance says what the rules record, in words, and leads to where each check is shown."""

from typing import Any

import shipped_boards

from exporter.dashboards import links
from exporter.dashboards.boards import BOARDS, health_checks
from exporter.dashboards.looks import GREEN, GREY
from exporter.rules.checks import CHECKS

BOARD = shipped_boards.BOARDS[links.HEALTH]
PANELS = {panel["title"]: panel for panel in shipped_boards.every_panel(BOARD)}


def words(panel: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The word and the colour of each state."""
    return {
        value: (said["text"], said["color"])
        for mapping in panel["fieldConfig"]["defaults"]["mappings"]
        for value, said in mapping["options"].items()
    }


def test_every_check_is_shown_by_one_board() -> None:
    shown = [check for checks in health_checks._SHOWN_BY.values() for check in checks]
    assert sorted(shown) == sorted(check.name for check in CHECKS)
    assert health_checks._SHOWN_BY.keys() <= {board.uid for board in BOARDS}


def test_green_is_healthy_alone_and_what_is_not_known_is_grey() -> None:
    found = words(PANELS["Verdict"])
    assert [found[str(state)] for state in range(5)] == [
        ("Healthy", GREEN), ("Learning", GREY), ("Blind", GREY), ("Watch", "orange"), ("Act", "red"),
    ]  # fmt: skip
    assert PANELS["Verdict"]["fieldConfig"]["defaults"]["noValue"] == "rules not loaded"
    assert PANELS["Verdict"]["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] == GREY


def test_the_timeline_tells_verdicts_from_events() -> None:
    found = words(PANELS["What happened"])
    assert len(found) == len(words(PANELS["Verdict"])) + len(health_checks._EVENTS)


def test_the_verdict_stands_first() -> None:
    first = min(PANELS.values(), key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    assert first["title"] == "Verdict"


def test_names_of_versions_are_no_numbers() -> None:
    for title in ("Features that moved most", "Alerts"):
        shown = [
            one
            for one in PANELS[title]["fieldConfig"]["overrides"]
            if "version" in one["matcher"]["options"] and {"id": "unit", "value": "string"} in one["properties"]
        ]
        assert shown, title
