# ruff: noqa: INP001 (a script, not a package)
"""Writes the dashboards beside it, and what provisions them. `--check` only says whether they are up to date.

What they show stands in exporter/dashboards/boards. With a data source, a folder or features of your own:
`inference-exporter dashboard`.
"""

import sys
from pathlib import Path

from exporter.cli import main

if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.exit(main(["dashboard", "--check" if sys.argv[1:] == ["--check"] else "--output", here]))
