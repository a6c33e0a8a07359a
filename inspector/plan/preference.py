"""Choose among the addresses that a name has, as getaddrinfo(3) orders them. Pure."""

from ipaddress import ip_address

from inspector.model.lookup import Libc
from inspector.model.names import NameReport
from inspector.model.question import Party
from inspector.model.topology import Topology
from inspector.plan.routes import find_route


def preferred(topology: Topology, source: Party, names: NameReport) -> list[str]:
    """Order the addresses that a name has as getaddrinfo would (RFC 6724, 6): first those that there is a way to.

    glibc then prefers IPv6, musl does so for global addresses alone (fc00::/7 comes after IPv4 in its table).
    """
    stack = topology.sandbox(source.sandbox) if source.sandbox else None

    def rank(address: str) -> tuple[bool, bool]:
        parsed = ip_address(address)
        late = parsed.version == 4 if names.setup.libc is Libc.GLIBC else parsed.is_private and parsed.version == 6  # noqa: PLR2004
        return stack is None or find_route(stack, address) is None, late

    return sorted(names.addresses, key=rank)
