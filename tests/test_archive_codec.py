"""The codec: what the vocabulary can say survives JSON, and nothing else gets in."""

import json
from enum import StrEnum
from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Interface
from typing import Any, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from inspector.archive_codec import decode, encode
from inspector.errors import MalformedInputError
from inspector.model.recording import Answered, Failed, NotSent, Probe, Sent
from inspector.model.text import safe

Name = NewType("Name", str)


class Colour(StrEnum):
    """Two words."""

    RED = "red"
    BLUE = "blue"


class Leaf(Struct, frozen=True):
    """One of each scalar."""

    name: Name
    colour: Colour
    raw: bytes
    ratio: float
    count: int
    claim: bool
    address: IPv4Interface | IPv6Interface | None = None


class Tree(Struct, frozen=True):
    """Values in values."""

    leaf: Leaf
    probes: tuple[Probe, ...] = ()
    words: tuple[str, ...] | None = None


TEXT = st.text().map(safe)
INT = st.integers(1 - 2**64, 2**64 - 1)
LEAVES = st.builds(
    Leaf,
    name=TEXT.map(Name),
    colour=st.sampled_from(Colour),
    raw=st.binary(),
    ratio=st.floats(min_value=-1e15, max_value=1e15) | INT,
    count=INT,
    claim=st.booleans(),
    address=st.none() | st.ip_addresses(v=4).map(IPv4Interface) | st.ip_addresses(v=6).map(IPv6Interface),
)
PROBES = (
    st.builds(NotSent, INT, TEXT)
    | st.builds(Failed, INT, INT, INT, TEXT)
    | st.builds(Sent, INT, INT)
    | st.builds(Answered, INT, INT, INT, TEXT)
)
TREES = st.builds(
    Tree,
    leaf=LEAVES,
    probes=st.lists(PROBES).map(tuple),
    words=st.none() | st.lists(TEXT).map(tuple),
)
GOOD: dict[str, Any] = {
    "leaf": {"name": "n", "colour": "red", "raw": "00ff", "ratio": 1.5, "count": 1, "claim": True, "address": None},
    "probes": [{"kind": "sent", "sequence": 1, "at_ns": 2}],
    "words": None,
}


@given(TREES)
def test_a_value_survives_json(tree: Tree) -> None:
    """Through real text and back."""
    assert decode(Tree, json.loads(json.dumps(encode(Tree, tree)))) == tree


@given(
    st.recursive(
        st.none() | st.booleans() | INT | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    )
)
def test_other_json_is_refused(data: object) -> None:
    """With our error, whatever it is."""
    with pytest.raises(MalformedInputError):
        decode(Tree, data)


def test_the_json_is_what_a_reader_expects() -> None:
    """Plain objects, hex, words; a kind only where there is a choice."""
    tree = Tree(Leaf(Name("n"), Colour.RED, b"\0\xff", 1.5, 1, claim=True), (Sent(1, 2),))
    assert encode(Tree, tree) == GOOD
    assert type(encode(Colour, Colour.RED)) is str
    assert encode(Probe, NotSent(1, "x")) == {"kind": "not-sent", "sequence": 1, "why": "x"}


def test_a_union_of_addresses_needs_no_kind() -> None:
    """The text tells which it is."""
    kind: Any = IPv4Network | IPv6Address
    assert decode(kind, "10.0.0.0/8") == IPv4Network("10.0.0.0/8")
    assert decode(kind, "::1") == IPv6Address("::1")


def test_a_default_stands_in_for_a_missing_field() -> None:
    """A recording made before the field existed stays readable."""
    assert decode(Tree, {"leaf": GOOD["leaf"]}) == Tree(decode(Leaf, GOOD["leaf"]))


def test_a_key_of_a_newer_version_is_left_out_and_told() -> None:
    """Once for all members of an array, and harmless."""
    left_out: set[str] = set()
    probes = [{"kind": "sent", "sequence": 1, "at_ns": 2, "mood": 3} for _ in range(5)]
    tree = decode(Tree, {"leaf": {**GOOD["leaf"], "ha\x1bt": 1}, "probes": probes}, left_out)
    assert tree.probes == (Sent(1, 2),) * 5
    assert left_out == {r"leaf.ha\x1bt", "probes[].mood"}


def test_text_is_made_harmless() -> None:
    """A recording may come from anyone."""
    assert decode(Leaf, {**GOOD["leaf"], "name": "a\x1b[2J"}).name == r"a\x1b[2J"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("leaf", "count"), "1", "leaf.count should be a whole number, not '1'"),
        (("leaf", "count"), True, "leaf.count should be a whole number, not True"),
        (("leaf", "count"), 1.5, "leaf.count should be a whole number, not 1.5"),
        (("leaf", "claim"), 1, "leaf.claim should be true or false, not 1"),
        (("leaf", "ratio"), None, "leaf.ratio should be a number, not None"),
        (("leaf", "name"), [], "leaf.name should be text, not list"),
        (("leaf", "raw"), "xyz", "leaf.raw should be hexadecimal, not 'xyz'"),
        (("leaf", "colour"), "green", "leaf.colour should be one of red, blue, not 'green'"),
        (("leaf", "address"), "10.0.0.0.1", "leaf.address should be an IPv6Interface, not '10.0.0.0.1'"),
        (("leaf", "count"), -(2**64), f"leaf.count should be a number of 64 bits, not {-(2**64)}"),
        (("leaf", "ratio"), float("inf"), "leaf.ratio should be a number of 64 bits, not inf"),
        (("leaf", "ratio"), float("nan"), "leaf.ratio should be a number of 64 bits, not nan"),
        (("leaf",), [], "leaf should be an object, not list"),
        (("leaf",), {}, "leaf.name is missing"),
        (("probes",), {}, "probes should be an array, not dict"),
        (("probes", 0, "sequence"), None, "probes[0].sequence should be a whole number, not None"),
        (
            ("probes", 0, "kind"),
            ["sent"],
            "probes[0] should be an object whose kind is one of not-sent, failed, sent, answered, not dict",
        ),
    ],
)
def test_a_refusal_says_where_and_what(path: tuple[str | int, ...], value: object, sentence: str) -> None:
    """One place is wrong, and the sentence names it."""
    data = json.loads(json.dumps(GOOD))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(MalformedInputError) as caught:
        decode(Tree, data)
    assert caught.value.message == sentence


def test_what_has_no_json_is_a_mistake_of_ours() -> None:
    """Not an input's fault: a TypeError."""
    with pytest.raises(TypeError, match="set"):
        encode(set, {1})
