"""Planned windows as people write them, as they travel, and what is wrong with them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from exporter import config
from exporter.planned_windows import PlannedWindow, planned_windows
from exporter.profile import strict_yaml
from exporter.values import Fault

SALE = {"name": "sale", "from": "2026-11-27T00:00", "to": "2026-11-30T00:00", "zone": "Europe/Berlin"}
NIGHT = {"name": "night", "days": ["mon", "sun"], "from": "22:00", "to": "02:00"}
CLOSE = {"name": "close", "monthdays": [1, -1], "from": "00:00", "to": "24:00"}


def fault(**more: object) -> str:
    """What is wrong with the second of two windows."""
    given = {key: value for key, value in {**SALE, **more}.items() if value is not None}
    with pytest.raises(Fault) as caught:
        planned_windows([SALE, given])
    return f"{caught.value.path}: {caught.value}"


def test_windows_are_once_or_by_days_of_the_week_or_of_the_month() -> None:
    assert planned_windows([SALE, NIGHT, CLOSE]) == (
        PlannedWindow("sale", "2026-11-27T00:00:00", "2026-11-30T00:00:00", "Europe/Berlin"),
        PlannedWindow("night", "22:00", "02:00", "UTC", ("mon", "sun")),
        PlannedWindow("close", "00:00", "24:00", "UTC", (), (1, -1)),
    )


def test_text_is_json_and_an_empty_one_is_no_window() -> None:
    assert planned_windows(json.dumps([SALE, NIGHT])) == planned_windows([SALE, NIGHT])
    assert planned_windows("") == planned_windows("[]") == ()
    with pytest.raises(ValueError, match=r"must be JSON such as .*, not 'sale'"):
        planned_windows("sale")


def test_windows_travel_to_child_processes_as_lists() -> None:
    windows = planned_windows([SALE, NIGHT, CLOSE])
    assert planned_windows(json.loads(json.dumps(windows))) == windows


def test_a_date_that_yaml_has_made_of_a_text_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "exporter.yml"
    file.write_text("- {name: sale, from: 2026-11-27, to: 2026-11-30 12:00:00}\n")
    (window,) = planned_windows(strict_yaml.load(file.read_text()))
    assert (window.begins, window.ends) == ("2026-11-27T00:00:00", "2026-11-30T12:00:00")


def test_a_time_of_day_that_yaml_has_made_a_number_of_says_how_to_write_it() -> None:
    given = strict_yaml.load("{name: noon, days: [mon], from: 12:00, to: 13:00}")
    with pytest.raises(Fault, match=r'must be a time of day in quotes such as "02:00" .* not 720'):
        planned_windows([given])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"zone": "Europe/Berln"}, "[1].zone: no time zone is called 'Europe/Berln' here, did you mean Europe/Berlin?"),
        ({"zone": "+01:00"}, "[1].zone: no time zone is called"),
        ({"zone": "../etc/passwd"}, "[1].zone: no time zone is called"),
        ({"zone": 1}, "[1].zone: must be the name of a time zone"),
        ({"nmae": 1}, "[1].nmae: unknown key, did you mean name?"),
        ({"name": None}, "[1].name: must be there"),
        ({"to": None}, "[1].to: must be there"),
        ({"name": "a\nb"}, "[1].name: must be text"),
        ({"to": "2026-11-27T00:00"}, "[1].to: must be after from, 2026-11-27T00:00:00"),
        ({"from": "2026-02-30"}, "[1].from: must be a local time such as"),
        ({"from": "2026-11-27T00:00+01:00"}, "[1].from: must be a local time such as"),
        ({"from": "02:00", "to": "04:00"}, "[1].from: must be a local time such as"),
        ({"days": ["mon"]}, "[1].from: must be a time of day in quotes"),
        ({**NIGHT, "from": "24:00"}, '[1].from: must be "00:00" of the next day'),
        ({**NIGHT, "to": "22:00"}, "[1].to: must be another time than from"),
        ({**NIGHT, "to": "25:00"}, "[1].to: must be a time of day"),
        ({**NIGHT, "days": ["mon", "Sunday"]}, "[1].days[1]: must be one of mon, tue"),
        ({**NIGHT, "days": [["mon"]]}, "[1].days[0]: must be one of mon, tue"),
        ({**NIGHT, "days": []}, "[1].days: must be a list that is not empty"),
        ({**NIGHT, "days": "mon"}, "[1].days: must be a list"),
        ({**NIGHT, "days": ["mon", "mon"]}, "[1].days: one day is there twice"),
        ({**NIGHT, "monthdays": [1]}, "[1].monthdays: has no meaning beside days"),
        ({**CLOSE, "monthdays": [0]}, "[1].monthdays[0]: must be 1 to 31, or -1 to -31"),
        ({**CLOSE, "monthdays": [1, 32]}, "[1].monthdays[1]: must be 1 to 31"),
        ({**CLOSE, "monthdays": [True]}, "[1].monthdays[0]: must be 1 to 31"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(more: dict[str, Any], words: str) -> None:
    assert fault(**more).startswith(words)


@pytest.mark.parametrize("given", [5, {"name": "sale"}, ["sale"], [["sale"] * 5], [None]])
def test_what_is_no_list_of_mappings_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must "):
        planned_windows(given)


def test_there_is_a_limit() -> None:
    with pytest.raises(ValueError, match="must not be more than 64"):
        planned_windows([SALE] * 65)


def test_the_windows_of_the_page_can_be_used_and_travel_as_they_are() -> None:
    text = (Path(__file__).parents[1] / "docs" / "planned.md").read_text()
    [block] = [part for part in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "planned:" in part]
    found = config.resolve(("file", config.flatten(strict_yaml.load(block), "file")))
    assert [window.name for window in found.evidence.planned] == ["black friday", "backfill", "month end"]
    assert found.kept_headers == ("x-session",)
    assert config.from_document(json.loads(json.dumps(config.to_document(found)))) == found
