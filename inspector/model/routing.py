"""How a stack would route a packet of the trace: what its kernel said when it was asked, and what it goes by."""

from msgspec import Struct

from inspector.model.path import Direction
from inspector.model.topology import LinkKey, SandboxId

DEFAULT_RULES = frozenset({"0: from all lookup local", "32766: from all lookup main", "32767: from all lookup default"})
"""The policy rules that every stack starts with, as `ip rule` writes them (IPv6 has no table `default`)."""
ORDINARY_TABLES = frozenset({None, 254, 255})
"""main and local (RT_TABLE_MAIN, RT_TABLE_LOCAL in linux/rtnetlink.h); None where the kernel named none."""


class RouteQuery(Struct, frozen=True):
    """One packet that a stack has to find a way for."""

    direction: Direction
    """Whether it belongs to the request or to the answer."""
    sandbox: SandboxId
    destination: str
    source: str | None = None
    """None: the stack may choose, as for a socket that is bound to no address."""
    inbound: LinkKey | None = None
    """The interface it came in by; None for a packet of the stack's own."""
    interface: str = ""
    """The name of that interface."""
    scope: int | None = None
    """ifindex of the interface that a link-local address is on."""

    def __str__(self) -> str:
        """Write it as a person would ask: `ip route get 192.168.0.2 from 172.17.0.2 iif docker0`."""
        words = f"ip route get {self.destination}"
        words += f" from {self.source}" if self.source else ""
        return words + (f" iif {self.interface}" if self.interface else "")


class RouteAnswer(Struct, frozen=True):
    """What the kernel said (RTM_GETROUTE, rtnetlink(7)): it consults routes and policy rules, no firewall."""

    query: RouteQuery
    kind: str = ""
    """`unicast`, `local`, `broadcast`...; empty where it refused."""
    outbound: LinkKey | None = None
    interface: str = ""
    gateway: str | None = None
    source: str | None = None
    """The address it would send from."""
    table: int | None = None
    mtu: int | None = None
    """Bytes; where a route or an ICMP error told one (RTAX_MTU)."""
    error: int = 0
    """errno of the refusal; 0 where it found a way."""
    why: str = ""
    """The refusal in words."""

    def __str__(self) -> str:
        """Write it as `ip route get` would, as far as it matters; a table only where it is not an ordinary one."""
        if self.error:
            return self.why
        words = "local" if self.kind == "local" else self.query.destination
        words += f" via {self.gateway}" if self.gateway else ""
        words += f" dev {self.interface}" if self.interface else ""
        words += f" src {self.source}" if self.source else ""
        words += f" mtu {self.mtu}" if self.mtu else ""
        return words + (f" table {self.table}" if self.table not in ORDINARY_TABLES else "")


class PolicyRule(Struct, frozen=True):
    """One line of `ip rule`."""

    sandbox: SandboxId
    text: str

    @property
    def ordinary(self) -> bool:
        """Whether every stack has it."""
        return self.text in DEFAULT_RULES


class StackSetting(Struct, frozen=True):
    """One kernel setting of one stack; None where this kernel has no such file."""

    sandbox: SandboxId
    name: str
    value: str | None


class RoutingRecord(Struct, frozen=True):
    """What the stacks on the way said about routing, when the probes were done."""

    answers: tuple[RouteAnswer, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    settings: tuple[StackSetting, ...] = ()

    def answers_of(self, sandbox: SandboxId | None, direction: Direction) -> tuple[RouteAnswer, ...]:
        """Return what one stack said about a direction."""
        return tuple(
            each for each in self.answers if each.query.sandbox == sandbox and each.query.direction is direction
        )

    def special_rules(self, sandbox: SandboxId | None) -> tuple[PolicyRule, ...]:
        """Return the policy rules of a stack that not every stack has."""
        return tuple(each for each in self.rules if each.sandbox == sandbox and not each.ordinary)
