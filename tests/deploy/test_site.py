"""The documents as a site: whatever leads nowhere fails, and so does a page that nobody is led to."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "# Front\n\n[how](docs/how.md), [rules](alert_rules), [one](alert_rules/a.rules.yml)\n",
    "docs/README.md": "# Documents\n\n## All\n\n* [front](../README.md)\n* [how](how.md)\n",
    "docs/how.md": "# How\n\n## It goes on, and ends\n\n[here](#it-goes-on-and-ends), [there](../README.md#front)\n",
    "alert_rules/a.rules.yml": "groups: []\n",
}

pytestmark = pytest.mark.deploy


def built(root: Path, pages: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What `make site` makes of some pages."""
    if importlib.util.find_spec("sphinx") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Sphinx is missing: pip install -e '.[docs]'")
    shutil.copytree(ROOT / "docs" / "site", root / "docs" / "site")
    for name, text in pages.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    words = ["-q", "-E", "-W", "--keep-going", "-c", str(root / "docs" / "site"), str(root), str(root / "built")]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, check=False, timeout=120
    )


def test_links_to_pages_headings_files_and_directories_are_fine(tmp_path: Path) -> None:
    result = built(tmp_path, PAGES)
    assert (result.returncode, result.stderr) == (0, "")
    front = (tmp_path / "built" / "README.html").read_text()
    assert 'href="https://github.com/inference-exporter/inference-exporter/blob/main/alert_rules/a.rules.yml"' in front
    assert 'href="docs/how.html"' in front


@pytest.mark.parametrize(("page", "more", "words"), [
    ("README.md", "[gone](docs/gone.md)", "docs/gone.md"),
    ("README.md", "[gone](alert_rules/gone.rules.yml)", "alert_rules/gone.rules.yml"),
    ("README.md", "[gone](deploy)", "deploy"),
    ("README.md", "[gone](docs/how.md#it-goes)", "it-goes"),
    ("docs/how.md", "[gone](#it-goes)", "it-goes"),
    ("docs/how.md", "![gone](images/gone.png)", "images/gone.png"),
    ("docs/alone.md", "# Nobody leads here", "isn't included in any toctree"),
], ids=["page", "file", "directory", "heading-elsewhere", "heading-here", "picture", "unlisted"])  # fmt: skip
def test_what_leads_nowhere_fails(tmp_path: Path, page: str, more: str, words: str) -> None:
    result = built(tmp_path, {**PAGES, page: f"{PAGES.get(page, '')}\n{more}\n"})
    assert result.returncode != 0
    assert words in result.stderr
    assert page in result.stderr


def test_addresses_elsewhere_are_listed_and_not_asked(tmp_path: Path) -> None:
    more = "[that](https://example.invalid/page)\n"
    assert built(tmp_path, {**PAGES, "docs/how.md": f"{PAGES['docs/how.md']}\n{more}"}).returncode == 0
    assert (tmp_path / "built" / "links-outside.txt").read_text() == "https://example.invalid/page docs/how.md\n"
