"""What is released: archives that hold what they must, the same every time, and that serve where nothing else is."""

import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest
from support import eventually, free_port, model_server

from exporter import __version__

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MADE_BY_BUILDING = {"PKG-INFO", "setup.cfg"}

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900)]


def released(name: str) -> str:
    """The path of a program of the extra `release`; where CI is set a missing one fails, elsewhere it skips."""
    if not (BIN / name).exists():
        message = f"{name} is missing: pip install -e '.[release]'"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return str(BIN / name)


def run(*words: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [*map(str, words)], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources and the wheel for every machine."""
    released("pyproject-build")
    folder = tmp_path_factory.mktemp("dist")
    run(".ci/dist", sys.executable, folder, "sdist", "pure")
    return folder


@pytest.fixture(scope="module")
def sources(dist: Path) -> Path:
    [path] = dist.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    [path] = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def packed(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_sources_are_all_that_is_committed_and_nothing_is_a_link(sources: Path) -> None:
    with tarfile.open(sources) as archive:
        members = archive.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    held = {member.name.partition("/")[2] for member in members if member.isfile()}
    made = {name for name in held if name in MADE_BY_BUILDING or name.startswith("inference_exporter.egg-info/")}
    assert held - made == set(run("git", "ls-tree", "-r", "--name-only", "HEAD").splitlines())


def test_the_sources_say_neither_who_packed_them_nor_when(sources: Path) -> None:
    committed = int(run("git", "log", "-1", "--format=%ct"))
    with tarfile.open(sources) as archive:
        assert {(member.mtime, member.uid, member.gid, member.uname, member.gname) for member in archive} == {
            (committed, 0, 0, "", "")
        }


def test_the_same_commit_makes_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    run(".ci/dist", sys.executable, tmp_path, "sdist", "pure")
    again = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert again == {path.name: path.read_bytes() for path in dist.iterdir()}


def test_whoever_packs_the_packed_sources_has_the_same_bytes_without_git(sources: Path, tmp_path: Path) -> None:
    with tarfile.open(sources) as archive:
        archive.extractall(tmp_path / "un packed", filter="data")
        epoch = archive.getmembers()[0].mtime
    [unpacked] = (tmp_path / "un packed").iterdir()
    words = [sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, unpacked]
    run(*words, SOURCE_DATE_EPOCH=str(epoch))
    assert (tmp_path / sources.name).read_bytes() == sources.read_bytes()


def test_the_wheel_has_every_module_and_what_they_read(packed: set[str]) -> None:
    committed = set(run("git", "ls-tree", "-r", "--name-only", "HEAD", "exporter").splitlines())
    assert {name for name in packed if ".dist-info/" not in name} == committed


def test_the_wheel_is_for_every_machine_and_brings_its_licence(packed: set[str], wheel: Path) -> None:
    assert wheel.name == f"inference_exporter-{__version__}-py3-none-any.whl"
    assert f"inference_exporter-{__version__}.dist-info/licenses/LICENSE" in packed


def test_the_index_would_take_both(dist: Path) -> None:
    said = run(released("twine"), "check", "--strict", *sorted(dist.iterdir()))
    assert said.count("PASSED") == 2


def test_what_is_said_of_it_is_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        said = Parser().parsestr(archive.read(f"inference_exporter-{__version__}.dist-info/METADATA").decode())
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "Apache-2.0"


@pytest.fixture(scope="module")
def with_pipx(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipx")
    places = {f"PIPX_{name}": str(folder / name) for name in ("HOME", "BIN_DIR", "MAN_DIR")}
    run(released("pipx"), "install", "--python", sys.executable, wheel, **places)
    return folder / "BIN_DIR" / "inference-exporter"


@pytest.fixture(scope="module")
def with_uv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uv")
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    run(released("uv"), "tool", "install", "--python", sys.executable, wheel, **places)
    return folder / "bin" / "inference-exporter"


@pytest.fixture(params=["with_pipx", "with_uv"])
def installed(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """Where nothing is, and nothing may be written, unless it is root who writes."""
    folder = tmp_path / "empty"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_installed_it_serves_with_no_other_file_and_writes_none(installed: Path, empty: Path) -> None:
    port, web, health = free_port(), free_port(), free_port()
    with model_server() as upstream:
        words = [
            installed, "serve", "--upstream", f"http://127.0.0.1:{upstream}", "--listen", f"127.0.0.1:{port}",
            "--web.listen-address", f"127.0.0.1:{web}", "--health.listen-address", f"127.0.0.1:{health}",
        ]  # fmt: skip
        bare = {"PATH": os.environ["PATH"], "HOME": str(empty)}
        with subprocess.Popen(words, cwd=empty, env=bare) as process:
            try:
                assert eventually(lambda: answer(port, "/"), what="an answer") == b"ready\n"
                assert b"\nmodel_requests_total{" in eventually(lambda: answer(web, "/metrics"), what="a page")
                process.terminate()
                assert process.wait(120) == 0
            finally:
                process.kill()
    assert not list(empty.iterdir())


def test_installed_it_is_the_version_that_was_built(installed: Path) -> None:
    assert run(installed, "--version").split() == ["inference-exporter", __version__]


def test_installed_it_writes_rules_and_dashboards(with_uv: Path, tmp_path: Path) -> None:
    run(with_uv, "rules", "--output", tmp_path / "rules")
    run(with_uv, "dashboard", "--output", tmp_path / "boards")
    for made, shipped in (("rules", "alert_rules"), ("boards", "dashboards")):
        names = [path.name for path in (tmp_path / made).rglob("*.rules.yml" if made == "rules" else "*.json")]
        assert names
        for name in names:
            [written] = (tmp_path / made).rglob(name)
            assert written.read_text() == (ROOT / shipped / name).read_text()


def answer(port: int, path: str) -> bytes:
    """Nothing where nobody answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            content: bytes = response.read()
    except OSError:
        return b""
    return content
