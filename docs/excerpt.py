# ruff: noqa: INP001 (a script, not a package)
"""Writes the documents' tables anew: where to look for metrics, those of thresholds, alerts and dashboards."""

from pathlib import Path
from typing import Final

from exporter import listing
from exporter.dashboards import listing as dashboards
from exporter.rules import files, tables

ROOT: Final = Path(__file__).parents[1]


def main() -> None:
    """What stands between two marks is replaced; the document of alerts is written as a whole."""
    _between(ROOT / "docs" / "where-to-look.md", "metrics", listing.excerpt())
    _between(ROOT / "docs" / "rules.md", "thresholds", tables.of_thresholds(files.commented()))
    _between(ROOT / "docs" / "rules.md", "checks", tables.of_checks())
    _between(ROOT / "docs" / "dashboards.md", "dashboards", dashboards.boards())
    _between(ROOT / "docs" / "dashboards.md", "panels of rules", dashboards.rules())
    alerts = tables.of_alerts(dict(files.made(files.defaults())))
    (ROOT / "docs" / "alerts.md").write_text(alerts + "\n", encoding="utf-8")


def _between(path: Path, name: str, text: str) -> None:
    begin, end = f"<!-- {name}: written by make docs -->\n", f"<!-- end of {name} -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path}: the marks of {name} are gone")
    path.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
