"""Where the model server's own metrics are, as settings say it."""

import pytest

from exporter import cli, config
from exporter.errors import ConfigError

UPSTREAM = "http://127.0.0.1:8000"


def _settings(where: str, **more: object) -> config.Settings:
    return config.resolve(("test", {"upstream": UPSTREAM, "merge.upstream_metrics": where} | more))


@pytest.mark.parametrize(("where", "place", "host", "path"), [
    ("/metrics", ("127.0.0.1", 8000), "127.0.0.1:8000", "/metrics"),
    ("/m?x=1", ("127.0.0.1", 8000), "127.0.0.1:8000", "/m?x=1"),
    ("http://127.0.0.1:8002", ("127.0.0.1", 8002), "127.0.0.1:8002", "/metrics"),
    ("http://127.0.0.1:8002/", ("127.0.0.1", 8002), "127.0.0.1:8002", "/"),
    ("http://[::1]:8002/a/b", ("::1", 8002), "[::1]:8002", "/a/b"),
    ("https://model/metrics", ("model", 443), "model", "/metrics"),
    ("unix:/run/m.sock", "/run/m.sock", "localhost", "/metrics"),
    ("unix:/run/m.sock:/stats/prometheus", "/run/m.sock", "localhost", "/stats/prometheus"),
])  # fmt: skip
def test_it_is_a_path_on_the_upstream_or_an_address(where: str, place: object, host: str, path: str) -> None:
    found = _settings(where).merged
    assert found is not None
    assert (found.place, found.host, found.path) == (place, host, path)
    assert config.from_document(config.to_document(_settings(where))).merged == found


@pytest.mark.parametrize("where", [
    "metrics", "ftp://model/metrics", "http://", "http://a:b@model/metrics", "/with blank", "/part#fragment", "/ümlaut",
    "http://model:99999/metrics", "http://model/a b", "unix:", "unix:/run/:/x", "http://model?x=1", "/a\r\nX: y", "",
])  # fmt: skip
def test_what_is_no_address_is_refused_in_words(where: str) -> None:
    with pytest.raises(ConfigError, match=r"merge\.upstream_metrics: must be a path such as /metrics"):
        _settings(where)


@pytest.mark.parametrize("where", [
    "http://127.0.0.1:8080/metrics", "http://localhost:8080", "http://localhost:9877/metrics", "http://[::1]:9878/metrics",
])  # fmt: skip
def test_it_never_leads_to_an_address_of_ours(where: str) -> None:
    with pytest.raises(ConfigError, match=r"merge\.upstream_metrics: .* is an address of this exporter itself"):
        _settings(where)


def test_without_a_server_a_path_is_on_nobody_yet() -> None:
    assert config.resolve(("test", {"merge.upstream_metrics": "/metrics"})).merged is None
    assert config.resolve(("test", {})).merged is None


@pytest.mark.parametrize(("words", "said"), [
    (["--merge-upstream-metrics"], "merge: /metrics of http://127.0.0.1:8000, at most 10,000 series beside ours\n"),
    (["--merge-upstream-metrics", "--workers", "2"], "merge: /metrics of http://127.0.0.1:8000, "),
    (["--merge-upstream-metrics", "http://127.0.0.1:8002"], "merge: /metrics of http://127.0.0.1:8002, "),
    (["--merge.upstream-metrics", "/m", "--merge.max-series", "9"], "merge: /m of http://127.0.0.1:8000, at most 9 "),
])  # fmt: skip
def test_the_flag_may_stand_alone_and_check_says_what_is_asked(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", "--upstream", UPSTREAM, *words]) == 0
    assert said in capsys.readouterr().out


def test_check_says_where_it_does_not_know_the_server_and_what_cannot_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["check", "--merge-upstream-metrics"]) == 0
    assert "merge: which server is not known yet\n" in capsys.readouterr().out
    words = ["--merge-upstream-metrics", "https://model", "--upstream-tls.ca-file", "/nowhere"]
    assert cli.main(["check", "--upstream", UPSTREAM, *words]) == 64
    assert "upstream_tls.ca_file: cannot read /nowhere" in capsys.readouterr().err
