"""The demo's Alertmanager: the shipped configuration, told to somebody who sits here."""

import subprocess
from pathlib import Path

import yaml
from support import tool

from exporter.demo.watchers import Alertmanager

URL = "http://127.0.0.1:12345"


def test_it_has_the_shipped_routes_and_texts_and_everybody_is_told_here_but_the_dead_mans_switch(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "alertmanager"
    command = Alertmanager(URL, 1.0).command("alertmanager", directory, "127.0.0.1:9093")
    path = directory / "alertmanager.yml"
    assert f"--config.file={path}" in command
    checked = [tool("amtool", "prometheus-alertmanager"), "check-config", str(path)]
    said = subprocess.run(checked, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "notifications.tmpl" in {file.name for file in directory.iterdir()}
    assert "1 templates" in said
    urls = {one["name"]: [to["url"] for to in one.get("webhook_configs", [])]
            for one in yaml.safe_load(path.read_text())["receivers"]}  # fmt: skip
    assert urls.pop("heartbeat") == []
    assert urls == {name: [f"{URL}/{name}"] for name in urls}
    assert {"pager", "tickets", "info"} <= urls.keys()
