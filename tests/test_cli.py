"""The command line as people meet it: one clear line and the right exit code for every fault."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import command, free_port, tool

from exporter import __version__, cli

GOOD_CSV = "a,b,p\n" + "".join(f"{i},{i % 3},{i / 7}\n" for i in range(50))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(GOOD_CSV)
    return path


def _assert_one_line(result: object, code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("inference-exporter: ")
    for word in words:
        assert word in lines[0]


def _serve(*flags: str) -> object:
    ports = ("--listen", f"127.0.0.1:{free_port()}", "--web.listen-address", f"127.0.0.1:{free_port()}",
             "--health.listen-address", f"127.0.0.1:{free_port()}")  # fmt: skip
    return command("serve", "--upstream", "http://127.0.0.1:9", *ports, *flags)


def test_an_unknown_key_is_named_with_its_file_and_the_nearest_known_one(tmp_path: Path) -> None:
    file = tmp_path / "exporter.yml"
    file.write_text("windows:\n  pain: 1m\n")
    _assert_one_line(_serve("--config", str(file)), 64, str(file), "windows.pain", "windows.pane")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("serve", "--upsteam", "http://127.0.0.1:9"), "--upstream"),
        (("check", "--drain.dely=3s"), "--drain.delay"),
        (("profile", "build", "train.csv", "--predicton", "score"), "--prediction"),
    ],
)
def test_a_misspelt_flag_is_named_with_the_nearest_known_one(words: tuple[str, ...], meant: str) -> None:
    done = command(*words)
    assert done.returncode == 64
    assert done.stderr.endswith(f", did you mean {meant}?\n")


def test_a_missing_profile_is_named(tmp_path: Path) -> None:
    """By the command that looks: `serve` waits for it (tests/places)."""
    result = command("check", "--upstream", "http://127.0.0.1:9", "--profile", str(tmp_path / "none.json"))
    _assert_one_line(result, 64, "profile", "none.json", "No such file")


def test_a_state_that_could_not_be_written_is_told_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No error: `serve` goes on without it, and may be another user on another machine."""
    file = tmp_path / "file"
    file.touch()
    for place, words in (
        (tmp_path, "fine"),
        (tmp_path / "new" / "one", "fine, serve makes it"),
        (file / "in", f"{file} is no directory: nothing would outlive a restart"),
        (tmp_path / ("long" * 99), "File name too long: nothing would outlive a restart"),
    ):
        assert cli.main(["check", "--state", str(place)]) == 0
        said = capsys.readouterr()
        assert f"state: {place}: {words}" in said.out.splitlines()
        assert said.err == ""
    assert list(tmp_path.iterdir()) == [file]


def test_a_state_that_is_another_users_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # Root without what root may do more than others.
    plain = [] if os.geteuid() else [tool("setpriv", "util-linux"), "--inh-caps=-all", "--bounding-set=-all"]
    words = [*plain, sys.executable, "-m", "exporter", "check", "--state", tmp_path / "in"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = f"state: {tmp_path}/in: this user cannot write to {tmp_path}: nothing would outlive a restart"
    assert told in done.stdout.splitlines()


def test_a_broken_profile_is_named_with_the_path_to_the_fault(tmp_path: Path, table: Path) -> None:
    file = tmp_path / "profile.json"
    assert command("profile", "build", str(table), "--prediction", "p", "--output", str(file)).returncode == 0
    document = json.loads(file.read_text())
    document["features"][1]["edges"][0] = "zero"
    file.write_text(json.dumps(document))
    _assert_one_line(_serve("--profile", str(file)), 65, str(file), "features[1].edges[0]")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://x", "http://", "http://h:99999", "http://h:80/path", "https://h/v1"]
)
def test_a_bad_upstream_url_is_named(url: str) -> None:
    _assert_one_line(_serve("--upstream", url), 64, "upstream", url)


def test_no_upstream_at_all_is_said() -> None:
    _assert_one_line(command("serve"), 64, "--upstream")


@pytest.mark.parametrize("key", ["listen", "web.listen-address", "health.listen-address"])
def test_a_port_in_use_is_named_with_its_setting(key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = _serve(f"--{key}", address)
        _assert_one_line(result, 64, key.replace("-", "_"), address, "in use")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b,p\n1,2,3\n1,2\n", ("line 3", "2 fields", "3")),
        (b"", ("empty",)),
        (b"a,b,p\n", ("no rows",)),
        (b"a,a,p\n1,2,3\n", ("'a'", "twice")),
        (b"a,,p\n1,2,3\n", ("column 2", "no name")),
        (b"a,b,p\n1,\xff\xfe,3\n", ("UTF-8",)),
        (b'a,b,p\n1,"2,3\n', ("line",)),
    ],
)
def test_a_malformed_table_is_named_with_its_line(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    result = command("profile", "build", str(file), "--prediction", "p", "--output", str(tmp_path / "p.json"))
    _assert_one_line(result, 65, str(file), *words)
    assert not (tmp_path / "p.json").exists()


def test_a_missing_table_and_an_unknown_column_are_usage_errors(tmp_path: Path, table: Path) -> None:
    _assert_one_line(command("profile", "build", str(tmp_path / "no.csv"), "--prediction", "p"), 64, "no.csv")
    _assert_one_line(command("profile", "build", str(table), "--prediction", "q"), 64, "--prediction q", "a, b, p")
    _assert_one_line(
        command("profile", "build", str(table), "--prediction", "p", "--kind", "a=odd"), 64, "--kind a=odd"
    )
    _assert_one_line(
        command("profile", "build", str(table), "--prediction", "p", "--trained-at", "soon"), 64, "--trained-at"
    )


def test_wrong_usage_is_one_line(tmp_path: Path) -> None:
    _assert_one_line(command("serve", "--no-such-flag"), 64, "--no-such-flag")
    _assert_one_line(command(), 64, "COMMAND")
    _assert_one_line(command("check", "--workers", "none"), 64, "workers")
    environ = {"INFERENCE_EXPORTER_UPSTRAEM": "http://h:1"}
    _assert_one_line(
        command("check", environ=environ), 64, "INFERENCE_EXPORTER_UPSTRAEM", "INFERENCE_EXPORTER_UPSTREAM"
    )
    file = tmp_path / "bad.yml"
    file.write_text("a: [")
    _assert_one_line(command("check", "--config", str(file)), 64, "not YAML")
    _assert_one_line(command("check", "--config", str(tmp_path / "no.yml")), 64, "no.yml")


def test_check_says_what_it_found(tmp_path: Path, table: Path) -> None:
    file = tmp_path / "profile.json"
    build = command("profile", "build", str(table), "--prediction", "p", "--output", str(file))
    assert "a" in build.stdout
    assert "numeric" in build.stdout
    result = command("check", "--profile", str(file), environ={"INFERENCE_EXPORTER_WINDOWS_PANE": "1s"})
    assert result.returncode == 0
    assert "2 features, 1 outputs, 50 rows" in result.stdout
    shown = command("profile", "show", str(file))
    assert shown.returncode == 0
    assert "missing" not in shown.stdout
    for line in ("feature a        numeric", "output  p        numeric"):
        assert " ".join(line.split()) in " ".join(shown.stdout.split())


def test_the_example_file_is_the_printed_reference_and_can_be_used() -> None:
    printed = command("config").stdout
    example = Path(__file__).parents[1] / "deploy" / "exporter.example.yml"
    assert example.read_text() == printed, "run: inference-exporter config > deploy/exporter.example.yml"
    assert yaml.safe_load(printed)["windows"]["minimum_samples"] == 200
    assert command("check", "--config", str(example)).returncode == 0


def test_version_and_catalogue_are_printed() -> None:
    assert command("--version").stdout.split() == ["inference-exporter", __version__]
    assert "| `model_feature_psi` | gauge |" in command("catalogue").stdout


def test_odd_outputs_are_one_line_or_written_through(tmp_path: Path, table: Path) -> None:
    (tmp_path / "file").write_text("")
    build = ("profile", "build", str(table), "--prediction", "p", "--output")
    _assert_one_line(command(*build, str(tmp_path / "file" / "x.json")), 64, "cannot write")
    _assert_one_line(command(*build[:-1], "--trained-at", "9999-12-31T23:59:59-12:00"), 64, "--trained-at")
    assert command(*build, "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "target.json")
    assert command(*build, str(link)).returncode == 0
    assert link.is_symlink()
    assert (tmp_path / "target.json").stat().st_size > 100


def test_a_relay_to_itself_and_bodies_too_long_for_the_ring_are_refused() -> None:
    _assert_one_line(
        command("check", "--upstream", "http://localhost:8080", "--listen", "127.0.0.1:8080"), 64, "the relay itself"
    )
    _assert_one_line(command("check", "--capture.max-body", "8MiB"), 64, "capture.ring", "max_body")
    assert "needs --upstream" in command("check").stdout


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("\x1b[31mred,empty,p\n" + "1,,2\n" * 20)
    result = command("profile", "build", str(file), "--prediction", "p", "--output", str(tmp_path / "p.json"))
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert "note: empty: no value at all" in result.stdout


def test_an_empty_environment_variable_is_not_given() -> None:
    assert command("check", environ={"INFERENCE_EXPORTER_PROFILE": ""}).returncode == 0


def test_check_knows_the_names_of_protocols() -> None:
    known = ("check", "--upstream", "http://127.0.0.1:1", "--protocol", "/x=mlflow", "--protocol")
    assert command(*known, "plain").returncode == 0
    refused = command(*known, "seldn")
    assert refused.returncode == 64
    assert refused.stderr == "inference-exporter: protocols: unknown protocol seldn, did you mean seldon?\n"
