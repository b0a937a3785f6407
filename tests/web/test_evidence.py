"""Evidence on the status page, of a real monitor."""

import re

import pytest
from monitor_scenes import DECODER, FEATURES, exchange, make_profile, training_rows

from exporter import web
from exporter.collect.rendered import Rendered
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.records import Label
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.web import evidence
from exporter.web.windows import Scored

ROWS = training_rows(3000)
KNOWN = Override(dependence=1.0, wander=0.0)
CALM = Overrides(features={"*": KNOWN}, outputs={"*": KNOWN})
SINCE = "1970-01-01 00:01 UTC"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def watched(profile: Profile, said: Overrides, panes: int, times: float = 1.0, *, enable: bool = True) -> Scored:
    """After minutes of the training data's rows, amounts so many times larger from the sixth on."""
    monitor = Monitor(profile, Windows(), (), Said(said), Watching(Evidence(enable=enable)))
    for pane in range(panes):
        factor = times if pane >= 5 else 1.0
        rows = [{name: ROWS[name][at] for name in FEATURES} for at in range(100 * pane, 100 * pane + 100)]
        for row in rows:
            row["amount"] = row["amount"] and row["amount"] * factor
        one = exchange(rows, ROWS["score"][100 * pane : 100 * pane + 100], (pane + 1) * 60.0)
        monitor.observe(one, DECODER.decode(one))
    monitor.flush()
    return Scored(Label("<m>", "7"), profile, monitor.snapshot((panes + 1) * 60.0))


def cells(*models: Scored) -> list[list[str]]:
    """The rows of the table."""
    app = web.create_app(lambda: Rendered([]), lambda: ["m"])
    evidence.add(app, lambda: models)
    text = app.test_client().get("/").get_data(as_text=True)
    table = text.partition("Evidence of drift")[2]
    return [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)[1:]]


def test_a_model_that_pages_is_told_with_the_column_what_happened_to_it_and_since_when(profile: Profile) -> None:
    (row,) = cells(watched(profile, CALM, 12, times=30.0))
    assert row[:2] == ["&lt;m>", "7"]
    assert re.fullmatch(r"\d+\.\d of 10\.7 nats: pages", row[2])
    assert row[4:6] == [SINCE, "measured"]
    assert re.match(r"amount \d+\.\d \(\w+, sudden, since 1970-01-01 00:0[56] UTC\)", row[6])


def test_a_model_that_does_not_says_how_far_it_is_and_on_what_that_rests(profile: Profile) -> None:
    (calm,) = cells(watched(profile, NO_OVERRIDES, 12))
    assert re.fullmatch(r"[0-2]\.\d of 10\.7 nats", calm[2])
    assert re.fullmatch(r"0\.\d of 7\.7 nats", calm[3])
    columns = len(FEATURES) + 1
    assert calm[5] == f"careful defaults of {columns} of {columns} columns, until traffic is known"
    without = Overrides(features={"amount": Override(ignore=True)})
    (row,) = cells(watched(profile, without, 12, times=30.0))
    assert row[5] == f"careful defaults of {columns - 1} of {columns - 1} columns, until traffic is known"
    assert "amount" not in row[6]


def test_models_stand_below_each_other_and_without_evidence_there_is_no_table(profile: Profile) -> None:
    one, none = watched(profile, CALM, 2), watched(profile, CALM, 2, enable=False)
    assert len(cells(one, none, one)) == 2
    assert cells(none) == []
