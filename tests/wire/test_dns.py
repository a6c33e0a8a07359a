"""DNS messages: right on what scapy built, and frank about what is wrong."""

from itertools import pairwise

import pytest
from dns_messages import COMPRESSED, GOOD, PLAIN, POINTER, header, question, read, record
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.model.dns import Asked, Message, Record
from inspector.wire import dns, scapy_door

scapy_door.prepare()

from scapy.layers.dns import DNS, DNSQR, DNSRR  # noqa: E402


@pytest.mark.parametrize("built", [PLAIN, COMPRESSED], ids=["plain", "compressed"])
def test_good_messages_have_no_damage(built: dict[str, bytes]) -> None:
    assert {name: read(payload).damage for name, payload in built.items()} == dict.fromkeys(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_compression_changes_nothing(name: str) -> None:
    assert read(COMPRESSED[name]) == read(PLAIN[name])


def test_compression_is_tried() -> None:
    """The two tests above can fail: there is something to uncompress."""
    assert [len(COMPRESSED[name]) < len(PLAIN[name]) for name in ("answer", "chain", "many")] == [True] * 3


@pytest.mark.parametrize("name", GOOD)
def test_scapy_reads_the_same(name: str) -> None:
    theirs, ours = DNS(COMPRESSED[name]), read(COMPRESSED[name])
    assert (ours.identifier, ours.response, ours.truncated) == (theirs.id, bool(theirs.qr), bool(theirs.tc))
    assert (ours.authoritative, ours.recursion_available) == (bool(theirs.aa), bool(theirs.ra))
    assert ours.asked is not None
    assert (dns.encode_name(ours.asked.name), dns.type_number(ours.asked.type)) == (
        dns.encode_name(theirs.qd[0].qname.decode()),
        theirs.qd[0].qtype,
    )
    assert [(f"{each.name}.", dns.type_number(each.type), each.ttl) for each in ours.answers] == [
        (each.rrname.decode(), each.type, each.ttl) for each in theirs.an
    ]


def test_an_answer_is_read_field_by_field() -> None:
    assert read(COMPRESSED["answer"]) == Message(
        identifier=0x1234,
        response=True,
        rcode="NOERROR",
        truncated=False,
        recursion_available=True,
        authoritative=False,
        asked=Asked("web.example.com", "A"),
        answers=(Record("web.example.com", "A", "10.0.0.3", 600),),
    )


def test_the_data_of_each_type() -> None:
    assert [(each.name, each.type, each.data) for each in read(COMPRESSED["many"]).answers] == [
        ("example.com", "MX", "10 mail.example.com."),
        ("_http._tcp.example.com", "SRV", "1 2 8080 web.example.com."),
        ("example.com", "TXT", r'"one" "two \"\\\010"'),
        ("example.com", "AAAA", "2001:db8::1"),
        ("1.0.0.10.in-addr.arpa", "PTR", "web.example.com."),
    ]


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (0x0000, "response", False),
        (0x8000, "response", True),
        (0x8200, "truncated", True),
        (0x8400, "authoritative", True),
        (0x8080, "recursion_available", True),
        (0x8002, "rcode", "SERVFAIL"),
        (0x8005, "rcode", "REFUSED"),
        (0x800B, "rcode", "RCODE11"),
    ],
)
def test_each_flag_is_read(flags: int, field: str, value: object) -> None:
    found = read(header(0, 0, 0, 0, flags=flags))
    assert getattr(found, field) == value
    assert found.asked is None
    assert found.damage is None


def test_several_questions_are_stepped_over() -> None:
    found = read(header(2, 1, 0, 0) + question() + question(b"\1b\0") + record(bytes(4)))
    assert (found.asked, found.damage) == (None, None)
    assert found.answers == (Record("a", "A", "0.0.0.0", 60),)


def test_edns_is_no_answer() -> None:
    found = read(header(1, 2, 0, 0) + question() + record(b"", b"\0", kind=41) + record(bytes(4)))
    assert [each.type for each in found.answers] == ["A"]


def test_data_of_another_class_is_not_read_as_internet() -> None:
    found = read(header(1, 1, 0, 0) + question() + record(bytes(4), of_class=3))
    assert (found.answers[0].data, found.damage) == (r"\# 4 00000000", None)


@pytest.mark.parametrize("length", range(12))
def test_no_whole_header_is_no_message(length: int) -> None:
    assert dns.read(bytes(length)) is None


@pytest.mark.parametrize(
    ("payload", "answers", "damage"),
    [
        (header(1, 0, 0, 0), 0, "1 questions and 0 records in 0 bytes"),
        (header(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF), 0, "65535 questions and 196605 records in 0 bytes"),
        (header(1, 0xFFFF, 0, 0) + question() + record(bytes(4)), 1, "1 questions and 65535 records in 23 bytes"),
        (header(1, 1, 2, 1) + question() + record(bytes(4), b"\1b" * 20 + b"\0"), 1, "3 more records in 0 bytes"),
        (header(1, 0, 0, 0) + b"\x0aabcd", 0, "question 1: cut off"),
        (header(1, 0, 0, 0) + POINTER + bytes(4), 0, "question 1: a compression pointer to byte 12, where no "),
        (header(1, 1, 0, 0) + question() + record(bytes(4))[:-1], 0, "answer 1: cut off"),
        (header(1, 2, 0, 0) + question() + record(bytes(40)) + POINTER, 1, "answer 1: 40 bytes that are no A data"),
        (header(1, 1, 0, 0) + question() + record(b"\xc0\x80", kind=5), 1, "answer 1: a compression pointer to byte"),
        (header(1, 1, 0, 0) + question() + record(bytes(4)) + bytes(3), 1, "3 bytes behind its end"),
        (header(1, 0, 0, 0) + question() + bytes(0xFFFF), 0, "65516 bytes behind its end"),
        (header(0, 0, 1, 0) + bytes(0xFFFF), 0, "more than 65535 bytes"),
    ],
)
def test_damage_is_named_and_what_is_whole_is_kept(payload: bytes, answers: int, damage: str) -> None:
    found = read(payload)
    assert len(found.answers) == answers
    assert found.damage is not None
    assert found.damage.startswith(damage)


def test_a_record_with_bad_data_does_not_hide_the_next() -> None:
    found = read(header(1, 2, 0, 0) + question() + record(bytes(3)) + record(bytes(4)))
    assert [each.data for each in found.answers] == [r"\# 3 000000", "0.0.0.0"]
    assert found.damage == "answer 1: 3 bytes that are no A data"


def test_answers_have_a_limit() -> None:
    found = read(header(1, 150, 0, 0) + question() + record(bytes(4)) * 150)
    assert len(found.answers) == dns.MAX_ANSWERS
    assert found.damage == "150 answers, of which 100 were read"


@settings(max_examples=60)
@given(
    st.integers(0, 0xFFFF),
    st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.ip_addresses(v=4)), max_size=5),
)
def test_what_scapy_builds_comes_back(identifier: int, labels: list[bytes], answers: list[tuple[int, object]]) -> None:
    encoded = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    built = DNS(
        id=identifier,
        qr=1,
        qd=[DNSQR(qname=encoded, qtype=1)],
        an=[DNSRR(rrname=encoded, type=1, ttl=ttl, rdata=str(address)) for ttl, address in answers],
    )
    found = read(bytes(built))
    assert found.asked is not None
    assert (found.identifier, found.damage, dns.encode_name(found.asked.name)) == (identifier, None, encoded)
    assert [(each.name, each.ttl, each.data) for each in found.answers] == [
        (found.asked.name, ttl, str(address)) for ttl, address in answers
    ]


def prefixed(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


def test_a_segment_may_hold_several_messages() -> None:
    stream = prefixed(PLAIN["query"]) + prefixed(COMPRESSED["many"])
    assert dns.read_stream(stream) == (read(PLAIN["query"]), read(PLAIN["many"]))


def test_pointers_count_from_the_header_and_not_from_the_length() -> None:
    assert dns.read_stream(prefixed(COMPRESSED["chain"])) == (read(COMPRESSED["chain"]),)


@pytest.mark.parametrize("stream", [b"", b"\0", b"\0\0", b"\0\x30", b"\0\x30" + bytes(11), b"\0\x05" + bytes(5)])
def test_a_segment_without_a_header_holds_no_message(stream: bytes) -> None:
    assert dns.read_stream(stream) == ()


def test_a_message_that_goes_on_says_so() -> None:
    whole = prefixed(COMPRESSED["chain"])
    seen = [dns.read_stream(whole[:length]) for length in range(14, len(whole))]
    for length, found in enumerate(seen, start=12):
        assert [each.damage for each in found] == [f"cut off: {length} of {len(whole) - 2} bytes are in this segment"]
    assert all(len(early[0].answers) <= len(late[0].answers) for early, late in pairwise(seen))


def test_messages_of_a_segment_have_a_limit() -> None:
    assert len(dns.read_stream(prefixed(header(0, 0, 0, 0)) * 4_000)) == dns.MAX_MESSAGES
