"""Say, before anything is sent, how a trace should end, by what is known of routes, bridges and states. Pure.

1. Only facts of the survey; a firewall is not consulted, and that is said.
2. The first thing on the way that would stop the packet decides.
3. Where the way leads beyond what can be looked at, nothing is expected.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from inspector.model.prediction import Expected, Prediction
from inspector.model.question import Heading, Party, PathKind, Protocol
from inspector.model.sentence import join, say
from inspector.model.stations import holders_of_mac, macs_for, segment_of
from inspector.model.topology import HOST, LinkKind, SandboxId, Topology
from inspector.plan.routes import addresses_of, find_route
from inspector.plan.way import Way

NO_RULES = say("firewall rules not consulted")
PAUSED = {
    Protocol.ICMP: say("its kernel answers ping, its programs nothing"),
    Protocol.TCP: say("its kernel takes a connection for a program that listens, and the program says nothing"),
    Protocol.UDP: say("its kernel refuses a datagram that nobody listens for, and a program that listens says nothing"),
}
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def predict(
    topology: Topology,
    source: Party,
    destination: Party,
    request: Way,
    reply: Way,
    *,
    protocol: Protocol = Protocol.ICMP,
) -> Prediction:
    """Return what to expect of a request on this way, and of its answer on that one."""
    if request.kind is PathKind.LOOPBACK:
        return Prediction(
            Expected.DELIVERED, join("; ", (say("{source} has the address itself", source=source.label), NO_RULES))
        )
    for way, sender, wanted in ((request, source, destination.address), (reply, destination, source.address)):
        stop = next(_stops(topology, way, sender, wanted), None)
        if stop is not None and way is reply and any(step.routed for step in request.whole):
            # Who routes may translate: the answer then goes to another address than the one looked for here.
            why = join("; ", (say("the answer: {why}", why=stop.why), say("translations not consulted")))
            return Prediction(Expected.UNKNOWN, why)
        if stop is not None and way is reply:
            return Prediction(stop.outcome, say("the answer: {why}", why=stop.why))
        if stop is not None:
            return stop
        if way is request and _ends_elsewhere(request, destination):
            return _beyond(request, destination)
    paused = _paused(topology, destination, protocol)
    outcome = Expected.UNKNOWN if paused and protocol is Protocol.UDP else Expected.DELIVERED
    return Prediction(outcome, join("; ", (_way_in_words(topology, request), *paused, NO_RULES)))


def _stops(topology: Topology, way: Way, sender: Party, wanted: str | None) -> Iterator[Prediction]:
    """Yield what would stop a packet, in the order in which it meets it."""
    if sender.sandbox is None or wanted is None:
        return
    if not way.whole:
        yield Prediction(
            Expected.NO_ROUTE, say("{sandbox} has no route to {address}", sandbox=sender.label, address=wanted)
        )
        return
    if stale := _wrong_neighbour(topology, way, sender.sandbox, wanted):
        yield Prediction(Expected.DROPPED, stale)
    name = FORWARDING[ip_address(wanted).version]
    if any(step.routed and step.point.sandbox == HOST for step in way.steps) and _setting(topology, name) == "0":
        yield Prediction(Expected.DROPPED, say("the host would have to route it, and {name} is 0", name=name))
    if way.barrier:
        yield Prediction(Expected.DROPPED, way.barrier)
    yield from _dead_end(topology, way, wanted)


def _dead_end(topology: Topology, way: Way, wanted: str) -> Iterator[Prediction]:
    """Look at where the walk ended: at a bridge that nobody has the address on, or a stack without a route."""
    last = way.whole[-1].point
    stack = topology.sandbox(last.sandbox)
    link = topology.link(last.link)
    if stack is None or link is None or any(each.ip == ip_address(wanted) for each in addresses_of(stack)):
        return
    if link.kind is LinkKind.BRIDGE and (way.whole[-1].heading is Heading.OUT or link.key in way.switched):
        hop = next((each for each in way.gateways if not _is_somebody_s(topology, each)), wanted)
        why = say("nobody known on {sandbox}/{link} has {address}", sandbox=link.sandbox, link=link.name, address=hop)
        yield Prediction(Expected.DROPPED, why)
    elif way.whole[-1].heading is Heading.IN and last.sandbox != HOST and stack.inode:
        known = {"sandbox": last.sandbox, "address": wanted}
        why = say("{sandbox} does not have {address}, whatever the engine says", **known)
        yield Prediction(Expected.DROPPED, why)
    elif way.whole[-1].heading is Heading.IN and find_route(stack, wanted) is None:
        yield Prediction(
            Expected.NO_ROUTE, say("{sandbox} has no route to {address}", sandbox=last.sandbox, address=wanted)
        )


def _wrong_neighbour(topology: Topology, way: Way, sandbox: SandboxId, wanted: str) -> str | None:
    """Look at what the sender's cache holds for its next hop: a MAC that nobody on the link has."""
    first = topology.link(way.whole[0].point.link)
    bridge = segment_of(topology, first) if first else None
    stack = topology.sandbox(sandbox)
    route = find_route(stack, wanted) if stack else None
    if first is None or bridge is None or stack is None or route is None:
        return None
    hop = route.gateway or wanted
    right = macs_for(topology, bridge, hop)
    for each in stack.neighbours:
        held = each.mac if (each.link, each.address, each.state) == (first.key, hop, "permanent") else None
        if held and right and held not in right and not holders_of_mac(topology, bridge, held):
            return say(
                "{sandbox} holds {mac} for {address}, and nobody on the link has that MAC",
                sandbox=sandbox,
                mac=held,
                address=hop,
            )
    return None


def _is_somebody_s(topology: Topology, address: str) -> bool:
    return any(own.ip == ip_address(address) for each in topology.sandboxes for own in addresses_of(each))


def _ends_elsewhere(request: Way, destination: Party) -> bool:
    """Whether the way leaves what is known; it ends at somebody's own interface where a container has the address."""
    last = request.whole[-1]
    arrived = last.point.sandbox == destination.sandbox or (last.heading is Heading.IN and last.point.sandbox != HOST)
    return not arrived


def _beyond(request: Way, destination: Party) -> Prediction:
    last = request.whole[-1].point
    leaves = say("it leaves by {point} for {destination}", point=last, destination=destination.label)
    return Prediction(Expected.UNKNOWN, join("; ", (leaves, say("what is beyond cannot be looked at"))))


def _way_in_words(topology: Topology, way: Way) -> str:
    bridges = [link.name for key in dict.fromkeys(way.bridges) if (link := topology.link(key))]
    match way.kind:
        case PathKind.SWITCHED:
            return say("same network: {bridge} would switch it", bridge=bridges[0]) if bridges else say("one link")
        case PathKind.ROUTED | PathKind.OUTSIDE:
            return say("different networks: the host would route it")
        case PathKind.FROM_HOST:
            return say("the host is on the network itself")
        case PathKind.SIBLINGS:
            return say("both are links on one parent")
        case PathKind.PAST_HOST:
            return say("it leaves by its parent, past the host's stack")
        case PathKind.TUNNELLED:
            return say("another node has it: {passage}", passage=way.passage)
        case PathKind.TO_HOST | PathKind.LOOPBACK | PathKind.NO_ROUTE:
            return say("the host has the address")


def _paused(topology: Topology, destination: Party, protocol: Protocol) -> tuple[str, ...]:
    container = topology.container(destination.container or "")
    frozen = container is not None and container.state == "paused"
    if not frozen:
        return ()
    return (say("{destination} is paused: {meaning}", destination=destination.label, meaning=PAUSED[protocol]),)


def _setting(topology: Topology, name: str) -> str | None:
    host = topology.sandbox(HOST)
    return next((each.value for each in (host.settings if host else ()) if each.name == name), None)
