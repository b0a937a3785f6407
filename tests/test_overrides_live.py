"""What people say of columns, in a running sidecar: read at its start and at SIGHUP, and kept while it is broken."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from profile_tables import write_csv
from support import Metrics, Sidecar, build_profile, command, eventually, model_server, predict, sidecar

FAST = ("--windows.pane", "1s", "--windows.lengths", "60s", "--windows.snapshot-interval", "100ms")
ROWS = [{"amount": at, "town": "ab"[at % 2], "age": at % 50} for at in range(100)]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("profile")
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]} | {"p": [0.5] * len(ROWS)}
    write_csv(directory / "t.csv", columns)
    return str(build_profile(directory / "t.csv", directory / "profile.json", "--prediction", "p"))


@contextmanager
def watched(profile: str, rules: Path, text: str, *flags: str) -> Iterator[Sidecar]:
    rules.write_text(text)
    with model_server() as upstream, sidecar(
        upstream, "--profile", profile, "--overrides", str(rules), *flags, *FAST
    ) as running:  # fmt: skip
        yield running


def reload(running: Sidecar, says: str) -> None:
    lines = running.log().count(says)
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.log().count(says) > lines, what=says)


def renew(running: Sidecar) -> None:
    """Have the file read again, and wait until who still went by the old one is gone."""
    before = running.pid_of("exporter.analyser")
    reload(running, "settings reloaded, changed: overrides")
    eventually(lambda: running.pid_of("exporter.analyser") not in {0, before}, what="the next analyser")


def after(running: Sidecar, exchanges: int, outside: float) -> Metrics:
    """A page of so many exchanges, with so many amounts beyond what is allowed."""

    def look() -> Metrics | None:
        status, _ = running.get(running.web_port, "/metrics")
        metrics = running.metrics() if status == 200 else None
        found = metrics.all("model_feature_out_of_range_values_total", feature="amount") if metrics else []
        return metrics if metrics and [value for _, value in found] == [outside] else None

    page: Metrics = eventually(look, what=f"{outside} values outside after {exchanges} exchanges")
    assert page.value("inference_exporter_exchanges_observed_total") == exchanges
    return page


def test_rules_are_in_force_from_the_first_request_and_others_after_a_reload(profile: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    with watched(
        profile, rules, "features: { amount: { range: [10, 89], owner: me }, age: { ignore: true } }"
    ) as running:
        predict(running.url, ROWS)
        page = after(running, 1, 20)
        assert page.value("model_feature_out_of_range_ratio", feature="amount", window="1m") == 0.2
        assert page.value("model_feature_override_info", feature="amount", owner="me", severity="") == 1
        assert [labels["feature"] for labels, _ in page.all("model_feature_values_total")] == ["amount", "town"]
        assert page.value("model_unknown_field_values_total") == 0

        rules.write_text("features: { amount: { rnage: [10, 89] } }")
        reload(running, "settings not reloaded, those before stay: ")
        assert "features.amount.rnage: unknown key, did you mean range?" in running.log()
        assert page.value("inference_exporter_config_last_reload_successful") == 1
        predict(running.url, ROWS)
        assert after(running, 2, 40).value("inference_exporter_config_last_reload_successful") == 0

        # Who dies meanwhile comes back with what was in force, whatever the file says by now.
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="the next analyser")
        predict(running.url, ROWS)
        after(running, 3, 60)

        rules.write_text("features: { amount: { range: [0, 49] }, town: { allowed: [a] } }")
        renew(running)
        predict(running.url, ROWS)
        page = after(running, 4, 50)
        assert page.value("model_feature_out_of_range_values_total", feature="town") == 50
        assert page.value("model_feature_out_of_range_ratio", feature="amount", window="1m") == 0.5, (
            "of those it judged"
        )
        assert page.value("model_feature_values_total", feature="amount") == 400, "all else goes on"
        assert page.value("model_feature_values_total", feature="age") == 400, "what was ignored has been watched"
        assert page.all("model_feature_override_info") == []

        rules.write_text("")
        renew(running)
        assert after(running, 4, 0).all("model_feature_out_of_range_values_total", feature="town") == []
        assert running.stop() == 0


def test_whoever_dies_after_a_reload_that_changed_nothing_comes_back_with_the_same(
    profile: str, tmp_path: Path
) -> None:
    rules, salt = tmp_path / "rules.yml", tmp_path / "salt"
    salt.write_text("0123456789abcdef")
    with watched(profile, rules, "features: { amount: { range: [10, 89] } }", "--salt-file", str(salt)) as running:
        reload(running, "settings reloaded, changed: none")
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="the next analyser")
        predict(running.url, ROWS)
        after(running, 1, 20)


def test_a_rule_of_no_column_is_a_warning_live_and_an_error_for_who_checks(profile: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    with watched(profile, rules, "features: { amuont: { ignore: true }, amount: { range: [0, 9] } }") as running:
        predict(running.url, ROWS)
        after(running, 1, 90)
        assert (
            "overrides: features.amuont: no column of the profile is called so, did you mean amount?" in running.log()
        )
    result = command("check", "--profile", profile, "--overrides", str(rules), "--upstream", "http://127.0.0.1:9")
    assert result.returncode == 64
    assert f"{rules}: features.amuont: no column of the profile is called so" in result.stderr
    rules.write_text("features: { amount: { range: [0, 9] } }")
    result = command("check", "--profile", profile, "--overrides", str(rules), "--upstream", "http://127.0.0.1:9")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"{rules}: fine, 1 rules" in result.stdout


@pytest.mark.parametrize(("text", "words"), [
    ("features: [", "not YAML"), ("features: { a: { severity: loud } }", "features.a.severity: must be ignore, ticket"),
    (None, "overrides: cannot read"),
])  # fmt: skip
def test_a_file_that_is_broken_at_the_start_is_named(
    profile: str, tmp_path: Path, text: str | None, words: str
) -> None:
    rules = tmp_path / "rules.yml"
    if text is not None:
        rules.write_text(text)
    result = command("serve", "--upstream", "http://127.0.0.1:9", "--profile", profile, "--overrides", str(rules))
    assert (result.returncode, result.stderr.count("\n")) == (64, 1)
    assert words in result.stderr
    assert str(rules) in result.stderr
