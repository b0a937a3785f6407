"""What is computed of a text."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.scalars import TEXT_SCALARS, fault
from exporter.scalars.scripts import CHARSETS, charset


@pytest.mark.parametrize(("text", "expected"), [
    ("two  words\n", (11, 2, 4, 0)),
    ("", (0, 0, 0, 0)),
    (" \t", (2, 0, 0, 0)),
    ("größe", (5, 1, 5, 0.4)),
    ("東京 都", (4, 2, 1.5, 0.75)),
])  # fmt: skip
def test_numbers_of_a_text(text: str, expected: Any) -> None:
    names = ("length", "tokens", "token_length", "non_ascii")
    assert tuple(TEXT_SCALARS[name].of(text) for name in names) == expected


@pytest.mark.parametrize(("text", "script"), [
    ("plain", "latin"), ("Größe 12", "latin"), ("Привет, world", "cyrillic"), ("καλημέρα", "greek"),
    ("مرحبا", "arabic"), ("שלום", "hebrew"), ("नमस्ते", "devanagari"), ("สวัสดี", "thai"), ("안녕하세요", "hangul"),
    ("こんにちは世界", "kana"), ("東京都", "han"), ("ﬁ", "latin"), ("გამარჯობა", "other"), ("12-34 €", "signs"),
    ("12-34", "signs"), ("", "empty"), (" \u3000", "empty"), ("ab да", "latin"), ("a да", "cyrillic"),
])  # fmt: skip
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert charset(text) == script


@given(st.text())
def test_every_text_has_finite_numbers_and_a_known_script(text: str) -> None:
    for scalar in TEXT_SCALARS.values():
        value = scalar.of(text)
        assert value in CHARSETS if isinstance(value, str) else math.isfinite(value)


def test_a_column_says_what_it_is_computed_of() -> None:
    assert not fault("text", "tokens", None)
    assert not fault("text", "", None)
    assert not fault("numeric", "", None)
    assert not fault("embedding", "axis_2", 2)
    assert fault("embedding", "axis_3", 2)
    assert fault("embedding", "", None)
    assert fault("embedding", "length", 2)
    assert fault("text", "norm", None)
    assert fault("text", "charset", None)
    assert fault("numeric", "norm", 0)
