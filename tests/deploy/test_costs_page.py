"""What docs/costs.md tells people to write into their Prometheus is taken by it, and names what is there."""

import re
import subprocess
from pathlib import Path

import yaml
from support import tool

from exporter import catalogue

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
[REMOTE] = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL) if "remote_write" in block]


def test_prometheus_takes_what_is_to_be_sent_on(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(REMOTE)
    done = subprocess.run(
        [tool("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_left_out_is_by_bin_and_nothing_else() -> None:
    [rule] = yaml.safe_load(REMOTE)["remote_write"][0]["write_relabel_configs"]
    families = {one.name: set(one.labels) for one in catalogue.families()}
    dropped = {name for name in families if re.fullmatch(rule["regex"], name)}
    assert len(dropped) == len(rule["regex"].split(")_(")[1].split("|")) * 2, "some of them do not exist"
    assert all("bin" in families[name] for name in dropped)


def test_the_analysers_limit_is_the_same_wherever_a_container_has_512_mib() -> None:
    [advised] = set(re.findall(r"--analyser\.memory-limit (\d+MiB)", TEXT))
    files = [path for path in (ROOT / "deploy").rglob("*.y*ml") if "analyser.memory-limit=" in path.read_text()]
    said = {path.name: set(re.findall(r"analyser\.memory-limit=(\w+)", path.read_text())) for path in files}
    assert said == {"compose.yml": {advised}, "own-model.yml": {advised}}
    values = yaml.safe_load((ROOT / "deploy" / "helm" / "inference-exporter" / "values.yaml").read_text())
    assert values["analyserMemoryLimit"] == advised
    assert f"--analyser.memory-limit {advised}" in (ROOT / "docs" / "install-image.md").read_text()
