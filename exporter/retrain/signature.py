"""Signatures of webhooks: HMAC-SHA256 over id, time and body, as Standard Webhooks has it (its specification, 1.0.0).

Several secrets sign each, so that a receiver knows one of them while they are changed.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret."""
MOST: Final = 4


def secrets(text: str) -> tuple[bytes, ...]:
    """Those of a file, one a line. ValueError, whose words hold none of them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST:
        raise ValueError(f"must hold 1 to {MOST} secrets, one a line")
    return tuple(_secret(line, place) for place, line in enumerate(lines, start=1))


def _secret(line: str, place: int) -> bytes:
    try:
        found = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not _SHORTEST <= len(found) <= _LONGEST:
        raise ValueError(f"line {place}: must be {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64")
    return found


def headers(event_id: str, at_s: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """What goes with a body that is sent at a time, in Unix seconds."""
    said = {"webhook-id": event_id, "webhook-timestamp": str(at_s)}
    if keys:
        content = b".".join((event_id.encode(), str(at_s).encode(), body))
        digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
        said["webhook-signature"] = " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests)
    return said
