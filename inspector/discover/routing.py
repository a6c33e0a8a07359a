"""Ask the stacks on the way how they would route the trace's packets, and what they go by."""

import errno
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

from inspector import netns
from inspector.discover.kernel import read_settings
from inspector.discover.rtnetlink import Rtnetlink
from inspector.model.routing import PolicyRule, RouteAnswer, RouteQuery, RoutingRecord, StackSetting
from inspector.model.sentence import say
from inspector.model.text import safe
from inspector.model.topology import LinkKey, SandboxId, Topology
from inspector.wire.stack_messages import Attributes, Message, address, name, number

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
KINDS = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
}
"""RTN_* of linux/rtnetlink.h"""
TABLES = {253: "default", 254: "main", 255: "local"}
"""RT_TABLE_* of linux/rtnetlink.h"""
ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
"""FR_ACT_* of linux/fib_rules.h that are no lookup in a table."""
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_FWMARK = 1, 2, 3, 6, 10
FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_IP_PROTO = 15, 16, 17, 22
"""linux/fib_rules.h"""
_LINKS = ((FRA_IIFNAME, "iif"), (FRA_OIFNAME, "oif"))
REFUSALS = {
    errno.EXDEV: "the reverse-path filter refuses a packet with this source on this interface",
    errno.EINVAL: "a packet with this source is refused on this interface: by the reverse-path filter, or as a martian",
    errno.EHOSTUNREACH: "no way: the stack does not forward here, or has an unreachable route",
}
"""What an errno means that a packet coming in by an interface gets (fib_validate_source, ip_route_input_slow).

Linux 6.14 and later tell every refusal of the source as EINVAL.
"""


def ask_routing(
    namespaces: Mapping[SandboxId, int],
    topology: Topology,
    queries: Iterable[RouteQuery],
    settings: Iterable[tuple[SandboxId, str]],
    family: int,
) -> RoutingRecord:
    """Return what each stack says, given descriptors of the namespaces. A stack that is gone meanwhile says nothing."""
    asked, wanted = tuple(queries), tuple(settings)
    answers: list[RouteAnswer] = []
    rules: list[PolicyRule] = []
    values: list[StackSetting] = []
    for sandbox in dict.fromkeys(each.sandbox for each in asked):
        if sandbox not in namespaces:
            continue
        mine = tuple(each for each in asked if each.sandbox == sandbox)
        names = tuple(name for where, name in wanted if where == sandbox)
        with suppress(OSError):
            visit = partial(_visit, topology, mine, names, family)
            got, policy, read = netns.enter(namespaces[sandbox], visit)
            answers.extend(got)
            rules.extend(policy)
            values.extend(read)
    answers.sort(key=lambda each: asked.index(each.query))
    return RoutingRecord(answers=tuple(answers), rules=tuple(rules), settings=tuple(values))


def _visit(
    topology: Topology, queries: tuple[RouteQuery, ...], names: tuple[str, ...], family: int
) -> tuple[tuple[RouteAnswer, ...], tuple[PolicyRule, ...], tuple[StackSetting, ...]]:
    sandbox = queries[0].sandbox
    with Rtnetlink() as kernel:
        answers = tuple(_answer(kernel, topology, each) for each in queries)
        rules = tuple(PolicyRule(sandbox, text) for text in _rules(kernel, family))
    return answers, rules, tuple(StackSetting(sandbox, each.name, each.value) for each in read_settings(names))


def _refused(error: str, why: str | None) -> str:
    return say("{error} ({why})", error=error, why=why) if why else error


def _answer(kernel: Rtnetlink, topology: Topology, query: RouteQuery) -> RouteAnswer:
    inbound = query.inbound.ifindex if query.inbound else None
    try:
        message = kernel.route_to(ip_address(query.destination), query.source, inbound, query.scope)
    except OSError as error:
        number = error.errno or errno.EINVAL
        why = REFUSALS.get(number) if query.inbound else None
        return RouteAnswer(query, error=number, why=_refused(os.strerror(number), why))
    outbound = message.get("oif")
    key = LinkKey(query.sandbox, outbound) if outbound else None
    link = topology.link(key)
    return RouteAnswer(
        query,
        kind=KINDS.get(message["type"], str(message["type"])),
        outbound=key,
        interface=link.name if link else f"if{outbound}" if outbound else "",
        gateway=message.get("gateway"),
        source=message.get("prefsrc"),
        table=message.get("table") or message["table"],
        mtu=message.get(("metrics", "mtu")),
    )


def _rules(kernel: Rtnetlink, family: int) -> Iterator[str]:
    with suppress(OSError):
        for message in kernel.rules(FAMILIES[family]):
            yield _rule_text(message)


def _rule_text(message: Message) -> str:
    """Write a rule as `ip rule` does, as far as it has the usual selectors."""
    # struct fib_rule_hdr (linux/fib_rules.h) has the layout of struct rtmsg; its eighth field is the action.
    (_, destination_bits, source_bits, _, table, _, _, action, _), told = message
    words = [f"{number(told, FRA_PRIORITY) or 0}: from {_prefix(told, FRA_SRC, source_bits) or 'all'}"]
    if destination := _prefix(told, FRA_DST, destination_bits):
        words.append(f"to {destination}")
    if mark := number(told, FRA_FWMARK):
        mask = number(told, FRA_FWMASK)
        words.append(f"fwmark {mark:#x}" + (f"/{mask:#x}" if mask not in {None, 0xFFFFFFFF} else ""))
    words += [f"{word} {safe(link)}" for kind, word in _LINKS if (link := name(told, kind)) is not None]
    if (protocol := number(told, FRA_IP_PROTO)) is not None:
        words.append(f"ipproto {protocol}")
    table = number(told, FRA_TABLE) or table
    return " ".join([*words, ACTIONS.get(action, f"lookup {TABLES.get(table, table)}")])


def _prefix(told: Attributes, kind: int, bits: int) -> str | None:
    found = address(told, kind)
    if not bits or not found:
        return None
    return found if bits == ip_address(found).max_prefixlen else f"{found}/{bits}"
