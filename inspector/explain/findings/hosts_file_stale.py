"""A line of the hosts file has outlived what it names.

What: the name works and gives an address that nobody has, or that another container has.
Why: `--add-host`, `extra_hosts` and `--link` write an address down once; a container that is made anew may get another.
On the wire: no DNS packet; ARP for the address is not answered, or another container's MAC answers.
Remedy: make the container anew without the line, or with the right address; on a user-defined network names need none.
"""

from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.lookups import is_loopback, target_of
from inspector.model.names import Mechanism
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.topology import Container


def detect(case: Case) -> Finding | None:
    """Compare the address of the line with what engine and kernel say who has it."""
    names = case.names
    if names is None or names.mechanism is not Mechanism.HOSTS_FILE or not names.addresses:
        return None
    address, line = names.addresses[0], names.hosts[0]
    if is_loopback(address) or not _is_of_a_network(case, address):
        return None
    holder, target = _holder(case, address), target_of(case)
    if _is_right(case, address, holder, target):
        return None
    whose = f"{holder.name} has it" if holder else "nobody has it"
    now = f"; the engine gives {names.name} {', '.join(_addresses(target))}" if target and _addresses(target) else ""
    unanswered = any(asked == address and mac is None for asked, mac, _ in case.resolutions)
    return Finding(
        id="hosts-file-stale",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if unanswered or holder else Confidence.LIKELY,
        title=f"/etc/hosts says {names.name} is {address}, and {whose}{now}",
        evidence=(
            f"/etc/hosts line {line.number}: {line.address} {' '.join(line.names)}",
            f"the engine: {whose}",
            *((f"ARP for {address} was not answered",) if unanswered else ()),
        ),
        remedy=(f"make {case.recording.plan.source.label} anew without that line (--add-host, --link, extra_hosts)",),
    )


def _is_right(case: Case, address: str, holder: Container | None, target: Container | None) -> bool:
    if target is not None:
        return address in _addresses(target)
    # An alias that is no container's name: wrong only where nobody at all has the address.
    return holder is not None or _is_a_stacks(case, address)


def _is_of_a_network(case: Case, address: str) -> bool:
    return any(ip_address(address) in subnet.prefix for each in case.topology.networks for subnet in each.subnets)


def _holder(case: Case, address: str) -> Container | None:
    return next((each for each in case.topology.containers if address in _addresses(each)), None)


def _is_a_stacks(case: Case, address: str) -> bool:
    wanted = ip_address(address)
    return any(each.ip == wanted for box in case.topology.sandboxes for link in box.links for each in link.addresses)


def _addresses(container: Container) -> tuple[str, ...]:
    return tuple(address for each in container.endpoints for address in each.addresses)
