"""Lines of characters that take two columns."""

from inspector.render.wide import broken, columns_of


def test_columns() -> None:
    assert columns_of("网桥 br0") == 8
    assert columns_of("e\u0301") == 1


def test_a_line_breaks_between_two_wide_characters_and_at_blanks() -> None:
    assert broken("数据包从 eth0 到 docker0", 12, "", "  ") == ["数据包从", "  eth0 到", "  docker0"]


def test_no_line_begins_with_a_mark_that_closes() -> None:
    lines = broken("一二三四，五六。", 8, "", "")
    assert lines == ["一二三", "四，五", "六。"]
    assert all(columns_of(line) <= 8 for line in lines)


def test_what_cannot_be_broken_stays_whole() -> None:
    assert broken("a-very-long-name-of-a-container", 10, "", "") == ["a-very-long-name-of-a-container"]
    assert broken("", 10, "  ", "") == []


def test_several_blanks_stay() -> None:
    assert broken("路径   同一网络", 80, "", "") == ["路径   同一网络"]
