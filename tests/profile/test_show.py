"""`profile show`: a page for people, at any width, with or without colours, whatever a column is called."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest
from profile_tables import profile_of
from support import command

from exporter.profile import document, show, terminal
from exporter.profile.terminal import Paper
from exporter.reference import Profile

VERSION_2 = str(Path(__file__).parent / "documents" / "version-2.json")
NASTY = "\x1b[2J\x1b]0;owned\x07 東京東京東京東京東京東京東京東京東京東京"
COLOUR = re.compile(r"\x1b\[\d+m")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A profile whose names and categories are for no terminal."""
    directory = tmp_path_factory.mktemp("show")
    columns = {
        NASTY: list(range(200)),
        "town": ["\x1b[31m", "b\u202eb"] * 100,
        **{f"f{n}": [n] * 200 for n in range(100)},
    }
    profile, _ = profile_of(directory / "t.csv", columns, model="m\x1b[5m")
    document.save(profile, str(directory / "p.json"))
    return str(directory / "p.json")


def on_a_terminal(width: int, *words: str, **environ: str) -> str:
    """What a terminal of that width is sent."""
    screen, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    with subprocess.Popen([sys.executable, "-m", "exporter", "profile", *words], stdout=inside,
                          env=known | {"TERM": "xterm"} | environ) as process:  # fmt: skip
        os.close(inside)
        seen = b""
        try:
            while part := os.read(screen, 1 << 16):
                seen += part
        except OSError:  # the other side is closed
            pass
        finally:
            os.close(screen)
    assert process.returncode == 0
    return seen.decode().replace("\r\n", "\n")


def test_all_that_is_known_is_on_the_page() -> None:
    text = command("profile", "show", VERSION_2).stdout
    for words in (
        "m 3: 600 rows of train.csv", "trained at  2023-11-14 22:13 UTC", "hours of the week in Europe/Berlin",
        "auc 0.875", "12.5% of the rows by the model itself", "importance  given",
        "! small reference: a table of so many rows may be off by 6.2% of the values of amount",
        "adopted as normal at 2025-06-15 15:06 UTC by someone, until 2025-10-09 08:53 UTC: prices went up",
    ):  # fmt: skip
        assert words in text
    assert "\x1b" not in text


def test_columns_stand_in_the_order_of_their_importance() -> None:
    profile = document.load(VERSION_2)
    features = tuple(replace(one, importance=at / 20) for at, one in enumerate(profile.features))
    lines = show.summary(replace(profile, features=features)).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("  feature")] == [
        one.name for one in reversed(features)
    ]


def test_a_histogram_on_a_line_shows_the_shape_and_not_the_equal_shares_of_bins(tmp_path: Path) -> None:
    values = [float(row**3) for row in range(3000)]
    profile, _ = profile_of(tmp_path / "t.csv", {"skewed": values, "even": [float(row) for row in range(3000)]})
    columns = [line for line in show.summary(profile).splitlines() if line.startswith("  feature ")]
    lines = {line.split()[1]: re.findall("[▁▂▃▄▅▆▇█]+", line)[0] for line in columns}
    assert lines["even"] == "█" * 14
    assert lines["skewed"][0] == "█"
    assert lines["skewed"][1:] == "".join(sorted(lines["skewed"][1:], reverse=True))
    assert "▁" in lines["skewed"]


def test_bins_are_shown_of_the_columns_asked_for() -> None:
    assert "(categorical)" not in command("profile", "show", VERSION_2).stdout
    one = command("profile", "show", VERSION_2, "--column", "amount").stdout
    assert one.count("(numeric)") == 1
    assert one.count("08 51.4286 to 60") == 2, "of the training, and of what was adopted beside it"
    assert "adopted by someone, 600 values of 24h before 2025-06-15 15:06 UTC:" in one
    every = command("profile", "show", VERSION_2, "--all").stdout
    assert len(re.findall(r"^\S.* \((?:numeric|categorical|boolean|text|embedding)\)$", every, re.MULTILINE)) == 7


def test_a_column_that_is_none_is_an_error_that_names_the_nearest() -> None:
    result = command("profile", "show", VERSION_2, "--column", "amuont")
    assert (result.returncode, result.stdout) == (64, "")
    assert "--column amuont: the profile has no such column, did you mean amount?" in result.stderr


@pytest.mark.parametrize("width", [60, 80, 133])
def test_no_line_is_wider_than_the_terminal_and_nothing_in_it_is_obeyed(nasty: str, width: int) -> None:
    for path in (nasty, VERSION_2):
        text = COLOUR.sub("", on_a_terminal(width, "show", path, "--all"))
        assert "\x1b" not in text
        assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
        assert max(terminal.wide(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("words", [("show",), ("show", "--all"), ("check",)])
def test_a_pipe_is_sent_no_colours_and_a_terminal_is_unless_it_does_not_want_any(
    nasty: str, words: tuple[str, ...]
) -> None:
    assert "\x1b" not in command("profile", words[0], nasty, *words[1:]).stdout
    assert COLOUR.search(on_a_terminal(100, words[0], nasty, *words[1:]))
    assert "\x1b" not in on_a_terminal(100, words[0], nasty, *words[1:], NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(100, words[0], nasty, *words[1:], TERM="dumb")


def test_a_check_tells_what_to_know_before_relying_on_a_profile(tmp_path: Path) -> None:
    profile: Profile = replace(document.load(VERSION_2), provisional=True)
    document.save(profile, str(tmp_path / "p.json"))
    lines = command("profile", "check", str(tmp_path / "p.json")).stdout.splitlines()
    assert lines[1].startswith("! provisional: made of live traffic")
    assert [line.split(":")[0] for line in lines] == [
        "profile",
        "! provisional",
        "! small reference",
        "! amount",
        "series",
    ]


@pytest.mark.parametrize(("text", "width", "expected"), [
    ("short", 0, "short"), ("exactly", 7, "exactly"), ("too long", 7, "too lo…"), ("東京東京", 5, "東京…"),
    ("a\nb", 0, "a�b"), ("\x1b[1m", 0, "�[1m"), ("", 3, ""), ("東", 1, "…"),
])  # fmt: skip
def test_a_text_is_cut_by_the_columns_that_it_takes(text: str, width: int, expected: str) -> None:
    assert terminal.cut(text, width) == expected
    assert terminal.wide(terminal.padded(text, 9)) == 9


@pytest.mark.parametrize(("shares", "expected"), [([], ""), ([0.0, 0.0], "  "), ([1.0, 0.5, 1e-9, 0.0], "█▄▁ ")])
def test_what_is_not_nothing_is_seen(shares: list[float], expected: str) -> None:
    assert terminal.sparkline(shares) == expected


def test_a_paper_of_any_width_cuts_nothing() -> None:
    assert Paper().cut("x" * 1000, 5) == "x" * 1000
    assert Paper(10).cut("x" * 1000, 5) == "xxxx…"
