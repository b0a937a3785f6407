"""What GitHub runs is what `.ci/run` runs; and the version is the same wherever it is written."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import __version__

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
UPDATES = ROOT / ".github" / "dependabot.yml"
PINNED = re.compile(r"\S+@[0-9a-f]{40}  # v[0-9.]+")
IMAGE = re.compile(r"\binference-exporter:(\d+\.\d+[0-9A-Za-z.-]*)")
NOT_TEXT = {".png", ".svg", ".gz"}


def workflow(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return document


def steps(document: dict[str, Any], job: str) -> list[str]:
    return [step["run"].strip() for step in document["jobs"][job]["steps"] if "run" in step]


@pytest.mark.deploy
@pytest.mark.parametrize(
    ("schema", "files"), [("vendor.github-workflows", WORKFLOWS), ("vendor.dependabot", [UPDATES])]
)
def test_github_knows_every_word_of_them(schema: str, files: list[Path]) -> None:
    pytest.importorskip("check_jsonschema", reason="pip install -e '.[deploy]'")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_change_runs_what_is_run_here() -> None:
    assert steps(workflow("ci.yml"), "run")[-1] == ".ci/run"


def test_what_needs_root_is_read_from_what_is_run_here() -> None:
    [line] = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("deploy/install")]
    for job in ("run", "pythons"):
        [command] = [step for step in steps(workflow("ci.yml"), job) if "install-tools" in step]
        words = command.replace("sudo deploy/install-tools", "echo")
        said = subprocess.run(["sh", "-c", words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert f"deploy/install-tools {said.strip()}" == line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert not [one for one in used if not PINNED.fullmatch(one)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_nothing_else_unless_a_job_says_so(path: Path) -> None:
    assert workflow(path.name)["permissions"] == {"contents": "read"}
    for job in workflow(path.name)["jobs"].values():
        assert set(job.get("permissions", {})) <= {"contents", "id-token", "packages"}
        assert job.get("permissions", {}).get("contents", "read") == "read"


def test_the_pythons_of_a_change_are_those_that_wheels_are_made_for() -> None:
    tested = workflow("ci.yml")["jobs"]["pythons"]["strategy"]["matrix"]["python"]
    compiling = workflow("release.yml")["jobs"]["wheels"]["steps"]
    [wanted] = [step["env"]["CIBW_BUILD"] for step in compiling if "env" in step]
    made = re.findall(r"cp3(\d+)-", wanted)
    assert [f"3.{minor}" for minor in made] == ["3.11", *tested]


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    for chart in (ROOT / "deploy").rglob("Chart.yaml"):
        said = yaml.safe_load(chart.read_text())
        assert (str(said["version"]), str(said["appVersion"])) == (__version__, __version__)
    found = {
        (str(path.relative_to(ROOT)), tag)
        for folder in ("deploy", "docs", "Makefile", "README.md")
        for path in sorted([ROOT / folder, *(ROOT / folder).rglob("*")])
        if path.is_file() and path.suffix not in NOT_TEXT
        for tag in IMAGE.findall(path.read_text())
    }
    assert not {(path, tag) for path, tag in found if tag.partition("-")[0] != __version__}


def test_the_changelog_begins_with_what_comes_or_with_this_version() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased" or re.fullmatch(rf"{re.escape(__version__)} / \d{{4}}-\d\d-\d\d", heads[0])
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ / \d{4}-\d\d-\d\d", head) for head in heads[1:])


def test_a_line_of_the_changelog_says_what_kind_of_change_it_is() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("* ")]
    kinds = {line.split()[1] for line in lines}
    assert kinds <= {"[CHANGE]", "[FEATURE]", "[ENHANCEMENT]", "[PERF]", "[BUGFIX]", "[SECURITY]"}, kinds
