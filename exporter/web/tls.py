"""TLS of the web side, from what the file of `--web.config.file` says. HTTP/1.1, TLS 1.2 and 1.3.

Clients' certificates are verified by OpenSSL; the names in them are held against those allowed here.
"""

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Self

from exporter.errors import ConfigError
from exporter.web.config_file import IF_GIVEN, REQUIRED, Pem, Server

_LARGEST: Final = 4 << 20
"""Bytes of certificates or of a key."""
_VERIFY: Final = {IF_GIVEN: ssl.CERT_OPTIONAL, REQUIRED: ssl.CERT_REQUIRED}
"""Others ask for no certificate: nobody would look at it."""
_VERSIONS: Final = {"TLS13": ssl.TLSVersion.TLSv1_3}
"""All below are 1.2."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17


def files(server: Server | None) -> tuple[str, ...]:
    """Paths of what is read beside the file itself."""
    parts = (server.cert, server.key, server.client_ca) if server else ()
    return tuple(part.path for part in parts if part is not None and part.path is not None)


def context(server: Server) -> ssl.SSLContext:
    """What clients are spoken to with. ConfigError with the path to the fault, and never a word of a key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_alpn_protocols(["http/1.1"])
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    made.minimum_version = _VERSIONS.get(server.minimum, ssl.TLSVersion.TLSv1_2)
    made.maximum_version = _VERSIONS.get(server.maximum, ssl.TLSVersion.TLSv1_2)
    _choose(made, server)
    _identify(made, server)
    if server.client_ca is not None and server.client_auth in _VERIFY:
        _trust(made, server.client_ca)
        made.verify_mode = _VERIFY[server.client_auth]
    return made


def _choose(made: ssl.SSLContext, server: Server) -> None:
    if server.prefers_own:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if server.ciphers:
        _call(lambda: made.set_ciphers(":".join(server.ciphers)), "cipher_suites: OpenSSL has none of them")
    elif not server.any_cipher:
        made.minimum_version = ssl.TLSVersion.TLSv1_3  # all that were named are of 1.3
    if server.curve is not None:
        curve = server.curve
        _call(lambda: made.set_ecdh_curve(curve), "curve_preferences: OpenSSL does not have it")


def _identify(made: ssl.SSLContext, server: Server) -> None:
    cert, key = _read(server.cert, "cert"), _read(server.key, "key")

    def load() -> None:
        with _InMemory(cert) as first, _InMemory(key) as second:
            made.load_cert_chain(first.path, second.path, _no_password)

    _call(load, f"{_named(server.cert, 'cert')}: is no certificate, or that of another key")


def _trust(made: ssl.SSLContext, authorities: Pem) -> None:
    text = _read(authorities, "client_ca")
    words = f"{_named(authorities, 'client_ca')}: holds no certificates"
    _call(lambda: made.load_verify_locations(cadata=text.decode("ascii")), words)


def _call(does: Any, words: str) -> None:  # noqa: ANN401 (any callable)
    try:
        does()
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", None) or type(error).__name__).replace("_", " ").lower()
        raise ConfigError(f"tls_server_config.{words} ({reason})") from None


def _no_password() -> str:
    raise ValueError("the key is encrypted, and nobody is there to be asked")


def _named(part: Pem, word: str) -> str:
    return word if part.path is None else f"{word}_file"


def _read(part: Pem, word: str) -> bytes:
    if part.path is None:
        return part.text.encode()
    try:
        with open(part.path, "rb") as file:  # noqa: PTH123 (the error should carry the path as given)
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"tls_server_config.{word}_file: cannot read {part.path}: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise ConfigError(f"tls_server_config.{word}_file: {part.path} is longer than {_LARGEST} bytes")
    return content


class _InMemory:
    """Bytes as a file of memory alone: ssl reads certificates and keys from files, and both must be of one moment."""

    def __init__(self, content: bytes) -> None:
        self._fd = os.memfd_create("pem", os.MFD_CLOEXEC)
        self.path = f"/proc/self/fd/{self._fd}"
        os.write(self._fd, content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


# --- what certificates say


def is_allowed(certificate: Mapping[str, Any] | None, allowed: Collection[str]) -> bool:
    """Whether a client's certificate, as `getpeercert` gives it, has one of the names; all are where none is said."""
    return not allowed or any(name in allowed for name in _names(certificate or {}))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for kind, name in certificate.get("subjectAltName", ()):
        if kind in {"DNS", "email", "URI"}:
            yield name
        elif kind == "IP Address":
            yield str(ipaddress.ip_address(name))


def expiry(server: Server) -> float | None:
    """Unix time at which the first certificate of the chain expires; None where it cannot be told."""
    try:
        text = _read(server.cert, "cert").decode("ascii", "replace")
        return _not_after(ssl.PEM_cert_to_DER_cert(_BEGIN + text.split(_BEGIN, 1)[1].split(_END, 1)[0] + _END))
    except (IndexError, ValueError):
        return None


def _not_after(der: bytes) -> float:
    """The end of its validity, RFC 5280 section 4.1: the fifth field of what is signed, and the second time in it."""
    fields = list(_parts(next(_parts(next(_parts(der))[1]))[1]))
    validity = fields[4 if fields[0][0] == _VERSION else 3][1]
    tag, text = list(_parts(validity))[1]
    pattern = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    when = dt.datetime.strptime(text.decode("ascii"), pattern).replace(tzinfo=dt.UTC)
    return when.timestamp()


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value in a row, of DER. IndexError where one ends early."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(der[at : at + count]), at + count
        if at + size > len(der):
            raise IndexError("cut off")
        yield tag, der[at : at + size]
        at += size
