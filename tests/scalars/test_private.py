"""What columns are called whose names are nobody's business."""

import hashlib
import hmac

import pytest

from exporter.privacy import Patterns, Privacy
from exporter.scalars.private import DENIED, Private
from exporter.scalars.salted import Salt
from exporter.segmentations import Segmentation

SECRET = b"sixteen bytes, or more of them"
SALT = Salt(SECRET + b"\n")


def hashed(name: str) -> str:
    return "h_" + hmac.new(SECRET, name.encode(), hashlib.sha256).hexdigest()[:16]


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("ssn", ["ssn", "ssn[0]", "ssn[3][12]"], ["SSN", "ssn2", "my ssn", "ssn.x", "ssn[", ""]),
        ("geo.*", ["geo.", "geo.lat", "geo.lat[1]"], ["geo", "geography", "xgeo.lat"]),
        ("*", ["", "a", "a\nb"], []),
        ("v[1]", ["v[1]"], ["v", "v[2]", "v1"]),
        ("a?[b]", ["a?[b]"], ["ab", "axb"]),
        ("*_id", ["_id", "user_id", "user_id[0]"], ["user_ids"]),
    ],
)
def test_a_pattern_fits_names_with_anything_for_a_star_and_their_elements(
    pattern: str, fits: list[str], does_not: list[str]
) -> None:
    patterns = Patterns([pattern])
    assert [name for name in (*fits, *does_not) if patterns.fit(name)] == fits


def test_a_hashed_name_is_what_openssl_makes_of_it_and_an_element_keeps_its_place() -> None:
    private = Private(Privacy(hash=("geo*", "v[1]")), SALT)
    assert private.name("geo.lat") == hashed("geo.lat")
    assert private.name("geo[7]") == hashed("geo") + "[7]"
    assert private.name("v[1]") == hashed("v[1]")
    assert private.name("v") == "v"


def test_what_is_denied_has_no_name_even_where_it_would_be_hashed() -> None:
    private = Private(Privacy(deny=("ssn",), hash=("*",)), SALT)
    assert private.name("ssn") == private.name("ssn[0]") == DENIED
    assert private.denies("ssn[0]")
    assert private.name("other") == hashed("other")


def test_what_is_hashed_once_stays_as_it_is() -> None:
    private = Private(Privacy(hash=("*",)), SALT)
    for name in ("a", "a[1]", "a\0b", "\ud800"):
        once = private.name(name)
        assert once != name
        assert private.name(once) == once
        assert private.hashes(once)
    assert private.name(hashed("a") + ".length") == hashed("a") + ".length"


def test_without_a_salt_nothing_is_hashed() -> None:
    private = Private(Privacy(deny=("b",), hash=("*",)), None)
    assert [private.name(name) for name in "ab"] == ["a", DENIED]
    assert not private.hashes("a")


def test_a_way_to_divide_traffic_is_called_like_its_field_unless_people_call_it_otherwise() -> None:
    private = Private(Privacy(hash=("country", "X-Tenant")), SALT)
    assert private.segmentation(Segmentation("country", "country")) == Segmentation(
        hashed("country"), hashed("country")
    )
    assert private.segmentation(Segmentation("land", "country")) == Segmentation("land", hashed("country"))
    of_header = Segmentation("x-tenant", "", "x-tenant")
    assert private.segmentation(of_header) == Segmentation(hashed("x-tenant"), "", "x-tenant")
    assert private.segmentation(Segmentation("tenant", "", "x-tenant")) == Segmentation("tenant", "", "x-tenant")
    for said in (Segmentation("land", "country"), of_header, Segmentation("country", "", "x-other")):
        assert private.hashes_values(said)
        assert private.hashes_values(private.segmentation(said))
    assert not private.hashes_values(Segmentation("kind", "kind"))
