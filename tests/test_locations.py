"""Places of profiles as text: what they are, what may be shown of them, and that a name stays a name."""

import pytest

from exporter import locations
from exporter.values import Fault

PIN = "#sha256=" + "aB" * 32


@pytest.mark.parametrize(("text", "scheme"), [
    ("profile.json", "file"), ("/etc/model/profile.json", "file"), ("profiles/", "file"), ("a:b/c", "file"),
    ("C:/models#1/profile.json", "file"), ("https://host/p.json", "https"), ("http://host:1/p", "http"),
    ("HTTPS://host/p.json", "https"), ("https://host", "https"), ("s3://bucket/a/b.json", "s3"),
    ("gs://bucket/b.json", "gs"), ("models:/churn/7", "models"), ("models:/churn@champion", "models"),
    ("models:/{model}/{version}", "models"), ("runs:/0a1b/model/profile.json", "runs"),
])  # fmt: skip
def test_a_place_is_known_by_how_it_begins(text: str, scheme: str) -> None:
    found = locations.parse(text)
    assert (found.scheme, found.text, found.sha256) == (scheme, text.replace("HTTPS", "https"), None)
    if "{" not in text:
        assert locations.parse(text + PIN) == found._replace(sha256="ab" * 32)
    assert locations.location(text) == text


@pytest.mark.parametrize("text", [
    "ftp://me:hunter2@host/x", "file:///etc/x", "https://", "https:///x", "https://a b/c", "s3://bucket", "s3:///key",
    "gs://", "models:/", "models:/a", "models:/a/latest/x", "models:/a/b@c", "models:/a@", "runs:/a", "runs:/a/",
    "p.json#sha256=", "p.json#sha256=" + "g" * 64, "p.json" + PIN + "0", "{model}.json" + PIN, "\ud800", "a\nb", "",
])  # fmt: skip
def test_what_is_no_place_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|can have") as caught:
        locations.location(text)
    assert not isinstance(caught.value, Fault)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("text", "shown"), [
    ("https://me:hunter2@host:8/a/p.json?X-Amz-Signature=hunter2" + PIN, "https://host:8/a/p.json?…"),
    ("http://token@host/p", "http://host/p"),
    ("https://host/p", "https://host/p"),
    ("s3://bucket/key?x=1", "s3://bucket/key?x=1"),
    ("/a/p.json" + PIN, "/a/p.json"),
    ("https://[::1/p.json?hunter2", "https://…"),
])  # fmt: skip
def test_nothing_secret_is_shown(text: str, shown: str) -> None:
    assert locations.shown(text) == shown


@pytest.mark.parametrize(("text", "expected"), [
    ("https://h/{model}/{version}.json?{model}", "https://h/a%2Fb%20%7Bversion%7D/7.json?a%2Fb%20%7Bversion%7D"),
    ("s3://b/{version}/{model}.json", "s3://b/7/a/b {version}.json"),
    ("models:/{model}/{version}", "models:/a/b {version}/7"),
    ("/p.json", "/p.json"),
])  # fmt: skip
def test_a_name_from_the_traffic_is_put_in_as_a_name(text: str, expected: str) -> None:
    found = locations.parse(text)
    assert found.of("a/b {version}", "7").text == expected
    assert found.is_template == ("{" in text)
