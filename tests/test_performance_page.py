"""docs/performance.md: every measure is explained once, every number of truths is what the interval makes of it."""

import re
from pathlib import Path

from exporter import catalogue, config
from exporter.performance.intervals import wilson
from exporter.performance.measures import MEASURES

PAGE = (Path(__file__).parents[1] / "docs" / "performance.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Cells of the tables under a heading, without the heads of these."""
    text = re.split(rf"^#+ {heading}$", PAGE, flags=re.MULTILINE)[1]
    text = re.split(r"^#+ ", text, flags=re.MULTILINE)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("|") and not line.startswith("|---")][1:]  # fmt: skip


def test_every_measure_is_explained_once() -> None:
    explained = [name for heading in ("Classes", "Scores", "Numbers and rankings") for row in rows(heading)
                 for name in re.findall("`([a-z0-9_]+)`", f"{row[0].partition(' by ')[0]}")]  # fmt: skip
    told = re.findall(r"`([a-z_]+_of_class)`", PAGE)
    assert sorted([*explained, *told]) == sorted(MEASURES)


def test_the_widths_of_intervals_are_what_the_code_makes_of_them() -> None:
    for row in rows("How many truths it takes"):
        truths = int(row[0].replace(",", ""))
        ends = [wilson(share, truths) for share in (0.5, 0.9, 0.99)]
        assert row[1:] == [f"±{(one.upper - one.lower) / 2:.3f}" for one in ends]
    few = wilson(0.8, 20)
    assert f"between {few.lower:.2f} and {few.upper:.2f}" in PAGE


def test_the_page_names_only_metrics_labels_and_settings_that_exist() -> None:
    known = {family.name: set(family.labels) for family in catalogue.families()}
    named = re.findall(r"\b((?:model|inference_exporter)_[a-z0-9_]+)(?:\{([a-z_,]*)\})?", PAGE)
    assert len(named) > 20
    for name, labels in named:
        if name != "model_version":
            assert (family := known.get(name.removesuffix("_bucket"))) is not None, name
            assert set(filter(None, labels.split(","))) <= family
    keys = {key.name for key in config.every_key()}
    sections = {key.partition(".")[0] for key in keys if "." in key}
    for section, key in re.findall(r"`([a-z_]+)\.([a-z_]+)`", PAGE):
        assert section not in sections or f"{section}.{key}" in keys
