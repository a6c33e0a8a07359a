"""The packet does not fit the network beneath the overlay network.

What: small packets pass between two nodes and big ones do not: a connection opens and then hangs.
Why: a tunnel adds 50 bytes (70 over IPv6) to each packet, and the engine takes it that 1500 pass between nodes.
On the wire: the packet enters the tunnel's link and never leaves by the uplink; the link answers "fragmentation
needed" in the destination's name.
Remedy: let the uplink carry more; or give the overlay network the MTU of the uplink minus 50 when it is created.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.explain.tunnels import Crossed, crossed, too_large
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.size import headers_length, packet_length
from inspector.model.topology import Link

OPTION = "com.docker.network.driver.mtu"
"""The option of a network that sets the MTU of its containers' interfaces."""


def detect(case: Case) -> Finding | None:
    """Look for a packet that is small enough for its own network and too large for the one beneath."""
    tunnel, known = crossed(case), too_large(case)
    if tunnel is None or known is None:
        return None
    plan, uplink = case.recording.plan, tunnel.uplink
    length = packet_length(plan)
    return Finding(
        id="overlay-mtu",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say(
            "{sandbox}/{link} carries {mtu} bytes; a packet of {length} needs {needed} as VXLAN, and may not be cut up",
            sandbox=uplink.sandbox,
            link=uplink.name,
            mtu=uplink.mtu,
            length=length,
            needed=length + tunnel.overhead,
        ),
        evidence=(known, say("rtnetlink: {uplink}, {mouth}", uplink=_mtu(uplink), mouth=_mtu(tunnel.mouth))),
        remedy=_remedy(case, tunnel),
    )


def _mtu(link: Link) -> str:
    return say("{sandbox}/{link} has mtu {mtu}", sandbox=link.sandbox, link=link.name, mtu=link.mtu)


def _remedy(case: Case, tunnel: Crossed) -> tuple[str, ...]:
    plan, uplink = case.recording.plan, tunnel.uplink
    wanted = tunnel.mouth.mtu + tunnel.overhead
    flush = "ip -6 route flush cache" if plan.family == 6 else "ip route flush cache"  # noqa: PLR2004
    forget = (inside(case, plan.source.sandbox, flush),) if plan.source.sandbox else ()
    wider = say(
        "{command}   # where what is behind it carries that, too",
        command=f"ip link set dev {shlex.quote(uplink.name)} mtu {wanted}",
    )
    size = max(tunnel.room - headers_length(plan), 0)
    ends = f"{shlex.quote(plan.question.source)} {shlex.quote(plan.question.destination)}"
    return (
        *((wider,) if wanted > uplink.mtu else ()),
        *(say("{command}   # forgets what it learned", command=each) for each in forget),
        say(
            "else make the network anew with {command} network create -d overlay -o {option}={room}",
            command=case.command,
            option=OPTION,
            room=tunnel.room,
        ),
        say("{command}   # fits: shows what passes", command=f"dnetsniff trace {ends} --df --size {size}"),
    )
