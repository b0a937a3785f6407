"""A model's life: what is served, how it compares with other versions, how old it is, and when to train again."""

from typing import Final

from exporter.dashboards import links
from exporter.dashboards.boards import life_age, life_golden, life_loops, life_retrain, life_versions
from exporter.dashboards.pieces import Board, Row

_ROWS: Final = (
    Row("How old it is", life_age.panels),
    Row("Whether to train it again", life_retrain.panels),
    Row("Versions: stable, canary, shadow", life_versions.panels),
    Row("Known requests, and how they are answered", life_golden.panels),
    Row("What points to a feedback loop", life_loops.panels, folded=True),
)

BOARD = Board(
    links.LIFE,
    links.TITLES[links.LIFE],
    "Which version is served, is it as good as the one before, and is it time to train again?",
    list(_ROWS),
    frozenset({"version"}),
    "now-7d",
)
