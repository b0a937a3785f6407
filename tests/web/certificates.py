"""Real certificates, by openssl: an authority, and what it vouches for."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from support import tool


class Pair(NamedTuple):
    """Paths of a certificate and its key."""

    cert: Path
    key: Path

    def copy_to(self, folder: Path) -> None:
        """As a renewal does: the key first, each at once."""
        for source, name in ((self.key, "tls.key"), (self.cert, "tls.crt")):
            part = folder / f"{name}.part"
            part.write_bytes(source.read_bytes())
            part.rename(folder / name)


def _openssl(*words: str) -> None:
    subprocess.run([tool("openssl", "openssl"), *words], check=True, capture_output=True)


def _curve(folder: Path, name: str) -> tuple[str, ...]:
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / f"{name}.key")


def authority(folder: Path, name: str = "ca") -> Pair:
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    _openssl("req", "-x509", *_curve(folder, name), "-out", str(pair.cert), "-subj", f"/CN={name}", "-days", "2",
             "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    return pair


def issued(by: Pair, name: str, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 2) -> Pair:
    """What the authority vouches for; `names` as openssl writes them."""
    folder = by.cert.parent
    pair, request, more = Pair(folder / f"{name}.crt", folder / f"{name}.key"), folder / f"{name}.csr", folder / "ext"
    more.write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\n")  # which Python 3.13 insists on
    _openssl("req", "-new", *_curve(folder, name), "-out", str(request), "-subj", f"/CN={name}")
    _openssl("x509", "-req", "-in", str(request), "-CA", str(by.cert), "-CAkey", str(by.key), "-CAcreateserial",
             "-out", str(pair.cert), "-days", str(days), "-extfile", str(more))  # fmt: skip
    return pair
