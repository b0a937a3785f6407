"""The image, built and run: on a Debian of its own, with Debian's buildah, as there may be no other engine.

What it stands on has no shell, its root is read-only, and it runs as nobody: it is started as a container's first
process is, in a mount namespace. `make test-image` runs this as root; it takes minutes and 2 GB in build/image, where
both Debians are kept.
"""

import json
import os
import shutil
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from support import PATIENCE_S, Metrics, accounted, eventually, free_port, model_server, predict, tool

from deploy.test_image import IMAGE, ROOT, installed

WORK = ROOT / "build" / "image"
NAME = "inference-exporter:tested"
USER = 65532
STATE = "var/lib/inference-exporter"
MOST_MB = 280
"""Of what we add to a base: the locked libraries, ourselves, and both compiled."""
DEBIANS = {
    "runtime": "python3",
    "builder": "python3,python3-venv,python3-dev,gcc,libc6-dev,ca-certificates",
}
SHELLS = ("sh", "bash", "dash", "rbash")
ENTER = """
mount --rbind "$ROOT" "$ROOT" && mount -o remount,bind,ro "$ROOT"
mount --rbind /proc "$ROOT/proc" && mount --rbind /dev "$ROOT/dev" && mount -t tmpfs tmpfs "$ROOT/tmp"
if [ -n "$VOLUME" ]; then mount -t tmpfs -o uid=65532,gid=65532,mode=0700 tmpfs "$ROOT/$VOLUME"; fi
exec setpriv --no-new-privs chroot --userspec=65532:65532 "$ROOT" "$@"
"""
"""What an engine does before a container's first process, which this shell becomes."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="images are built and entered as root here"),
]


@dataclass(frozen=True)
class Image:
    """What was built, laid out in a directory."""

    root: Path
    config: dict[str, Any]

    @contextmanager
    def process(self, words: list[str], volume: str = "") -> Iterator["subprocess.Popen[str]"]:
        """Words run in it, with nothing of our own environment."""
        environ = {**dict(each.split("=", 1) for each in self.config["Env"]), "ROOT": str(self.root), "VOLUME": volume}
        command = [tool("unshare", "util-linux"), "--mount", shutil.which("sh") or "sh", "-euc", ENTER, "sh", *words]
        environ["PATH"] += ":/usr/sbin:/sbin"
        with subprocess.Popen(
            command, env=environ, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            try:
                yield process
            finally:
                process.terminate()

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and all that was said."""
        with self.process(list(words)) as process:
            said, _ = process.communicate(timeout=PATIENCE_S)
            return process.returncode, said

    @property
    def ours(self) -> Path:
        return self.root / "opt" / "inference-exporter"


def buildah(*words: str | Path) -> str:
    where = ("--root", WORK / "store", "--runroot", WORK / "run", "--storage-driver", "vfs")
    done = subprocess.run(
        [tool("buildah", "buildah"), *where, *words],
        stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=os.environ | {"BUILDAH_ISOLATION": "chroot"},
    )  # fmt: skip
    return done.stdout.strip()


def debian(name: str) -> Path:
    """A Debian, made once."""
    path = WORK / name
    if not (WORK / f"{name}.made").exists():
        shutil.rmtree(path, ignore_errors=True)
        (WORK / "debs").mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [tool("debootstrap", "debootstrap"), "--variant=minbase", f"--cache-dir={WORK / 'debs'}",
             f"--include={DEBIANS[name]}", "bookworm", path],
            check=True,
        )  # fmt: skip
        (WORK / f"{name}.made").touch()
    return path


def imported(name: str) -> str:
    """An image of a Debian."""
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, debian(name), "/")
    buildah("commit", "--quiet", "--rm", container, f"localhost/{name}")
    return f"localhost/{name}"


def of_this_machine() -> list[str]:
    """How pip goes out from here, where its authorities are others than pip's own."""
    authorities = os.environ.get("PIP_CERT")
    if authorities is None:
        return []
    (WORK / "pip.conf").write_text(f"[global]\ncert = {authorities}\n")
    return ["--secret", f"id=pip,src={WORK / 'pip.conf'}", "--volume", f"{authorities}:{authorities}:ro"]


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    runtime = debian("runtime")
    for shell in SHELLS:
        (runtime / "usr" / "bin" / shell).unlink(missing_ok=True)
    bases = [word for name, arg in (("runtime", "BASE"), ("builder", "BUILDER"))
             for word in ("--build-arg", f"{arg}={imported(name)}")]  # fmt: skip
    buildah("bud", "--pull-never", "--format", "docker", "--file", IMAGE / "Dockerfile", *bases,
            *of_this_machine(), "--tag", NAME, ".")  # fmt: skip
    config = json.loads(buildah("inspect", "--type", "image", NAME))["Docker"]["config"]
    container = buildah("from", "--pull-never", NAME)
    try:
        yield Image(Path(buildah("mount", container)), config)
    finally:
        buildah("rm", container)
        buildah("rmi", "--all", "--force")


def page(port: int) -> Metrics | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return Metrics(answer.read().decode())
    except OSError:
        return None


@contextmanager
def serving(image: Image, upstream: int, *flags: str, volume: str = "") -> Iterator[tuple[int, int, int]]:
    """The image as a container is begun: its entry point with its command; its ports."""
    ports = free_port(), free_port(), free_port()
    words = [*image.config["Entrypoint"], *image.config["Cmd"], "--upstream", f"http://127.0.0.1:{upstream}"]
    for flag, port in zip(("--listen", "--web.listen-address", "--health.listen-address"), ports, strict=True):
        words += [flag, f"127.0.0.1:{port}"]
    with image.process([*words, *flags], volume) as process:
        yield ports
        process.terminate()
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said


def counted(port: int, requests: int) -> Metrics:
    """A page on which so many are observed."""

    def seen() -> Metrics | None:
        metrics = page(port)
        if metrics is None or metrics.total("model_requests_total") < requests:
            return None
        return metrics if accounted(metrics) else None

    found: Metrics = eventually(seen, what=f"{requests} requests on the page")
    return found


def test_it_serves_on_a_read_only_root_without_a_shell_as_nobody(image: Image) -> None:
    assert not any((image.root / "bin" / shell).exists() for shell in SHELLS)
    assert image.run("python", "-c", "import os; print(os.getuid(), os.getgid())") == (0, f"{USER} {USER}\n")
    code, said = image.run("python", "-c", f"open('/{STATE}/file', 'w')")
    assert code == 1
    assert "Read-only file system" in said
    with model_server() as upstream, serving(image, upstream) as (port, web, health):
        check = [*image.config["Healthcheck"]["Test"][1:], "--health.listen-address", f"127.0.0.1:{health}"]
        eventually(lambda: image.run(*check) == (0, "inference-exporter is ready\n"), what="a healthy container")
        for number in range(20):
            assert predict(f"http://127.0.0.1:{port}", [[number, 1.0]]) == {"predictions": [number + 1.0]}
        metrics = counted(web, 20)
        assert metrics.total("model_requests_total", code="200") == 20
        assert metrics.value("inference_exporter_build_info", compiled="yes") == 1
    assert image.run(*check)[0] == 1


@pytest.mark.parametrize(
    ("volume", "family"),
    [(STATE, "inference_exporter_state_kept_timestamp_seconds"), ("", "inference_exporter_state_errors_total")],
    ids=["kept", "counted"],
)
def test_state_is_kept_where_a_volume_is_and_what_is_not_is_counted(image: Image, volume: str, family: str) -> None:
    """Rows enough for a reference of their own: without one there is nothing to keep."""
    flags = ("--state", f"/{STATE}", "--state.interval", "1s", "--provisional.rows", "600",
             "--provisional.minimum-rows", "500", "--windows.snapshot-interval", "200ms")  # fmt: skip

    def is_there(web: int) -> bool:
        metrics = page(web)
        return metrics is not None and metrics.total(family) > 0

    with model_server() as upstream, serving(image, upstream, *flags, volume=volume) as (port, web, _):
        eventually(lambda: page(web), what="a page")
        for _ in range(10):
            predict(f"http://127.0.0.1:{port}", [[number % 17, number % 7] for number in range(100)])
        eventually(lambda: is_there(web), what=family)


def test_nothing_in_it_belongs_to_its_user_but_where_state_may_be(image: Image) -> None:
    own, open_to_all, privileged = [], [], []
    for path in image.root.rglob("*"):
        found = path.lstat()
        own += [path] if found.st_uid == USER else []
        if not stat.S_ISLNK(found.st_mode):
            open_to_all += [path] if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX else []
            privileged += [path] if found.st_mode & (stat.S_ISUID | stat.S_ISGID) else []
    assert own == [image.root / STATE]
    assert [path for path in open_to_all if not stat.S_ISCHR(path.lstat().st_mode)] == []
    assert [path for path in privileged if path.is_relative_to(image.ours)] == []


def test_its_bill_of_materials_names_every_distribution_of_the_lock(image: Image) -> None:
    document = json.loads((image.ours / "sbom.cdx.json").read_text())
    named = {canonicalize_name(each["name"]): each["version"] for each in document["components"]}
    python = image.run("python", "-c", "import platform; print(platform.python_version(), platform.machine())")[1]
    locked = installed("requirements.txt", *python.split())
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "inference-exporter"
    assert named.pop("inference-exporter", None) in {None, document["metadata"]["component"].get("version")}
    assert named == locked
    there = {canonicalize_name(path.name.split("-")[0]) for path in image.ours.glob("lib/*/site-packages/*.dist-info")}
    assert there == {*locked, "inference-exporter"}


def test_it_is_as_small_as_is_said(image: Image) -> None:
    of_files = sum(path.lstat().st_size for path in image.ours.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"\nours: {of_files / 1e6:.0f} MB", [path.name for path in image.ours.iterdir()])
    assert of_files / 1e6 < MOST_MB
    assert [path.name for path in (image.ours / "bin").iterdir() if not path.is_symlink()] == ["inference-exporter"]
