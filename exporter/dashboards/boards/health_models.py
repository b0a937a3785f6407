"""Of the health board: all models, of which there may be one or fifty."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.boards.health_checks import NOT_LOADED, VERDICTS
from exporter.dashboards.looks import by_name
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import rate, recorded

_BY = "job, model"


def panels() -> Iterator[Panel]:
    """One line for each, the worst on top."""
    check = recorded("model_check:model_health:state", model="*")
    asked = (
        (f"max by ({_BY}) ({recorded('model:model_health:state', model='*')})", "verdict"),
        (f"1000 * min by ({_BY}) ({recorded('model:model_health:timestamp', model='*')})", "since"),
        (f"topk by ({_BY}) (1, max by ({_BY}, check) ({check}) > 0)", "of check"),
        (f"count by ({_BY}) (max by ({_BY}, check) ({check}) >= 3) or 0 * max by ({_BY}) ({check})", "checks failed"),
        (f"sum by ({_BY}) ({rate(c.REQUESTS, model='*', model_version='*')})", "requests"),
        (f"min by ({_BY}) ({recorded('model:model_rows_observed:ratio1h', model='*')})", "rows seen"),
    )
    names = {f"Value #{chr(ord('A') + place)}": title for place, (_, title) in enumerate(asked)}
    order = ["model", "job", "Value #A", "Value #B", "check", "Value #D", "Value #E", "Value #F"]
    chosen = links.to(links.HEALTH, "Show this model", model=links.OF_FIELD % "model", job=links.OF_FIELD % "job")
    yield Panel(
        "table", "Models", "Each model of the chosen jobs, worst first, with the check that is worst. Choose one to see"
        " it above.", "none", [Query(*one) for one in asked], 24, 8, {"noValue": NOT_LOADED},
        {},
        [
            by_name("verdict", mappings=VERDICTS["mappings"], custom_width=100,
                    custom_cellOptions={"type": "color-background", "mode": "basic"}),
            by_name("since", unit="dateTimeFromNow"), by_name("model", links=[chosen], unit="string"),
            by_name("job", unit="string"), by_name("worst check", unit="string", noValue="all pass"),
            by_name("requests", unit="reqps"), by_name("rows seen", unit="percentunit", decimals=0),
        ],
        [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": True, "Value #C": True},
                "indexByName": {name: place for place, name in enumerate(order)},
                "renameByName": names | {"check": "worst check"},
            }},
            {"id": "sortBy", "options": {"sort": [{"desc": True, "field": "verdict"}]}},
        ],
    )  # fmt: skip
