"""Who fetches the model server's own metrics, as settings say it."""

import ssl
from typing import TYPE_CHECKING

from exporter.config import Settings
from exporter.proxy import introduction, tls
from exporter.upstream_metrics import Resource

if TYPE_CHECKING:
    from exporter.merging import Merging
    from exporter.merging.asking import Target


def merging(settings: Settings, seats: "memoryview[int]") -> "Merging | None":
    """None where our page is ours alone. ConfigError."""
    found, of = settings.merged, settings.merge
    if found is None:
        return None
    from exporter.budget.switches import switched_off  # noqa: PLC0415 (the analyser only, not whoever checks settings)
    from exporter.merging import Merging  # noqa: PLC0415
    from exporter.merging.asking import Limits  # noqa: PLC0415
    from exporter.merging.telling import Counts  # noqa: PLC0415

    limits, off = Limits(of.timeout, of.max_size, of.max_series), switched_off(settings.metrics, "")
    return Merging(_target(found, settings), limits, Counts(seats), off)


def told(settings: Settings) -> list[str]:
    """What people should know of it, a line each. ConfigError."""
    found = settings.merged
    if found is None:
        return ["which server is not known yet"] if settings.merge.upstream_metrics else []
    _context(found, settings)
    return [f"{found.path} of {found.server}, at most {settings.merge.max_series:,} series beside ours"]


def _target(found: Resource, settings: Settings) -> "Target":
    from exporter.merging.asking import Target  # noqa: PLC0415

    place = found.place
    host = place[0] if isinstance(place, tuple) else "localhost"
    return Target(
        place, found.host, found.path, _context(found, settings), settings.upstream_tls.server_name or host,
        _preface(found, settings),
    )  # fmt: skip


def _context(found: Resource, settings: Settings) -> ssl.SSLContext | None:
    of = settings.upstream_tls
    files = {"ca_file": of.ca_file, "insecure_skip_verify": of.insecure_skip_verify}
    return tls.upstream_context(files) if found.is_tls else None


def _preface(found: Resource, settings: Settings) -> bytes:
    """Where it is the very server that clients are relayed to."""
    return introduction.of_nobody(settings.upstream_proxy_protocol) if found.server == settings.watched else b""
