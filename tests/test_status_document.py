"""docs/status-page.md says what is so: addresses, parameters, verdicts, bounds. Its commands run in tests/browser."""

import re
from pathlib import Path

import pytest
from watched_pages import chromium

from exporter.status import alarms, failing
from exporter.status.facts import BLIND, VERDICTS
from exporter.web.status import budget
from exporter.web.status.routes import ROUTES

PAGE = " ".join((Path(__file__).parents[1] / "docs" / "status-page.md").read_text().split())
OF_MODEL = {"model", "version"}


def addresses() -> dict[str, set[str]]:
    """Those of the table with their parameters; `…` is the model's."""
    found = re.findall(r"\| `(/api/v1/[a-z]+)(\?[^`]*)?` \|", PAGE)
    return {
        path: (OF_MODEL if "…" in said else set()) | set(re.findall(r"([a-z_]+)=", said)) for path, said in found
    }  # fmt: skip


def test_every_address_is_there_with_its_parameters() -> None:
    told = addresses()
    assert told.pop("/api/v1/window") == set(), "which has a page of its own"
    of_routes = {route.path: {one.name for one in route.parameters} for route in ROUTES}
    assert told.keys() == of_routes.keys()
    for path, names in of_routes.items():
        assert names - {"side"} <= told[path] <= names, path


def test_every_verdict_is_explained_with_the_alerts_that_are_blindness() -> None:
    rows = dict(re.findall(r"\| \*\*([A-Z]\w+)\*\* \|[^|]*\|([^|]*)\|", PAGE))
    assert [name.lower() for name in rows] == list(VERDICTS)
    blind = {name for name, verdict in alarms.SEEN.items() if verdict == BLIND}
    assert set(re.findall(r"`(\w+)`", rows["Blind"])) == blind


def test_its_bounds_are_ours() -> None:
    assert f"longer than successes: {failing.MOST}, of each kind the last ten" in PAGE
    assert failing.MOST_OF_KIND == 10
    rate, _ = budget.Budget()._bucket.terms
    assert rate == 0.1
    assert "one tenth of a processor, six threads and 16 MiB" in PAGE
    assert (budget._SEATS, budget._MOST_UNREAD >> 20) == (6, 16)


@pytest.mark.parametrize(("is_ci", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)])
def test_whoever_has_no_browser_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_ci: bool, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true" if is_ci else "")
    with pytest.raises(outcome, match=r"install"), chromium():
        pass
