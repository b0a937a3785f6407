"""What is particular to SQLite: one file, ours alone, that may be damaged, full or somebody else's."""

import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from feedback.places import LIMITS
from feedback.spoken import NOW_MS, prediction, truth

from exporter.errors import ConfigError
from exporter.feedback.stores import Store, Unavailable, open_store
from exporter.feedback.stores.sqlite.file import File
from exporter.truths import key_of

ROOT = Path(__file__).parents[2]


def opened(path: Path) -> Store:
    return open_store(f"sqlite:{path}", LIMITS, "a")


def filled(path: Path, number: int = 500) -> int:
    """Have a file with some predictions, half of them with truth; the last number."""
    store = opened(path)
    store.open([prediction(f"id-{place}") for place in range(number)])
    store.tell([truth(f"id-{place}") for place in range(number // 2)])
    last = store.last_number()
    store.close()
    return last


def in_child(program: str, path: Path) -> str:
    """What another process says."""
    head = "import sys, resource, signal\nfrom test_sqlite import *\npath = Path(sys.argv[1])\n"
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", Path(__file__).parent)))
    done = subprocess.run(
        [sys.executable, "-c", head + program, str(path)],
        capture_output=True, text=True, check=True, timeout=60, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    return done.stdout


# --- addresses


@pytest.mark.parametrize("url", ["sqlite:{}", "sqlite://{}", "SQLITE:{}"])
def test_an_address_names_a_file_which_is_made_for_its_owner_alone(tmp_path: Path, url: str) -> None:
    path = tmp_path / "deep" / "down" / "f.db"
    open_store(url.format(path), LIMITS, "a").close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["sqlite:", "sqlite://host/path", "sqlite:/directory/"])
def test_an_address_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"feedback\.store: sqlite:"):
        open_store(url, LIMITS, "a")


# --- damaged


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "f.db"
    path.write_bytes(b"this is no database, but somebody's letter\n" * 100)
    with caplog.at_level(logging.ERROR):
        store = opened(path)
    assert store.set_aside == 1
    assert store.open([prediction("a")]).added == 1
    assert (tmp_path / "f.db.set-aside").read_bytes().startswith(b"this is no database")
    assert "set aside" in caplog.text
    store.close()


def test_a_database_of_another_edition_is_set_aside_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    filled(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 77")
    other.close()
    store = opened(path)
    assert (store.set_aside, store.sizes()[:3]) == (1, (0, 0, 0))
    store.close()
    with sqlite3.connect(tmp_path / "f.db.set-aside") as other:
        assert other.execute("SELECT count(*) FROM predictions").fetchone() == (500,)
    other.close()
    again = opened(path)
    assert again.set_aside == 0
    again.close()


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "customers.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE customers(name TEXT)")
    other.close()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(Unavailable, match="another program"):
            opened(path)
    assert [one.name for one in tmp_path.iterdir()] == ["customers.db"]
    assert path.read_bytes() == before


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_and_a_new_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    last = filled(path, 5000)
    store = opened(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(Unavailable):
        store.expire(NOW_MS + 2 * LIMITS.retention_ms)  # it reads all of it
    assert store.set_aside == 1
    assert store.sizes()[:3] == (0, 0, 0)
    store.open([prediction("a")])
    assert store.tell([truth("a")])[0].outcome == "matched"
    assert store.last_number() > last
    store.close()


def test_only_the_last_file_that_was_set_aside_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    for words in (b"first", b"second"):
        path.write_bytes(words * 1000)
        opened(path).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["f.db", "f.db.set-aside"]
    assert (tmp_path / "f.db.set-aside").read_bytes().startswith(b"second")


# --- somebody else's


def test_two_processes_never_have_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    store = opened(path)
    store.open([prediction("a")])
    program = "try:\n    opened(path)\nexcept Unavailable as error:\n    print('refused:', error)"
    assert "refused:" in (said := in_child(program, path))
    assert "locked" in said
    assert store.tell([truth("a")])[0].outcome == "matched"
    store.close()
    assert in_child("print(opened(path).sizes()[:3])", path) == "(0, 1, 0)\n"


# --- full, gone


def test_where_there_is_no_room_nothing_of_a_batch_happens_and_later_all_of_it(tmp_path: Path) -> None:
    program = """
store = opened(path)
store.open([prediction("first")])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
batch = [prediction(f"id-{place}", said=bytes(100)) for place in range(5000)]
for attempt in range(2):
    try:
        store.open(batch)
    except Unavailable:
        print("unavailable")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(tuple(store.sizes()[:3]), tuple(store.open(batch)), store.tell([truth("first")])[0].outcome, store.set_aside)
"""
    said = in_child(program, tmp_path / "f.db").splitlines()
    assert said == ["unavailable", "unavailable", "(1, 0, 0) (5000, 0, 0, 0) matched 0"]


def test_a_place_where_no_file_can_be_is_unavailable_and_used_once_it_can(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a directory should be")
    with pytest.raises(Unavailable):
        opened(tmp_path / "taken" / "f.db")
    (tmp_path / "taken").unlink()
    opened(tmp_path / "taken" / "f.db").close()


# --- what is left behind


def test_nothing_of_what_was_erased_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    store = opened(path)
    secrets = [b"-said-in-secret-", b'"-true-in-secret-"', b"-extra-in-secret-", b"-waits-in-secret-"]
    store.open([prediction("secret", said=secrets[0]), prediction("open", said=secrets[0])])
    store.open([prediction(f"id-{place}") for place in range(1000)])
    store.tell([truth("secret", secrets[1], extra=secrets[2]), truth("nobody's", secrets[3])])

    def found() -> list[bytes]:
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        return [secret for secret in secrets if secret in content]

    assert found() == secrets
    store.erase([key_of(name) for name in ("secret", "open", "nobody's")])
    assert found() == []
    store.close()
    assert found() == []


def test_what_was_erased_is_cleaned_up_later_where_the_disk_would_not_do_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: File) -> None:
        raise Unavailable

    store = opened(tmp_path / "f.db")
    store.open([prediction("secret", said=b"-said-in-secret-")])
    with monkeypatch.context() as fault:
        fault.setattr(File, "empty_log", away)
        assert sum(store.erase([key_of("secret")])) == 1
        with pytest.raises(Unavailable):
            store.expire(NOW_MS)
    assert b"-said-in-secret-" in (tmp_path / "f.db-wal").read_bytes()
    store.expire(NOW_MS)
    assert b"-said-in-secret-" not in (tmp_path / "f.db-wal").read_bytes()
    store.close()


def test_the_log_of_transactions_stays_small_while_all_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    store = open_store(f"sqlite:{path}", LIMITS._replace(predictions=10**6), "a")
    for start in range(0, 100_000, 2000):
        store.open([prediction(f"id-{place}") for place in range(start, start + 2000)])
    held = store.sizes().bytes
    store.expire(NOW_MS + 2 * LIMITS.retention_ms)
    sizes = store.sizes()
    assert sizes[:3] == (0, 0, 0)
    assert sizes.bytes < held + (5 << 20)
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["f.db"]
