"""Sentences that were kept as text are recognized by their templates."""

from inspector.languages.recalling import Recall

RECALL = Recall(["{why}; firewall rules not consulted", "{link} is down", "{a} is {b}", "the host would route it"])


def test_the_one_with_the_most_words_of_its_own() -> None:
    assert RECALL("web/eth0 is down; firewall rules not consulted") == (
        "{why}; firewall rules not consulted",
        {"why": "web/eth0 is down"},
    )
    assert RECALL("web/eth0 is down") == ("{link} is down", {"link": "web/eth0"})


def test_one_without_values() -> None:
    assert RECALL("the host would route it") == ("the host would route it", {})


def test_mere_glue_is_not_recognized() -> None:
    assert RECALL("this is that") is None


def test_a_value_that_is_there_twice_is_the_same_twice() -> None:
    recall = Recall(["on {node}: {node} has to say so"])
    assert recall("on a: a has to say so") is not None
    assert recall("on a: b has to say so") is None


def test_long_text_is_no_sentence() -> None:
    assert RECALL("x" * 5_000 + " is down") is None
