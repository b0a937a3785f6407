"""Whatever people deploy of `deploy/`, `alert_rules/` and `dashboards/` is read by a test that knows what it should be.

A new file needs a row here, and what a row names must read it: the file or a folder of it stands there by its name.
Besides, all of them are well-formed, and say nothing twice.
"""

import ast
import json
import re
import sys
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest
import yaml
from support import command

from exporter import config

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
ROOMS = ("deploy", "alert_rules", "dashboards")
CODE = {".py", ".md", ".mjs", ".ts", ".tsx"}

VALIDATED: Final = (
    ("alert_rules/*.rules.yml", "alert_rules/test_rules.py"),
    ("alert_rules/tests/*.test.yml", "alert_rules/test_rules.py"),
    ("alert_rules/alertmanager.yml", "alert_rules/test_routing.py"),
    ("alert_rules/alertmanager.receivers.example.yml", "alert_rules/test_receivers.py"),
    ("alert_rules/notifications.tmpl", "alert_rules/test_notifications.py"),
    ("alert_rules/values.yml", "test_shipped.py"),
    ("alert_rules/sources/*.yml", "test_shipped.py"),
    ("dashboards/*.json", "dashboards/test_dashboard.py"),
    ("dashboards/provisioning/**/*.yml", "test_dashboard_command.py"),
    ("dashboards/render/**", "render/test_types.py"),
    ("deploy/exporter.example.yml", "test_cli.py"),
    ("deploy/install-tools", "test_setting_up.py"),
    ("deploy/web-config/*.yml", "test_web_config.py"),
    ("deploy/image/Dockerfile*", "deploy/test_image.py"),
    ("deploy/image/requirements*", "deploy/test_image.py"),
    ("deploy/compose/prometheus.yml", "deploy/test_scrape.py"),
    ("deploy/compose/*", "deploy/test_compose.py"),
    ("deploy/prometheus/**", "deploy/test_scrape.py"),
    ("deploy/systemd/*", "deploy/test_systemd.py"),
    ("deploy/kubernetes/*", "deploy/test_kubernetes.py"),
    ("deploy/kustomize/**", "deploy/test_kustomize.py"),
    ("deploy/kyverno/*", "deploy/test_kyverno.py"),
    ("deploy/helm/**", "deploy/test_helm.py"),
)
"""What a file is, and the test that reads it; the first that fits counts."""

TEMPLATES: Final = re.compile(r"deploy/helm/[^/]+/templates/")
"""They become YAML only where the chart is rendered."""

LINTED: Final = """
extends: default
rules:
  document-start: disable
  line-length: disable
  comments: {min-spaces-from-content: 1}
  comments-indentation: disable
  braces: {max-spaces-inside: 1}
  indentation: {indent-sequences: whatever}
  truthy: {check-keys: false, allowed-values: ["true", "false", "off"]}
  empty-lines: {max: 2}
"""


def deployed() -> list[str]:
    """As they stand here, without what npm put beside them."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in CODE and not {"node_modules", "__pycache__"} & set(path.parts)
    )


FILES = deployed()
OF_YAML = [name for name in FILES if name.endswith((".yml", ".yaml")) and not TEMPLATES.match(name)]


def validator(name: str) -> str:
    """The test that reads a file; nothing where no row fits."""
    return next((module for pattern, module in VALIDATED if fits(name, pattern)), "")


def fits(name: str, pattern: str) -> bool:
    """As globs are: `**` is any folders, also none, with what is in them."""
    parts = [re.escape(part).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for part in pattern.split("/")]
    return re.fullmatch("/".join(parts).replace("/.*/", "/(?:.*/)?"), name) is not None


@cache
def named(module: str) -> frozenset[str]:
    """Parts of all paths that a test names, or a module of the tests that it imports."""
    tree = ast.parse((TESTS / module).read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(PurePosixPath(node.value).parts) if len(node.value) < 200 else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {part for helper in imported(node) for part in named(helper)}
    return frozenset(found)


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    paths = [name.replace(".", "/") + ".py" for name in names]
    return [path for path in paths if (TESTS / path).is_file()]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_by_a_test_that_knows_what_it_should_be(name: str) -> None:
    module = validator(name)
    assert module, f"{name}: nobody looks at it; write a test, and a row in VALIDATED"
    assert (TESTS / module).is_file(), f"{name}: tests/{module} is missing"
    path = PurePosixPath(name)
    own = {path.name, f"*{path.suffix}", f"*{''.join(path.suffixes[-2:])}", *path.parent.parts[1:]}
    assert own & named(module), f"{name}: tests/{module} names neither it nor its folder"


@pytest.mark.parametrize(("pattern", "module"), VALIDATED)
def test_every_row_is_about_something(pattern: str, module: str) -> None:
    """Where the test is, there are files for it."""
    if (TESTS / module).is_file():
        assert [name for name in FILES if fits(name, pattern)]


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"said twice: {sorted({key for key in keys if keys.count(key) > 1})}"
    return dict(pairs)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
def test_json_is_json_that_says_nothing_twice(name: str) -> None:
    assert json.loads((ROOT / name).read_text(), object_pairs_hook=once)


class Once(yaml.CSafeLoader):
    """A loader that keeps the last of two is no help to whoever reads the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), f"said twice in line {node.start_mark.line + 1}"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("name", OF_YAML)
def test_yaml_is_yaml_that_says_nothing_twice(name: str) -> None:
    assert list(yaml.load_all((ROOT / name).read_text(), Once))


@pytest.mark.deploy
def test_yamllint_finds_nothing_in_what_people_edit(tmp_path: Path) -> None:
    yamllint = pytest.importorskip("yamllint.cli", reason="pip install -e '.[deploy]'")
    rules = tmp_path / "yamllint.yml"
    rules.write_text(LINTED)
    written = [name for name in OF_YAML if not {"alert_rules", "rules"} & set(PurePosixPath(name).parts)]
    with pytest.raises(SystemExit) as ended:
        yamllint.run(["--strict", "--config-file", str(rules), *(str(ROOT / name) for name in written)])
    assert ended.value.code == 0


def test_the_example_of_settings_is_taken_with_every_line_of_it_in_force(tmp_path: Path) -> None:
    example = (ROOT / "deploy" / "exporter.example.yml").read_text()
    file = tmp_path / "exporter.yml"
    file.write_text(example)
    said = command("check", "--config", str(file), "--upstream", "http://127.0.0.1:1")
    assert said.returncode == 0, said.stderr
    assert all(key.name.rpartition(".")[2] in example for key in config.every_key())


@pytest.mark.parametrize(
    ("name", "pattern", "does"),
    [
        ("deploy/a/b/c.yml", "deploy/a/**", True),
        ("deploy/a/b/c.yml", "deploy/**/*.yml", True),
        ("deploy/c.yml", "deploy/**/*.yml", True),
        ("deploy/a/b/c.yml", "deploy/a/*", False),
        ("deploy/abc", "deploy/a/**", False),
    ],
)
def test_patterns_are_those_of_folders(name: str, pattern: str, does: bool) -> None:
    assert fits(name, pattern) is does


def test_what_nobody_reads_is_found() -> None:
    assert not validator("deploy/new/thing.yml")
    assert "thing.yml" not in named(Path(__file__).relative_to(TESTS).as_posix().replace("every_file", "workflows"))


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}: {validator(name) or 'nobody'}\n" for name in FILES)
