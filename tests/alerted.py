"""What the shipped alerts say of pages that are scraped minute by minute, as promtool evaluates them."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml
from support import tool

from exporter.collect import Renderer
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page

ROOT: Final = Path(__file__).parents[1]
RULES: Final = (
    "drift", "exporter", "golden", "loops", "performance", "quality", "retrain", "serving", "slices", "staleness",
)  # fmt: skip
"""Of one replica; those of segments are in `drift`."""
_GOT: Final = re.compile(r'alertname="(\w+)", severity="(\w+)"')
_ABSENT: Final = "_"


class Scraped:
    """Pages of one exporter, one in each minute; the first of them at `wall`, Unix time."""

    def __init__(self, wall: float) -> None:
        self._wall, self._renderer = wall, Renderer()
        self._series: defaultdict[str, list[str]] = defaultdict(list)
        self._pages = 0

    def take(self, page: Page) -> None:
        """The next one."""
        text = b"".join(self._renderer.render(page).pieces(TEXT)).decode()
        for line in text.splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values = self._series[name]
                values += [_ABSENT] * (self._pages - len(values))
                values.append(self._told(name, value))
        self._pages += 1

    def _told(self, name: str, value: str) -> str:
        """Of promtool the first minute is that of Unix time 0."""
        is_moment = ("_timestamp_seconds" in name or "_start_time_seconds" in name) and float(value)
        return repr(float(value) - self._wall) if is_moment else value

    def alerts(self, directory: Path, among: Iterable[str]) -> set[tuple[str, str]]:
        """Those of these names that are pending or firing at the last page, with their severities."""
        tests = directory / "pages.test.yml"
        query = f'count by (alertname, severity) (ALERTS{{alertname=~"{"|".join(among)}"}})'
        asked = {"expr": query, "eval_time": f"{self._pages - 1}m", "exp_samples": [{"labels": "{}", "value": -1}]}
        series = [{"series": _named(name), "values": " ".join(values)} for name, values in self._series.items()]
        tests.write_text(yaml.dump({
            "rule_files": [str(ROOT / "alert_rules" / f"{name}.rules.yml") for name in RULES],
            "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [asked]}],
        }, Dumper=yaml.CSafeDumper))  # fmt: skip
        done = subprocess.run(
            [tool("promtool", "prometheus"), "test", "rules", str(tests)], capture_output=True, text=True, check=False
        )
        got = done.stderr.partition("got:")[2] or done.stdout.partition("got:")[2]
        assert got, done.stdout + done.stderr
        return set(_GOT.findall(got))


def _named(series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{job="j",instance="i",{labels or "}"}'
