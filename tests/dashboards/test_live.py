"""Every query of every dashboard, asked of a real Prometheus: with a healthy model, one that drifts and a broken one.

Minutes of the rules pass as seconds; see `board_worlds`. What finds nothing stands in `board_silences`, and why.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator

import board_answers
import board_silences
import pytest
from board_asking import Answer, Asking
from board_worlds import (
    BROKEN,
    CANARY,
    DRIFTED,
    HEALTHY,
    HOUR,
    MODELS,
    STABLE,
    STATES,
    WINDOW,
    World,
    disturb,
    world,
)
from shipped_boards import BOARDS
from support import eventually

pytestmark = pytest.mark.paced
PATIENCE_S = 150.0
QUIET = (
    "count(model_drift_evidence_ready == 1) >= 5", f'min(model_feature_window_sufficient{{window="{WINDOW}"}}) == 1',
    "min(time() - model_window_start_timestamp_seconds) > 9",
    f"count(count by (model) (model_fleet_drift_evidence_ready == 1)) == {len(MODELS)}",
)  # fmt: skip
"""What is true once a world has settled: what differs from the training data before that, in the eyes of replicas or of
the fleet's process, is taken for what has always been so."""
WRONG = tuple(f'ALERTS{{alertstate="firing",severity="critical",model="{model}"}}' for model in (DRIFTED, BROKEN))
"""What is true once all that is wrong has been noticed."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """After all has been well for a while, and wrong for another."""
    with world(tmp_path_factory.mktemp("world")) as begun:
        _until(begun, *QUIET)
        changed = disturb(begun)
        _until(changed, *WRONG)
        yield changed


def _until(scene: World, *expressions: str) -> None:
    with Asking(scene, HEALTHY) as asking:
        for one in expressions:
            eventually(lambda one=one: asking.instant(one), PATIENCE_S, one)


@pytest.fixture(scope="module")
def answers(scene: World) -> list[Answer]:
    """What every query found; one that ought to find something is asked until it does."""
    found: dict[str, Answer] = {}
    for state in STATES:
        with Asking(scene, state) as asking:
            found |= {str(one): one for one in asking.everything()}
    deadline = time.monotonic() + PATIENCE_S
    while (missing := _unexpected(found.values())) and time.monotonic() < deadline:
        for state in STATES:
            with Asking(scene, state) as asking:
                again = asking.answers(one for one in missing if one.state == state)
                found |= {str(one): one for one in again}
    return [*found.values()]


def _unexpected(found: Iterable[Answer]) -> list[Answer]:
    """What found nothing, and nobody has said so."""
    return [one for one in found if not (one.series or one.error or board_silences.why(one))]


def test_every_query_is_answered_in_numbers_and_labels_that_its_panel_can_show(answers: list[Answer]) -> None:
    assert [text for one in answers for text in board_answers.faults(one)] == []


def test_whatever_finds_nothing_is_known_to_and_finds_something_elsewhere(answers: list[Answer]) -> None:
    assert [str(one) for one in _unexpected(answers)] == []
    queries = {one.query for one in answers}
    assert queries - {one.query for one in answers if one.series} <= board_silences.never(queries)
    assert board_silences.strange(queries) == set(), "the table names what nobody asks"


def test_a_panel_has_the_columns_that_its_links_lead_by_and_no_more_lines_than_people_see(
    answers: list[Answer],
) -> None:
    of_state, of_panel = defaultdict(list), defaultdict(list)
    for one in answers:
        if one.panel:
            of_state[one.state, one.board, one.name].append(one)
            of_panel[one.board, one.name].append(one)
    sizes = {place: board_answers.size(some[0].panel, some) for place, some in of_state.items()}
    assert {place: size for place, size in sizes.items() if size > board_answers.MOST_SERIES} == {}
    assert [text for some in of_panel.values() for text in board_answers.of_rows(some[0].panel, some)] == []


def test_each_variable_offers_what_there_is(scene: World) -> None:
    offered = {"job": ["models"], "model": [*MODELS], "window": [WINDOW, HOUR]}
    for state, chosen in STATES.items():
        of_state = offered | {
            "version": [STABLE, CANARY] if chosen["model"] == DRIFTED else [STABLE],
            "feature": ["age", "amount", "colour", "visits"],
        }
        with Asking(scene, state) as asking:
            for uid, board in BOARDS.items():
                for variable in board["templating"]["list"]:
                    if variable["type"] == "query":
                        found = sorted(asking.variable(variable))
                        assert found == sorted(of_state[variable["name"]]), f"{state}, {uid}: {variable['name']}"
