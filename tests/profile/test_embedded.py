"""Embeddings: a sample that neither order nor partition change, bins that every row is counted in, drift that shows."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.config import Windows
from exporter.drift import STATISTICS
from exporter.errors import ConfigError, DataError
from exporter.monitor import Monitor
from exporter.profile import document
from exporter.profile.build import Plan, build, build_frame, build_like
from exporter.profile.sample import Sample
from exporter.records import Body, Capture, Exchange, Observation, Table
from exporter.reference import NONFINITE, Profile
from exporter.scalars import vector_scalars
from exporter.scalars.vectors import Measure

WIDE = 32
BASIS = np.linalg.qr(np.random.default_rng(1).standard_normal((WIDE, WIDE)))[0]
SPREAD = np.concatenate(([4.0, 3.0, 2.0], np.full(WIDE - 3, 0.3)))
CENTRE = np.random.default_rng(2).standard_normal(WIDE)
BODY = Body(0, Capture.WHOLE, b"")


def vectors(count: int, seed: int) -> Any:
    """Around a centre, most of the variance along three directions."""
    return CENTRE + (np.random.default_rng(seed).standard_normal((count, WIDE)) * SPREAD) @ BASIS.T


def arrays(given: Any) -> dict[str, Any]:
    random = np.random.default_rng(3)
    return {
        "amount": random.standard_normal(len(given)),
        **{f"emb_{place}": given[:, place] for place in range(WIDE)},
        "p": random.random(len(given)),
    }


def built(given: Any, **plan: Any) -> Profile:
    return build_frame(arrays(given), Plan(predictions=["p"], embeddings={"vector": "emb_*"}, **plan))[0]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return built(vectors(20_000, 5))


def test_an_embedding_is_its_scalars_and_its_columns_are_fields(profile: Profile) -> None:
    assert [column.name for column in profile.features] == [
        "amount", *(f"vector.{scalar}" for scalar in vector_scalars(len(profile.embeddings[0].axes)))
    ]  # fmt: skip
    assert profile.inputs == ("amount", *(f"emb_{place}" for place in range(WIDE)))
    assert profile.embeddings[0].fields == profile.inputs[1:]
    assert len(profile.embeddings[0].axes) >= 3


def test_the_axes_are_the_directions_of_the_variance(profile: Profile) -> None:
    axes = np.array(profile.embeddings[0].axes)
    for place in range(3):
        assert abs(axes[place] @ BASIS[:, place]) > 0.99
        assert profile.features[4 + place].sd == pytest.approx(SPREAD[place], rel=0.03)
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-5)
    np.testing.assert_allclose(profile.embeddings[0].centroid, CENTRE, atol=0.3)


def test_every_row_is_counted_in_the_bins_and_the_outer_edges_are_the_extremes(profile: Profile) -> None:
    one = profile.embeddings[0]
    scalars = Measure(one.centroid, one.axes)(vectors(20_000, 5))
    for at, column in enumerate(profile.features[1:]):
        expected = np.histogram(scalars[:, at], [*column.edges])[0]
        assert column.counts[1 : len(column.edges)] == tuple(expected.tolist())
        assert sum(column.counts) == 20_000
        assert (column.minimum, column.maximum) == (scalars[:, at].min(), scalars[:, at].max())
        assert column.edges[0] == column.minimum
        assert column.mean == pytest.approx(scalars[:, at].mean(), rel=1e-9, abs=1e-9)


def test_neither_order_nor_batches_change_a_byte(profile: Profile) -> None:
    columns = arrays(vectors(20_000, 5))
    order = np.random.default_rng(9).permutation(20_000)
    shuffled = {name: cells[order] for name, cells in columns.items()}
    batches = [{name: cells[at : at + 3001] for name, cells in shuffled.items()} for at in range(0, 20_000, 3001)]
    plan = Plan(predictions=["p"], embeddings={"vector": "emb_*"})
    assert document.describe(build_frame(batches, plan)[0]) == document.describe(profile)


def test_a_sample_is_that_of_the_whole_however_it_is_merged() -> None:
    given = np.repeat(vectors(6000, 7), 2, axis=0)
    whole, merged = Sample(WIDE), Sample(WIDE)
    whole.update(given)
    for place in (2, 0, 1):
        part = Sample(WIDE)
        for at in range(0, len(given), 700):
            part.update(given[at : at + 700][place::3])
        merged.merge(part)
    assert (merged.hashes == whole.hashes).all()
    assert (merged.vectors == whole.vectors).all()
    assert (merged.times == whole.times).all()
    assert set(whole.times.tolist()) == {2}
    assert len(whole.hashes) == 4096
    assert whole.complete == merged.complete == 12_000


def test_the_memory_of_a_sample_is_bounded() -> None:
    sample = Sample(4096)
    assert sample.most * 4096 * 8 <= 64 << 20
    for seed in range(3):
        sample.update(np.random.default_rng(seed).standard_normal((1000, 4096)))
    assert sample.vectors.nbytes <= 64 << 20


def test_rows_with_a_gap_are_missing_and_fit_nothing() -> None:
    given = vectors(3000, 11)
    given[::10, 4] = np.nan
    found = built(given)
    for column in found.features[1:]:
        assert column.counts[14] == 300
        assert sum(column.counts) == 3000


def test_what_chance_alone_would_make_an_axis_is_none() -> None:
    found = built(np.random.default_rng(13).standard_normal((600, WIDE)))
    assert found.embeddings[0].axes == ()


def test_a_profile_of_an_embedding_is_read_as_it_was_written_and_counts_like_itself(tmp_path: Path) -> None:
    columns = arrays(vectors(2000, 17).round(6))
    with (tmp_path / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(cells.tolist() for cells in columns.values()), strict=True))
    plan = Plan(str(tmp_path / "t.csv"), ["p"], embeddings={"vector": "emb_*"})
    made, _ = build(plan)
    saved = document.save(made, str(tmp_path / "p.json"))
    assert document.load(str(tmp_path / "p.json")) == saved
    again = build_like(Plan(str(tmp_path / "t.csv")), saved)
    assert [column.counts for column in again.features] == [column.counts for column in saved.features]


@pytest.mark.parametrize(("embeddings", "words"), [
    ({"v": "nothing*"}, "--embedding v=nothing.*: 0 columns fit"),
    ({"v": "emb_*", "w": "emb_1*"}, "column 'emb_1' is one of 'v' already"),
    ({"amount": "emb_*"}, "a column is called 'amount'"),
])  # fmt: skip
def test_patterns_that_cannot_be_are_refused(embeddings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build_frame(arrays(vectors(50, 1)), Plan(predictions=["p"], embeddings=embeddings))


def test_a_table_that_holds_no_vector_is_refused() -> None:
    columns = arrays(vectors(50, 1))
    with pytest.raises(DataError, match="'emb_3' is of an embedding and holds what is no number"):
        build_frame(columns | {"emb_3": np.array(["x"] * 50)}, Plan(predictions=["p"], embeddings={"vector": "emb_*"}))
    gaps = {name: np.where(np.arange(50) % 2, cells, np.nan) for name, cells in columns.items()}
    gaps["emb_0"] = np.where(np.arange(50) % 2, np.nan, columns["emb_0"])
    with pytest.raises(DataError, match="no row has a number in each of its 32 columns"):
        build_frame(gaps, Plan(predictions=["p"], embeddings={"vector": "emb_*"}))
    with pytest.raises(ConfigError, match="can be read only once"):
        build_frame(iter([columns]), Plan(predictions=["p"], embeddings={"vector": "emb_*"}))


# --- drift


def drifted(profile: Profile, given: Any) -> set[str]:
    """Scalars whose PSI is beyond its critical value in a window of these vectors."""
    monitor = Monitor(profile, Windows(), ())
    cells = (given[:, 0] * 0, *(given[:, place] for place in range(WIDE)))
    table = Table(len(given), profile.inputs, tuple(column.tolist() for column in cells))
    exchange = Exchange(10**9, 10**9, 10**6, 200, "POST", "/", {}, {}, BODY, BODY)
    monitor.observe(exchange, Observation(table, None))
    monitor.flush()
    features = monitor.snapshot(1.0).features
    assert features is not None
    scores = features.scores[0]
    assert "psi" in STATISTICS
    beyond = scores.values["psi"] > scores.critical["psi"]
    return {column.name for column, one in zip(profile.features, beyond, strict=True) if one} - {"amount"}


def test_a_shift_along_an_axis_shows_in_its_score(profile: Profile) -> None:
    assert "vector.axis_2" in drifted(profile, vectors(1500, 21) + 0.5 * SPREAD[1] * BASIS[:, 1])


def test_another_scale_shows_in_norm_or_residual(profile: Profile) -> None:
    assert drifted(profile, vectors(3000, 22) * 1.06) & {"vector.norm", "vector.residual"}


def test_a_cluster_off_the_subspace_shows_in_the_residual(profile: Profile) -> None:
    given = vectors(3000, 23)
    given[:90] += 6 * BASIS[:, 20]
    assert "vector.residual" in drifted(profile, given)


def test_vectors_like_those_of_the_training_are_within_chance(profile: Profile) -> None:
    found = [name for seed in range(100, 140) for name in drifted(profile, vectors(1000, seed))]
    assert len(found) <= 4, "once in 1000 windows each, of 40 windows of some ten scalars"


def test_after_few_rows_vectors_are_within_chance_too() -> None:
    few = built(vectors(1500, 31))
    found = [name for seed in range(200, 220) for name in drifted(few, vectors(1500, seed))]
    assert len(found) <= 4


def test_vectors_that_are_all_alike_have_no_axes() -> None:
    alike = np.tile(np.linspace(0.1, 0.7, WIDE), (500, 1))
    assert built(alike).embeddings[0].axes == ()


def test_vectors_too_long_to_be_measured_neither_count_nor_break_anything() -> None:
    many = vectors(5000, 5)
    many[::50] *= 1e200
    found = built(many)
    assert len(found.embeddings[0].axes) == len(built(vectors(5000, 5)).embeddings[0].axes)
    assert {column.counts[NONFINITE] for column in found.features if column.scalar == "norm"} == {100}
    with pytest.raises(DataError, match="all are too large"):
        built(vectors(100, 5) * 1e200)


def test_no_column_is_declared_an_embedding() -> None:
    with pytest.raises(ConfigError, match="--kind amount=embedding: must be COLUMN=KIND with a kind of numeric, "):
        built(vectors(100, 5), kinds={"amount": "embedding"})
