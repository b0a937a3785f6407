"""TLS of the web side: real handshakes with real certificates, renewed while it runs."""

import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from proxy.rig import Peer
from web.certificates import Pair, authority, issued
from web.doors import TEXT, Served, peer, served

from exporter.errors import ConfigError
from exporter.web import in_force, tls
from exporter.web.config_file import Pem, Server

BASE = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n"
MUTUAL = BASE + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(ca: Pair) -> Pair:
    return issued(ca, "server")


@pytest.fixture
def folder(tmp_path: Path, server: Pair, ca: Pair) -> Path:
    server.copy_to(tmp_path)
    (tmp_path / "ca.crt").write_bytes(ca.cert.read_bytes())
    return tmp_path


def config(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


def client(ca: Pair, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca.cert))
    if pair is not None:
        context.load_cert_chain(*map(str, pair))
    return context


def is_let_in(at: Served, context: ssl.SSLContext) -> bool:
    try:
        return at.ask(context=context).body == TEXT
    except OSError:  # of TLS 1.3 a client hears only afterwards that it was not believed
        return False


def test_the_page_is_served_over_tls_and_what_is_no_tls_is_not_served(folder: Path, ca: Pair) -> None:
    with served(config(folder, BASE), ca.cert) as at:
        assert at.ask().body == TEXT
        with peer(at.port) as plain:
            plain.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.to_end()
            assert b"model_x" not in plain.received
        assert at.refused() == {"tls": 1}


def test_keep_alive_and_a_body_in_pieces_work_over_tls(folder: Path, ca: Pair) -> None:
    with served(config(folder, BASE), ca.cert) as at:
        sock = client(ca).wrap_socket(peer(at.port).sock, server_hostname="localhost")
        with Peer(sock) as one:
            assert sock.selected_alpn_protocol() is None
            for _ in range(3):
                one.received.clear()
                one.send(b"GET /-/healthy HTTP/1.1\r\n")
                one.send(b"Host: x\r\n\r\n")
                one.until(b"healthy\n")
                assert one.received.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("lines", "most"), [("  max_version: TLS12\n", "TLSv1.2"), ("  min_version: TLS13\n", "TLSv1.3")]
)
def test_versions_are_those_that_were_said(folder: Path, ca: Pair, lines: str, most: str) -> None:
    other = {"TLSv1.2": "TLSv1_3", "TLSv1.3": "TLSv1_2"}[most]
    with served(config(folder, BASE + lines), ca.cert) as at:
        with client(ca).wrap_socket(peer(at.port).sock, server_hostname="localhost") as sock:
            assert sock.version() == most
        refused = client(ca)
        refused.minimum_version = refused.maximum_version = ssl.TLSVersion[other]
        assert not is_let_in(at, refused)


def test_ciphers_and_the_curve_are_those_that_were_said(folder: Path, ca: Pair) -> None:
    lines = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
    with served(config(folder, BASE + lines + "  curve_preferences: [CurveP384]\n"), ca.cert) as at:
        with client(ca).wrap_socket(peer(at.port).sock, server_hostname="localhost") as sock:
            assert sock.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"  # type: ignore[index]
        other = client(ca)
        other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        assert not is_let_in(at, other)
        narrow = client(ca)
        narrow.set_ecdh_curve("prime256v1")
        assert not is_let_in(at, narrow)


def test_ciphers_of_tls_1_3_alone_leave_nothing_of_1_2(folder: Path, ca: Pair) -> None:
    with served(config(folder, BASE + "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"), ca.cert) as at:
        old = client(ca)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert not is_let_in(at, old)
        assert is_let_in(at, client(ca))


def test_clients_must_show_a_certificate_of_the_authority(folder: Path, ca: Pair, tmp_path: Path) -> None:
    stranger = issued(authority(tmp_path, "other"), "stranger")
    with served(config(folder, MUTUAL), ca.cert) as at:
        assert is_let_in(at, client(ca, issued(ca, "one")))
        assert not is_let_in(at, client(ca, stranger))
        assert not is_let_in(at, client(ca))


def test_a_certificate_that_is_given_must_be_of_the_authority_where_none_need_be(
    folder: Path, ca: Pair, tmp_path: Path
) -> None:
    stranger = issued(authority(tmp_path, "other"), "stranger")
    text = MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    with served(config(folder, text), ca.cert) as at:
        assert is_let_in(at, client(ca))
        assert not is_let_in(at, client(ca, stranger))


@pytest.mark.parametrize("auth", ["NoClientCert", "RequestClientCert"])
def test_nobody_is_refused_where_no_certificate_is_asked_for(folder: Path, ca: Pair, auth: str) -> None:
    with served(config(folder, BASE + f"  client_auth_type: {auth}\n"), ca.cert) as at:
        assert is_let_in(at, client(ca))


def test_only_certificates_with_an_allowed_name_are_let_in(folder: Path, ca: Pair) -> None:
    allowed = "  client_allowed_sans: [prometheus.svc, 10.0.0.7, 'spiffe://a/b', ops@example.com]\n"
    with served(config(folder, MUTUAL + allowed), ca.cert) as at:
        for number, names in enumerate((
            "DNS:prometheus.svc", "DNS:x,IP:10.0.0.7", "URI:spiffe://a/b", "email:ops@example.com",
        )):  # fmt: skip
            assert is_let_in(at, client(ca, issued(ca, f"good{number}", names))), names
        for number, names in enumerate(("DNS:prometheus.svc.evil", "IP:10.0.0.8", "DNS:*.svc")):
            assert not is_let_in(at, client(ca, issued(ca, f"bad{number}", names))), names


def test_certificates_may_stand_in_the_file_itself(folder: Path, ca: Pair, server: Pair) -> None:
    def inline(word: str, path: Path) -> str:
        return f"  {word}: |\n" + "".join(f"    {line}\n" for line in path.read_text().splitlines())

    text = "tls_server_config:\n" + inline("cert", server.cert) + inline("key", server.key)
    text += inline("client_ca", ca.cert) + "  client_auth_type: RequireAndVerifyClientCert\n"
    with served(config(folder, text), ca.cert) as at:
        assert is_let_in(at, client(ca, issued(ca, "one")))
        assert not is_let_in(at, client(ca))


def serial(at: Served, ca: Pair) -> Any:
    with client(ca).wrap_socket(peer(at.port).sock, server_hostname="localhost") as sock:
        found = sock.getpeercert()
    assert found is not None
    return found["serialNumber"]


def test_a_renewed_certificate_is_shown_to_the_next_client_and_a_broken_one_never(folder: Path, ca: Pair) -> None:
    with served(config(folder, BASE), ca.cert) as at:
        first = serial(at, ca)
        issued(ca, "next", days=9).copy_to(folder)
        second = serial(at, ca)
        assert second != first
        standing = at.entrance.standing.file
        assert standing is not None
        assert standing.is_fine
        assert standing.expires_wall_s == pytest.approx(time.time() + 9 * 86400, abs=3600)
        (folder / "tls.crt").write_text("-----BEGIN CERTIFICATE-----\nbroken")
        assert serial(at, ca) == second
        broken = at.entrance.standing.file
        assert broken is not None
        assert (broken.is_fine, broken.since_wall_s) == (False, standing.since_wall_s)
        issued(ca, "last").copy_to(folder)
        assert serial(at, ca) not in {first, second}
        assert at.entrance.standing.file.is_fine  # type: ignore[union-attr]


def test_a_certificate_that_comes_later_opens_what_was_shut(tmp_path: Path, ca: Pair, server: Pair) -> None:
    with served(config(tmp_path, BASE), ca.cert) as at:
        assert not is_let_in(at, client(ca))
        assert at.refused() == {"unserved": 1}
        server.copy_to(tmp_path)
        assert is_let_in(at, client(ca))


def test_a_link_that_points_elsewhere_is_noticed(tmp_path: Path, ca: Pair, server: Pair) -> None:
    for name, pair in (("old", server), ("new", issued(ca, "new"))):
        (tmp_path / name).mkdir()
        pair.copy_to(tmp_path / name)
    (tmp_path / "data").symlink_to("old")
    text = BASE.replace("tls.", "data/tls.")
    with served(config(tmp_path, text), ca.cert) as at:
        first = serial(at, ca)
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").rename(tmp_path / "data")
        assert serial(at, ca) != first


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda folder: (folder / "tls.crt").unlink(), r"tls_server_config\.cert_file: cannot read .*No such file"),
    (lambda folder: (folder / "tls.key").unlink(), r"tls_server_config\.key_file: cannot read .*No such file"),
    (lambda folder: (folder / "tls.crt").write_text("x"), r"tls_server_config\.cert_file: is no certificate"),
    (lambda folder: (folder / "ca.crt").write_text("x"), r"tls_server_config\.client_ca_file: holds no certificates"),
    (lambda folder: (folder / "ca.crt").unlink(), r"tls_server_config\.client_ca_file: cannot read"),
])  # fmt: skip
def test_files_that_cannot_be_used_are_told_by_their_key(folder: Path, spoil: Any, words: str) -> None:
    spoil(folder)
    with pytest.raises(ConfigError, match=words):
        in_force.load(str(config(folder, MUTUAL)))


def test_a_key_of_another_certificate_is_told(folder: Path, ca: Pair) -> None:
    (folder / "tls.key").write_bytes(issued(ca, "other").key.read_bytes())
    with pytest.raises(ConfigError, match=r"that of another key \(key values mismatch\)"):
        in_force.load(str(config(folder, BASE)))


def test_the_expiry_is_that_which_openssl_reads(server: Pair, ca: Pair) -> None:
    for pair in (server, ca):
        told = subprocess.run(
            ["openssl", "x509", "-noout", "-enddate", "-in", str(pair.cert)], check=True, capture_output=True, text=True
        )
        wanted = ssl.cert_time_to_seconds(told.stdout.strip().removeprefix("notAfter="))
        assert tls.expiry(Server(Pem(str(pair.cert), ""), Pem(str(pair.key), ""))) == wanted
    assert tls.expiry(Server(Pem(None, "nothing"), Pem(None, ""))) is None
