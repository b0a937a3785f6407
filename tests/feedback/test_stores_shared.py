"""Stores that replicas share: who joins what, answers that are never heard, servers that hang or go, passwords."""

import logging
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from feedback.places import LIMITS, InPostgres, InRedis
from feedback.servers import PASSWORD, PostgresServer, RedisServer, Server
from feedback.spoken import NOW_MS, ONE, TWO, prediction, truth
from feedback.wire import Wire
from proxy.test_tls import make
from support import free_port

from exporter.errors import ConfigError
from exporter.feedback.stores import Expired, Limits, Opened, Store, Unavailable, open_store
from exporter.truths import Told, key_of

Shared = InRedis | InPostgres
PLENTY = LIMITS._replace(predictions=10**6)


@pytest.fixture(params=["redis", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Shared:
    if request.param == "redis":
        return InRedis(request.getfixturevalue("redis_server"))
    return InPostgres(request.getfixturevalue("postgres_server"))


@pytest.fixture(params=[RedisServer, PostgresServer])
def own(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A server that may be killed, and an address in it."""
    server = request.param()
    try:
        server.start()
        yield server, server.url("") if request.param is PostgresServer else server.url("own")
    finally:
        server.end()


# --- replicas


def test_a_truth_told_to_one_replica_is_joined_there_to_the_prediction_of_another(shared: Shared) -> None:
    served, told = shared.open(replica="served"), shared.open(replica="told")
    served.open([prediction("a"), prediction("b")])
    assert [one.outcome for one in told.tell([truth("a"), truth("c")])] == ["matched", "early"]
    assert served.tell([truth("b")])[0].outcome == "matched"
    assert served.open([prediction("c")]) == Opened(1, 0, 1, 1)
    assert [one.true for one in told.joined(0, 10)] == [b"1"]
    assert len(served.joined(0, 10)) == 2
    assert served.sizes()[:3] == told.sizes()[:3] == (0, 3, 0)
    for store in (served, told):
        assert store.joined(0, 10)[-1].number == store.last_number()
        store.close()


def test_each_replica_finds_what_it_joined_again_under_its_name(shared: Shared) -> None:
    for name in ("one", "two"):
        store = shared.open(replica=name)
        store.open([prediction(name)])
        store.tell([truth(name, name.encode())])
        store.close()
    for name in ("one", "two"):
        again = shared.open(replica=name)
        assert [row.true for row in again.joined(0, 10)] == [name.encode()]
        again.close()


def test_what_leaves_is_counted_by_one_replica_alone(shared: Shared) -> None:
    stores = [shared.open(replica=name) for name in "abc"]
    stores[0].open([prediction(f"id-{place}", at_ms=NOW_MS - 2 * LIMITS.retention_ms) for place in range(300)])
    stores[1].tell([truth(f"id-{place}") for place in range(100)])
    gone: list[Expired] = []
    threads = [threading.Thread(target=lambda one=one: gone.append(one.expire(NOW_MS))) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.open for one in gone) == 200
    assert stores[2].sizes()[:3] == (0, 0, 0)
    assert stores[1].joined(0, 1000) == []
    for store in stores:
        store.close()


def test_predictions_and_truths_that_cross_on_their_way_are_all_joined_once(shared: Shared) -> None:
    """Every truth is told by two replicas at the moment at which two versions are opened by two others."""
    names = [f"id-{place}" for place in range(600)]
    stores = [shared.open(PLENTY, replica=str(place)) for place in range(4)]
    told: list[Told] = []

    def opening(store: Store, owner: Any, order: int) -> None:
        for some in parts(names[::order]):
            asked(lambda some=some: store.open([prediction(name, owner) for name in some]))

    def telling(store: Store, order: int) -> None:
        for some in parts(names[::order]):
            told.extend(asked(lambda some=some: store.tell([truth(name, name.encode()) for name in some])))

    threads = [
        threading.Thread(target=opening, args=(stores[0], ONE, 1)),
        threading.Thread(target=opening, args=(stores[1], TWO, 1)),
        threading.Thread(target=telling, args=(stores[2], 1)),
        threading.Thread(target=telling, args=(stores[3], -1)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    joined = [row for store in stores for row in store.joined(0, 10_000)]
    assert Counter((row.owner, row.true) for row in joined) == {
        (owner, name.encode()): 1 for owner in (ONE, TWO) for name in names
    }
    assert stores[0].sizes()[:3] == (0, 2 * len(names), 0)
    assert {one.outcome for one in told} <= {"matched", "early", "duplicate"}
    for store in stores:
        store.close()


def parts(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), 20):
        yield names[start : start + 20]


def asked(ask: Callable[[], Any]) -> Any:
    """The answer, however often it takes: as whoever owns a store does."""
    while True:
        try:
            return ask()
        except Unavailable:
            time.sleep(0.01)


# --- answers that are never heard


@pytest.fixture(params=["redis", "postgresql"])
def wired(request: pytest.FixtureRequest) -> Iterator[tuple[Shared, Wire, Store, tuple[bytes, ...]]]:
    """A place, a wire to it, a store at its other end, and what is said to commit."""
    if request.param == "redis":
        place: Shared = InRedis(request.getfixturevalue("redis_server"))
        marks = (b"EVALSHA",)
    else:
        place = InPostgres(request.getfixturevalue("postgres_server"))
        marks = (b"INSERT INTO inference_exporter_call", b"COMMIT")
    with Wire(place.server.port) as wire:
        store = open_store(place.url.replace(f":{place.server.port}/", f":{wire.port}/"), LIMITS, "a")
        store.open([prediction("warm")])
        yield place, wire, store, marks
        store.close()


def test_a_call_whose_answer_was_lost_gets_the_same_answer_when_it_is_made_again(
    wired: tuple[Shared, Wire, Store, tuple[bytes, ...]],
) -> None:
    place, wire, store, marks = wired
    beside = place.open(replica="b")
    calls: list[tuple[Callable[[], Any], Any]] = [
        (lambda: store.open([prediction("a"), prediction("b"), prediction("a")]), Opened(2, 1, 0, 0)),
        (lambda: [one.outcome for one in store.tell([truth("a"), truth("a"), truth("c"), truth("a", b"2")])],
         ["matched", "duplicate", "early", "conflicting"]),
        (lambda: store.open([prediction("c")]), Opened(1, 0, 1, 1)),
        (lambda: tuple(store.erase([key_of("a"), key_of("b"), key_of("nobody")])), (1, 1, 0)),
        (lambda: store.expire(NOW_MS + 2 * LIMITS.retention_ms), Expired(1, 0)),
    ]  # fmt: skip
    for count, (call, answer) in enumerate(calls, start=1):
        before = beside.sizes()[:3]
        wire.cut_after(*marks)
        with pytest.raises(Unavailable):
            call()
        assert wire.cuts == count
        after = beside.sizes()[:3]
        assert after != before  # it has happened
        assert call() == answer
        assert beside.sizes()[:3] == after  # and no more than once
    beside.close()


def test_what_was_joined_by_a_call_that_was_made_again_comes_out_once(
    wired: tuple[Shared, Wire, Store, tuple[bytes, ...]],
) -> None:
    _, wire, store, marks = wired
    store.open([prediction("a")])
    wire.cut_after(*marks)
    with pytest.raises(Unavailable):
        store.tell([truth("a")])
    assert store.tell([truth("warm")])[0].outcome == "matched"  # another call comes between
    assert store.tell([truth("a")])[0].outcome == "matched"
    assert store.tell([truth("a")])[0].outcome == "duplicate"  # this was another one
    assert len(store.joined(0, 10)) == 2


# --- servers that hang, or go


def test_a_server_that_hangs_is_unavailable_within_seconds_and_goes_on_where_it_was(own: tuple[Server, str]) -> None:
    server, url = own
    store, fresh = open_store(url, LIMITS, "a"), open_store(url, LIMITS, "b")
    store.open([prediction("a")])
    server.pause()
    try:
        begun = time.monotonic()
        for one in (store, fresh):  # one has a connection, the other has none
            with pytest.raises(Unavailable):
                one.tell([truth("a")])
        assert time.monotonic() - begun < 30
    finally:
        server.resume()
    assert asked(lambda: store.tell([truth("a")]))[0].outcome == "matched"
    assert asked(lambda: fresh.tell([truth("a")]))[0].outcome == "duplicate"
    assert len(store.joined(0, 10)) == 1
    store.close()
    fresh.close()


def test_a_store_whose_server_begins_anew_finds_its_way_back(own: tuple[Server, str]) -> None:
    server, url = own
    store = open_store(url, LIMITS, "a")
    store.open([prediction("a")])
    store.tell([truth("a")])
    last = store.last_number()
    server.kill()
    with pytest.raises(Unavailable) as caught:
        store.open([prediction("b")])
    assert PASSWORD not in str(caught.value)
    server.start()
    assert store.open([prediction("b")]) == Opened(1, 0, 0, 0)
    store.tell([truth("b")])
    assert store.last_number() > last  # though Redis has forgotten everything
    assert [row.number for row in store.joined(last, 10)] == [store.last_number()]
    store.close()


def test_a_server_that_is_not_there_is_no_reason_to_stop() -> None:
    for url in ("redis://127.0.0.1:1/0", "postgresql://127.0.0.1:1/postgres", "rediss://127.0.0.1:1"):
        store = open_store(url, LIMITS, "a")
        with pytest.raises(Unavailable):
            store.sizes()
        store.close()


# --- passwords and rights


def without_password(url: str) -> str:
    return url.replace(f":{PASSWORD}@", "@")


def test_a_password_may_be_in_a_file_that_is_read_at_each_connect(shared: Shared, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wr0ng-secret\n")
    store = open_store(without_password(shared.url), LIMITS, "a", str(file))
    with pytest.raises(Unavailable) as caught:
        store.sizes()
    assert "wr0ng-secret" not in str(caught.value)
    file.unlink()
    with pytest.raises(Unavailable, match=r"feedback\.store_password_file: .*: No such file"):
        store.sizes()
    file.write_text(PASSWORD + "\n")
    assert store.open([prediction("a")]) == Opened(1, 0, 0, 0)
    store.close()


def test_no_password_is_told_by_any_error_or_log(
    shared: Shared, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "h1dden-%2F-Secret"
    addresses = [
        shared.url.replace(PASSWORD, wrong),
        shared.url.replace(PASSWORD, wrong).replace("127.0.0.1", "nowhere.invalid"),
        shared.url.replace(PASSWORD, wrong).replace(f":{shared.server.port}", ":0"),
        f"{shared.url.partition('://')[0]}://u:{wrong}@[::/0",
        f"{shared.url.partition('://')[0]}://u:{wrong}@127.0.0.1:1/x?nonsense={wrong}",
    ]
    for url in addresses:
        with pytest.raises((Unavailable, ConfigError)) as caught:
            used(url)
        said = str(caught.value) + caplog.text + "".join(capfd.readouterr())
        assert "h1dden" not in said


def test_redis_needs_no_more_rights_than_are_documented(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.acl_setuser(
            "few", enabled=True, passwords=[f"+{PASSWORD}"], reset=True, keys=["few:*"],
            commands=["-@all", *RIGHTS.split()],
        )  # fmt: skip
    store = open_store(redis_server.url("few").replace("redis://:", "redis://few:"), LIMITS, "a")
    everything(store)
    stranger = open_store(redis_server.url("other").replace("redis://:", "redis://few:"), LIMITS, "a")
    with pytest.raises(Unavailable, match=r"(?i)permission"):
        stranger.open([prediction("a")])
    stranger.close()


RIGHTS = (
    "+mget +get +set +del +lrange +ltrim +llen +rpush +zadd +zrange +zrangebyscore +zrem +hget +hset +hdel +hgetall"
    " +hincrby +xadd +xdel +xrange +pexpire +eval +evalsha +script|load +info"
)


def everything(store: Store) -> None:
    """All that is asked of a store, once."""
    assert store.open([prediction("a"), prediction("a", TWO), prediction("b")]).added == 3
    assert [one.outcome for one in store.tell([truth("a"), truth("c")])] == ["matched", "early"]
    assert store.open([prediction("c")]).joined == 1
    assert len(store.joined(0, 10)) == 3
    assert sum(store.erase([key_of("a")])) == 2
    assert store.expire(NOW_MS + 2 * LIMITS.retention_ms) == Expired(1, 0)
    assert store.last_number() > 0
    assert store.sizes()[:3] == (0, 0, 0)
    store.close()


def used(url: str) -> None:
    """Ask a store something."""
    store = open_store(url, LIMITS, "a")
    try:
        store.sizes()
    finally:
        store.close()


def test_postgresql_needs_no_right_to_make_tables_that_are_there(postgres_server: PostgresServer) -> None:
    url = postgres_server.schema("granted")
    used(url)
    postgres_server.ask(f"""
        DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN PASSWORD '{PASSWORD}';
        GRANT USAGE ON SCHEMA granted TO few;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA granted TO few;
    """)
    everything(open_store(url.replace("exporter:", "few:"), LIMITS, "a"))


def test_tables_of_another_edition_are_left_alone(postgres_server: PostgresServer) -> None:
    url = postgres_server.schema("edition")
    used(url)
    postgres_server.ask("UPDATE edition.inference_exporter_edition SET edition = 2")
    with pytest.raises(Unavailable, match="of edition 2, not 1"):
        used(url)


def test_replicas_that_begin_at_once_make_tables_together(postgres_server: PostgresServer) -> None:
    url = postgres_server.schema("together")
    stores = [open_store(url, LIMITS, str(place)) for place in range(6)]
    opened: list[Opened] = []
    threads = [
        threading.Thread(target=lambda one=one, name=name: opened.append(one.open([prediction(str(name))])))
        for name, one in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [Opened(1, 0, 0, 0)] * 6
    assert stores[0].sizes().open == 6
    for store in stores:
        store.close()


def test_counts_of_replicas_that_are_gone_stay(postgres_server: PostgresServer) -> None:
    url = postgres_server.schema("folded")
    for name in "abc":
        store = open_store(url, LIMITS, name)
        store.open([prediction(name), prediction(name + name)])
        store.tell([truth(name)])
        store.close()
    postgres_server.ask("UPDATE folded.inference_exporter_replica SET seen = now() - interval '1 year'")
    last = open_store(url, LIMITS, "last")
    last.open([prediction("last")])
    last.expire(NOW_MS)
    assert last.sizes()[:3] == (4, 3, 0)
    assert postgres_server.ask("SELECT name FROM folded.inference_exporter_replica") == [("last",)]
    last.close()


# --- Redis by itself


def test_all_that_is_in_redis_leaves_though_nobody_asks_for_it(redis_server: RedisServer) -> None:
    place = InRedis(redis_server)
    store = place.open()
    store.open([prediction("a"), prediction("b")])
    store.tell([truth("a"), truth("early")])
    store.expire(NOW_MS + LIMITS.early_ms * 2)
    with redis_server.client() as client:
        keys = list(client.scan_iter(f"{place.prefix}:*"))
        assert len(keys) > 5
        assert [key for key in keys if client.pttl(key) == -1] == []  # -2 is one that has left by now
    store.close()


def test_predictions_that_left_redis_by_themselves_are_counted_when_their_time_is_over(
    redis_server: RedisServer,
) -> None:
    place = InRedis(redis_server)
    store = place.open()
    store.open([prediction("a"), prediction("b"), prediction("c")])
    store.tell([truth("a"), truth("x")])
    with redis_server.client() as client:
        for key in client.scan_iter(f"{place.prefix}:s*"):
            client.delete(key)
    assert store.sizes()[:3] == (2, 1, 1)
    assert store.joined(0, 10) == []
    assert store.expire(NOW_MS + 2 * LIMITS.retention_ms) == Expired(2, 1)
    assert store.sizes()[:3] == (0, 0, 0)
    store.close()


def test_redis_that_has_no_memory_left_is_unavailable_and_has_taken_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    try:
        server.start()
        store = open_store(server.url("small"), PLENTY, "a")
        batches = ([prediction(f"{batch}-{place}") for place in range(200)] for batch in range(1000))
        with pytest.raises(Unavailable, match="memory"):
            deque(map(store.open, batches), maxlen=0)
        opened = store.sizes().open
        assert opened > 1000
        assert opened % 200 == 0
        assert store.expire(NOW_MS + 2 * LIMITS.retention_ms) == Expired(opened, 0)  # to forget takes no memory
        assert store.open([prediction("a")]).added == 1
        assert "evict" not in caplog.text
        store.close()
    finally:
        server.end()


def test_redis_that_may_throw_predictions_away_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    try:
        server.start()
        store = open_store(server.url("lru"), LIMITS, "a")
        store.sizes()
        assert "maxmemory-policy is allkeys-lru, it should be noeviction" in caplog.text
        store.close()
    finally:
        server.end()


# --- addresses


@pytest.mark.parametrize(
    "url", ["redis:", "redis://", "redis://host/nought", "redis://host?ssl_ca_certs=x", "rediss://host?db=3",
            "redis://host:99999", "postgresql://host/db?colour=red", "postgresql://host:port/db"]
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"feedback\.store: must have the form (redis|postgresql)://"):
        open_store(url, LIMITS, "a")


@pytest.mark.parametrize(("library", "extra"), [("redis", "redis"), ("psycopg", "postgres")])
def test_a_library_that_is_missing_is_named_with_the_command_that_installs_it(library: str, extra: str) -> None:
    url = "redis://host" if library == "redis" else "postgresql://host/db"
    program = f"""
import sys
sys.modules[{library!r}] = None
from exporter.errors import ConfigError
from exporter.feedback.stores import Limits, open_store
try:
    open_store({url!r}, Limits(1, 1, 1), "a")
except ConfigError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert f"pip install 'inference-exporter[{extra}]'" in said.stdout


def test_libraries_are_those_that_are_tested() -> None:
    assert int(redis.__version__.partition(".")[0]) >= 5
    assert psycopg.__version__ >= "3.2"


def test_limits_of_a_shared_store_are_those_of_all_replicas_together(shared: Shared) -> None:
    limits = Limits(30, LIMITS.retention_ms, LIMITS.early_ms)
    stores = [shared.open(limits, replica=name) for name in "ab"]
    for name, store in zip("ab", stores, strict=True):
        store.open([prediction(f"{name}-{place}", at_ms=NOW_MS - place) for place in range(20)])
    assert sum(store.expire(NOW_MS).open for store in stores) == 10
    assert stores[0].sizes().open == 30
    for store in stores:
        store.close()


def test_redis_is_reached_by_tls_and_only_where_its_certificate_is_trusted(tmp_path: Path) -> None:
    files, other = make(tmp_path / "own", "localhost"), make(tmp_path / "other", "localhost")
    port = free_port()
    server = RedisServer(
        "--tls-port", str(port), "--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-auth-clients", "no"
    )
    try:
        server.start()
        url = f"rediss://:{PASSWORD}@localhost:{port}/0/tls?ssl_ca_certs="
        everything(open_store(url + files.cert, LIMITS, "a"))
        with pytest.raises(Unavailable, match="certificate verify failed"):
            used(url + other.cert)
    finally:
        server.end()
