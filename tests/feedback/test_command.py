"""`inference-exporter feedback FILE`: a real command, a real server, a real store."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from feedback.posting import Posted, posted
from support import command

from exporter.feedback.matching import SEVERAL
from exporter.feedback.stores import Store, Unavailable
from exporter.truths import Joined, Owner, Prediction, key_of


def sent(at: Posted, *words: str) -> "subprocess.CompletedProcess[str]":
    return command("feedback", "--url", f"http://127.0.0.1:{at.web.port}", *words)


def told(at: Posted) -> dict[str, int]:
    at.keeping.sync()
    return {outcome: count for outcome, count in at.keeping.snapshot().told.items() if count}


def joined(at: Posted, number: int) -> list[Joined]:
    """What was joined, once it is so many."""
    found: list[Joined] = []
    until = time.monotonic() + 30
    while len(found) < number and time.monotonic() < until:
        time.sleep(0.01)
        found += at.keeping.joined(found[-1].number if found else at.keeping.first_number or 0)
    return found


def table(path: Path, rows: int, first: int = 0) -> str:
    path.write_text("id,truth\n" + "".join(f"{row},{row % 2}\n" for row in range(first, rows)))
    return str(path)


def test_a_table_is_posted_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("who;what;weight;worth;when;land;place\n"
                    "17;1;0.5;12,5;2026-01-31T12:00:00Z;DE;0\n"
                    "17;0;;;;;1\n"
                    "x y;NA;1;1;;DE;0\n")  # fmt: skip
    with posted(tmp_path / "f.sqlite", kind="regression") as at:
        at.predicted("17", rows=2)
        words = ("--id", "who", "--truth", "what", "--weight", "weight", "--value", "worth", "--time", "when")
        found = sent(at, str(file), *words, "--segment", "country=land", "--row", "place", "--decimal", ",")
        assert (found.returncode, found.stdout) == (0, f"{file}: 3 rows: 2 matched, 1 without truth\n"), found.stderr
        first, second = joined(at, 2)
    assert (first.true, second.true) == (b"1", b"0")
    assert json.loads(first.extra) == {"w": 500_000, "v": 12.5, "s": {"country": "DE"}}
    assert second.extra == b""
    assert not (tmp_path / "t.csv.progress").exists()


def test_key_columns_are_posted_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("day,customer,truth\n2026-01-31,7,yes\n")
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("7/2026-01-31")
        found = sent(at, str(file), "--key", "customer", "--key", "day")
        assert "1 rows: 1 matched" in found.stdout, found.stderr


def test_lines_are_posted_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    records: list[Any] = [
        {"id": "a", "truth": [1, 0], "weight": 2}, {"id": "a", "row": 1, "truth": None},
        {"response": {"meta": {"puid": "b"}}, "truth": {"data": {"ndarray": [[1], [0]]}}}, {"id": "c", "truht": 1},
    ]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, records)) + "\nno json\n")
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", rows=2)
        at.predicted("b", rows=2)
        found = sent(at, str(file), "--batch", "2")
        assert found.returncode == 65, found.stderr
        assert found.stdout == (
            f"{file}: 6 rows: 3 matched, 1 without truth, 2 malformed\n"
            "  line 4: truht: unknown key, did you mean truth?\n  line 5: not JSON\n"
        )  # fmt: skip


def test_columns_of_lines_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('{"request": "a", "label": "yes", "other": 1}\n{"request": 2, "label": true}\n')
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", "2")
        assert "2 rows: 2 matched" in sent(at, str(file), "--id", "request", "--truth", "label").stdout


def test_parquet_is_read_too(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "t.parquet"
    times = pa.array([1_769_860_800_000_000] * 3, pa.timestamp("us", "UTC"))
    parquet.write_table(pa.table({"id": [1.0, 2.0, 3.0], "truth": [0.1, 2.0, None], "at": times}), file)
    with posted(tmp_path / "f.sqlite", kind="regression") as at:
        at.predicted("1", "2", "3")
        found = sent(at, str(file), "--time", "at")
        assert found.stdout.endswith("3 rows: 2 matched, 1 without truth\n"), found.stderr
        assert [one.true for one in joined(at, 2)] == [b"0.1", b"2"]


@pytest.mark.parametrize(("words", "said"), [
    (("--truth", "thruth"), "--truth thruth: "),
    (("--segment", "land"), "--segment land: must be NAME=COLUMN"),
    (("--batch", "0"), "--batch: must be a whole number from 1 to 10000"),
    (("--id", "id", "--key", "id"), "--key: has no meaning beside --id"),
    (("--url", "localhost:9877"), "--url: must be such as http://127.0.0.1:9877"),
])  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_posted(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        found = sent(at, table(tmp_path / "t.csv", 2), *words)
        assert found.returncode == 64
        assert said in found.stderr
        assert told(at) == {}


def test_several_files_are_noted_each_beside_itself(tmp_path: Path) -> None:
    one, two = table(tmp_path / "1.csv", 2), table(tmp_path / "2.csv", 5, 2)
    with posted(tmp_path / "f.sqlite") as at:
        assert "--resume: has no meaning for several files" in sent(at, one, two, "--resume", "x").stderr
        assert sent(at, one, two).stdout == f"{one}: 2 rows: 2 early\n{two}: 3 rows: 3 early\n"


def test_a_file_that_is_not_there_or_is_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("id,truth\n1,2\n3\n")
    with posted(tmp_path / "f.sqlite") as at:
        assert sent(at, str(tmp_path / "no.csv")).returncode == 64
        assert sent(at, str(tmp_path / "no.jsonl")).returncode == 64
        found = sent(at, str(tmp_path / "bad.csv"))
        assert (found.returncode, "line 3" in found.stderr) == (65, True)


def test_the_first_malformed_ones_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("id,truth\n" + "".join(f"{row},x{row}\n" for row in range(30)))
    with posted(tmp_path / "f.sqlite", kind="regression") as at:
        found = sent(at, str(file), "--batch", "7")
        assert found.returncode == 65
        assert found.stdout.splitlines()[0] == f"{file}: 30 rows: 30 malformed"
        assert found.stdout.splitlines()[1] == "  row 1: truth: must be a number: the model predicts numbers"
        assert found.stdout.splitlines()[-1] == "  and 10 more; 20 are listed at most"


def test_what_is_read_and_not_taken_has_the_place_of_its_truth(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("id,truth\na,1\nboth,0\n")
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", "both")
        at.keeping.open([Prediction(key_of("both", 0), Owner("fraud", "1", "t"), 1_800_000_000_000, b"8 bytes.")])
        found = sent(at, str(file))
    assert found.returncode == 65, found.stderr
    assert found.stdout == f"{file}: 2 rows: 1 matched, 1 malformed\n  row 2: {SEVERAL}\n"


def test_a_line_of_several_truths_has_no_place_for_one_that_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    lines: list[Any] = [
        {"response": {"meta": {"puid": "a"}}, "truth": {"data": {"ndarray": [[1], [0]]}}},
        {"id": "both", "truth": 0},
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", rows=2)
        at.predicted("both")
        at.keeping.open([Prediction(key_of("both", 0), Owner("fraud", "1", "t"), 1_800_000_000_000, b"8 bytes.")])
        found = sent(at, str(file))
    assert found.returncode == 65, found.stderr
    assert found.stdout == f"{file}: 3 rows: 2 matched, 1 malformed\n  a line: {SEVERAL}\n"


def test_a_server_that_is_not_there_is_69(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    found = command("feedback", table(tmp_path / "t.csv", 50), "--url", url, "--patience", "300ms")
    assert found.returncode == 69
    assert f"{url}: cannot be reached" in found.stderr


def test_when_the_server_dies_it_goes_on_with_the_next_one(tmp_path: Path) -> None:
    file, note = table(tmp_path / "t.csv", 3000), tmp_path / "t.csv.progress"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [sys.executable, "-m", "exporter", "feedback", file, "--url", f"http://127.0.0.1:{port}"]
    with subprocess.Popen([*words, "--batch", "10", "--patience", "2s"], stderr=subprocess.DEVNULL) as process:  # noqa: SIM117 (the server ends first)
        with posted(tmp_path / "f.sqlite", port=port, most_bytes=16 << 20):
            until = time.monotonic() + 30
            while not note.exists() and time.monotonic() < until:
                time.sleep(0.01)
    assert process.returncode == 69
    assert 0 < json.loads(note.read_text())["rows"] < 3000
    with posted(tmp_path / "f.sqlite", port=port, most_bytes=16 << 20) as at:
        found = command(*words[3:])
        assert found.returncode == 0, found.stderr
        assert "going on behind them" in found.stderr
        at.keeping.sync()
        counts = at.keeping.snapshot()
        assert counts.found_early + counts.told["early"] == 3000
        assert counts.told["duplicate"] <= 10
    assert not note.exists()


def test_it_waits_for_a_server_that_is_starting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [
        sys.executable,
        "-m",
        "exporter",
        "feedback",
        table(tmp_path / "t.csv", 5),
        "--url",
        f"http://127.0.0.1:{port}",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(1.5)
        with posted(tmp_path / "f.sqlite", port=port):
            output, _ = process.communicate(timeout=60)
    assert (process.returncode, output.endswith("5 rows: 5 early\n")) == (0, True)


def test_progress_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    screen, inside = pty.openpty()
    seen = b""
    with posted(tmp_path / "f.sqlite", most_bytes=16 << 20) as at:
        words = [sys.executable, "-m", "exporter", "feedback", table(tmp_path / "t.csv", 10_000), "--batch", "10"]
        with subprocess.Popen(
            [*words, "--url", f"http://127.0.0.1:{at.web.port}"], stdout=subprocess.DEVNULL, stderr=inside
        ):
            os.close(inside)
            with contextlib.suppress(OSError):  # the other side is closed
                while part := os.read(screen, 4096):
                    seen += part
        os.close(screen)
    assert re.search("█+░* +\\d+%  [\\d,]+ rows, [\\d,]+/s", seen.decode())


def test_who_may_not_post_is_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    file = table(tmp_path / "t.csv", 3)
    with posted(tmp_path / "f.sqlite", tokens={"/feedback": ("feedback.token_file", str(token))}) as at:
        found = sent(at, file)
        assert (found.returncode, "401, a bearer token is needed" in found.stderr) == (64, True)
        assert sent(at, file, "--token-file", str(token)).returncode == 0


def test_one_that_was_interrupted_goes_on_behind_what_was_acknowledged(tmp_path: Path) -> None:
    file, note = table(tmp_path / "t.csv", 20_000), tmp_path / "t.csv.progress"
    with posted(tmp_path / "f.sqlite", most_bytes=16 << 20) as at:
        words = [sys.executable, "-m", "exporter", "feedback", file, "--url", f"http://127.0.0.1:{at.web.port}"]
        with subprocess.Popen([*words, "--batch", "10"], stdout=subprocess.PIPE, process_group=0) as process:
            until = time.monotonic() + 30
            while not note.exists() and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 130
        noted = json.loads(note.read_text())["rows"]
        assert 0 < noted < 20_000
        found = sent(at, file, "--batch", "1000")
        assert found.returncode == 0, found.stderr
        assert f"{noted:,} rows were acknowledged before: going on behind them" in found.stderr
        assert found.stdout.startswith(f"{file}: 20,000 rows: ")
        assert told(at)["early"] == 20_000
    assert not note.exists()


def test_of_another_file_nothing_is_skipped(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", 3)
    (tmp_path / "t.csv.progress").write_text('{"version": 1, "about": "x", "rows": 2, "counted": {}}')
    with posted(tmp_path / "f.sqlite") as at:
        assert "3 rows: 3 early" in sent(at, file).stdout
        (tmp_path / "t.csv.progress").write_text("[")
        assert "3 rows: 3 duplicate" in sent(at, file).stdout


def test_a_store_that_is_down_has_them_wait(tmp_path: Path) -> None:
    def down() -> Store:
        raise Unavailable("nobody is there")

    with posted(down) as at:
        found = sent(at, table(tmp_path / "t.csv", 5))
        assert (found.returncode, found.stdout.endswith("5 rows: 5 waiting\n")) == (0, True)
