"""Whatever leads to a dashboard from outside leads to one that there is, and chooses what can be chosen there."""

import re
from collections.abc import Iterator

from shipped_boards import BOARDS, ROOT

TO_BOARD = re.compile(r"/d/([\w-]+)")
CHOSEN = re.compile(r"[?&]var-(\w+)=")
SAID = [ROOT / "README.md", *ROOT.glob("alert_rules/*.*"), *ROOT.glob("alert_rules/sources/*"), *ROOT.glob("docs/*.md"),
        ROOT / "exporter" / "rules" / "phrases.py"]  # fmt: skip


def lines() -> Iterator[tuple[str, str]]:
    """Lines of what is shipped that lead to a dashboard or choose something there."""
    for path in SAID:
        for number, line in enumerate(path.read_text().splitlines()):
            if TO_BOARD.search(line) or CHOSEN.search(line):
                yield f"{path.relative_to(ROOT)}:{number + 1}", line


def test_alerts_lead_to_dashboards_that_there_are_and_choose_what_can_be_chosen() -> None:
    found = dict(lines())
    assert any(place.startswith("alert_rules/drift.rules.yml") for place in found)
    chosen: set[str] = set()
    for place, line in found.items():
        assert {*TO_BOARD.findall(line)} <= BOARDS.keys(), f"{place}: {line}"
        chosen |= {*CHOSEN.findall(line)}
    assert {"model", "version"} <= chosen
    for board in BOARDS.values():
        assert chosen <= {variable["name"] for variable in board["templating"]["list"]}
