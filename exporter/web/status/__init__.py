"""The status page, for people, and `/api/v1`, for tools: both say what `exporter.status` tells them, and no more."""

from flask import Flask

from exporter.config import Settings
from exporter.status.source import Source
from exporter.web.status import api, page
from exporter.web.status.budget import Budget
from exporter.web.status.links import Links

NOWHERE = Links()


def links_of(settings: Settings) -> Links:
    """Where settings say that others are."""
    return Links(settings.web.grafana_url or "", settings.web.alertmanager_url or "")


def add(app: Flask, source: Source, links: Links = NOWHERE) -> None:
    """Have an application show the status; `links` lead to what others show of it."""
    budget = Budget()
    page.add(app, source, links, budget)
    api.add(app, source, budget)
