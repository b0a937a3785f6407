"""What settings say of feedback loops."""

import pytest

from exporter.config import resolve
from exporter.errors import ConfigError

BY_HEADER = [{"name": "holdout", "header": "X-Holdout"}]


def test_a_holdout_is_one_of_the_ways_in_which_traffic_is_divided() -> None:
    given = {"segments.by": BY_HEADER, "loops.holdout.segment": "holdout", "loops.holdout.value": "true"}
    assert resolve(("test", given)).loops.holdout.value == "true"
    with pytest.raises(ConfigError, match=r"holdouts is none of segments\.by, did you mean holdout"):
        resolve(("test", given | {"loops.holdout.segment": "holdouts"}))


@pytest.mark.parametrize("word", ["segment", "value"])
def test_a_holdout_needs_both_what_says_it_and_what_it_says(word: str) -> None:
    with pytest.raises(ConfigError, match="needs both"):
        resolve(("test", {"segments.by": BY_HEADER, f"loops.holdout.{word}": "holdout"}))


@pytest.mark.parametrize(("way", "value", "words"), [
    ({"header": "X-Holdout", "values": ["true"]}, "True", "True is none of the segments of holdout, did you mean true"),
    ({"field": "lot", "edges": [0.5]}, "0.5", r"0\.5 is none of the segments of holdout"),
])  # fmt: skip
def test_a_value_that_no_segment_has_is_refused(way: dict[str, object], value: str, words: str) -> None:
    given = {"segments.by": [{"name": "holdout", **way}], "loops.holdout.segment": "holdout"}
    with pytest.raises(ConfigError, match=rf"loops\.holdout\.value: {words}"):
        resolve(("test", given | {"loops.holdout.value": value}))
    fits = "true" if "values" in way else "0.5 and above"
    assert resolve(("test", given | {"loops.holdout.value": fits})).loops.holdout.value == fits
    assert resolve(("test", given | {"loops.holdout.value": "other"})).loops.holdout.value == "other"
