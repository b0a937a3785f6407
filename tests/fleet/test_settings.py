"""What `fleet` can be told, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from support import command

from exporter import fleet_command, keys
from exporter.cli import _Parser
from exporter.errors import ConfigError
from exporter.fleet.settings import Settings

URL = ("--prometheus.url", "http://127.0.0.1:9090")


def settings(*words: str, environ: dict[str, str] | None = None) -> Settings:
    parser = _Parser(allow_abbrev=False)
    fleet_command.add(parser)
    return fleet_command.settings_of(parser.parse_args([*URL, *words]), environ or {})


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("pane: 30s\nlag: 5s\nlimit: 7\nprometheus:\n  headers: [A=b=c, X-D=e]\n")
    environ = {"INFERENCE_EXPORTER_LAG": "6s", "INFERENCE_EXPORTER_LIMIT": "8", "UNRELATED": "1"}
    found = settings("--config", str(tmp_path / "f.yml"), "--limit", "9", environ=environ)
    assert (found.pane, found.lag, found.limit) == (30.0, 6.0, 9)
    assert found.prometheus.headers == ("A=b=c", "X-D=e")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ('{job="x", ns=~"a|b"}', 'job="x", ns=~"a|b"'), ('job="x"', 'job="x"'), (' { job="x", } ', 'job="x"'),
    ],
)  # fmt: skip
def test_a_selector_is_written_with_braces_or_without(given: str, meant: str) -> None:
    assert settings("--selector", given).selector == meant


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "job,model"), "must be labels that your scrape adds, not 'model'"),
        (("--by", "job,job"), "must not name a label twice"), (("--by", "a b"), "not 'a b'"),
        (("--by", "__name__"), "not '__name__'"), (("--selector", "{}"), "must be such as"),
        (("--prometheus.header", "X Y=z"), "must be NAME=VALUE"), (("--pane", "0.1ms"), "number of milliseconds"),
        (("--evidence.group-key", "session"), "evidence.group_key: cannot be had of counts"),
        (("--evidence.tolerance", "2"), "evidence.tolerance"), (("--limit", "0"), "limit"),
        (("--prometheus.bearer-token-file", "a", "--prometheus.basic-auth-file", "b"), "cannot be said beside"),
        (("--state.interval", "x"), "state.interval"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_its_name(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(*words)


def test_no_labels_are_a_fleet_of_all() -> None:
    assert settings("--by", "").by == ()
    assert settings().by == ("cluster", "namespace", "job")


def test_every_setting_has_help_and_no_name_twice() -> None:
    every: Any = keys.every_key(Settings)
    assert all(key.help for key in every)
    assert len({flag for key in every for flag in key.flags}) == sum(len(key.flags) for key in every)


def test_the_command_says_what_is_missing_and_who_cannot_be_asked() -> None:
    nobody = command("fleet")
    assert (nobody.returncode, nobody.stderr) == (
        64, "inference-exporter: --prometheus.url: which Prometheus has the exporters' series?\n",
    )  # fmt: skip
    strange = command("fleet", "--prometheus.url", "prometheus:9090")
    assert strange.returncode == 64
    assert strange.stderr.count("\n") == 1
