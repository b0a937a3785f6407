"""What is computed of a vector."""

import numpy as np
import pytest

from exporter.scalars import vector_scalars
from exporter.scalars.vectors import Measure, rounded

RANDOM = np.random.default_rng(5)
AXES = np.linalg.qr(RANDOM.standard_normal((24, 3)))[0].T
CENTROID = RANDOM.standard_normal(24)


def expected(vector: np.ndarray) -> list[float]:
    """By the definitions, with numpy's own norms."""
    away = vector - CENTROID
    along = [float(np.dot(away, axis)) for axis in AXES]
    rest = away - sum(score * axis for score, axis in zip(along, AXES, strict=True))
    cosine = np.dot(vector, CENTROID) / np.linalg.norm(vector) / np.linalg.norm(CENTROID)
    return [float(np.linalg.norm(vector)), float(cosine), float(np.linalg.norm(rest)), *along]


def test_scalars_are_those_of_the_definitions() -> None:
    vectors = RANDOM.standard_normal((50, 24)) * 3
    found = Measure(CENTROID.tolist(), AXES.tolist())(vectors)
    assert found.shape == (50, len(vector_scalars(3)))
    np.testing.assert_allclose(found, [expected(one) for one in vectors], rtol=2e-6, atol=1e-4)


def test_neither_batches_nor_order_show_in_the_last_bit() -> None:
    vectors = RANDOM.standard_normal((300, 24)).astype(np.float32).astype(np.float64)
    measure = Measure(CENTROID.tolist(), AXES.tolist())
    whole = measure(vectors)
    one_by_one = np.concatenate([measure(vectors[place : place + 1]) for place in range(300)])
    assert (whole == one_by_one).all()
    assert (measure(vectors[::-1])[::-1] == whole).all()


def test_a_gap_makes_all_scalars_missing_and_what_is_infinite_makes_them_infinite() -> None:
    vectors = RANDOM.standard_normal((4, 24))
    vectors[1, 3], vectors[2, 0] = np.nan, np.inf
    vectors[3, 1:3] = np.nan, -np.inf
    found = Measure(CENTROID.tolist(), AXES.tolist())(vectors)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[[1, 3]]).all()
    assert np.isinf(found[2]).all()


def test_unit_vectors_of_single_precision_have_the_norm_one() -> None:
    vectors = RANDOM.standard_normal((500, 24))
    units = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32).astype(np.float64)
    assert set(Measure(CENTROID.tolist(), [])(units)[:, 0]) == {1.0}


def test_what_lies_on_the_axes_leaves_nothing_beside_them() -> None:
    found = Measure(CENTROID.tolist(), AXES.tolist())(CENTROID + RANDOM.standard_normal((20, 3)) @ AXES)
    assert (found[:, 2] == 0).all()


def test_vectors_without_length_have_no_direction() -> None:
    assert Measure([0.0, 0.0], [[1.0, 0.0]])(np.zeros((1, 2))).tolist() == [[0, 0, 0, 0]]
    assert Measure([0.0, 0.0], [])(np.array([[3.0, 4.0]])).tolist() == [[5, 0, 5]]


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -1.0, 1e300, -1e-300, 5e-324, np.inf, -np.inf])
def test_rounding_keeps_what_is_short_and_what_is_not_finite(value: float) -> None:
    found = rounded(np.array([value]))[0]
    assert found == pytest.approx(value, rel=1e-6, abs=1e-307)
