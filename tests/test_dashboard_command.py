"""`inference-exporter dashboard`: what it writes, for whom, what it says, and what it refuses."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_profiles import profile_of
from monitoring import ask, recorded
from shipped_boards import BOARDS, STAND_INS, Json, every_panel
from support import command

from exporter import cli
from exporter.dashboards import listing
from exporter.dashboards.boards import BOARDS as SHELF
from exporter.profile import document

SHIPPED = Path(__file__).parents[1] / "dashboards"
STRANGE = (
    "a.b", "a+b", "(x|y)", "[[model]]", "$model", "${model}", "${model:regex}", "price $", 'in "quotes"', "it's",
    "back\\slash", "ünï 🙂", "a b\tc", "two\nlines", "{{instance}}", "^$", "*", "\u2028",
)  # fmt: skip
"""Names that regular expressions, PromQL, JSON, YAML or Grafana would take for something else."""
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
_VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}")
"""What Grafana takes for a variable."""
AT = 1_795_392_000


def written(directory: Path, *words: str) -> dict[str, Json]:
    assert cli.main(["dashboard", *words, "--output", str(directory)]) == 0
    return {path.stem: json.loads(path.read_text()) for path in directory.glob("*.json")}


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said of it, in one line."""
    assert cli.main(["dashboard", *words]) == 64
    printed, told = capsys.readouterr()
    assert printed == ""
    assert told.count("\n") == 1
    return told.removeprefix("inference-exporter: ").strip()


def every_text(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for part in parts for text in every_text(part)]


def as_grafana_reads(text: str, values: Mapping[str, str]) -> str:
    """With the values of variables; what is none of them stays."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2] or found[4], found[0]), text)


# --- what is written


def test_without_flags_the_dashboards_are_listed() -> None:
    done = command("dashboard")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [board.uid for board in SHELF]
    assert all(board.question in done.stdout for board in SHELF)


def test_without_choices_it_writes_what_is_shipped(tmp_path: Path) -> None:
    assert written(tmp_path) == BOARDS
    for path in tmp_path.rglob("*.*"):
        if path.is_file():
            assert path.read_text() == (SHIPPED / path.relative_to(tmp_path)).read_text()


def test_a_data_source_of_ones_own_takes_the_place_of_the_variable_everywhere(tmp_path: Path) -> None:
    for uid, board in written(tmp_path, "--datasource", "mimir-1").items():
        assert "datasource" not in [variable["name"] for variable in board["templating"]["list"]]
        assert not [text for text in every_text(board) if re.search(r"\$\{?datasource", text)], uid
        asked = {json.dumps(panel["datasource"]) for panel in every_panel(board) if "targets" in panel}
        assert asked == {'{"type": "prometheus", "uid": "mimir-1"}'}
    source = yaml.safe_load((tmp_path / "provisioning" / "datasources" / "prometheus.yml").read_text())
    assert source["datasources"][0]["uid"] == "mimir-1"


def test_labels_are_chosen_above_the_job_asked_for_in_every_query_and_kept_by_links(tmp_path: Path) -> None:
    matchers = 'cluster=~"$cluster",namespace=~"$namespace",job=~"$job"'
    for board in written(tmp_path, "--label", "cluster", "--label", "namespace").values():
        variables = board["templating"]["list"]
        assert [one["name"] for one in variables][:4] == ["datasource", "cluster", "namespace", "job"]
        assert [one["query"]["query"].partition("{")[2] for one in variables[1:4]] == [
            "", 'cluster=~"$cluster"}, namespace)', 'cluster=~"$cluster",namespace=~"$namespace"}, job)',
        ]  # fmt: skip
        for panel in every_panel(board):
            for target in panel.get("targets", ()):
                assert target["expr"].count("{") == target["expr"].count(matchers) + target["expr"].count("{}")
        for link in (text for text in every_text(board) if text.startswith("/d/") and "queryparam" in text):
            assert "${cluster:queryparam}&${namespace:queryparam}&" in link


def test_a_label_that_rules_do_not_keep_is_told(tmp_path: Path) -> None:
    done = command("dashboard", "--label", "region", "--label", "cluster", "--output", str(tmp_path))
    assert done.returncode == 0
    assert re.findall("--label (.*?):", done.stderr) == ["region"]


@pytest.mark.parametrize(("given", "held"), [("5s", "5s"), ("10m", "10m"), ("1d", "1d"), ("off", "")])
def test_how_often_is_asked_anew_is_in_each(tmp_path: Path, given: str, held: str) -> None:
    assert {board["refresh"] for board in written(tmp_path, "--refresh", given).values()} == {held}


@pytest.mark.parametrize(
    "name", ["Risk", "yes", "007", "a: b # c", 'say "models"', "$HOME ${X} $$", "ünï 🙂", "- x", "{}"]
)
def test_any_folder_is_found_under_its_name(tmp_path: Path, name: str) -> None:
    written(tmp_path / "files", "--folder", name)
    path = tmp_path / "files" / "provisioning" / "dashboards" / "inference-exporter.yml"
    held = yaml.safe_load(path.read_text())["providers"][0]["folder"]
    assert re.sub(r"\$\$", "$", held) == name
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", held), "Grafana would look for it in its environment"
    written(tmp_path / "maps", "--folder", name, "--format", "configmap")
    made = yaml.safe_load((tmp_path / "maps" / "model-health.configmap.yml").read_text())
    assert made["metadata"]["annotations"] == {"grafana_folder": name}


def test_config_maps_hold_the_very_same_dashboards(tmp_path: Path) -> None:
    words = [word for name in STRANGE for word in ("--feature", name)]
    boards = written(tmp_path / "files", *words)
    written(tmp_path / "maps", "--format", "configmap", *words)
    paths = sorted((tmp_path / "maps").iterdir())
    assert [path.name for path in paths] == sorted(f"{uid}.configmap.yml" for uid in boards)
    for path in paths:
        made, uid = yaml.safe_load(path.read_text()), path.name.partition(".")[0]
        assert (made["apiVersion"], made["kind"], [*made["data"]]) == ("v1", "ConfigMap", [f"{uid}.json"])
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", made["metadata"]["name"])
        assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(made["data"][f"{uid}.json"]) == boards[uid]
        assert path.stat().st_size < 1 << 20


def test_a_config_map_that_kubernetes_would_not_take_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for at in range(1000) for word in ("--feature", f"a rather long name of a feature, {at}" * 3)]
    told = refused(capsys, *words, "--format", "configmap", "--output", str(tmp_path))
    assert (
        told == "--format configmap: model-health.configmap.yml would be larger than Kubernetes takes: fewer --feature"
    )
    assert [*tmp_path.iterdir()] == []


# --- the chosen features


def test_chosen_features_and_no_others_are_asked_for_whatever_their_names_are(tmp_path: Path) -> None:
    words = [word for name in STRANGE for word in ("--feature", name)]
    board = written(tmp_path / "boards", *words)["model-health"]
    (variable,) = (one for one in board["templating"]["list"] if one["name"] == "feature")
    values = {name.removeprefix("$"): value for name, value in STAND_INS.items()}
    asked, label = LABEL_VALUES.fullmatch(as_grafana_reads(variable["query"]["query"], values)).groups()  # type: ignore[union-attr]
    others = ("aXb", "aab", "x", "m", "churn", "price ", "age", "$models", "back", "backslash", "two", ".+")
    with recorded(tmp_path / "prometheus", history([*STRANGE, *others])) as address:
        found = ask(f"{address}/api/v1/label/{label}/values", **{"match[]": asked})["data"]
        assert sorted(found) == sorted(STRANGE)
        for panel in every_panel(board):
            for target in panel.get("targets", ()):
                read = as_grafana_reads(target["expr"], values)
                ask(f"{address}/api/v1/query", query=read, time=AT)


def history(features: list[str]) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    labels = 'job="models",instance="a:9877",model="churn",model_version="7",profile="0123abcd"'
    lines = [f'model_feature_reference_samples{{{labels},feature="{quoted(name)}"}} 1 {AT}' for name in features]
    return "\n".join(["# TYPE model_feature_reference_samples gauge", *lines, "# EOF", ""])


def test_with_a_profile_a_misspelt_feature_is_refused_and_the_nearest_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "profile.json"
    document.save(profile_of(12), str(path))
    good = ("--profile", str(path), "--feature", "f11")
    assert written(tmp_path / "boards", *good)
    capsys.readouterr()
    told = refused(capsys, *good, "--feature", "F11", "--output", str(tmp_path / "others"))
    assert told == f"--feature F11: {path} has no such feature, did you mean f11?"
    assert "cannot read" in refused(capsys, *good, "--profile", str(tmp_path / "none.json"))
    assert refused(capsys, "--profile", str(path)) == "--profile: --feature is needed, too"
    assert not (tmp_path / "others").exists()


# --- what is said of them


def test_the_document_lists_the_dashboards_and_all_flags_as_they_are() -> None:
    text = (SHIPPED.parent / "docs" / "dashboards.md").read_text()
    for table in (listing.boards(), listing.rules()):
        assert f"make docs -->\n{table}\n<!-- end" in text, "run: make docs"
    flags = set(re.findall(r"--\w+", command("dashboard", "--help").stdout)) - {"--help"}
    assert set(re.findall(r"^\| `(--\w+)", text, re.MULTILINE)) == flags


# --- what is checked


def test_whether_a_directory_is_up_to_date_is_said_by_name_and_exit_code(tmp_path: Path) -> None:
    words = ("--feature", "amount", "--folder", "Risk")
    for form in ("files", "configmap"):
        place = tmp_path / form
        command("dashboard", *words, "--format", form, "--output", str(place))
        assert command("dashboard", *words, "--format", form, "--check", str(place)).returncode == 0
        first, second = sorted(path for path in place.iterdir() if path.is_file())[:2]
        first.write_text(first.read_text() + "\n")
        second.unlink()
        done = command("dashboard", *words, "--format", form, "--check", str(place))
        assert (done.returncode, done.stderr) == (1, "")
        assert sorted(done.stdout.splitlines()) == [f"{first} is another", f"{second} is missing"]


def test_what_an_earlier_version_made_is_named_and_what_people_saved_is_not(tmp_path: Path) -> None:
    for form, name in (("files", "model-old.json"), ("configmap", "model-old.configmap.yml")):
        place = tmp_path / form
        command("dashboard", "--format", form, "--output", str(place))
        if form == "files":
            health = json.loads((place / "model-health.json").read_text())
            (place / name).write_text(json.dumps(health | {"uid": "model-old"}))
            (place / "mine.json").write_text(json.dumps(health | {"uid": "mine", "editable": True}))
            (place / "list.json").write_text("[]")
            (place / "broken.json").write_bytes(b"\xff{")
        else:
            (place / name).write_text((place / "model-health.configmap.yml").read_text())
            (place / "mine.configmap.yml").write_text("kind: ConfigMap\n")
        done = command("dashboard", "--format", form, "--output", str(place))
        assert done.returncode == 0
        assert done.stderr == f"{place / name} is made no more: remove it, or Grafana goes on showing it\n"
        done = command("dashboard", "--format", form, "--check", str(place))
        assert (done.returncode, done.stdout) == (1, f"{place / name} is made no more\n")


# --- what is refused


@pytest.mark.parametrize(
    ("flag", "word", "told"),
    [
        ("--datasource", "", "a data source's uid is needed"),
        ("--datasource", "my prometheus", "1 to 40 letters, digits, - and _, not 'my prometheus'"),
        ("--datasource", "${x}", "not '${x}'"),
        ("--datasource", "x" * 41, "1 to 40 letters"),
        ("--folder", "", "a name without blanks around it and control characters is needed, not ''"),
        ("--folder", " x", "not ' x'"),
        ("--folder", "a\nb", r"not 'a\nb'"),
        ("--folder", "x" * 190, "at most 189 characters, not 190"),
        ("--folder", "General", "what Grafana calls the place outside all folders"),
        ("--refresh", "", "5s or more, such as 30s, 5m or 1h, or off is needed, not ''"),
        ("--refresh", "1s", "not '1s'"),
        ("--refresh", "0m", "not '0m'"),
        ("--refresh", "1m30s", "not '1m30s'"),
        ("--refresh", "soon", "not 'soon'"),
        ("--feature", "", "a feature's name is needed, not ''"),
        ("--feature", "\udcff", r"not '\udcff'"),
        ("--label", "", "a label's name is needed: letters, digits and _, no digit first"),
        ("--label", "1x", "a label's name is needed"),
        ("--label", "a-b", "a label's name is needed"),
        ("--label", "ünï", "a label's name is needed"),
        ("--label", "__address__", "Prometheus keeps names that begin with __ to itself"),
        ("--label", "job", "the dashboards have a variable of this name"),
        ("--label", "version", "the dashboards have a variable of this name"),
        ("--label", "instance", "it is a label of the series themselves, not of targets"),
        ("--label", "bin", "it is a label of the series themselves, not of targets"),
        ("--label", "check", "it is a label of the series themselves, not of targets"),
    ],
)
def test_what_cannot_be_is_refused_by_its_flag(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flag: str, word: str, told: str
) -> None:
    said = refused(capsys, f"{flag}={word}", "--output", str(tmp_path / "boards"))
    assert said.startswith(flag)
    assert told in said
    assert not (tmp_path / "boards").exists()


@pytest.mark.parametrize(("flag", "word"), [("--label", "env"), ("--feature", "age")])
def test_what_is_given_twice_is_refused(capsys: pytest.CaptureFixture[str], flag: str, word: str) -> None:
    assert refused(capsys, flag, word, flag, word) == f"{flag} '{word}': is there already"


def test_it_is_written_or_checked_and_not_both(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "not allowed with" in refused(capsys, "--output", str(tmp_path), "--check", str(tmp_path))
    assert refused(capsys, "--output", "") == "--output: a directory is needed, not ''"
    assert refused(capsys, "--check", "") == "--check: no directory: ''"
    assert refused(capsys, "--check", str(tmp_path / "none")) == f"--check: no directory: {tmp_path / 'none'}"
