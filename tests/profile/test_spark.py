"""A DataFrame of Spark gives the very profile that its rows give in one process."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from exporter.errors import ConfigError, DataError
from exporter.profile import Plan, build_frame, build_spark

pyspark_sql = pytest.importorskip("pyspark.sql", reason="pip install -e '.[spark]' brings it")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
    pytest.mark.filterwarnings("ignore"),  # Spark's own
]
PLAN = Plan("orders", ["p"], "y", model="m", version="2", kinds={"code": "categorical"})


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    local = tmp_path_factory.mktemp("spark")
    builder = pyspark_sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.sql.warehouse.dir", str(local)).config("spark.local.dir", str(local))
    session = builder.config("spark.driver.memory", "1g").getOrCreate()
    yield session
    session.stop()


def frame(rows: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(8)
    amount = random.lognormal(3, 1, rows)
    amount[::50] = np.nan
    town = random.choice(["a", "b", "ü"], rows).astype(object)
    town[::40] = None
    return pd.DataFrame({
        "amount": amount, "code": random.integers(0, 30, rows), "town": town,
        "flag": random.choice([True, False], rows), "words": [f"{place} words" for place in range(rows)],
        "y": random.integers(0, 2, rows), "p": random.random(rows),
    })  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 3, 40])
def test_the_counts_are_those_of_the_local_build(spark: Any, partitions: int) -> None:
    local, local_notes = build_frame(frame(), PLAN)
    profile, notes = build_spark(spark.createDataFrame(frame()).repartition(partitions), PLAN)
    assert profile == local
    assert notes == local_notes


@pytest.mark.parametrize("partitions", [1, 17])
def test_hours_and_answers_are_those_of_the_local_build(spark: Any, partitions: int) -> None:
    table = frame()
    random = np.random.default_rng(9)
    table["at"] = pd.to_datetime(random.integers(1_760_600_000, 1_762_400_000, len(table)), unit="s")
    table["ours"] = random.random(len(table)) < 0.3
    plan = dataclasses.replace(PLAN, time="at", zone="America/New_York", influenced="ours")
    data = spark.createDataFrame(table).repartition(partitions)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    zoned = table.assign(at=table["at"].dt.tz_localize("UTC"))  # Spark's times are of a zone
    local, _ = build_frame(zoned, plan)
    profile, _ = build_spark(data, plan)
    assert profile == local
    assert sum(map(sum, profile.features[0].hours)) == len(table)
    with pytest.raises(DataError, match=r"the DataFrame: one of its partitions: column 'town', row .*no time"):
        build_spark(data, dataclasses.replace(plan, time="town"))


def test_partitions_without_rows_and_columns_without_values_do_not_matter(spark: Any) -> None:
    small = frame(30).assign(town=None, words=[None] * 29 + ["late"]).astype({"town": "string"})
    data = spark.createDataFrame(
        small, "amount double, code long, town string, flag boolean, words string, y long, p double"
    )
    assert build_spark(data.repartition(64), PLAN)[0] == build_frame(small, PLAN)[0]


def test_faults_of_a_data_frame_are_named(spark: Any) -> None:
    data = spark.createDataFrame(frame(100))
    with pytest.raises(DataError, match="the DataFrame: no rows"):
        build_spark(data.filter("amount < 0"), PLAN)
    with pytest.raises(DataError, match="the DataFrame: column 'amount' stands there twice"):
        build_spark(data.select("amount", "amount", "p"), PLAN)
    with pytest.raises(ConfigError, match="--prediction q: orders has no such column"):
        build_spark(data, Plan("orders", ["q"]))


@pytest.mark.parametrize("partitions", [1, 7])
@pytest.mark.parametrize("embeddings", [{"vector": ""}, {"vector": "vector[*"}, {}])
def test_lists_and_embeddings_are_those_of_the_local_build(
    spark: Any, partitions: int, embeddings: dict[str, str]
) -> None:
    random = np.random.default_rng(12)
    lists: list[Any] = (random.standard_normal((3000, 12)) * np.linspace(4, 0.1, 12)).astype(np.float32).tolist()
    lists[::20], lists[1::20] = [None] * 150, [[1.0, 2.0]] * 150
    lists[2::20] = [[*one[:-1], None] for one in lists[2::20]]
    table = pa.table({"amount": random.random(3000), "vector": pa.array(lists, pa.list_(pa.float32())),
                      "p": random.random(3000)})  # fmt: skip
    rows = list(zip(table["amount"].to_pylist(), lists, table["p"].to_pylist(), strict=True))
    data = spark.createDataFrame(rows, "amount double, vector array<float>, p double").repartition(partitions)
    plan = Plan("orders", ["p"], embeddings=embeddings)
    local, local_notes = build_frame(table, plan)
    profile, notes = build_spark(data, plan)
    assert profile == local
    assert notes == local_notes


def test_columns_of_a_pattern_and_vectors_of_spark_ml_are_embeddings_too(spark: Any) -> None:
    from pyspark.ml.linalg import Vectors  # noqa: PLC0415 (needs Spark)

    given = np.random.default_rng(13).standard_normal((2000, 6)) * np.array([5, 3, 1, 1, 0.5, 0.2])
    wide = pd.DataFrame({"amount": given[:, 0], **{f"emb_{at}": given[:, at] for at in range(6)}})
    plan = Plan("orders", embeddings={"emb": "emb_*"})
    assert build_spark(spark.createDataFrame(wide).repartition(5), plan)[0] == build_frame(wide, plan)[0]
    dense = spark.createDataFrame([(float(one[0]), Vectors.dense(one)) for one in given], ["amount", "vector"])
    lists = pd.DataFrame({"amount": given[:, 0], "vector": list(given)})
    plan = Plan("orders", embeddings={"vector": ""})
    assert build_spark(dense.repartition(3), plan)[0] == build_frame(lists, plan)[0]
