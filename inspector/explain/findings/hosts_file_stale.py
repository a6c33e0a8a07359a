"""A line of the hosts file has outlived what it names.

What: the name works and gives an address that nobody has, or that another container has.
Why: `--add-host`, `extra_hosts` and `--link` write an address down once; a container that is made anew may get another.
On the wire: no DNS packet; ARP for the address is not answered, or another container's MAC answers.
Remedy: make the container anew without the line, or with the right address; on a user-defined network names need none.
"""

import shlex
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.lookups import target_of
from inspector.model.dns import is_loopback
from inspector.model.lookup import HostsLine
from inspector.model.names import Mechanism
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Container, Mode


def detect(case: Case) -> Finding | None:
    """Compare the address of the line with what engine and kernel say who has it."""
    names = case.names
    if names is None or names.mechanism is not Mechanism.HOSTS_FILE:
        return None
    line = next((each for each in names.hosts if _is_stale(case, each)), None)
    if line is None:
        return None
    holder, target = _holder(case, line.address), target_of(case)
    whose = say("{holder} has it", holder=holder.name) if holder else say("nobody has it")
    title = say("/etc/hosts says {name} is {address}, and {whose}", name=names.name, address=line.address, whose=whose)
    right = _right(case, target, line.address)
    seen = _on_the_wire(case, line.address)
    return Finding(
        id="hosts-file-stale",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if seen else Confidence.LIKELY,
        title=say(
            "{said}; the engine gives {name} {addresses}", said=title, name=names.name, addresses=", ".join(right)
        )
        if right
        else title,
        evidence=(
            say(
                "/etc/hosts line {number}: {address} {names}",
                number=line.number,
                address=line.address,
                names=" ".join(line.names),
            ),
            say("the engine: {whose}", whose=whose),
            *seen,
        ),
        remedy=(
            say(
                "make {source} anew without that line (--add-host, --link, extra_hosts)",
                source=case.recording.plan.source.label,
            ),
            *(
                say("or with the right one: --add-host {host}", host=shlex.quote(f"{names.name}:{each}"))
                for each in right[:1]
            ),
        ),
    )


def _is_stale(case: Case, line: HostsLine) -> bool:
    if is_loopback(line.address) or not _is_a_containers(case, line.address):
        return False
    holder, target = _holder(case, line.address), target_of(case)
    if holder is None and _is_a_stacks(case, line.address):
        return False
    if line.address in _addresses(case, case.source):
        return False
    if target is not None and target.mode is not Mode.HOST:
        return line.address not in _addresses(case, target)
    # An alias that is no container's name: wrong only where nobody at all has the address.
    return holder is None


def _is_a_containers(case: Case, address: str) -> bool:
    """Whether only a container of this engine can have it; on a macvlan or an overlay others live, too."""
    wanted = ip_address(address)
    ranges = [subnet for each in case.topology.networks if each.driver == "bridge" for subnet in each.subnets]
    return any(wanted in each.prefix and address != each.gateway for each in ranges)


def _holder(case: Case, address: str) -> Container | None:
    return next((each for each in case.topology.containers if address in _own(each)), None)


def _is_a_stacks(case: Case, address: str) -> bool:
    wanted = ip_address(address)
    return any(each.ip == wanted for box in case.topology.sandboxes for link in box.links for each in link.addresses)


def _right(case: Case, target: Container | None, wrong: str) -> tuple[str, ...]:
    """Return the addresses of the name, those of the line's family."""
    family = ip_address(wrong).version
    return tuple(each for each in _addresses(case, target) if ip_address(each).version == family)


def _on_the_wire(case: Case, address: str) -> tuple[str, ...]:
    """Say what ARP or ND showed of it: silence, or another container's MAC."""
    for asked, mac, point in case.resolutions:
        if asked == address and mac is None:
            return (say("{address} was asked for at {point}, and nobody answered", address=address, point=point),)
        owner = _owner(case, mac) if asked == address else None
        if owner is not None and owner is not target_of(case):
            return (
                say(
                    "{address} was asked for at {point}, and {owner} ({mac}) answered",
                    address=address,
                    point=point,
                    owner=owner.name,
                    mac=mac,
                ),
            )
    return ()


def _owner(case: Case, mac: str | None) -> Container | None:
    return next((each for each in case.topology.containers for end in each.endpoints if mac and end.mac == mac), None)


def _own(container: Container) -> tuple[str, ...]:
    return tuple(address for each in container.endpoints for address in each.addresses)


def _addresses(case: Case, container: Container | None) -> tuple[str, ...]:
    return tuple(address for each in case.endpoints(container) for address in each.addresses)
