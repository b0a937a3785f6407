"""The profile that lies beside the model where nothing is set, and what commands read."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from monitor_scenes import make_profile

from exporter.errors import ConfigError, DataError
from exporter.places import reading
from exporter.profile import document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    document.save(make_profile(tmp_path), str(tmp_path / "profile.json"))
    return tmp_path / "profile.json"


def test_what_lies_beside_the_model_or_beside_each_of_several_is_the_default(file: Path, tmp_path: Path) -> None:
    root = tmp_path / "models"
    assert reading.default(str(root)) is None
    (root / "churn").mkdir(parents=True)
    (root / "churn" / "model.joblib").write_bytes(b"")
    assert reading.default(str(root)) is None
    shutil.copy(file, root / "churn" / "profile.json")
    assert reading.default(str(root)) == f"{root}/{{model}}/profile.json"
    assert set(reading.each(f"{root}/{{model}}/profile.json")) == {f"{root}/churn/profile.json"}
    shutil.copy(file, root / "profile.json")
    assert reading.default(str(root)) == f"{root}/profile.json"


def test_a_pinned_file_is_read_where_it_is_the_one_that_was_meant(file: Path) -> None:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert reading.load(f"{file}#sha256={sha256}").rows == 3000
    with pytest.raises(DataError, match=f"its SHA-256 is {sha256}, not the pinned one"):
        reading.load(f"{file}#sha256={'1' * 64}")
    with pytest.raises(ConfigError, match="cannot read"):
        reading.load(f"{file}.gone#sha256={sha256}")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
@pytest.mark.parametrize("given", [(), ("--profile", "{file}")])
def test_check_takes_what_kserve_has_put_beside_the_model_unless_something_is_set(
    file: Path, given: tuple[str, ...]
) -> None:
    words = [word.replace("{file}", f"{file}.gone") for word in given]
    script = 'mount -t tmpfs none /mnt && mkdir /mnt/models && cp "$0" /mnt/models/ && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(file), sys.executable, "-m", "exporter", "check", *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if "permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip("this machine lets nobody mount anything")
    if given:
        assert (done.returncode, "cannot read" in done.stderr) == (64, True)
    else:
        assert (done.returncode, done.stderr) == (0, "")
        assert "profile: fine, " in done.stdout
    assert not Path("/mnt/models/profile.json").exists()
