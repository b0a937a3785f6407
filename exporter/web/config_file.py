"""The file of `--web.config.file`: TLS, users, headers and a rate limit, in the format that exporters share.

What the format allows and cannot be had here is refused in words, never passed over: see docs/security.md. Nothing but
text is looked at here; the files that it names are read by `tls`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from exporter.errors import ConfigError
from exporter.values import Fault, boolean, integer
from exporter.web.clauses import each_of, go_duration, mapping, one_of, text, texts

VERSIONS: Final = ("TLS10", "TLS11", "TLS12", "TLS13")
NO_CERTIFICATE, REQUESTED, ANY, IF_GIVEN, REQUIRED = CLIENT_AUTH = (
    "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
)  # fmt: skip
CURVES: Final = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
"""As Go calls them: as OpenSSL does."""
CIPHERS: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_AES_128_GCM_SHA256": "",
    "TLS_AES_256_GCM_SHA384": "",
    "TLS_CHACHA20_POLY1305_SHA256": "",
}
"""The same of cipher suites; those of TLS 1.3 are always on, there as here."""
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Strict-Transport-Security": (), "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"), "X-XSS-Protection": (), "Content-Security-Policy": (),
}  # fmt: skip
"""What may be set, and to what where that is not free."""
_LARGEST: Final = 1 << 20
"""Bytes of the file."""
_BCRYPT: Final = re.compile(r"\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}")
_COSTS: Final = (4, 18)
"""Each more doubles the time of a check; 18 is some twenty seconds."""
_MOST_USERS: Final = 1000


class Pem(NamedTuple):
    """Where something in PEM is: in a file of its own, or in this one."""

    path: str | None
    text: str


class Rate(NamedTuple):
    """How often requests may come: `burst` at once, and one more each `interval_s`."""

    interval_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Server:
    """How clients are spoken to over TLS."""

    cert: Pem
    key: Pem
    client_ca: Pem | None = None
    client_auth: str = NO_CERTIFICATE
    allowed_sans: frozenset[str] = frozenset()
    minimum: str = "TLS12"
    maximum: str = "TLS13"
    ciphers: tuple[str, ...] = ()
    """As OpenSSL calls them, of TLS 1.2; empty where only those of 1.3 are said, None of them where `any_cipher`."""
    any_cipher: bool = True
    curve: str | None = None
    prefers_own: bool = True


@dataclass(frozen=True, slots=True)
class WebConfig:
    """All that the file says."""

    tls: Server | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    """Name: bcrypt's hash of the password."""
    rate: Rate | None = None


def load(path: str) -> WebConfig:
    """What a file says. ConfigError with the path to the fault."""
    import yaml  # noqa: PLC0415 (where there is a file only)

    from exporter.profile import strict_yaml  # noqa: PLC0415

    try:
        with open(path, "rb") as file:  # noqa: PTH123 (the error should carry the path as given)
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ConfigError(f"{path}: is longer than {_LARGEST} bytes")
        return parse(strict_yaml.load(content.decode()), Path(path).parent)
    except OSError as error:
        raise ConfigError(f"web.config_file: cannot read {path}: {error.strerror}") from None
    except Fault as error:
        raise ConfigError(f"{path}: {error.path}: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def parse(document: object, folder: Path) -> WebConfig:
    """What a document says; relative paths are of `folder`. Fault."""
    said = mapping(document, "", {
        "tls_server_config": lambda value: _tls(value, folder),
        "http_server_config": _http,
        "basic_auth_users": _users,
        "rate_limit": _rate,
    })  # fmt: skip
    return WebConfig(
        said.get("tls_server_config"), said.get("http_server_config", {}),
        said.get("basic_auth_users", {}), said.get("rate_limit"),
    )  # fmt: skip


# --- TLS


def _tls(value: object, folder: Path) -> Server | None:
    path = "tls_server_config"
    said = mapping(value, path, {
        **{f"{word}_file": lambda path: Pem(str(folder / text(path)), "") for word in ("cert", "key", "client_ca")},
        **{word: lambda pem: Pem(None, text(pem)) for word in ("cert", "key", "client_ca")},
        "client_auth_type": _client_auth, "client_allowed_sans": texts,
        "min_version": one_of(VERSIONS), "max_version": one_of(VERSIONS),
        "cipher_suites": each_of(CIPHERS), "curve_preferences": each_of(CURVES),
        "prefer_server_cipher_suites": boolean,
    })  # fmt: skip
    if not said:
        return None
    cert, key, client_ca = (_pem(said, word, path) for word in ("cert", "key", "client_ca"))
    if cert is None or key is None:
        raise Fault(f"{path}.{'cert_file' if cert is None else 'key_file'}", "is missing")
    _refuse_clients(said, client_ca, path)
    _refuse_versions(said, path)
    suites = [CIPHERS[word] for word in said.get("cipher_suites", ())]
    return Server(
        cert, key, client_ca, said.get("client_auth_type", NO_CERTIFICATE),
        frozenset(said.get("client_allowed_sans", ())), said.get("min_version", "TLS12"),
        said.get("max_version", "TLS13"), tuple(filter(None, suites)), not suites,
        _curve(said.get("curve_preferences", ()), path), said.get("prefer_server_cipher_suites", True),
    )  # fmt: skip


def _pem(said: Mapping[str, Pem], word: str, path: str) -> Pem | None:
    if word in said and f"{word}_file" in said:
        raise Fault(f"{path}.{word}", f"cannot be said beside {word}_file")
    return said.get(word) or said.get(f"{word}_file")


def _client_auth(value: object) -> str:
    word = "RequireAnyClientCert" if value == "RequireClientCert" else one_of(CLIENT_AUTH)(value)
    if word == ANY:
        raise ValueError(f"{word} cannot be had: a certificate that nobody vouches for shows nothing; say {REQUIRED}")
    return word


def _refuse_clients(said: Mapping[str, Any], client_ca: Pem | None, path: str) -> None:
    auth = said.get("client_auth_type", NO_CERTIFICATE)
    if client_ca is not None and auth == NO_CERTIFICATE:
        raise Fault(f"{path}.client_auth_type", f"must be said where there is a client_ca: {REQUIRED}")
    if client_ca is None and auth in {IF_GIVEN, REQUIRED}:
        raise Fault(f"{path}.client_ca_file", f"is missing, and {auth} must know who vouches for clients")
    if "client_allowed_sans" in said and auth != REQUIRED:
        raise Fault(f"{path}.client_allowed_sans", f"can be had with client_auth_type: {REQUIRED} alone")


def _refuse_versions(said: Mapping[str, Any], path: str) -> None:
    low, high = said.get("min_version", "TLS12"), said.get("max_version", "TLS13")
    if high in {"TLS10", "TLS11"}:
        raise Fault(f"{path}.max_version", "must be TLS12 or TLS13: older ones are not spoken")
    if low > high:
        raise Fault(f"{path}.min_version", f"must not be above max_version ({high})")


def _curve(names: tuple[str, ...], path: str) -> str | None:
    if len(names) > 1:
        raise Fault(
            f"{path}.curve_preferences",
            "several cannot be set by Python's ssl: name one, or leave it out for OpenSSL's own (X25519, P-256, …)",
        )
    return CURVES[names[0]] if names else None


# --- the rest


def _http(value: object) -> Mapping[str, str]:
    """The headers. `http2` may say what it will: HTTP/1.1 is what is spoken, and every client speaks it."""
    path = "http_server_config"
    said = mapping(value, path, {"http2": boolean, "headers": lambda headers: headers})
    return mapping(
        said.get("headers"), f"{path}.headers", {word: _one_header(allowed) for word, allowed in HEADERS.items()}
    )


def _one_header(allowed: tuple[str, ...]) -> Callable[[Any], str]:
    def parse_one(value: object) -> str:
        said = text(value)
        if allowed and said not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}, not {said!r}")
        if not said.isascii() or not said.isprintable():
            raise ValueError("must be printable ASCII")
        return said

    return parse_one


def _users(value: object) -> Mapping[str, str]:
    path = "basic_auth_users"
    if not isinstance(value, Mapping):
        raise Fault(path, "must be a mapping of names to hashes of passwords")
    if len(value) > _MOST_USERS:
        raise Fault(path, f"must not be more than {_MOST_USERS}")
    for number, (name, hashed) in enumerate(value.items()):
        if not isinstance(name, str) or not name or ":" in name:
            raise Fault(f"{path}[{number}]", "must be a name without a colon; put numbers in quotes")
        match = _BCRYPT.fullmatch(hashed) if isinstance(hashed, str) else None
        if match is None:  # what stands there may be the password itself: it is not repeated
            raise Fault(f"{path}.{name}", "must be a password's hash by bcrypt, as `htpasswd -nBC 10 NAME` makes it")
        if not _COSTS[0] <= int(match[1]) <= _COSTS[1]:
            raise Fault(f"{path}.{name}", f"must be of a cost from {_COSTS[0]} to {_COSTS[1]}, not {match[1]}")
    return dict(value)


def _rate(value: object) -> Rate | None:
    path = "rate_limit"
    said = mapping(value, path, {"interval": go_duration, "burst": integer(0, 1_000_000)})
    if not said.get("interval"):
        return None
    if said.get("burst", 0) < 1:
        raise Fault(f"{path}.burst", "must be 1 at least, or nobody is ever let in")
    return Rate(said["interval"], said["burst"])
