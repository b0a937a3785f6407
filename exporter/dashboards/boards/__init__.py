"""The shelf of dashboards: each answers one question, in a file of its own."""

from typing import Final

from exporter.dashboards.boards import feature, fleet, health, internals, life, predictions, quality, serving, truth
from exporter.dashboards.pieces import Board

BOARDS: Final[tuple[Board, ...]] = (
    health.BOARD, feature.BOARD, quality.BOARD, predictions.BOARD, truth.BOARD, life.BOARD, serving.BOARD, fleet.BOARD,
    internals.BOARD,
)  # fmt: skip
