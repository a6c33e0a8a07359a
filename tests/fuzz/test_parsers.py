"""Readers of bytes and texts that strangers, the kernel or the engine's files hold: no exception, nothing to obey.

Those with a language of their own (DNS, rules, traces, capture files, recordings, answers of engines) have properties
beside their tests; here are the others, all by one.
"""

from collections.abc import Callable
from typing import Any

import pytest
from fuzzing import CAPTURES, LONG
from hostile import HOSTILE, harmful
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.capture.drop_samples import tie
from inspector.capture.kernel_symbols import symbols
from inspector.capture.socket_errors import local_mtu, words_of
from inspector.discover import files
from inspector.discover.beneath import Content, Identity
from inspector.model.topology import SandboxId
from inspector.wire import (
    ctnetlink,
    discovery,
    headers,
    ip,
    link_layers,
    nfnetlink,
    nft_sets,
    pcapng_reader,
    perf_records,
    proc_net,
    resolver_files,
    rule_words,
    tracepoints,
    vxlan,
)
from inspector.withhold.addresses import Addresses
from inspector.withhold.messages import rewrite
from inspector.withhold.words import Words

EXAMPLES = settings(max_examples=250 if LONG else 40)
FORMAT = """name: kfree_skb
ID: 1468
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:16;\tsize:4;\tsigned:0;
\tfield:unsigned int reason;\toffset:24;\tsize:4;\tsigned:0;
print fmt: "%s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })
"""
TRACEPOINT = tracepoints.read_tracepoint(FORMAT)
assert TRACEPOINT is not None
EXTENDED_ERROR = (0, 11), (41, 25)


def frames() -> list[bytes]:
    """Return real frames to begin from."""
    found: set[bytes] = set()
    for path in CAPTURES[::7]:
        with path.open("rb") as stream:
            found.update(each.frame for each in pcapng_reader.read(stream).packets)
    return sorted(found)[::5]


@st.composite
def damaged(draw: st.DrawFn, sound: list[bytes]) -> bytes:
    """Draw sound bytes with some of them changed, cut out or cut off, or any bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(0, 6))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


def attributes(depth: int) -> st.SearchStrategy[bytes]:
    """Draw attributes of netlink, in each other, with lengths that may lie."""
    value = st.binary(max_size=24) | (attributes(depth - 1) if depth else st.nothing())
    one = st.builds(
        lambda value, kind, lie: (
            max(4 + len(value) + lie, 0).to_bytes(2, "little")
            + kind.to_bytes(2, "little")
            + value
            + bytes(-len(value) % 4)
        ),
        value,
        st.integers(0, 40) | st.integers(0, 0xFFFF),
        st.sampled_from([0, 0, 0, 0, 1, -1, -4, 40]),
    )
    return st.lists(one, max_size=4).map(b"".join)


@st.composite
def netlink(draw: st.DrawFn) -> bytes:
    """Draw what one read of a netlink socket may give."""
    whole = b""
    for _ in range(draw(st.integers(0, 3))):
        payload = draw(st.sampled_from([b"\2\0\0\0", b"\n\0\0\0", b"\0", b""])) + draw(attributes(2))
        kind = draw(st.sampled_from([2, 3, 0x0A03, 0x0A06, 0x0A0C, 0x0100, 0x0A11]) | st.integers(0, 0xFFFF))
        length = 16 + len(payload) + draw(st.sampled_from([0, 0, 0, -1, 5]))
        whole += length.to_bytes(4, "little") + kind.to_bytes(2, "little") + bytes(10) + payload
        whole += bytes(-len(whole) % 4)
    return whole


def read_netlink(data: bytes) -> list[Any]:
    found: list[Any] = []
    for each in nfnetlink.messages(data):
        found += [nfnetlink.read_chain(each), nfnetlink.error_number(each), nfnetlink.rule_handle(each)]
        rule = nfnetlink.read_rule(each)
        found += [] if rule is None else [rule.table, rule.chain, rule.handle]
        found += [ctnetlink.read_entry(SandboxId("web"), each)]
        found += [
            each.verdict for each in nft_sets.read_elements(nfnetlink.set_elements(each)) if hasattr(each, "verdict")
        ]
    return found


def read_frame(data: bytes) -> list[Any]:
    outer = headers.read(data)
    found: list[Any] = [outer and vxlan.carried_frame(outer, port) for port in (4789, 0)]
    found = [each and (each.number, each.source, each.destination) for each in found]
    found += [discovery.discovery(data[14:], ("10.0.0.1", "fe80::1%eth0"))]
    read = [ip.read_ipv4(data[14:]), ip.read_ipv6(data[14:])]
    found += [each and (each.source, each.destination) for each in read]
    ip.skip_extensions(data[54:], data[20] if len(data) > 20 else 0)
    for layer in link_layers.LINK_LAYERS.values():
        kind, at = link_layers.locate(layer, data, 0, len(data))
        assert 0 <= kind <= 0xFFFF
        assert at <= len(data)
    return found


def read_samples(data: bytes) -> list[Any]:
    samples = [each for each in perf_records.read_records(data) if isinstance(each, perf_records.Sample)]
    assert TRACEPOINT is not None
    other = tracepoints.Tracepoint(id=7, fields=TRACEPOINT.fields)
    return [*tie(samples, TRACEPOINT, other, offset_ns=0, name=hex)]


def read_record(data: bytes) -> list[Any]:
    assert TRACEPOINT is not None
    names = ("name", "reason", "skbaddr", "none")
    return [
        (TRACEPOINT.text(data, each), TRACEPOINT.symbol(data, each), TRACEPOINT.number(data, each)) for each in names
    ]


def read_errors(data: bytes) -> list[Any]:
    control = [(*kind, data) for kind in EXTENDED_ERROR]
    return [(words_of(control, family), local_mtu(control, family)) for family in (4, 6)]


def rewritten(data: bytes) -> list[Any]:
    addresses = Addresses(bytes(32), (), frozenset())
    message = rewrite(data, Words(bytes(32), addresses, (), (), ()), addresses)
    assert len(message) == len(data)
    return []


BYTES: dict[str, Callable[[bytes], list[Any]]] = {
    "frame": read_frame,
    "netlink": read_netlink,
    "perf ring": read_samples,
    "tracepoint record": read_record,
    "error queue": read_errors,
    "DNS message to redact": rewritten,
    "symbols": lambda data: [symbols(lambda: data)(address) for address in (0, 1 << 63, len(data))],
    "resolver file": lambda data: [files._lines(Content(data=data, identity=Identity(0, 0)))],
}
FRAMES = frames()
KINDS = {"netlink": netlink()}


@pytest.mark.parametrize("name", BYTES)
@EXAMPLES
@given(st.data())
def test_any_bytes_are_read(name: str, data: st.DataObject) -> None:
    given_bytes = data.draw(KINDS.get(name, damaged(FRAMES)))
    assert harmful(BYTES[name](given_bytes)) == []


LINE = st.text(st.sampled_from("0123456789abcdef:. \t-#%/[]!=\"'+\x1b\u202e漢"), max_size=60) | st.sampled_from(HOSTILE)
TEXTS: dict[str, Callable[[str], Any]] = {
    "/proc/net/tcp": lambda text: list(proc_net.read_open_ports(text, 10)),
    "tracepoint format": tracepoints.read_tracepoint,
    "hosts": resolver_files.read_hosts,
    "resolv.conf": resolver_files.read_resolv_conf,
    "nsswitch.conf": resolver_files.read_nsswitch,
}
SOUND = {
    "/proc/net/tcp": "  sl  local_address rem_address   st\n   0: 0100007F:0CEA 00000000:0000 0A 0:0",
    "tracepoint format": FORMAT,
    "hosts": "127.0.0.1 localhost\nfe80::1 six",
    "resolv.conf": "nameserver 127.0.0.11\nsearch a b\noptions ndots:1 timeout:2\n# ExtServers: [host(192.0.2.1)]",
    "nsswitch.conf": "hosts: files [NOTFOUND=return] dns",
}


@pytest.mark.parametrize("name", TEXTS)
@EXAMPLES
@given(st.data())
def test_any_text_is_read(name: str, data: st.DataObject) -> None:
    lines = SOUND[name].split("\n")
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        lines[at] = data.draw(st.sampled_from([line[:cut], line[cut:], line * 2])) + data.draw(LINE)
    assert harmful(TEXTS[name]("\n".join(lines))) == []


@EXAMPLES
@given(st.lists(st.sampled_from(["-s", "-p", "tcp", '"a', 'b"', '"', "!", "-i", "eth+", ""]), max_size=12))
def test_conditions_in_quotation_marks_are_none(words: list[str]) -> None:
    found = rule_words.conditions(" ".join(words))
    pairs = [(word, words[at + 1]) for at, word in enumerate(words[:-1]) if " ".join(words[:at]).count('"') % 2 == 0]
    assert [each[:2] for each in found] == [each for each in pairs if each[0] in {"-s", "-p", "-i"}]
