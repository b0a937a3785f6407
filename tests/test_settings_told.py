"""docs/settings.md: every setting once, as the settings themselves have it."""

import re
from pathlib import Path

from exporter import config, settings_told

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
ROW = re.compile(r"^\| `([\w.]+)` \| (?:`(.*?)`)? \| (.*) \| (.*) \|$", re.MULTILINE)


def test_the_page_is_the_printed_one() -> None:
    assert PAGE.read_text() == settings_told.FORMATS["markdown"](), "run: make docs"


def test_every_setting_has_one_row_with_all_there_is_to_say() -> None:
    rows = {name: rest for name, *rest in ROW.findall(settings_told.markdown())}
    keys = config.every_key()
    assert list(rows) == [key.name for key in keys]
    for key in keys:
        default, text, ways = (cell.replace("\\|", "|") for cell in rows[key.name])
        assert (default, text) == (key.default or "", key.help)
        assert {*key.flags, *key.switches, key.environment} == {*re.findall(r"`(.*?)`", ways)}


def test_every_section_says_what_it_is_and_where_more_is_told() -> None:
    for part in settings_told.markdown().split("\n## ")[1:]:
        name, words = part.splitlines()[0].strip("`"), part.split("\n\n")[1]
        assert "More in [" in words or name in {"health", "analyser"}
        assert name == "The sidecar" or not words.startswith(("More", "|"))
