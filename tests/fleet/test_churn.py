"""A fleet whose replicas come and go, without HTTP: pooled counts find drift as soon as one exporter that sees all."""

import fleet_delay
import numpy as np
import pytest


@pytest.mark.parametrize(("rate", "share"), [(50.0, 0.18), (500.0, 0.13)])
def test_drift_is_found_as_soon_as_by_one_exporter_that_sees_all(rate: float, share: float) -> None:
    runs = [fleet_delay.run(seed, rate, share, minutes=60) for seed in range(fleet_delay.WITH_MEAN, 10)]
    pooled, one = (np.array([each[way] for each in runs]) for way in ("pooled", "one"))
    assert (one > 0).all(), "no page before"
    assert np.median(pooled) <= 1.5 * np.median(one)


def test_replicas_that_come_and_go_at_the_edge_of_the_tolerance_do_not_page() -> None:
    for seed, rate in ((7, 50.0), (8, 500.0)):
        nats = [each["pooled"] for each in fleet_delay.evidence(seed, rate, 0.03, minutes=400)]
        assert max(nats) < fleet_delay.engine().terms.page.threshold
