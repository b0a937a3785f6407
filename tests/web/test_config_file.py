"""The file of `--web.config.file` as text: what it may say, and how it is told what it may not."""

from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.web import config_file
from exporter.web.config_file import Pem, Rate

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
WHOLE = f"""
tls_server_config:
  cert_file: tls.crt
  key_file: /run/secrets/tls.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.monitoring.svc]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519]
http_server_config:
  http2: true
  headers:
    X-Frame-Options: sameorigin
    Strict-Transport-Security: max-age=86400
basic_auth_users:
  prometheus: {HASH}
rate_limit:
  interval: 1m30s
  burst: 20
"""


def load(folder: Path, text: str) -> config_file.WebConfig:
    path = folder / "web.yml"
    path.write_text(text)
    return config_file.load(str(path))


def test_everything_that_the_format_has_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE)
    tls = found.tls
    assert tls is not None
    assert (tls.cert, tls.key) == (Pem(str(tmp_path / "tls.crt"), ""), Pem("/run/secrets/tls.key", ""))
    assert tls.client_ca == Pem(str(tmp_path / "ca.crt"), "")
    assert (tls.client_auth, tls.allowed_sans) == ("RequireAndVerifyClientCert", {"prometheus.monitoring.svc"})
    assert (tls.minimum, tls.maximum, tls.prefers_own, tls.curve) == ("TLS12", "TLS13", False, "X25519")
    assert (tls.ciphers, tls.any_cipher) == (("ECDHE-ECDSA-AES128-GCM-SHA256",), False)
    assert found.headers == {"X-Frame-Options": "sameorigin", "Strict-Transport-Security": "max-age=86400"}
    assert (found.users, found.rate) == ({"prometheus": HASH}, Rate(90.0, 20))


@pytest.mark.parametrize("text", [
    "", "{}", "tls_server_config:\nbasic_auth_users:\nrate_limit: {interval: 0}\n",
    "tls_server_config: {cert_file: ''}\nhttp_server_config: {http2: false}\n",
])  # fmt: skip
def test_a_file_that_says_nothing_asks_for_nothing(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == config_file.WebConfig()


TLS = "tls_server_config: {cert_file: a, key_file: b, %s}"


@pytest.mark.parametrize(("text", "words"), [
    ("tls_config: {}", "tls_config: unknown key, did you mean tls_server_config?"),
    ("- a", "document: must be a mapping"),
    (TLS % "min_versoin: TLS12", "tls_server_config.min_versoin: unknown key, did you mean min_version?"),
    ('tls_server_config: {cert_file: "\\ud800", key_file: b}', "tls_server_config.cert_file: must be text without NUL"),
    ('tls_server_config: {cert: a, key: "\\0"}', "tls_server_config.key: must be text without NUL"),
    (TLS % "min_version: TLS14", "tls_server_config.min_version: must be one of TLS10, TLS11, TLS12, TLS13, not "),
    (TLS % "max_version: TLS11", "tls_server_config.max_version: must be TLS12 or TLS13"),
    (TLS % "min_version: TLS13, max_version: TLS12", "tls_server_config.min_version: must not be above max_version"),
    (TLS % "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", "tls_server_config.cipher_suites: must be any of TLS_ECDHE"),
    (TLS % "cipher_suites: TLS_RSA", "tls_server_config.cipher_suites: must be a list of texts"),
    (TLS % "curve_preferences: [CurveP255]", "tls_server_config.curve_preferences: must be any of CurveP256"),
    (TLS % "curve_preferences: [CurveP256, X25519]", "tls_server_config.curve_preferences: several cannot be set"),
    (TLS % "client_auth_type: Always", "tls_server_config.client_auth_type: must be one of NoClientCert"),
    (TLS % "client_auth_type: RequireAnyClientCert", "client_auth_type: RequireAnyClientCert cannot be had"),
    (TLS % "client_auth_type: RequireClientCert", "client_auth_type: RequireAnyClientCert cannot be had"),
    (TLS % "client_auth_type: VerifyClientCertIfGiven", "tls_server_config.client_ca_file: is missing"),
    (TLS % "client_ca_file: c", "tls_server_config.client_auth_type: must be said where there is a client_ca"),
    (TLS % "client_ca_file: c, client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: [a]",
     "tls_server_config.client_allowed_sans: can be had with client_auth_type: RequireAndVerifyClientCert alone"),
    (TLS % "cert: PEM", "tls_server_config.cert: cannot be said beside cert_file"),
    (TLS % "prefer_server_cipher_suites: 3", "tls_server_config.prefer_server_cipher_suites: must be true or false"),
    ("tls_server_config: {key_file: b}", "tls_server_config.cert_file: is missing"),
    ("tls_server_config: {cert_file: b}", "tls_server_config.key_file: is missing"),
    ("tls_server_config: {min_version: TLS12}", "tls_server_config.cert_file: is missing"),
    ("http_server_config: {headers: {Server: x}}", "http_server_config.headers.Server: unknown key"),
    ("http_server_config: {headers: {X-Frame-Options: DENY}}",
     "http_server_config.headers.X-Frame-Options: must be deny or sameorigin, not 'DENY'"),
    ('http_server_config: {headers: {Content-Security-Policy: "a\\r\\nX: y"}}', "must be printable ASCII"),
    ("http_server_config: {http2: 2}", "http_server_config.http2: must be true or false"),
    ("basic_auth_users: {a: secret}", "basic_auth_users.a: must be a password's hash by bcrypt"),
    (f"basic_auth_users: {{a: {HASH[:4]}31{HASH[6:]}}}", "basic_auth_users.a: must be of a cost from 4 to 18, not 31"),
    (f"basic_auth_users: {{'a:b': {HASH}}}", "basic_auth_users[0]: must be a name without a colon"),
    (f"basic_auth_users: {{7: {HASH}}}", "basic_auth_users[0]: must be a name without a colon"),
    ("basic_auth_users: [a]", "basic_auth_users: must be a mapping"),
    ("rate_limit: {interval: 1s}", "rate_limit.burst: must be 1 at least"),
    ("rate_limit: {interval: 5, burst: 1}", "rate_limit.interval: must be a duration such as 100ms"),
    ("rate_limit: {interval: 1 s, burst: 1}", "rate_limit.interval: must be a duration such as 100ms"),
    ("rate_limit: {interval: 1s, burst: -1}", "rate_limit.burst: must be a whole number from 0"),
    ("a: b: c", "not YAML"),
    ("rate_limit: {}\nrate_limit: {}", "stands there twice"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_the_path_to_it(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        load(tmp_path, text)
    assert words in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "web.yml"))
    assert "secret" not in str(told.value)


def test_a_file_that_is_not_there_or_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"web\.config_file: cannot read .*: No such file"):
        config_file.load(str(tmp_path / "none.yml"))
    with pytest.raises(ConfigError, match="longer than"):
        load(tmp_path, "#" * (1 << 20) + "\n")
