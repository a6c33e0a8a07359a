"""Names: what is typed reaches the wire, what is read comes back the same, and no pointer leads in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import dns_name
from inspector.wire.dns_name import (
    HEADER_LENGTH,
    DamagedError,
    InvalidNameError,
    Names,
    absolute_text,
    encode_name,
    name_text,
    printable_name,
    reverse_name,
)

HEADER = bytes(HEADER_LENGTH)
LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=8).filter(
    lambda labels: sum(len(label) + 1 for label in labels) < dns_name.MAX_NAME
)
LONGEST = ".".join(["a" * 63] * 3 + ["b" * 61])


def wire(labels: list[bytes]) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def pointer(target: int) -> bytes:
    return (0xC000 | target).to_bytes(2, "big")


def damage(names: bytes, start: int = HEADER_LENGTH) -> str:
    with pytest.raises(DamagedError) as caught:
        Names(HEADER + names).read(start)
    return str(caught.value)


@given(LABELS)
def test_a_name_survives_being_read_and_typed_again(labels: list[bytes]) -> None:
    read, behind = Names(HEADER + wire(labels)).read(HEADER_LENGTH)
    assert (read, behind) == (labels, HEADER_LENGTH + len(wire(labels)))
    assert encode_name(name_text(read)) == encode_name(absolute_text(read)) == wire(labels)
    assert name_text(read).isascii()
    assert name_text(read).isprintable()


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([], "."),
        ([b"WWW", b"Example", b"com"], "WWW.Example.com"),
        ([b"Donald E. Eastlake 3rd", b"example"], r"Donald\032E\.\032Eastlake\0323rd.example"),  # RFC 4343, 2.2
        ([b'a\\b"c'], r"a\\b\"c"),
        ([b"$(x);@"], r"\$\(x\)\;\@"),
        ([b"\x1b[2J\n\x00\x7f\xff"], r"\027[2J\010\000\127\255"),
        (["\u202egnp".encode()], r"\226\128\174gnp"),
        ([b"_sip", b"_tcp"], "_sip._tcp"),
    ],
)
def test_a_name_is_written_as_dig_does(labels: list[bytes], text: str) -> None:
    assert name_text(labels) == text
    assert absolute_text(labels) == (text if text == "." else f"{text}.")


def test_every_byte_has_its_own_text() -> None:
    written = {name_text([bytes((byte,))]) for byte in range(256)}
    assert len(written) == 256
    assert all(text.isascii() and text.isprintable() for text in written)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("F.ISI.ARPA", b"\1F\3ISI\4ARPA\0"),  # RFC 1035, 4.1.4
        ("f.isi.arpa.", b"\1f\3isi\4arpa\0"),
        (".", b"\0"),
        (r"a\.b.c", b"\3a.b\1c\0"),
        (r"a\\.b", b"\2a\\\1b\0"),
        (r"a\.", b"\2a.\0"),
        (r"\000\255\0320", b"\4\x00\xff 0\0"),
        ("Bücher.Example", b"\x0dxn--bcher-kva\7Example\0"),
        ("bücher。example", b"\x0dxn--bcher-kva\7example\0"),
        ("tomcat_01", b"\x09tomcat_01\0"),
        ("a" * 63, b"\x3f" + b"a" * 63 + b"\0"),
        (LONGEST, wire([b"a" * 63] * 3 + [b"b" * 61])),
    ],
)
def test_a_typed_name_has_this_form(name: str, encoded: bytes) -> None:
    assert encode_name(name) == encoded


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "1 to 255"),
        ("..", "not 0"),
        (".a", "not 0"),
        ("a..b", "not 0"),
        ("a" * 64, "not 64"),
        (LONGEST + "c", "not 256"),
        ("a." * 128, "not 257"),
        ("a" * 100_000, "1 to 255"),
        ("ü" * 200, "neither ASCII nor"),
        ("ü\u202e", "neither ASCII nor"),
        ("ü\ud800", "neither ASCII nor"),
        ("ü\\.", "not both"),
        ("a\\", "backslash"),
        ("a\\1", "backslash"),
        ("a\\12x", "backslash"),
        ("a\\256", "backslash"),
    ],
)
def test_a_name_that_has_no_form_is_refused_in_a_sentence(name: str, why: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        encode_name(name)
    assert why in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(st.one_of(st.characters(), st.sampled_from("\\.0129aüß。")), max_size=80))
def test_any_typed_text_is_encoded_or_refused(name: str) -> None:
    try:
        encoded = encode_name(name)
    except InvalidNameError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        labels, behind = Names(HEADER + encoded).read(HEADER_LENGTH)
        assert behind == HEADER_LENGTH + len(encoded) <= HEADER_LENGTH + dns_name.MAX_NAME
        assert encode_name(name_text(labels)) == encoded


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.2.0.52", "52.0.2.10.in-addr.arpa"),  # RFC 1035, 3.5
        (
            "4321:0:1:2:3:4:567:89ab",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",  # RFC 3596, 2.5
        ),
        ("fe80::1%eth0", "1." + "0." * 28 + "8.e.f.ip6.arpa"),
    ],
)
def test_an_address_is_looked_up_by_this_name(address: str, name: str) -> None:
    assert reverse_name(address) == name


def test_what_is_no_address_has_no_such_name() -> None:
    with pytest.raises(ValueError, match="tomcat01"):
        reverse_name("tomcat01")


def test_names_are_compressed_as_in_rfc_1035() -> None:
    """The example of 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root, at bytes 20, 40, 64 and 92."""
    message = bytearray(93)
    message[20:32] = encode_name("F.ISI.ARPA")
    message[40:46] = b"\3FOO" + pointer(20)
    message[64:66] = pointer(26)
    names = Names(bytes(message))
    assert names.read(20) == ([b"F", b"ISI", b"ARPA"], 32)
    assert names.read(40) == ([b"FOO", b"F", b"ISI", b"ARPA"], 46)
    assert names.read(64) == ([b"ARPA"], 66)
    assert names.read(92) == ([], 93)


@pytest.mark.parametrize(
    ("names", "start", "why"),
    [
        (pointer(12), 12, "a compression pointer to byte 12, where no earlier name is"),
        (b"\1a" + pointer(12), 12, "a compression pointer to byte 12, where no earlier name is"),
        (b"\1a" + pointer(16) + b"\1b" + pointer(12), 12, "a compression pointer to byte 16, where no earlier name is"),
        (b"\1a" + pointer(16) + b"\1b" + pointer(12), 16, "a compression pointer to byte 16, where no earlier name is"),
        (pointer(14) + b"\0", 12, "a compression pointer to byte 14, where no earlier name is"),
        (pointer(0x3FFF), 12, "a compression pointer to byte 16383, where no earlier name is"),
        (pointer(0), 12, "a compression pointer to byte 0, where no earlier name is"),
        (b"\x40", 12, "a label of an unknown kind, 0x40"),
        (b"\x80", 12, "a label of an unknown kind, 0x80"),
        (b"", 12, "cut off"),
        (b"\1", 12, "cut off"),
        (b"\1a", 12, "cut off"),
        (b"\xc0", 12, "cut off"),
        (wire([b"a" * 63] * 3 + [b"b" * 62]), 12, "a name of more than 255 bytes"),
    ],
)
def test_a_name_that_cannot_be_is_damage(names: bytes, start: int, why: str) -> None:
    assert damage(names, start) == why


def test_two_pointers_at_each_other_are_no_loop() -> None:
    """Whichever is read first, one of them points forward."""
    names = pointer(14) + pointer(12)
    assert damage(names, 12) == "a compression pointer to byte 14, where no earlier name is"
    assert damage(names, 14) == "a compression pointer to byte 14, where no earlier name is"


def test_the_longest_name_is_read() -> None:
    labels = [b"a" * 63] * 3 + [b"b" * 61]
    assert Names(HEADER + wire(labels)).read(HEADER_LENGTH)[0] == labels


@pytest.mark.parametrize(("jumps", "whole"), [(dns_name.MAX_JUMPS, True), (dns_name.MAX_JUMPS + 1, False)])
def test_a_chain_of_pointers_has_an_end(jumps: int, *, whole: bool) -> None:
    chain = b"\1a\0" + pointer(12) + b"".join(pointer(15 + 2 * number) for number in range(jumps - 1))
    names = Names(HEADER + chain)
    start = len(names.message) - 2
    if whole:
        assert names.read(start) == ([b"a"], len(names.message))
        assert names.steps == jumps + 2
    else:
        assert damage(chain, start) == "a name of more than 64 compression pointers"


def test_one_budget_serves_all_names_of_a_message() -> None:
    names = Names(HEADER + wire([b"a"] * 63))
    for _ in range(dns_name.MAX_STEPS // 64):
        names.read(HEADER_LENGTH)
    with pytest.raises(DamagedError, match="more than 8192 labels"):
        names.read(HEADER_LENGTH)
    assert names.steps == dns_name.MAX_STEPS


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x1b[31mb.example", r"a\027[31mb.example"),
        ("a\nb.", r"a\010b."),
        ("a\x7f\\.", r"a\127\."),
        ("a\xadb", "ab"),
        (r"a\032b", r"a\032b"),
        ("täst", "täst"),
        ("a\x1b..b", "a\x1b..b"),
    ],
)
def test_a_name_that_is_kept_asks_for_the_same_bytes(typed: str, kept: str) -> None:
    assert printable_name(typed) == kept
    if ".." not in typed:
        assert encode_name(kept) == encode_name(typed)
