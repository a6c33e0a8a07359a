"""In which language a text is written."""

import pytest

from inspector.model.report import Outcome
from inspector.model.sentence import say
from inspector.render.language import cells, is_english, padded, speaking, spoken

GONE = say("a sentence that no catalogue has: {name}", name="web")


def test_english_is_what_was_said() -> None:
    assert is_english()
    assert spoken(GONE) is GONE
    assert cells("网桥") == 2


def test_another_language_for_the_length_of_a_block() -> None:
    with speaking("zh"):
        assert spoken(Outcome.DELIVERED) == "已送达"
        assert spoken(GONE) == GONE
        assert cells("网桥") == 4
        assert padded("网桥", 6) == "网桥  "
    assert is_english()


def test_one_that_is_not_known() -> None:
    with pytest.raises(KeyError), speaking("xx"):
        pass
