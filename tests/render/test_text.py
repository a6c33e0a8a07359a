"""The pieces of every text form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.render.text import Paint, Style, columns, duration, durations, fitted, indented


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        (0, "0"),
        (850, "850 ns"),
        (999, "999 ns"),
        (1_000, "1.0 us"),
        (3_500, "3.5 us"),
        (1_200_000, "1.20 ms"),
        (1_000_000_000, "1.00 s"),
        (90_000_000_000, "90.00 s"),
        (-3_500, "-3.5 us"),
    ],
)
def test_a_duration_has_the_unit_that_fits(nanoseconds: int, expected: str) -> None:
    assert duration(nanoseconds) == expected


@pytest.mark.parametrize(("nanoseconds", "expected"), [(999_999, "1.00 ms"), (999_999_999, "1.00 s")])
def test_rounding_does_not_reach_the_next_unit(nanoseconds: int, expected: str) -> None:
    assert duration(nanoseconds) == expected


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        ((2_600, 3_200, 5_800), "2.6/3.2/5.8 us"),
        ((500, 1_500), "0.5/1.5 us"),
        ((0, 0), "0/0 ns"),
        ((100, 2_000_000), "0.00/2.00 ms"),
        ((-5_000, 10), "-5.0/0.0 us"),
    ],
)
def test_several_durations_have_one_unit(nanoseconds: tuple[int, ...], expected: str) -> None:
    assert durations(*nanoseconds) == expected


def test_columns_are_aligned_and_the_last_cell_is_as_long_as_it_is() -> None:
    assert list(columns([("a", "long last cell"), ("bbb", "x"), ("c",)])) == ["a    long last cell", "bbb  x", "c"]
    assert list(columns([("a", "", "z"), ("b", "yy", "")], gap=" | ")) == ["a |    | z", "b | yy |"]
    assert list(columns([])) == []


@given(st.lists(st.tuples(st.text("ab", max_size=5), st.text("cd", max_size=5), st.just("end")), min_size=1))
def test_the_last_column_starts_at_one_place(rows: list[tuple[str, ...]]) -> None:
    assert len({line.index("end") for line in columns(rows)}) == 1


def test_a_sentence_is_broken_at_words() -> None:
    assert list(indented("one two three", 10, "> ")) == ["> one two", "  three"]
    assert list(indented("one two three", 10, "> ", "- ")) == ["> one two", "- three"]
    assert list(indented("veth-a veth-b", 10, "  ")) == ["  veth-a", "  veth-b"]
    assert list(indented("", 10, "because:  ")) == ["because:"]


@given(st.lists(st.text("abc-", min_size=1, max_size=10), max_size=20), st.integers(min_value=20, max_value=60))
def test_lines_fit_and_no_word_is_lost(words: list[str], width: int) -> None:
    lines = list(indented(" ".join(words), width, "  - "))
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split()[1:] == words


def test_paint_repeats_in_colour_what_the_words_say() -> None:
    assert Paint(coloured=True)("lost", Style.BAD) == "\x1b[31mlost\x1b[0m"
    assert Paint(coloured=False)("lost", Style.BAD) == "lost"
    assert Paint(coloured=True)("", Style.BAD) == ""


def test_a_cell_that_does_not_fit_goes_on_where_it_begins() -> None:
    assert list(fitted("a  some words here", 14, "some words here")) == ["a  some words", "   here"]


def test_a_cell_that_begins_too_far_right_has_a_line_of_its_own() -> None:
    assert list(fitted("twelve chars  some words", 18, "some words")) == ["twelve chars", "      some words"]


def test_what_fits_is_left_alone() -> None:
    assert list(fitted("a  b", 4, "b")) == ["a  b"]
