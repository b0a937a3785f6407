"""What settings say of versions: which one is stable, and by which header copies of requests are known."""

import pytest

from exporter import config
from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.rollout import header_rule


def resolved(**given: str) -> Settings:
    return config.resolve(("test", {f"versions.{key}": value for key, value in given.items()}))


@pytest.mark.parametrize(("rule", "headers", "fits"), [
    ("Host=*-shadow", {"host": "churn.shop-shadow"}, True),
    ("Host=*-shadow", {"host": "churn.shop"}, False),
    ("Host=*-shadow", {}, False),
    ("Host=*-shadow", {"host": "churn.shop-shadow:8080"}, True),
    ("host=*-shadow", {"host": "[::1]-shadow:8080"}, True),
    ("Host=*-shadow:8080", {"host": "churn.shop-shadow:8080"}, True),
    ("Host=*-shadow", {"host": "churn.shop:8080"}, False),
    ("Host=*-shadow", {"host": "churn-shadow.shop:8080"}, False),
    ("X-Shadow=true", {"x-shadow": "true:1"}, False),
    ("X-Shadow", {"x-shadow": ""}, True),
    ("X-Shadow", {"x-other": "true"}, False),
    ("x-shadow=TRUE", {"x-shadow": "true"}, True),
    ("X-Shadow=true", {"x-shadow": "true, false"}, False),
    ("X-Shadow=a=b", {"x-shadow": "a=b"}, True),
])  # fmt: skip
def test_a_header_fits_where_it_is_there_and_says_that(rule: str, headers: dict[str, str], fits: bool) -> None:
    assert header_rule(rule).fits(headers) is fits


def test_the_header_is_kept_for_whoever_looks_at_it_and_travels_to_other_processes() -> None:
    settings = resolved(shadow_header="Host=*-shadow", stable="7")
    assert settings.kept_headers == ("host",)
    assert config.from_document(config.to_document(settings)) == settings
    assert Settings().kept_headers == ()
    assert Settings().versions.shadow is None


@pytest.mark.parametrize("given", ["", "=x", "X-Shadow=", "a b", "X-Shadow=\n"])
def test_what_is_no_header_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match=r"versions.shadow_header"):
        resolved(shadow_header=given)
