"""The kernel's reasons in words."""

import re

from inspector.wire.drop_words import WORDS, drop_words


def test_each_is_part_of_a_sentence() -> None:
    assert all(re.fullmatch(r"[A-Z0-9_]+", each) for each in WORDS)
    assert all(each and not each.endswith(".") for each in WORDS.values())


def test_a_reason_that_is_not_known_has_no_words() -> None:
    assert drop_words("IP_RPFILTER").startswith("the way back")
    assert drop_words("SOMETHING_NEW") == ""
