"""Recordings of TCP and UDP probes, written by hand on the worlds of `topologies`."""

from collections.abc import Callable
from typing import Any

from topologies import START, TOKEN, change_container, planned, read, sightings

from inspector.model.conntrack import ConntrackEntry, ConntrackRecord, Flow
from inspector.model.question import Plan, Protocol, Step
from inspector.model.recording import Aftermath, Answered, Listener, Observation, Probe, Recording, Sent
from inspector.model.topology import Published, SandboxId, Topology
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

PORT, SOURCE_PORT, ISN, PEER_ISN = 8080, 40_001, 0xFFFF_FFFF, 7_000


def port_plan(topology: Topology, source: str, destination: str, port: int = PORT, **more: Any) -> Plan:
    """Ask for a TCP connection, or what `protocol` says."""
    return planned(topology, source, destination, port=port, count=1, **{"protocol": Protocol.TCP, **more})


def framed(source: str, destination: str, *layers: Packet) -> bytes:
    """Return a frame."""
    frame = Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02") / IP(src=source, dst=destination)
    for layer in layers:
        frame /= layer
    return bytes(frame)


def syn(plan: Plan, **changed: Any) -> TCP:
    """Return what opens the connection of probe 1; `changed` by a translation."""
    return TCP(**{"sport": SOURCE_PORT, "dport": plan.question.port, "flags": "S", "seq": ISN, **changed})


def syn_ack(plan: Plan, **changed: Any) -> TCP:
    """Return what accepts it."""
    ports = {"sport": plan.question.port, "dport": SOURCE_PORT}
    return TCP(**{**ports, "flags": "SA", "seq": PEER_ISN, "ack": (ISN + 1) % 2**32, **changed})


def rst(plan: Plan, **changed: Any) -> TCP:
    """Return what refuses it."""
    return syn_ack(plan, **{"flags": "RA", "seq": 0, **changed})


def datagram(plan: Plan) -> Packet:
    """Return probe 1 as a datagram."""
    return UDP(sport=SOURCE_PORT, dport=plan.question.port) / Raw(payload(TOKEN, 1, 56))


def unreachable(plan: Plan, segment: Packet) -> Packet:
    """Return the Port Unreachable that quotes what was sent."""
    mine, theirs = ends(plan)
    return ICMP(type=3, code=3) / IP(src=mine, dst=theirs) / segment


def ends(plan: Plan) -> tuple[str, str]:
    """Return both addresses."""
    return plan.source.address or "", plan.destination.address or ""


def there(plan: Plan, layer: Packet, steps: int | None = None) -> tuple[Observation, ...]:
    """Return a packet on its way to the destination."""
    return sightings(plan, plan.request[:steps], framed(*ends(plan), layer))


def back(plan: Plan, layer: Packet, steps: tuple[Step, ...] | None = None, at: int = 20_000) -> tuple[Observation, ...]:
    """Return a packet on its way back."""
    mine, theirs = ends(plan)
    return sightings(plan, plan.reply if steps is None else steps, framed(theirs, mine, layer), at=at)


def listening(plan: Plan, *addresses: str, port: int = PORT) -> Aftermath:
    """Return what is read afterwards: sockets of the destination's stack at these addresses."""
    sandbox = plan.answering or SandboxId("")
    listeners = tuple(Listener(sandbox, each, port, plan.question.protocol) for each in addresses)
    return Aftermath(listeners=listeners, listened=(sandbox,))


def port_recording(topology: Topology, plan: Plan, *frames: tuple[Observation, ...], **more: Any) -> Recording:
    """Return a recording of these frames; the probe was not answered, unless `answer` or `probes` says so."""
    answer, then = more.pop("answer", None), more.pop("then", "")
    probe: Probe = Answered(1, START, START + 90_000, answer, then) if answer else Sent(1, START)
    seen = tuple(each for group in frames for each in group)
    told = {"probes": (probe,), "source_ports": (SOURCE_PORT,), **more}
    return Recording(topology, plan, TOKEN, observations=seen, **told)


def accepted(topology: Topology, plan: Plan, **more: Any) -> Recording:
    """Return a connection that was accepted."""
    return port_recording(topology, plan, there(plan, syn(plan)), back(plan, syn_ack(plan)), answer="reply", **more)


def refused(topology: Topology, plan: Plan, **more: Any) -> Recording:
    """Return a connection that the destination's own stack refused."""
    return port_recording(topology, plan, there(plan, syn(plan)), back(plan, rst(plan)), answer="TCP RST", **more)


def rejected(topology: Topology, plan: Plan, **more: Any) -> Recording:
    """Return a connection that the host refused: the request came to it, and the RST begins there."""
    frames = (there(plan, syn(plan), 3), back(plan, rst(plan), plan.reply[-3:]))
    return port_recording(topology, plan, *frames, answer="TCP RST", **more)


def reset(topology: Topology, plan: Plan) -> Recording:
    """Return a connection that was accepted, and then reset."""
    breaks = TCP(sport=plan.question.port, dport=SOURCE_PORT, flags="R", seq=PEER_ISN + 1)
    frames = (there(plan, syn(plan)), back(plan, syn_ack(plan)), back(plan, breaks, at=30_000))
    return port_recording(topology, plan, *frames, answer="reply", then="reset")


WORLD = read("two-networks.toml")
NEAR = port_plan(WORLD, "web", "db")
FINDINGS: dict[str, Callable[[], Recording]] = {
    "port-closed": lambda: refused(WORLD, NEAR, aftermath=listening(NEAR)),
    "bound-to-loopback": lambda: refused(WORLD, NEAR, aftermath=listening(NEAR, "127.0.0.1")),
    "connection-reset": lambda: reset(WORLD, NEAR),
}
"""What each finding about ports stands on."""


PUBLISHING = change_container(WORLD, "db", published=(Published("0.0.0.0", PORT, 80, "tcp"),))
"""db's port 80 is the host's port 8080."""
BY_HOST = port_plan(PUBLISHING, "web", "172.17.0.1")
BY_ITSELF = port_plan(PUBLISHING, "db", "172.17.0.1")
FROM_AFAR = port_plan(PUBLISHING, "api", "192.168.0.1")
ON_LOOPBACK = port_plan(PUBLISHING, "host", "127.0.0.1")
DB = "172.17.0.3"


def published_way(plan: Plan) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the steps from the host to the container behind the port, and back."""
    assert plan.publication
    return plan.publication.request, plan.publication.reply


def translated(plan: Plan, steps: int | None = None, **more: Any) -> Recording:
    """Return a connection that a rule carried to the container: so many steps of the way there, and all back."""
    onward, backward = published_way(plan)
    mine, _ = ends(plan)
    local = plan.source.sandbox == "host"
    first = () if local else there(plan, syn(plan))
    second = sightings(plan, onward[:steps], framed(mine, DB, syn(plan, dport=80)), at=8_000)
    frames = (first, second)
    if steps is None:
        reply = sightings(plan, backward, framed(DB, mine, syn_ack(plan, sport=80)), at=20_000)
        frames = (*frames, reply, () if local else back(plan, syn_ack(plan), at=30_000))
        more["answer"] = "reply"
    return port_recording(PUBLISHING, plan, *frames, **more)


def proxied(plan: Plan, answer: TCP | None, **more: Any) -> Recording:
    """Return a connection that a proxy on the host took; `answer` is what the container said to the proxy's own."""
    onward, backward = published_way(plan)
    asks = TCP(sport=50_000, dport=80, flags="S", seq=99)
    second = sightings(plan, onward, framed("172.17.0.1", DB, asks), at=40_000)
    reply = sightings(plan, backward, framed(DB, "172.17.0.1", answer), at=50_000) if answer else ()
    frames = (there(plan, syn(plan)), back(plan, syn_ack(plan)), second, reply)
    return port_recording(PUBLISHING, plan, *frames, answer="reply", **more)


def entry(original: Flow, onward: Flow, *status: str, protocol: Protocol = Protocol.TCP) -> ConntrackEntry:
    """Return what the host's connection tracking remembers of a flow."""
    return ConntrackEntry(SandboxId("host"), protocol, original, onward.reversed, status, 30)


OLD = Flow("172.17.0.2", "172.17.0.1", 5060, 5353)
"""A flow that began before the port was published."""
NAMES = change_container(WORLD, "db", published=(Published("0.0.0.0", 5353, 53, "udp"),))
"""db's port 53 is the host's port 5353."""
DATAGRAM = port_plan(NAMES, "web", "172.17.0.1", 5353, protocol=Protocol.UDP)


def standing(*flows: tuple[Flow, Flow], status: tuple[str, ...] = (), carried: bool = True) -> Recording:
    """Return a datagram that a rule carried to the container, beside these flows to the same port."""
    onward, _ = published_way(DATAGRAM)
    mine, theirs = ends(DATAGRAM)
    asked = Flow(mine, theirs, SOURCE_PORT, 5353)
    now = Flow(mine, DB, SOURCE_PORT, 53)
    changed = UDP(sport=SOURCE_PORT, dport=53) / Raw(payload(TOKEN, 1, 56))
    second = sightings(DATAGRAM, onward, framed(mine, DB, changed), at=8_000) if carried else ()
    reply = UDP(sport=5353, dport=SOURCE_PORT) / Raw(payload(TOKEN, 1, 56))
    frames = (there(DATAGRAM, datagram(DATAGRAM)), second, back(DATAGRAM, reply, at=30_000))
    own = (entry(asked, now, "dnat", protocol=Protocol.UDP),) if carried else ()
    old = tuple(entry(*each, *status, protocol=Protocol.UDP) for each in flows)
    record = ConntrackRecord(own, (*own, *old))
    return port_recording(NAMES, DATAGRAM, *frames, answer="reply", conntrack=record)


TAKES = TCP(sport=80, dport=50_000, flags="SA", seq=5, ack=100)
REFUSES = TCP(sport=80, dport=50_000, flags="RA", seq=0, ack=100)
FINDINGS |= {
    "published-port-proxy": lambda: proxied(ON_LOOPBACK, TAKES),
    "published-port-hairpin": lambda: port_recording(PUBLISHING, BY_ITSELF, there(BY_ITSELF, syn(BY_ITSELF), 2)),
    "stale-conntrack": lambda: standing((OLD, OLD)),
    "published-port-filtered": lambda: translated(FROM_AFAR, 0),
}
