"""What the engine's answers mean: the Docker API's JSON, as Docker and Podman write it. Pure.

1. What an engine leaves out is None or empty here, and asked for elsewhere; nothing is filled in by guessing.
2. Podman 4 lists containers without their network mode, and its default network under another name than its members
   have for it (measured on 4.3.1): `unsaid` and `agreed` see to that by what is there, not by brand.
3. Only Tongue is known by brand: what to type, and what an engine of that name never does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from inspector.model.text import safe
from inspector.model.topology import Container, Endpoint, EngineIdentity, Mode, Network, Published, SandboxId, Subnet

ICC_OPTION = "com.docker.network.bridge.enable_icc"
"""The network option that lets containers talk to each other, or not."""
ENCRYPTED_OPTION = "encrypted"
"""The option of an overlay network that is there where its tunnel is encrypted, whatever it says."""
BRIDGE_NAME_OPTION = "com.docker.network.bridge.name"
"""The network option that names the bridge device."""
DEFAULT_NETWORK = "bridge"
"""What the API lists the network as that a container joins unasked; `podman network ls` says podman."""
RUNNING = frozenset({"running", "paused"})


class Tongue(Struct, frozen=True):
    """What goes by the engine's name, and no answer of its API tells."""

    command: str
    """The command line that speaks to it."""
    names_at_gateways: bool
    """Whether its own name server listens on the gateways of its networks, not inside each container."""
    holds_the_course: bool
    """Whether it makes legacy links and keeps bridge networks apart unasked, which the course shows."""


DOCKER = Tongue(command="docker", names_at_gateways=False, holds_the_course=True)
PODMAN = Tongue(command="podman", names_at_gateways=True, holds_the_course=False)


class NetworkFact(Struct, frozen=True):
    """One network, and the name the engine says its bridge has."""

    network: Network
    bridge_name: str | None


class ProcessFact(Struct, frozen=True):
    """Where a running container's first process and its files are; the pid may be reused once the container is gone."""

    container: str
    pid: int
    started: str
    hosts_path: str = ""
    """Where the engine keeps its /etc/hosts, below the engine's own root; empty where the user mounts another."""
    resolv_conf_path: str = ""
    dns_servers: tuple[str, ...] = ()
    """Given with `--dns`."""
    links: tuple[str, ...] = ()
    """Containers that its legacy links lead to."""
    own_servers: tuple[str, ...] = ()
    """Where the engine's own name server is for it, other than on its loopback."""


def tongue(version: Mapping[str, Any]) -> Tongue:
    """Tell by its name what is to be known of an engine; of a name that says nothing, what Docker does."""
    return PODMAN if "podman" in _component(version).lower() else DOCKER


def identity(version: Mapping[str, Any]) -> EngineIdentity:
    """Say which engine gave this answer to /version."""
    name = _component(version)
    return EngineIdentity(
        name=safe(name if name != "Engine" else "Docker Engine"),
        version=safe(str(version.get("Version", "?")).split("+", maxsplit=1)[0]),
        command=tongue(version).command,
    )


def unsaid(summaries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the ids of running containers whose network mode is not in the list and may be another than their own.

    A stack of one's own has a MAC address that nobody else has; where that is so, nothing needs to be asked.
    """
    known = tuple(summaries)
    seen = Counter(mac for each in known for mac in _macs(each))
    return tuple(
        each["Id"]
        for each in known
        if not each.get("HostConfig")
        and each.get("State") in RUNNING
        and (not _macs(each) or any(seen[mac] > 1 for mac in _macs(each)))
    )


def agreed(facts: Iterable[NetworkFact], containers: Iterable[Container]) -> tuple[NetworkFact, ...]:
    """Call each network what its members call it, where they know it by another name than the list has."""
    known = tuple(facts)
    listed = {each.network.name for each in known}
    strangers = [place for each in containers for place in each.endpoints if place.network not in listed]
    used = {place.network for each in containers for place in each.endpoints}

    def called(fact: NetworkFact) -> NetworkFact:
        if fact.network.name in used:
            return fact
        names = [each.network for each in strangers if _is_within(each, fact.network)]
        return replace(fact, network=replace(fact.network, name=names[0])) if names else fact

    return tuple(called(each) for each in known)


def process(container: Container, answer: Mapping[str, Any], spoken: Tongue) -> ProcessFact:
    """Read an inspected container that runs."""
    asked = answer.get("HostConfig") or {}
    # Where the user mounts a file there, HostsPath and ResolvConfPath become the path of that file.
    mounted = {each.get("Destination") for each in answer.get("Mounts") or ()}
    attached = (answer.get("NetworkSettings") or {}).get("Networks") or {}
    named = {name: each for name, each in attached.items() if name not in {DEFAULT_NETWORK, spoken.command}}
    gateways = tuple(_bare(each.get(key)) for each in named.values() for key in ("Gateway", "IPv6Gateway"))
    return ProcessFact(
        container=container.name,
        pid=int(answer["State"]["Pid"]),
        started=safe(str(answer["State"]["StartedAt"])),
        hosts_path="" if "/etc/hosts" in mounted else str(answer.get("HostsPath") or ""),
        resolv_conf_path="" if "/etc/resolv.conf" in mounted else str(answer.get("ResolvConfPath") or ""),
        dns_servers=tuple(safe(str(each)) for each in asked.get("Dns") or ()),
        links=tuple(_linked(str(each)) for each in asked.get("Links") or ()),
        own_servers=tuple(each for each in gateways if each) if spoken.names_at_gateways else (),
    )


def _component(version: Mapping[str, Any]) -> str:
    components = version.get("Components") or [{}]
    return str(components[0].get("Name") or "Engine")


def _macs(summary: Mapping[str, Any]) -> tuple[str, ...]:
    attached = (summary.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(mac for each in attached.values() if (mac := str(each.get("MacAddress") or "")))


def _is_within(endpoint: Endpoint, network: Network) -> bool:
    return any(ip_address(each) in subnet.prefix for each in endpoint.addresses for subnet in network.subnets)


def own_name(summary: Mapping[str, Any]) -> str:
    """Return the container's own name; Engines before 26 also list `/other/alias` for legacy links."""
    own = [each[1:] for each in summary.get("Names") or () if "/" not in each[1:]]
    return safe(own[0]) if own else safe(str(summary["Id"]))[:12]


def network(summary: Mapping[str, Any]) -> NetworkFact:
    """Read one line of the list of networks."""
    ranges = (summary.get("IPAM") or {}).get("Config") or ()
    options = summary.get("Options") or {}
    found = Network(
        id=safe(summary["Id"]),
        name=safe(summary["Name"]),
        driver=safe(summary.get("Driver") or ""),
        subnets=tuple(
            Subnet(prefix=ip_network(str(each["Subnet"]), strict=False), gateway=_bare(each.get("Gateway")))
            for each in ranges
            if each.get("Subnet")
        ),
        internal=bool(summary.get("Internal")),
        encrypted=ENCRYPTED_OPTION in options,
        icc=str(options.get(ICC_OPTION, "true")).lower() != "false",
        default=summary["Name"] == DEFAULT_NETWORK,
    )
    named = options.get(BRIDGE_NAME_OPTION)
    guess = f"br-{found.id[:12]}" if found.driver == "bridge" else None
    return NetworkFact(network=found, bridge_name=safe(named) if named else guess)


def container(summary: Mapping[str, Any], names: Mapping[str, str], inspected: Mapping[str, Any]) -> Container:
    """Read one line of the list, and what inspecting it said where the list leaves its network mode out."""
    asked = ((summary.get("HostConfig") or inspected.get("HostConfig")) or {}).get("NetworkMode") or ""
    mode, shares = _mode(asked, names)
    attached = (summary.get("NetworkSettings") or {}).get("Networks") or {}
    name = own_name(summary)
    return Container(
        id=safe(summary["Id"]),
        name=name,
        state=safe(summary.get("State") or "unknown"),
        mode=mode,
        sandbox=SandboxId("host") if mode is Mode.HOST else None,
        shares_with=shares,
        endpoints=tuple(_endpoint(network, each) for network, each in attached.items()) if mode is Mode.OWN else (),
        published=tuple(_published(summary.get("Ports") or ())),
    )


def _published(ports: Iterable[Mapping[str, Any]]) -> Iterator[Published]:
    """Yield the ports that are open on the host; others are only named by the image."""
    for each in ports:
        address, port, target = _bare(each.get("IP")), each.get("PublicPort"), each.get("PrivatePort")
        if address and isinstance(port, int) and isinstance(target, int):
            yield Published(address, port, target, safe(str(each.get("Type") or "")))


def _mode(asked: str, names: Mapping[str, str]) -> tuple[Mode, str | None]:
    if asked.startswith("container:"):
        owner = asked.partition(":")[2]
        return Mode.SHARED, names.get(owner, safe(owner))
    return {"host": Mode.HOST, "none": Mode.NONE}.get(asked, Mode.OWN), None


def _endpoint(network: str, attached: Mapping[str, Any]) -> Endpoint:
    given = (attached.get("IPAddress"), attached.get("GlobalIPv6Address"))
    gateways = (attached.get("Gateway"), attached.get("IPv6Gateway"))
    return Endpoint(
        network=safe(network),
        addresses=tuple(address for each in given if (address := _bare(each))),
        mac=safe(attached["MacAddress"]) if attached.get("MacAddress") else None,
        gateways=tuple(address for each in gateways if (address := _bare(each))),
    )


def _linked(link: str) -> str:
    """Return whom a link leads to: the engine writes `/tomcat01:/tomcat03/alias`."""
    return safe(link.partition(":")[0].lstrip("/"))


def _bare(text: str | None) -> str | None:
    """Return the address in its canonical form; None where there is none or it is not one."""
    try:
        return str(ip_address((text or "").partition("/")[0]))
    except ValueError:
        return None
