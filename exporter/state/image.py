"""What a file of windows holds: whose they are, when they were held, and named arrays. Bytes in, bytes out.

Layout: magic, format version and lengths; a head of JSON; the arrays behind each other, compressed; SHA-256 of it all.
Names that a reader does not know are for other versions of it. It is no pickle, and it holds no value of any payload:
counts per bin only, whose names stand in the profile, and names of segments, which are on the page.
"""

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.records import Owner
from exporter.state.clock import Moment

MAGIC: Final = b"ixstate\n"
VERSION: Final = 1
LARGEST: Final = 256 << 20
"""Bytes of a file, and of the arrays in it."""
_PREFIX: Final = struct.Struct("<8sIIQ")  # magic, version, bytes of the head, bytes of the compressed arrays
_SUM_BYTES: Final = hashlib.sha256().digest_size
_KINDS: Final = frozenset("iuf")
_LEVEL: Final = 1
"""Counts are small numbers and zeros: more effort would gain little."""


class Unreadable(Exception):
    """A file is not what was written, or was written by somebody else; in words."""


class Image(NamedTuple):
    """Windows at one moment."""

    owner: Owner
    moment: Moment
    arrays: Mapping[str, NDArray[Any]]


def pack(owner: Owner, moment: Moment, arrays: Iterable[tuple[str, NDArray[Any]]]) -> bytes:
    """The bytes of a file. ValueError where they would be too many.

    Arrays are taken one by one, and none is needed once the next one is asked for.
    """
    press = zlib.compressobj(_LEVEL)
    parts: list[bytes] = []
    told: list[tuple[str, str, tuple[int, ...]]] = []
    raw = 0
    for name, array in arrays:
        raw += array.nbytes
        if raw > LARGEST:
            raise ValueError(f"windows of more than {LARGEST >> 20} MiB are too large to be kept")
        told.append((name, array.dtype.str, array.shape))
        if array.size:
            parts.append(press.compress(np.ascontiguousarray(array).data))
    parts.append(press.flush())
    head = json.dumps({**owner._asdict(), **moment._asdict(), "arrays": told}).encode()
    begin = _PREFIX.pack(MAGIC, VERSION, len(head), sum(map(len, parts)))
    digest = hashlib.sha256(begin + head)
    for part in parts:
        digest.update(part)
    return b"".join((begin, head, *parts, digest.digest()))


def unpack(content: bytes) -> Image:
    """The image in the bytes of a file. Unreadable says why there is none."""
    if not content.startswith(MAGIC[: max(len(content), 1)]):
        raise Unreadable("not a file of windows")
    if len(content) < _PREFIX.size:
        raise Unreadable("cut off")
    _, version, head_bytes, body_bytes = _PREFIX.unpack_from(content)
    if version != VERSION:
        raise Unreadable(f"of format {version}, this one knows {VERSION}")
    if len(content) != _PREFIX.size + head_bytes + body_bytes + _SUM_BYTES:
        raise Unreadable("cut off, or longer than it says")
    if hashlib.sha256(content[:-_SUM_BYTES]).digest() != content[-_SUM_BYTES:]:
        raise Unreadable("damaged: its checksum is another one")
    body_at = _PREFIX.size + head_bytes
    try:
        return _understand(json.loads(content[_PREFIX.size : body_at]), content[body_at:-_SUM_BYTES])
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, zlib.error) as error:
        raise Unreadable(f"not understood: {type(error).__name__}: {error}") from None


def _understand(head: Mapping[str, Any], body: bytes) -> Image:
    owner = Owner(*(str(head[name]) for name in Owner._fields))
    moment = Moment(float(head["monotonic_s"]), float(head["wall_s"]), str(head["boot"]))
    raw = zlib.decompressobj().decompress(body, LARGEST)
    arrays = {}
    cursor = 0
    for name, dtype, shape in head["arrays"]:
        kind = np.dtype(dtype)
        if kind.kind not in _KINDS or any(side < 0 for side in shape):
            raise ValueError(f"{name} is no array of numbers")
        arrays[name] = np.frombuffer(raw, kind, math.prod(shape), cursor).reshape(shape)
        cursor += arrays[name].nbytes
    if cursor != len(raw):
        raise ValueError("arrays of another size")
    return Image(owner, moment, arrays)
