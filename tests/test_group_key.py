"""By what requests belong together, as people write it, as it travels, and what is wrong with it."""

import json

import pytest

from exporter.segmentations import Segmentation, grouped_by
from exporter.values import Fault


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("session", Segmentation("session", "session")),
        ({"header": "X-Session"}, Segmentation("X-Session", "", "x-session")),
        ({"field": "user.id"}, Segmentation("user.id", "user.id")),
        ({"name": "visit", "field": "session"}, Segmentation("visit", "session")),
        ('{"name": "visit", "header": "X-Visit"}', Segmentation("visit", "", "x-visit")),
    ],
)
def test_it_is_a_field_or_a_header_and_needs_no_name(written: object, meant: Segmentation) -> None:
    found = grouped_by(written)
    assert found == meant
    assert grouped_by(json.loads(json.dumps(found))) == meant  # as it travels to child processes


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"name": "a", "values": ["x"]}, "values", "has no meaning here: a group is of one value"),
        ({"name": "a", "edges": [1]}, "edges", "has no meaning here"),
        ({"field": "a", "header": "b"}, "header", "has no meaning beside field"),
        ({"header": "X Session"}, "header", "must be the name of a header"),
        ({"feild": "a"}, "feild", "unknown key, did you mean field?"),
        ({}, "name", "must be text"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(given: object, path: str, words: str) -> None:
    with pytest.raises(Fault) as caught:
        grouped_by(given)
    assert caught.value.path == path
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("given", [5, ["a"], "{session", True])
def test_what_is_neither_a_name_nor_a_mapping_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be "):
        grouped_by(given)
