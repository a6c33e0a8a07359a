"""What listens where, as far as the socket tables said so after the probes. Pure."""

from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.model.place import place
from inspector.model.recording import Listener
from inspector.model.sentence import say
from inspector.model.topology import SandboxId

MOST_NAMED = 8


def is_known(case: Case, sandbox: SandboxId | None) -> bool:
    """Whether the socket table of this stack was read."""
    return sandbox in case.recording.aftermath.listened


def listeners_of(case: Case, sandbox: SandboxId | None) -> tuple[Listener, ...]:
    """Return what listens in a stack, by the protocol of the probes."""
    wanted = case.recording.plan.question.protocol
    found = case.recording.aftermath.listeners
    return tuple(each for each in found if each.sandbox == sandbox and each.protocol is wanted)


def on_port(case: Case, sandbox: SandboxId | None, port: int | None) -> tuple[Listener, ...]:
    """Return what listens on the port, at whatever address."""
    return tuple(each for each in listeners_of(case, sandbox) if each.port == port)


def takes(listener: Listener, address: str) -> bool:
    """Whether what is sent to the address is the listener's.

    A listener on `::` takes IPv4 too, unless its program refused that (IPV6_V6ONLY), which the table does not tell.
    """
    bound, asked = ip_address(listener.address), ip_address(address)
    return bound == asked or (bound.is_unspecified and (bound.version == asked.version or str(bound) == "::"))


def is_on_loopback(listener: Listener) -> bool:
    """Whether only its own network stack can reach it."""
    return ip_address(listener.address).is_loopback


def reachable(case: Case, sandbox: SandboxId | None, address: str) -> tuple[int, ...]:
    """Return the ports of a stack that the address is answered on, each once."""
    return tuple(dict.fromkeys(each.port for each in listeners_of(case, sandbox) if takes(each, address)))


def told(case: Case, sandbox: SandboxId | None) -> str:
    """Say what listens in a stack; that nothing does, only where its table was read."""
    if not is_known(case, sandbox):
        return say("what listens in {sandbox} could not be read", sandbox=sandbox)
    known = listeners_of(case, sandbox)
    protocol = case.recording.plan.question.protocol.upper()
    if not known:
        return say("no {protocol} socket listens in {sandbox}", protocol=protocol, sandbox=sandbox)
    named = [place(each.address, each.port) for each in known[:MOST_NAMED]]
    told = say(
        "{protocol} sockets that listen in {sandbox}: {places}",
        protocol=protocol,
        sandbox=sandbox,
        places=", ".join(named),
    )
    more = len(known) - len(named)
    return say("{said} and {count} more", said=told, count=more) if more else told
