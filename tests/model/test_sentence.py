"""A sentence is its English text to everybody, and remembers how it was made."""

import pickle

from inspector.archive_codec import encode
from inspector.model.sentence import Sentence, join, say
from inspector.model.text import safe


def test_it_is_its_text() -> None:
    sentence = say("{count} of {all} answered", count=2, all=3)
    assert sentence == "2 of 3 answered"
    assert hash(sentence) == hash("2 of 3 answered")
    assert (sentence.template, sentence.values) == ("{count} of {all} answered", {"count": 2, "all": 3})


def test_values_may_be_sentences() -> None:
    assert say("{said}, too", said=say("{name} is down", name="eth0")) == "eth0 is down, too"


def test_it_goes_to_another_process_whole() -> None:
    sentence = say("{said}: {why}", said=say("gone"), why="x")
    again = pickle.loads(pickle.dumps(sentence))
    assert (again, type(again), again.template, again.values) == (
        sentence,
        Sentence,
        sentence.template,
        sentence.values,
    )


def test_a_list_is_said_as_it_would_be_joined() -> None:
    assert join(" and ", ["a", say("b")]) == "a and b"
    assert join(", ", []) == ""
    alone = say("b")
    assert join(", ", [alone]) is alone


def test_what_is_kept_is_plain() -> None:
    assert type(encode(str, say("gone"))) is str


def test_harmless_text_stays_a_sentence_and_other_text_does_not() -> None:
    assert isinstance(safe(say("{name} is gone", name="web")), Sentence)
    assert safe(say("{name} is gone", name="w\x1b")) == r"w\x1b is gone"
