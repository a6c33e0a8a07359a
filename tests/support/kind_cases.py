"""Recordings that findings about sizes and kinds of network are raised on."""

import errno
import os
from collections.abc import Callable
from ipaddress import ip_network

from topologies import (
    START,
    TOKEN,
    arp,
    change_link,
    change_stack,
    planned,
    point_named,
    read,
    recorded,
    seen,
    sent,
    sightings,
)

from inspector.model.question import Heading, Plan
from inspector.model.recording import Answered, Failed, Probe, Recording
from inspector.model.topology import Route, SandboxId, Topology
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

WORLD = read("two-networks.toml")
SHARED = read("shared-parent.toml")
BIG = 1472
ETHER = Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02")


def narrow(link: str, mtu: int = 1400) -> Topology:
    """Return the world with one link that carries less than the others."""
    return change_link(WORLD, link, mtu=mtu)


def big_plan(world: Topology, source: str = "web", destination: str = "db", **more: object) -> Plan:
    return planned(world, source, destination, **{"count": 1, "size": BIG, "dont_fragment": True, **more})


def big(plan: Plan, *, size: int = BIG) -> bytes:
    """Return the frame of a request of this size."""
    flags = "DF" if plan.question.dont_fragment else 0
    packet = IP(src=plan.source.address, dst=plan.destination.address, flags=flags) / ICMP(type=8, id=7, seq=1)
    return bytes(ETHER / packet / Raw(payload(TOKEN, 1, size)))


def stopped_at(world: Topology, plan: Plan, reached: int, *, probe: Probe | None = None, size: int = BIG) -> Recording:
    """Return the recording of a big request that was seen at so many steps."""
    frames = sightings(plan, plan.request[:reached], big(plan, size=size))
    return recorded(world, plan, probes=(probe or sent(),), request=0, reply=0, extra=frames)


def swallowed() -> Recording:
    """The port in front of db carries less, and the bridge drops what is larger."""
    world = narrow("host/veth-db")
    return stopped_at(world, big_plan(world), 3)


def too_long(mtu: int | None) -> Failed:
    return Failed(1, START, errno.EMSGSIZE, os.strerror(errno.EMSGSIZE), mtu)


def refused(link: str = "web/eth0", mtu: int | None = 1400) -> Recording:
    """The source's own stack does not send it."""
    world = narrow(link)
    return stopped_at(world, big_plan(world), 0, probe=too_long(mtu))


def complaint(by: str, plan: Plan, mtu: int) -> bytes:
    """Return the frame of `fragmentation needed` about a big request."""
    error = ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(big(plan)[14:][:548])
    return bytes(ETHER / IP(src=by, dst=plan.source.address) / error)


def told(*points: str, by: str = "172.17.0.1", link: str = "host/eth0") -> Recording:
    """Somebody says what the next link carries, seen at these points; web hears it where it is among them."""
    world = narrow(link)
    plan = big_plan(world, "web", "203.0.113.7")
    errors = tuple(
        seen(point_named(plan, each), complaint(by, plan, 1400), at=9_000 + number)
        for number, each in enumerate(points)
    )
    heard = any(each.startswith("web/") for each in points)
    probe = Answered(1, START, START + 9_000, "Frag needed and DF set (mtu = 1400)") if heard else sent()
    recording = stopped_at(world, plan, 3, probe=probe)
    return recorded(world, plan, probes=(probe,), request=0, reply=0, extra=(*recording.observations, *errors))


def undecided() -> Recording:
    plan = big_plan(WORLD, "web", "203.0.113.7")
    return stopped_at(WORLD, plan, len(plan.request))


def isolated(source: str = "host", destination: str = "web") -> Recording:
    """The host asks for a macvlan container, or the other way round, and nobody answers."""
    plan = planned(SHARED, source, destination, count=1)
    mine, theirs = plan.source.address or "", plan.destination.address or ""
    asked = seen(point_named(plan, str(plan.request[0].point)), arp(mine, theirs), heading=Heading.OUT)
    return recorded(SHARED, plan, probes=(sent(),), request=0, reply=0, extra=(asked,))


def kept_in() -> Recording:
    """A member of an internal network that has a default route all the same (Engine 20.10) sends something out."""
    stack = WORLD.sandbox(SandboxId("inner"))
    assert stack
    out = Route(ip_network("0.0.0.0/0"), "10.99.0.1", 2)
    world = change_stack(WORLD, "inner", routes=(*stack.routes, out))
    return recorded(world, planned(world, "inner", "203.0.113.7"), probes=(sent(),), request=3, reply=0)


CASES: dict[str, Callable[[], Recording]] = {
    "mtu-too-big": swallowed,
    "macvlan-host-isolation": isolated,
    "internal-network": kept_in,
}
