"""What tracefs says about a tracepoint is read as it stands there, whatever the kernel's version."""

import struct

from inspector.wire.tracepoints import read_tracepoint

KFREE = """name: kfree_skb
ID: 2310
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:unsigned short protocol;\toffset:32;\tsize:2;\tsigned:0;
\tfield:enum skb_drop_reason reason;\toffset:36;\tsize:4;\tsigned:0;

print fmt: "reason: %s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 12, "NETFILTER_DROP" })
"""
RECEIVE = """name: netif_receive_skb
ID: 2303
format:
\tfield:unsigned int len;\toffset:16;\tsize:4;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:20;\tsize:4;\tsigned:0;
"""


def record(reason: int) -> bytes:
    return struct.pack("=H6xQ16xHxxI", 2310, 0xFFFF888100000000, 0x0800, reason)


def test_fields_and_names_are_found() -> None:
    found = read_tracepoint(KFREE)
    assert found is not None
    assert found.id == 2310
    assert found.number(record(12), "common_type") == 2310
    assert found.number(record(12), "skbaddr") == 0xFFFF888100000000
    assert found.number(record(12), "protocol") == 0x0800
    assert found.symbol(record(12), "reason") == "NETFILTER_DROP"


def test_a_reason_without_a_name_is_a_number() -> None:
    found = read_tracepoint(KFREE)
    assert found is not None
    assert found.symbol(record(65537), "reason") == "65537"


def test_a_string_lies_elsewhere_and_is_made_harmless() -> None:
    found = read_tracepoint(RECEIVE)
    assert found is not None
    name = b"e\x1b[2Jh0\0"
    written = struct.pack("=16xII", 84, len(name) << 16 | 24) + name
    text = found.text(written, "name")
    assert text is not None
    assert "\x1b" not in text
    assert text.endswith("h0")
    assert found.text(written, "len") is None


def test_what_is_not_there_is_missing() -> None:
    found = read_tracepoint(KFREE)
    assert found is not None
    assert found.number(record(12), "rx_sk") is None
    assert found.symbol(record(12)[:36], "reason") is None
    assert read_tracepoint("nothing of the kind") is None
