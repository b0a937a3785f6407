"""The same rows make the same profile, byte by byte, however they come."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from profile_tables import PREDICTION, bytes_of, profile_of, write_csv

from exporter.profile import show
from exporter.profile.build import Plan, build


def everything(count: int = 25_000) -> dict[str, list[Any]]:
    source = np.random.default_rng(9)
    columns = {
        "normal": source.normal(size=count).tolist(),
        "skewed": source.lognormal(2, 2, count).tolist(),
        "whole": source.integers(-5, 500, count).tolist(),
        "town": source.choice(["a", "b", "c", *[f"t{n}" for n in range(300)]], count).tolist(),
        "flag": source.choice(["True", "False"], count).tolist(),
        "words": [f"{n}-{'y' * (n % 37)}" for n in range(count)],
        "zero": source.choice([0.0, -0.0], count).tolist(),
    }
    for name in ("skewed", "town"):
        for place in source.choice(count, 500, replace=False):
            columns[name][place] = None
    return columns


def test_the_order_of_the_rows_changes_no_byte(tmp_path: Path) -> None:
    columns = everything()
    found = set()
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(25_000) if seed else None
        profile, _ = profile_of(tmp_path / "t.csv", columns, order)
        found.add(bytes_of(tmp_path / "p.json", profile))
    assert len(found) == 1


@pytest.mark.parametrize("batch", [1, 999, 10**6])
def test_the_size_of_batches_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    columns = {name: values[:3000] for name, values in everything().items()}
    whole = bytes_of(tmp_path / "p.json", profile_of(tmp_path / "t.csv", columns)[0])
    monkeypatch.setattr("exporter.profile.sources.csv_text.BATCH_ROWS", batch)
    assert bytes_of(tmp_path / "p.json", profile_of(tmp_path / "t.csv", columns)[0]) == whole


def test_parquet_and_csv_of_the_same_table_give_the_same_columns(tmp_path: Path) -> None:
    columns = everything()
    columns[PREDICTION] = [0.5] * 25_000
    profile, _ = build(Plan(write_csv(tmp_path / "t.csv", columns), [PREDICTION]))
    typed = pa.table(columns | {"flag": [flag == "True" for flag in columns["flag"]]})
    pyarrow.parquet.write_table(typed, tmp_path / "t.parquet", row_group_size=777)
    other, _ = build(Plan(str(tmp_path / "t.parquet"), [PREDICTION]))
    assert other.features == profile.features
    assert other.outputs == profile.outputs


def test_a_profile_can_be_shown(tmp_path: Path) -> None:
    profile, _ = profile_of(tmp_path / "t.csv", {name: values[:2000] for name, values in everything().items()})
    page = show.page(profile, [column.name for column in profile.features])
    for name in ("normal", "town", "flag", "words"):
        assert name in page
    assert json.loads(bytes_of(tmp_path / "p.json", profile))["rows"] == 2000
