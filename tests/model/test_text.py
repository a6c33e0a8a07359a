"""Whatever comes in, what goes out is harmless to a terminal."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.text import LIMIT, safe

NASTY = st.text(
    st.sampled_from("a\\\x00\x07\x1b\x7f\x80\x9b\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ud800\U000e0001é漢")
)
LONGEST_ESCAPE = len("\\U000e0001")


@given(st.one_of(st.text(), st.binary(), NASTY))
def test_the_output_is_printable_and_bounded(raw: str | bytes) -> None:
    text = safe(raw)
    assert text.isprintable()
    assert len(text) <= LIMIT * LONGEST_ESCAPE
    assert text.encode("utf-8").decode() == text


@given(st.one_of(st.text(), st.binary(), NASTY))
def test_no_control_and_no_bidirectional_character_is_left(raw: str | bytes) -> None:
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in safe(raw))
    assert not any(
        unicodedata.bidirectional(each) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "PDI"} for each in safe(raw)
    )


@given(st.text(st.characters(exclude_categories=["Mn", "Me"]) | st.sampled_from("\u0301\u0302"), max_size=LIMIT))
def test_printable_text_is_left_alone(raw: str) -> None:
    piled = re.search("[\u0300-\u036f]{4}", raw)
    assert (safe(raw) == raw) == (raw.isprintable() and not piled)


@given(st.text(st.sampled_from("ab\u0301\u0323\u20dd\\"), max_size=40))
def test_marks_do_not_pile_up_and_what_was_made_safe_stays(raw: str) -> None:
    text = safe(raw)
    assert not re.search("[\u0301\u0323\u20dd]{4}", text)
    assert safe(text) == text


@given(st.text(max_size=LIMIT), st.text(max_size=LIMIT))
def test_text_with_escapes_of_ours_can_be_told_apart(one: str, other: str) -> None:
    if one != other and not one.isprintable() and not other.isprintable():
        assert safe(one) != safe(other)


@given(st.text(min_size=9), st.integers(min_value=1, max_value=8))
def test_a_long_text_ends_with_a_mark(raw: str, limit: int) -> None:
    assert safe(raw, limit).endswith("…")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("web", "web"),
        (b"web", "web"),
        ("", ""),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\U000e0001", "\\U000e0001"),
        ("a\\b", "a\\b"),
        ("a\\b\n", "a\\\\b\\x0a"),
        (b"\xff", "\\xff"),
        ("\u2028", "\\u2028"),
        ("x" * 300, "x" * 255 + "…"),
        ("Vie\u0323\u0302t", "Vie\u0323\u0302t"),
        ("q" + "\u0301" * 5, "q" + "\u0301" * 3 + "\\u0301" * 2),
    ],
)
def test_examples(raw: str | bytes, expected: str) -> None:
    assert safe(raw) == expected


def test_a_broken_byte_is_not_doubled() -> None:
    assert safe(b"\xff\n") == "\\xff\\x0a"
