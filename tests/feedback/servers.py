"""Real servers of Redis and PostgreSQL on loopback: they can be stopped, killed, begun again. Nothing of them stays."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import redis
from support import children, eventually, free_port, tool

PASSWORD: Final = "s3cret-Passw0rd"  # noqa: S105 (of a server that is gone in a moment)


class Server:
    """A process with a directory of its own."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix=f"feedback-{name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def started(self, **more: Any) -> None:
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.directory, **more)
        eventually(self.answers, what="a server")

    def start(self) -> None:
        self.started()

    def pids(self) -> list[int]:
        assert self.process is not None
        return [self.process.pid, *(pid for pid, _ in children(self.process.pid))]

    def signal(self, number: int) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """At once, with all that is under way."""
        assert self.process is not None
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        self.process.wait(30)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class RedisServer(Server):
    def __init__(self, *flags: str) -> None:
        super().__init__("redis")
        self.flags = flags
        self.program = tool("redis-server", "redis-server")

    def command(self) -> list[str]:
        return [
            self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD,
            "--dir", str(self.directory), *self.flags,
        ]  # fmt: skip

    def answers(self) -> bool:
        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> Any:
        return redis.Redis("127.0.0.1", self.port, password=PASSWORD)

    def url(self, prefix: str) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0/{prefix}"


class PostgresServer(Server):
    def __init__(self) -> None:
        super().__init__("postgres")
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        self.programs = found[-1].parent if found else Path(tool("initdb", "postgresql")).parent
        self.data = self.directory / "data"
        self.data.mkdir()
        self.owner: dict[str, Any] = {}
        if os.geteuid() == 0:  # whom it refuses
            account = pwd.getpwnam("postgres" if found else "nobody")
            self.owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for path in (self.directory, self.data):
                os.chown(path, account.pw_uid, account.pw_gid)
        secret = self.directory / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [self.programs / "initdb", "-D", self.data, "--no-sync", "-A", "scram-sha-256", "--pwfile", secret,
             "-U", "exporter", "--locale=C", "-E", "UTF8"],
            check=True, capture_output=True, cwd=self.directory, timeout=120, **self.owner,
        )  # fmt: skip

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "shared_buffers": "16MB",
            "autovacuum": "off", "restart_after_crash": "off",
        }  # fmt: skip
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port), *flags]

    def start(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.started(**self.owner)

    def answers(self) -> bool:
        with suppress(psycopg.Error):
            self.ask("SELECT 1")
            return True
        return False

    def ask(self, statement: Any) -> list[Any]:
        with psycopg.connect(self.url(""), autocommit=True, connect_timeout=3) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def url(self, schema: str) -> str:
        where = f"?options=-csearch_path%3D{schema}" if schema else ""
        return f"postgresql://exporter:{PASSWORD}@127.0.0.1:{self.port}/postgres{where}"

    def schema(self, name: str) -> str:
        """The address of a schema that is empty."""
        self.ask(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        self.ask(f"CREATE SCHEMA {name}")
        return self.url(name)
