"""docs/rollout-of-a-model.md: what is written there can be typed."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "rollout-of-a-model.md").read_text()
COMMANDS = [
    command.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
]
ALONE = [command for command in COMMANDS if " golden " not in command]
"""Those that no server is needed for."""


def table(path: Path, seed: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    ages = draw.normal(40, 10, rows).round(1)
    scores = np.clip(ages / 100, 0.01, 0.99).round(3)
    churned = (draw.random(rows) < scores).astype(int)
    lines = [f"{age},{end},{score}" for age, end, score in zip(ages, churned, scores, strict=True)]
    path.write_text("\n".join(["age,churned,score", *lines, ""]))


def test_there_are_commands_of_every_step() -> None:
    assert [re.sub(r" -.*| \S+\.\w+.*| \w+/.*", "", command) for command in COMMANDS] == [
        "inference-exporter profile build", "inference-exporter profile check", "inference-exporter check",
        "inference-exporter check", "inference-exporter golden record", "inference-exporter golden check",
        "inference-exporter check",
    ]  # fmt: skip


def test_the_commands_do_what_they_say(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", 1, 2000)
    table(tmp_path / "fresh.csv", 2, 1000)
    (tmp_path / "request.json").write_text('{"instances": [{"age": 34.0}]}')
    (tmp_path / "response.json").write_text('{"predictions": [0.34]}')
    script = f'set -e\ninference-exporter() {{ {sys.executable} -m exporter "$@"; }}\n' + "\n".join(ALONE)
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    for words in ("written to profile.json", "against fresh.csv, 1,000 rows:", "settings: fine", "alike, as far as"):
        assert words in result.stdout


@pytest.mark.parametrize("command", [one for one in COMMANDS if " golden " in one])
def test_flags_of_golden_requests_exist(command: str) -> None:
    words = command.split()[1:]
    told = subprocess.run([sys.executable, "-m", "exporter", *words[:2], "--help"], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    assert all(word in told for word in words if word.startswith("--"))
