# ruff: noqa: INP001 (a script, not a package)
"""Writes the README's table of metrics anew, from the catalogue."""

from pathlib import Path
from typing import Final

from exporter import listing

README: Final = Path(__file__).parents[1] / "README.md"
BEGIN: Final = "<!-- metrics: written by make docs -->\n"
END: Final = "<!-- end of metrics -->"


def main() -> None:
    """What stands between the two marks is replaced."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{README}: the marks of the table are gone")
    README.write_text(f"{before}{BEGIN}{listing.excerpt()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
