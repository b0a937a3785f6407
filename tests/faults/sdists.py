"""Test data that others publish inside their source distributions: fetched with pip, kept outside the repository."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

import pytest


class Sdist(NamedTuple):
    """One source distribution, to the byte."""

    project: str
    version: str
    sha256: str


AIOHTTP: Final = Sdist("aiohttp", "3.14.5", "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178")
GUNICORN: Final = Sdist("gunicorn", "27.0.1", "b1514965361c8b7e8107a80aa2a92636878df1ccfac6dd204a676426e04d9e3e")


def texts(sdist: Sdist, folder: str, ending: str, cache: Path) -> dict[str, bytes]:
    """The files of a folder of a distribution, by their names below it.

    Without a way to the package index: fails where CI is set, skips elsewhere.
    """
    archive = cache / f"{sdist.project}-{sdist.version}.tar.gz"
    if not archive.exists() or hashlib.sha256(archive.read_bytes()).hexdigest() != sdist.sha256:
        _download(sdist, cache)
    top = f"{sdist.project}-{sdist.version}/{folder}/"
    found = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member)
            if content and member.name.startswith(top) and member.name.endswith(ending):
                found[member.name.removeprefix(top)] = content.read()
    return found


def _download(sdist: Sdist, cache: Path) -> None:
    """By pip, which knows this machine's index, proxy and certificates, and checks the hash."""
    with tempfile.TemporaryDirectory(dir=cache) as own:  # other processes of tests may look at the same time
        wanted = Path(own, "wanted.txt")
        wanted.write_text(f"{sdist.project}=={sdist.version} --hash=sha256:{sdist.sha256}\n")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--no-binary", sdist.project, "--require-hashes", "--requirement", str(wanted), "--dest", own,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        for archive in Path(own).glob("*.tar.gz"):
            archive.rename(cache / archive.name)
    if done.returncode:
        message = f"{sdist.project} {sdist.version} cannot be downloaded: {done.stderr.strip()[-500:]}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
