"""What `check` says ahead is what the page will be, and who reads what is not there."""

import re
from pathlib import Path

import pytest
from made_profiles import profile_of
from support import command, eventually, sidecar

from exporter import config, series_told
from exporter.budget import shape
from exporter.budget.plan import plan
from exporter.budget.switches import switched_off
from exporter.errors import ConfigError
from exporter.override import NO_OVERRIDES
from exporter.profile import document


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = str(tmp_path_factory.mktemp("profile") / "profile.json")
    document.save(profile_of(100), file)
    return file


def told(path: str, *words: str) -> str:
    done = command("check", "--upstream", "http://127.0.0.1:9", "--profile", path, *words)
    assert done.returncode == 0, done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("series: "))


def expected(path: str, **flags: object) -> int:
    settings = config.resolve(("flags", {"upstream": "http://127.0.0.1:9", **flags}))
    of = shape.of(settings)
    return plan(of, series_told.models(of, [document.load(path)]), switched_off(of.metrics, "")).expected


def test_it_says_how_many_series_there_are_and_what_is_left_out(path: str) -> None:
    text = told(path)
    assert f"up to {expected(path):,} on a page, of 10,000 that it may have" in text
    assert "model_feature_bin_step_ratio" in text
    assert "columns have series of their own" not in text
    assert "alert 'ModelFeatureStuck' reads what is not shown: model_feature_bin_total, model_feature_ref" in text
    (of_feature,) = re.findall(r"panels of 'Feature drill-down' read what is not shown: (.+)", text)
    assert "Where the values of $feature are" in of_feature
    assert "Fewest values" not in of_feature, "which is on every page"
    (of_fleet,) = re.findall(r"panels of 'Fleet and versions' read what is not shown: (.+)", text)
    assert "Replica apart" in of_fleet, "which reads what a rule records of bins"
    assert "InferenceExporterSeriesDropped" not in text  # it has names of families as labels alone
    small = told(path, "--max-series", "2000")
    assert re.search(r"WARNING: only \d+ of 101 columns have series of their own", small)
    free = {"metrics.max_series": "1000000"}
    large = told(path, "--max-series", "1000000")
    assert large == f"series: up to {expected(path, **free):,} on a page, of 1,000,000 that it may have"


def test_what_is_denied_has_no_series_and_what_is_hashed_has_as_many(path: str, tmp_path: Path) -> None:
    (tmp_path / "salt").write_text("s" * 32)
    few = told(path, "--max-series", "1000000", "--privacy.deny", "f*")
    assert int(re.findall(r"up to ([\d,]+)", few)[0].replace(",", "")) < expected(path) / 5
    hashed = told(path, "--privacy.hash", "f*", "--salt-file", str(tmp_path / "salt"))
    assert f"up to {expected(path):,} on a page" in hashed


def test_a_table_says_what_replicas_cost_by_who_shows_the_reference(path: str) -> None:
    text = told(path, "--max-series", "1000000", "--replicas", "20")
    rows = {match[1].strip(): [int(one.replace(",", "")) for one in match[2].split()]
            for match in re.finditer(r"^series:   (\S.*?)((?: +[\d,]+){4})$", text, re.MULTILINE)}  # fmt: skip
    all_of_it, never = rows["in all"], rows["the reference, by bin"][0]
    assert all_of_it[0] == expected(path, **{"metrics.max_series": "1000000"})
    assert all_of_it[1:] == [20 * all_of_it[0], 20 * all_of_it[0] - 19 * never, 20 * (all_of_it[0] - never)]
    assert rows["the reference, by bin"][1:] == [20 * never, never, 0]
    parts = sum(row[0] for name, row in rows.items() if not re.search("in all|samples|kB", name))
    assert parts == all_of_it[0]
    assert rows["samples a second, every 15 s"][1] == pytest.approx(all_of_it[1] / 15, abs=1)
    assert rows["kB of a scrape, about"][0] > 15 * rows["kB of it packed"][0] - 15


def test_it_warns_of_a_scrape_that_would_fail_as_a_whole(path: str) -> None:
    assert "WARNING: the scrape's sample_limit of 5,000 is less" in told(path, "--sample-limit", "5000")
    assert "sample_limit" not in told(path, "--sample-limit", "5000", "--metrics.sample-limit", "5000")


def test_a_page_with_the_servers_own_series_beside_ours_stays_within_a_scrapes_limit() -> None:
    given = {"upstream": "http://127.0.0.1:9", "merge.upstream_metrics": "/metrics", "metrics.sample_limit": 12000}
    assert shape.of(config.resolve(("flags", given))).limit == 2000
    with pytest.raises(ConfigError, match="leaves less than 1000 series beside the 10000 of merge"):
        config.resolve(("flags", given | {"metrics.sample_limit": 10_500}))


FLAGS = {
    "--max-series": "metrics.max_series", "--metrics.sample-limit": "metrics.sample_limit",
    "--metrics.max-series-per-family": "metrics.max_series_per_family",
}  # fmt: skip


@pytest.mark.parametrize(
    "flags",
    [
        {}, {"metrics.max_series": 1500}, {"metrics.sample_limit": 9000}, {"metrics.max_series_per_family": 500},
        {"metrics.max_series": 1_000_000, "metrics.sample_limit": 9000, "merge.max_series": 5000,
         "merge.upstream_metrics": "/metrics"},
    ],
)  # fmt: skip
def test_what_it_advises_is_enough(path: str, flags: dict[str, object]) -> None:
    def said(given: dict[str, object]) -> str:
        settings = config.resolve(("flags", {"upstream": "http://127.0.0.1:9"} | given))
        return "\n".join(series_told.told(settings, [document.load(path)], NO_OVERRIDES, (None, None)))

    advice = re.search("all would be shown with (.+)", said(flags))
    assert advice
    words = advice[1].split()
    enough = said(flags | {FLAGS[flag]: value for flag, value in zip(words[::2], words[1::2], strict=True)})
    assert "WARNING" not in enough
    assert enough.startswith("up to ")


def test_a_sidecar_expects_what_was_said_ahead(path: str) -> None:
    with sidecar(9, "--profile", path, "--max-series", "1000000") as running:
        eventually(lambda: "series expected" in running.log())
        found = re.search(r"up to (\d+) series expected", running.log())
    assert found
    assert int(found[1]) == expected(path, **{"metrics.max_series": "1000000"})


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--max-series", "999"), "metrics.max_series: must be"),
        (("--metrics.max-series-per-family", "5"), "metrics.max_series_per_family: must be 0 or at least 100"),
        (("--metrics.sample-limit", "5"), "metrics.sample_limit: must be 0 or at least 1000"),
        (("--expose-reference", "sometimes"), "metrics.expose_reference: must be one of always, leader, never"),
        (("--metrics.leader", "me"), "metrics.leader: must be one of auto, true, false"),
        (("--metrics.disable", "model_feature_psy"), "model_feature_psy: no family is called so, did you mean"),
        (("--replicas", "0"), "must be a number from 1 to 10000000"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: tuple[str, ...], fault: str, path: str) -> None:
    done = command("check", "--upstream", "http://127.0.0.1:9", "--profile", path, *words)
    assert done.returncode == 64
    assert fault in done.stderr
    assert done.stderr.count("\n") == 1
