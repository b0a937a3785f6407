"""Settings read again while traffic goes on: what may change, and who must be told. The standard library only."""

import asyncio
import json
import sys
from collections.abc import Sequence

from exporter import config
from exporter.config import Settings
from exporter.errors import ConfigError

_FIXED = frozenset((
    "relay", "upstream", "upstream_proxy_protocol", "listen", "routes", "workers", "capture.ring",
    "web.listen_address", "health.listen_address",
))  # fmt: skip
"""What needs other sockets or other memory."""
_OF_WORKERS = frozenset((
    "upstream_connect_timeout", "head_timeout", "max_connections", "capture.max_body", "capture.max_pending",
    "drain.delay", "drain.timeout", "drain.close_header", "listen_tls.cert_file", "listen_tls.key_file",
    "upstream_tls.ca_file", "upstream_tls.server_name", "upstream_tls.insecure_skip_verify",
))  # fmt: skip
"""What the analyser does not know of."""


async def reread(words: Sequence[str]) -> Settings:
    """The settings as they are now, by the same short-lived child as at the start. ConfigError where they are bad."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exporter", "check", "--json", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await child.communicate()
    if child.returncode:
        line = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise ConfigError(line.removeprefix("inference-exporter: ") or f"check ended with status {child.returncode}")
    return config.from_document(json.loads(output))


def changes(old: Settings, new: Settings) -> frozenset[str]:
    """The keys that differ. ConfigError where one of them cannot change in a process that runs."""
    before, after = config.to_document(old), config.to_document(new)
    changed = frozenset(key for key in before if before[key] != after[key])
    fixed = sorted(changed & _FIXED)
    if fixed:
        raise ConfigError(f"{', '.join(fixed)}: cannot change while it runs, restart it")
    return changed


def concerns_analyser(changed: frozenset[str]) -> bool:
    """Whether the analyser must be started anew."""
    return bool(changed - _OF_WORKERS)
