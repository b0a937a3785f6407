# ruff: noqa: INP001 (read by Sphinx, no package)
"""How the documents become a site: `make site`. GitHub shows the same files as they are, so nothing here adds to them.

The sources are the repository itself, for documents link to rules, dashboards and manifests beside them. What is a
document is a page; what is another file, or a directory, is linked where the repository is read. A link that leads
nowhere, a heading that is not there, and a page that docs/README.md does not name are errors (`-W`).
"""

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = "https://github.com/inference-exporter/inference-exporter/blob/main"
INDEX: Final = "docs/README"
_LISTED: Final = re.compile(r"\]\((?!https?:)([^)#]+)\.md\)")

project = "inference-exporter"
author = "inference-exporter"
html_title = project
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
html_extra_path = ["index.html"]
html_static_path = ["wide.css"]
html_css_files = ["wide.css"]
html_theme_options = {"source_repository": SOURCES.removesuffix("/blob/main"), "source_branch": "main"}
extensions = ["myst_parser"]
root_doc = INDEX
include_patterns = ["README.md", "CHANGELOG.md", "docs/*.md", "alert_rules/*.md", "deploy/**.md"]
exclude_patterns = [".*", "build", "dist", "tests", "exporter", "benchmarks", "dashboards", "**/node_modules"]
myst_heading_anchors = 6
myst_heading_slug_func = "github"
suppress_warnings = ["misc.highlighting_failure"]  # fragments of YAML with an ellipsis are no YAML


def list_pages(_: Sphinx, docname: str, source: list[str]) -> None:
    """What the index links to is the site's table of contents, by the index's own headings."""
    if docname == INDEX:
        head, *parts = re.split(r"(?m)^(?=## )", source[0])
        seen: set[str] = set()
        source[0] = head + "".join(part + _contents(part, seen) for part in parts)


def _contents(part: str, seen: set[str]) -> str:
    """A hidden list of a part's pages that no part before it has."""
    title = part.partition("\n")[0].removeprefix("## ")
    found = [page for page in dict.fromkeys(_LISTED.findall(part)) if page not in seen]
    seen.update(found)
    pages = "\n".join(f"/{page.removeprefix('../')}" if page.startswith("../") else page for page in found)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n\n" if found else ""


def link_sources(app: Sphinx, document: nodes.document) -> None:
    """Files and directories that are no pages are linked where the sources are read; what is not there stays wrong."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for node in list(document.findall(lambda one: isinstance(one, download_reference | pending_xref))):
        target = (here / unquote(node.get("reftarget", "").partition("#")[0])).resolve()
        if target.exists() and target.is_relative_to(ROOT) and target.suffix != ".md":
            place = f"{SOURCES}/{target.relative_to(ROOT)}"
            node.replace_self(nodes.reference("", "", *node.children, refuri=place))


def list_outside(app: Sphinx, error: Exception | None) -> None:
    """Addresses elsewhere, with the page that has each: nobody asks them here, so that no check depends on them."""
    if error is None:
        found = {(uri, docname) for docname in app.env.found_docs for uri in _outside(app.env.get_doctree(docname))}
        text = "".join(f"{uri} {docname}.md\n" for uri, docname in sorted(found))
        Path(app.outdir, "links-outside.txt").write_text(text, encoding="utf-8")


def _outside(document: nodes.document) -> set[str]:
    found = {node.get("refuri", "") for node in document.findall(nodes.reference)}
    return {uri for uri in found if uri.startswith(("http://", "https://")) and not uri.startswith(SOURCES)}


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", list_pages)
    app.connect("doctree-read", link_sources)
    app.connect("build-finished", list_outside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
