"""Settings of `retrain`: what they take, what they refuse, and what `check` says of their files."""

from pathlib import Path

import pytest
from support import command

from exporter import config
from exporter.errors import ConfigError
from exporter.retraining import Retrain


def test_a_mapping_of_headers_is_taken_from_files_and_from_json() -> None:
    expected = (("x-api-key", "/run/key"),)
    for said in ({"X-Api-Key": "/run/key"}, '{"X-Api-Key": "/run/key"}', [["x-api-key", "/run/key"]]):
        assert config.resolve(("file", {"retrain.header_files": said})).retrain.header_files == expected


@pytest.mark.parametrize(("key", "value", "words"), [
    ("retrain.url", "ftp://x/", "http://HOST"), ("retrain.url", "http://", "http://HOST"),
    ("retrain.url", "https://u:hunter2@x/", "bearer_token_file"), ("retrain.url", "http://x/ y", "http://HOST"),
    ("retrain.header_files", '{"Webhook-Id": "/x"}', "how it is signed"), ("retrain.header_files", "{", "mapping"),
    ("retrain.header_files", [1], "mapping"), ("retrain.header_files", ["ab"], "mapping"),
    ("retrain.header_files", [[["x"], "/x"]], "mapping"),
    ("retrain.reasons", "drfit", "did you mean drift"), ("retrain.advice", "wait", "any of"),
    ("retrain.alerts", "true", "nobody is asked"), ("retrain.max_backoff", "1s", "shorter than backoff"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_without_telling_a_secret(key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        config.resolve(("flags", {key: value}))
    assert "hunter2" not in str(caught.value)


def test_nobody_is_asked_by_default_and_a_dry_run_needs_no_address() -> None:
    assert not Retrain().enable
    assert Retrain(dry_run=True).enable
    assert Retrain(url="http://x/", alerts=True).enable


def test_check_names_a_file_of_a_secret_that_cannot_be_used(tmp_path: Path) -> None:
    flags = ("check", "--upstream", "http://127.0.0.1:1", "--retrain.url", "http://x/", "--retrain.secret-file")
    (tmp_path / "short").write_text("whsec_YWJj")
    for name, words in (("gone", "No such file"), ("short", "24 to 64 bytes")):
        result = command(*flags, str(tmp_path / name))
        assert result.returncode == 64
        assert words in result.stderr
        assert str(tmp_path / name) in result.stderr
