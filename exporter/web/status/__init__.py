"""The status page, for people, and `/api/v1`, for tools: both say what `exporter.status` tells them, and no more."""

from flask import Flask

from exporter.status.source import Source
from exporter.web.status import page
from exporter.web.status.budget import Budget
from exporter.web.status.links import Links

NOWHERE = Links()


def add(app: Flask, source: Source, links: Links = NOWHERE) -> None:
    """Have an application show the status; `links` lead to what others show of it."""
    page.add(app, source, links, Budget())
