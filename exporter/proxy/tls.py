"""TLS on either side, HTTP/1.1 only. ConfigError, naming the setting, where a file cannot be used.

TLS has no half-close here: an event loop answers a peer's last word with its own. So a client that ends over TLS is
gone. A server's end ends a client of TLS too, once all is sent. A server of TLS is not told that its client has said
all: it may answer what is under way, and is closed on when nothing is.
"""

import ssl
from typing import Any

from exporter.errors import ConfigError

_PROTOCOLS = ["http/1.1"]


def _no_password() -> str:
    raise ValueError("the key is encrypted, and nobody is there to be asked")


def listener_context(files: dict[str, Any] | None) -> ssl.SSLContext | None:
    """For clients: `cert_file` and `key_file`. None where there is no TLS."""
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(_PROTOCOLS)
    cert, key = files["cert_file"], files["key_file"]
    for name in ("cert_file", "key_file"):
        _must_be_readable(f"listen_tls.{name}", files[name])
    try:
        context.load_cert_chain(cert, key, _no_password)
    except (OSError, ValueError) as error:
        raise ConfigError(f"listen_tls: {cert} and {key} are no certificate and its key: {_words(error)}") from None
    return context


def upstream_context(files: dict[str, Any] | None) -> ssl.SSLContext | None:
    """For the model server: `ca_file` and `insecure_skip_verify`. None where there is no TLS."""
    if files is None:
        return None
    ca_file = files["ca_file"]
    if ca_file is not None:
        _must_be_readable("upstream_tls.ca_file", ca_file)
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"upstream_tls.ca_file: {ca_file} holds no certificates: {_words(error)}") from None
    context.set_alpn_protocols(_PROTOCOLS)
    if files["insecure_skip_verify"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _must_be_readable(key: str, path: str) -> None:
    try:
        with open(path, "rb"):  # noqa: PTH123 (the error should carry the path as given)
            pass
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from None


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).replace("_", " ").lower()
