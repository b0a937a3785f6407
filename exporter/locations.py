"""Where a profile may live, as text: a file, a directory, the address of a store or of an MLflow server."""

import re
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

MODEL: Final = "{model}"
VERSION: Final = "{version}"
FILE: Final = "file"
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(models|runs):/")
_PIN: Final = "#sha256="
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_FORMS: Final = {
    "https": (r"https://[^/?#\s]+(/\S*)?", "https://HOST/PATH"),
    "http": (r"http://[^/?#\s]+(/\S*)?", "http://HOST/PATH"),
    "s3": (r"s3://[^/\s]+/.+", "s3://BUCKET/KEY"),
    "gs": (r"gs://[^/\s]+/.+", "gs://BUCKET/OBJECT"),
    "models": (r"models:/[^/@]+(/(\d+|\{version\})|@[^/@]+)", "models:/NAME/VERSION or models:/NAME@ALIAS"),
    "runs": (r"runs:/[^/]+/.+", "runs:/RUN_ID/PATH"),
}


class Location(NamedTuple):
    """One place, or with `{model}` and `{version}` a place for each of them."""

    scheme: str
    """`file` or one of the addresses'."""
    text: str
    """All of it but the checksum. It may hold a password or a signature."""
    sha256: str | None = None
    """Of the file's bytes, where they are pinned."""

    @property
    def shown(self) -> str:
        """As it may be logged and shown: without a user, a password, or what follows the path."""
        if self.scheme not in {"http", "https"}:
            return self.text
        try:
            parts = urlsplit(self.text)
        except ValueError:
            return f"{self.scheme}://…"
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))

    @property
    def is_template(self) -> bool:
        """Whether each model has a place of its own."""
        return MODEL in self.text or VERSION in self.text

    def of(self, model: str, version: str) -> "Location":
        """That of one model and version."""
        names = [quote(name, safe="") if self.scheme in {"http", "https"} else name for name in (model, version)]
        parts = re.split(r"(\{model\}|\{version\})", self.text)  # a name that holds braces stays a name
        filled = "".join({MODEL: names[0], VERSION: names[1]}.get(part, part) for part in parts)
        return self._replace(text=filled)


def parse(text: str) -> Location:
    """The place that a text names. ValueError in words, without the text: it may hold a password."""
    text, pin, digest = text.partition(_PIN)
    if pin and not _DIGEST.fullmatch(digest):
        raise ValueError(f"must have 64 hexadecimal digits after {_PIN}")
    address = _ADDRESS.match(text)
    scheme = (address[1] or address[2]).lower() if address else FILE
    if address is not None and scheme not in _FORMS:
        raise ValueError(f"must be a path, or an address of {', '.join(_FORMS)}, not of {scheme!r}")
    text = scheme + text[len(scheme) :] if address is not None else text
    if address is not None and not re.fullmatch(_FORMS[scheme][0], text):
        raise ValueError(f"must have the form {_FORMS[scheme][1]}")
    found = Location(scheme, text, digest.lower() or None)
    if pin and found.is_template:
        raise ValueError("can have a checksum for one file alone, not for one of each model")
    return found


def location(value: object) -> str:
    """A place as a setting."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("must be a path or an address, and printable")
    parse(value)
    return value


def shown(text: str) -> str:
    """A setting as it may be logged."""
    return parse(text).shown


def has_many(text: str | None) -> bool:
    """Whether each model has a profile of its own there: in a directory, or under its name."""
    if text is None:
        return False
    found = parse(text)
    return found.is_template or (found.scheme == FILE and (text.endswith("/") or Path(found.text).is_dir()))
