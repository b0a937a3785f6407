"""What documents name is there: metrics by the catalogue and the rules, settings and flags by their keys."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from exporter import catalogue, config
from exporter.rules import files

ROOT = Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
NAME = re.compile(r"(?<![\w.:*])(?:model|inference_exporter)_[a-z0-9_]+(?![\w*:{.…-]|\{[a-z_]+,)")
SETTING = re.compile(r"(?<![\w./*-])(?:--)?([a-z_-]+\.[a-z_-]+)(?![\w.*(/-])")
NO_METRIC = {"model_version"} | {f"model_{side}" for side in ("feature", "prediction")}
"""A label, and what names begin with."""
TABLES = {f"inference_exporter_{table}" for table in ("call", "edition", "joined", "owner", "replica", "slot")}
"""Of a database."""
OTHERS = {"web.config", "web.external_url"}
"""Settings of Prometheus and the like."""
CHART = ROOT / "deploy" / "helm" / "inference-exporter" / "values.yaml"
FILES = {
    "xml",
    "sqlite",
    "yml",
    "yaml",
    "joblib",
    "json",
    "md",
    "py",
    "rules",
    "txt",
    "crt",
    "key",
    "file",
    "csv",
    "tmpl",
    "test",
    "sh",
    "toml",
}


@cache
def of_chart() -> frozenset[str]:
    """What may be set of the chart, down to the second level."""
    values = yaml.safe_load(CHART.read_text())
    return frozenset(f"{name}.{key}" for name, value in values.items() if isinstance(value, dict) for key in value)


@cache
def series() -> frozenset[str]:
    """Names of families, of their series, and of what rules record."""
    found = {one.name for one in catalogue.families()}
    found |= {one.name + end for one in catalogue.families() for end in ("_bucket", "_count", "_sum")}
    return frozenset(found)


@cache
def recorded() -> frozenset[str]:
    groups = [one for path in ROOT.glob("alert_rules/*.rules.yml")
              for one in yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]]  # fmt: skip
    return frozenset(rule["record"] for group in groups for rule in group["rules"] if "record" in rule)


def is_module(name: str) -> bool:
    """`exporter` is our package, and a section of the rules' settings, too."""
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def spoken(path: Path) -> list[str]:
    """What stands in backticks, and in blocks of code."""
    return re.findall(r"```.*?```|`[^`]+`", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_metrics_that_a_page_names_exist(path: Path) -> None:
    text = "\n".join(spoken(path))
    for name in recorded():
        text = text.replace(name, "")
    assert sorted(set(NAME.findall(text)) - series() - NO_METRIC - TABLES) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_settings_that_a_page_names_exist(path: Path) -> None:
    keys = {key.name for key in config.every_key()} | set(files.defaults())
    sections = {name.partition(".")[0] for name in keys if "." in name}
    keys |= {name.rpartition(".")[0] for name in keys}  # sections are named, too
    found = set(SETTING.findall("\n".join(spoken(path)))) - of_chart()
    named = {one.replace("-", "_") for one in found}
    said = {one for one in named if one.partition(".")[0] in sections and one.partition(".")[2] not in FILES}
    assert sorted(one for one in said - keys - OTHERS if not is_module(one)) == []
