"""Settings: one description for file, environment and flags; every mistake is one line that names it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as told
from hypothesis import strategies as st

from exporter import cli, config, values
from exporter.config import Settings, Windows
from exporter.errors import ConfigError
from exporter.guarantees import Evidence

GOOD = Path(__file__).parent / "config" / "good.yml"


def from_file(path: Path) -> dict[str, object]:
    return config.flatten(yaml.safe_load(Path(path).read_text(encoding="utf-8")), str(path))


def test_a_file_as_people_write_it() -> None:
    settings = config.resolve(("file", from_file(GOOD)))
    assert settings.upstream == "http://127.0.0.1:8501"
    assert (settings.listen, settings.workers, settings.log_level) == (":8080", 2, "warning")
    assert (settings.model.name, settings.model.version) == ("churn", "1.10")
    assert settings.web.listen_address == "[::1]:9877"
    assert settings.capture.max_body == 65536
    assert settings.capture.probe_paths == ("/up", "/v1/models/churn")
    assert settings.windows == Windows(pane=1.0, lengths=(20.0, 60.0), minimum_samples=50, snapshot_interval=0.25)
    assert settings.drain.delay == 0.0
    assert settings.health == Settings().health


def test_the_printed_reference_is_the_defaults() -> None:
    document = yaml.safe_load(config.reference())
    assert config.resolve(("reference", config.flatten(document, "reference"))) == Settings()


def test_the_printed_reference_names_every_key_flag_and_variable() -> None:
    text = config.reference()
    for key in config.every_key():
        assert f"{key.flag} or {key.environment}\n" in text
        assert key.help in text


def test_every_default_is_written_as_people_would() -> None:
    for key in config.every_key():
        if key.default is not None:
            default = dict(config.to_document(Settings()))[key.name]
            assert key.parse(key.default) == default, key.name


def test_no_two_keys_share_a_flag_or_a_variable() -> None:
    keys = config.every_key()
    flags = [flag for key in keys for flag in key.flags]
    assert len(set(flags)) == len(flags) >= len(keys)
    assert len({key.environment for key in keys}) == len(keys)


@pytest.mark.parametrize("settings", [
    Settings(), config.resolve(("file", from_file(GOOD))),
    config.resolve(("x", {"windows.pane": "0.01ms", "windows.lengths": "0.02ms, 0.7ms", "drain.delay": "1.5h"})),
])  # fmt: skip
def test_settings_survive_the_way_to_a_child_process(settings: Settings) -> None:
    document = json.loads(json.dumps(config.to_document(settings)))
    assert config.from_document(document) == settings


def test_flags_win_over_environment_over_file_over_default() -> None:
    layers = [
        ("flags", {"workers": "4", "listen": None}),
        ("environment", {"workers": "3", "listen": ":3"}),
        ("file", {"workers": 2, "listen": ":2", "log_level": "debug"}),
    ]
    settings = config.resolve(*layers)
    assert (settings.workers, settings.listen, settings.log_level) == (4, ":3", "debug")
    assert config.resolve(*layers[1:]).workers == 3
    assert config.resolve(*layers[2:]).workers == 2
    assert config.resolve().workers == 1


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INFERENCE_EXPORTER_WORKERS", "3")
    monkeypatch.setenv("INFERENCE_EXPORTER_WINDOWS_MINIMUM_SAMPLES", "77")
    assert cli.main(["check", "--json", "--config", str(GOOD), "--workers", "4"]) == 0
    settings = config.from_document(json.loads(capsys.readouterr().out))
    assert (settings.workers, settings.windows.minimum_samples, settings.log_level) == (4, 77, "warning")


def test_an_empty_file_is_the_defaults() -> None:
    for document in (None, {}, {"web": None}, {"workers": None}):
        assert config.resolve(("file", config.flatten(document, "file"))) == Settings()


BAD = [
    ("worker: 2", "worker: unknown key, did you mean workers?"),
    ("web:\n  listen-address: :1", "web.listen-address: unknown key, did you mean web.listen_address?"),
    ("windows:\n  panes: 1m", "windows.panes: unknown key, did you mean windows.pane?"),
    ("window:\n  pane: 1m", "window: unknown key, did you mean windows?"),
    ("zzz: 1", "zzz: unknown key"),
    ("8080: 1", "8080: unknown key"),
    ("web: 9877", "web: must be a mapping"),
    ("- workers", "document: must be a mapping"),
    ("just text", "document: must be a mapping"),
    ("workers: many", "workers: must be a whole number from 1 to 64, not 'many'"),
    ("workers: 0", "workers: must be a whole number from 1 to 64, not 0"),
    ("workers: 65", "workers: must be a whole number from 1 to 64, not 65"),
    ("workers: 2.0", "workers: must be a whole number from 1 to 64, not 2.0"),
    ("workers: true", "workers: must be a whole number from 1 to 64, not True"),
    ("workers: [2]", "workers: must be a whole number from 1 to 64, not [2]"),
    ("log_level: loud", "log_level: must be one of debug, info, warning, error, not 'loud'"),
    ("log_level: []", "log_level: must be one of debug, info, warning, error, not []"),
    ("listen: 8080", "listen: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not '8080'"),
    ("listen: '0.0.0.0:65536'", "listen: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not '0.0.0.0:65536'"),
    ("listen: '::1:80'", "listen: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not '::1:80'"),
    ("listen: '[::1:80'", "listen: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not '[::1:80'"),
    ("listen: http://0.0.0.0:80", "listen: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not 'http://0.0.0.0:80'"),
    ("upstream: m:8000",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'm:8000'"),
    ("upstream: http://",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://'"),
    ("upstream: http://m:0",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://m:0'"),
    ("upstream: http://m:99999",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://m:99999'"),
    ("upstream: 'http://[::1'",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://[::1'"),
    ("upstream: http://a:b@m",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://…@m'"),
    ("upstream: 'http://a b'",
     "upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not 'http://a b'"),
    ("upstream: http://m:80/v1", "upstream: must not have a path, bytes are relayed unchanged: 'http://m:80/v1'"),
    ("upstream: http://m?x=1", "upstream: must not have a path, bytes are relayed unchanged: 'http://m?x=1'"),
    ("upstream: unix:model.sock",
     "upstream: must be the absolute path of a socket such as unix:/run/model.sock, not 'unix:model.sock'"),
    (f"listen: unix:/{'x' * 107}",
     "listen: must not be longer than 107 bytes, as long as a socket's path may be"),
    ("routes: [8081]", "routes: must be LISTEN=UPSTREAM such as :8081=http://127.0.0.1:8001, not 8081"),
    ("routes: ':8081=m:1'", "routes: must be LISTEN=UPSTREAM such as :8081=http://127.0.0.1:8001, not ':8081=m:1'"),
    ("routes: ['8081=http://m:1']", "routes: must be HOST:PORT such as 127.0.0.1:8080 or unix:/PATH, not '8081'"),
    ("routes: 5", "routes: must be a list of LISTEN=UPSTREAM, not 5"),
    ("protocols: 5", "protocols: must be a list of PATTERN=NAME, not 5"),
    ("protocols: [5]", "protocols: must be NAME or PATTERN=NAME such as /invocations=sagemaker, not 5"),
    ("protocols: 'x=mlflow'",
     "protocols: must be NAME or PATTERN=NAME such as /invocations=sagemaker, not 'x=mlflow'"),
    ("request_id: {pointer: id}", "request_id.pointer: must be a JSON pointer such as /meta/id, not 'id'"),
    ("request_id: {pointer: /~2}", "request_id.pointer: must be a JSON pointer such as /meta/id, not '/~2'"),
    ("request_id: {columns: 3}", "request_id.columns: must be a list of names such as [customer, day], not 3"),
    ("request_id: {header: 'a b'}",
     "request_id.header: must be the name of a header such as X-Transaction-Id, not 'a b'"),
    ("upstream_proxy_protocol: v3", "upstream_proxy_protocol: must be one of off, v1, v2, not 'v3'"),
    ("upstream_tls:\n  insecure_skip_verify: 1", "upstream_tls.insecure_skip_verify: must be true or false, not 1"),
    ("max_connections: -1", "max_connections: must be a whole number from 0 to 1048576, not -1"),
    ("model:\n  version: 1.10", "model.version: must be text, write it in quotes: 1.1"),
    ("model:\n  name: true", "model.name: must be text, write it in quotes: True"),
    ("model:\n  name: {a: b}", "model.name: must be text, write it in quotes: {'a': 'b'}"),
    ("model:\n  name: ''", "model.name: must be 1 to 128 characters long"),
    ("profile: 3", "profile: must be a path or an address, and printable"),
    ("profile: ''", "profile: must be a path or an address, and printable"),
    ("profile: ftp://me:secret@host/x",
     "profile: must be a path, or an address of https, http, s3, gs, models, runs, not of 'ftp'"),
    ("profile: s3://bucket", "profile: must have the form s3://BUCKET/KEY"),
    ("profile: models:/churn", "profile: must have the form models:/NAME/VERSION or models:/NAME@ALIAS"),
    ("profile: p.json#sha256=12", "profile: must have 64 hexadecimal digits after #sha256="),
    (f"profile: s3://b/{{model}}.json#sha256={'a' * 64}",
     "profile: can have a checksum for one file alone, not for one of each model"),
    ("profile_poll_interval: 0",
     "profile_poll_interval: must be a duration above zero such as 250ms, 30s, 5m or 1h, not 0"),
    ("capture:\n  max_body: 1MB",
     "capture.max_body: must be a size of at least 0 bytes such as 64KiB or 1MiB, not '1MB'"),
    ("capture:\n  max_body: -1", "capture.max_body: must be a size of at least 0 bytes such as 64KiB or 1MiB, not -1"),
    ("capture:\n  ring: 1KiB",
     "capture.ring: must be a size of at least 65536 bytes such as 64KiB or 1MiB, not '1KiB'"),
    ("capture:\n  probe_paths: health",
     "capture.probe_paths: must be a list of paths such as [/health, /ready], not 'health'"),
    ("capture:\n  probe_paths: 5", "capture.probe_paths: must be a list of paths such as [/health, /ready], not 5"),
    ("windows:\n  pane: 0s", "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not '0s'"),
    ("windows:\n  pane: -1", "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not -1"),
    ("windows:\n  pane: yes", "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not True"),
    ("windows:\n  pane: 1 minute",
     "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not '1 minute'"),
    ("windows:\n  pane: .inf", "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not inf"),
    ("windows:\n  pane: .nan", "windows.pane: must be a duration above zero such as 250ms, 30s, 5m or 1h, not nan"),
    ("windows:\n  lengths: 5m,", "windows.lengths: must be a duration above zero such as 250ms, 30s, 5m or 1h, not ''"),
    ("windows:\n  lengths: []", "windows.lengths: must be a list of durations such as [5m, 1h], not []"),
    ("windows:\n  lengths: 300", "windows.lengths: must be a list of durations such as [5m, 1h], not 300"),
    ("drain:\n  delay: -1s", "drain.delay: must be a duration above zero such as 250ms, 30s, 5m or 1h, not '-1s'"),
    ("drain:\n  timeout: 0", "drain.timeout: must be a duration above zero such as 250ms, 30s, 5m or 1h, not 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [pytest.param(*one, id=one[1][:70]) for one in BAD])
def test_every_mistake_in_a_file_is_one_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(text, encoding="utf-8")
    assert cli.main(["check", "--config", str(path)]) == 64
    assert capsys.readouterr().err == f"inference-exporter: {path}: {words}\n"


@pytest.mark.parametrize(
    "content",
    [b"a: [1", b"a: b: c", b"\t- x", b"a: \xff", b"a: !!python/object:os.system {}", b"a: *b", b"? [a]\n: 1\n{"],
)
def test_what_is_not_yaml_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any) -> None:
    path = tmp_path / "bad.yml"
    path.write_bytes(content)
    assert cli.main(["check", "--config", str(path)]) == 64
    error = capsys.readouterr().err
    assert error.startswith(f"inference-exporter: {path}: not YAML: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(("windows", "words"), [
    ({"windows.lengths": "90s"}, "settings: windows.lengths: 90s is not a multiple of pane"),
    ({"windows.lengths": "30s"}, "settings: windows.lengths: 30s is not a multiple of pane"),
    ({"windows.pane": "7m"}, "settings: windows.lengths: 5m is not a multiple of pane"),
    ({"windows.pane": "1ms", "windows.lengths": "1h"}, "settings: windows.lengths: 1h is more than 100000 panes"),
])  # fmt: skip
def test_windows_are_made_of_whole_panes(windows: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(("flags", windows))
    assert str(caught.value) == words


# --- what is private


@pytest.mark.parametrize(("said", "words"), [
    ({"privacy.hash": "ssn"}, "settings: privacy.hash: needs a secret, say salt_file"),
    ({"privacy.deny": "s*", "segments.by": "kind,ssn"},
     "settings: privacy.deny: fits segments.by[1], which needs what must not be looked at"),
    ({"privacy.deny": "x-ssn", "segments.by": '[{"name": "a", "header": "X-SSN"}]'},
     "settings: privacy.deny: fits segments.by[0], which needs what must not be looked at"),
    ({"privacy.deny": "ssn", "segments.search": "age,ssn"},
     "settings: privacy.deny: fits segments.search[1], which needs what must not be looked at"),
    ({"privacy.deny": "ssn", "evidence.group_key": "ssn"},
     "settings: privacy.deny: fits evidence.group_key, which needs what must not be looked at"),
    ({"privacy.deny": "ssn", "request_id.columns": "day,ssn"},
     "settings: privacy.deny: fits request_id.columns[1], which needs what must not be looked at"),
    ({"privacy.deny": "x" * 401},
     "flags: privacy.deny: must be at most 1000 names or patterns, of at most 400 characters each"),
    ({"upstream": "http://me:secret@host:1"},
     ("flags: upstream: must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH),"
      " not 'http://…@host:1'")),
])  # fmt: skip
def test_what_contradicts_privacy_is_refused_without_a_name_or_a_secret(said: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(("flags", said))
    assert str(caught.value) == words


# --- the environment


@pytest.mark.parametrize(("word", "words"), [
    ("INFERENCE_EXPORTER_WORKER", "unknown variable, did you mean INFERENCE_EXPORTER_WORKERS?"),
    ("INFERENCE_EXPORTER_WEB_LISTEN_ADRESS", "unknown variable, did you mean INFERENCE_EXPORTER_WEB_LISTEN_ADDRESS?"),
    ("INFERENCE_EXPORTER_", "unknown variable"),
    ("INFERENCE_EXPORTER_PORT", "unknown variable"),
])  # fmt: skip
def test_a_misspelt_variable_is_an_error(word: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.from_environment({word: "1"})
    assert str(caught.value).startswith(f"environment: {word}: {words}")


def test_a_bad_value_in_the_environment_names_its_key() -> None:
    layer = config.from_environment({"INFERENCE_EXPORTER_WORKERS": "x", "PATH": "/bin"})
    with pytest.raises(ConfigError, match="environment: workers: must be a whole number"):
        config.resolve(("environment", layer))


def test_what_kubernetes_sets_for_a_service_named_like_us_is_no_mistake() -> None:
    links = {
        "INFERENCE_EXPORTER_SERVICE_HOST": "10.0.0.1",
        "INFERENCE_EXPORTER_SERVICE_PORT": "9877",
        "INFERENCE_EXPORTER_SERVICE_PORT_METRICS": "9877",
        "INFERENCE_EXPORTER_PORT": "tcp://10.0.0.1:9877",
        "INFERENCE_EXPORTER_PORT_9877_TCP": "tcp://10.0.0.1:9877",
        "INFERENCE_EXPORTER_PORT_9877_TCP_PROTO": "tcp",
        "INFERENCE_EXPORTER_PORT_9877_TCP_PORT": "9877",
        "INFERENCE_EXPORTER_PORT_9877_TCP_ADDR": "10.0.0.1",
        "INFERENCE_EXPORTER_BLUE_SERVICE_HOST": "10.0.0.2",
        "INFERENCE_EXPORTER_BLUE_PORT": "udp://10.0.0.2:53",
    }
    assert config.from_environment(links | {"INFERENCE_EXPORTER_WORKERS": "2"}) == {"workers": "2"}


def test_lists_in_the_environment_may_have_brackets() -> None:
    for text in ("5m,1h", "[5m, 1h]", " 1h , 5m "):
        assert values.durations(text) == (300.0, 3600.0)
    assert [values.switch(value) for value in (True, "true", False, "false")] == [True, True, False, False]
    for unclear in (1.0, 1, [], "yes", None, "", "True"):
        with pytest.raises(ValueError, match="true or false"):
            values.switch(unclear)
    assert values.http_methods(" POST,M-SEARCH") == ("POST", "M-SEARCH")
    for wrong in ("post", "", "POST;", 7, ["A", "b"]):
        with pytest.raises(ValueError, match="list of methods"):
            values.http_methods(wrong)
    assert values.url_paths("[/a, /b]") == values.url_paths("/a,/b") == ("/a", "/b")


# --- anything at all

ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@told(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # where others want the processors, too
@given(st.sampled_from(config.every_key()), ANYTHING)
def test_any_value_of_any_key_is_a_setting_or_one_error(key: config.Key, value: Any) -> None:
    fault = "file: none"
    try:
        settings = config.resolve(("file", {key.name: value}))
    except ConfigError as error:
        fault = str(error)
    else:
        assert config.from_document(json.loads(json.dumps(config.to_document(settings)))) == settings
    assert fault.startswith(("file: ", "settings: "))


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().workers = 3


@pytest.mark.parametrize(
    ("evidence", "pane_s", "words"),
    [
        (
            Evidence(false_page_every=60.0),
            60.0,
            "false_page_every: must be at least 25 times windows.pane, which is 25m",
        ),
        (
            Evidence(false_page_every=86400.0),
            3600.0,
            "false_page_every: must be at least 25 times windows.pane, .* 25h",
        ),
        (Evidence(false_ticket_every=86400.0), 60.0, "false_ticket_every: must be at least 25 times an hour, .* 25h"),
    ],
)
def test_false_pages_cannot_be_allowed_so_often_that_a_page_would_never_end(
    evidence: Evidence, pane_s: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(evidence=evidence, windows=Windows(pane=pane_s, lengths=(pane_s,)))
    assert Settings(
        evidence=dataclasses.replace(evidence, enable=False), windows=Windows(pane=pane_s, lengths=(pane_s,))
    )
    assert Settings(evidence=Evidence(false_page_every=25 * 60.0, false_ticket_every=25 * 3600.0))
