"""The one door to the engine: what its networks and containers are called, and where their processes are."""

import os
import socket
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address, ip_network
from typing import Any

from inspector.errors import DepartedError, EngineUnreachableError, InspectorError, PrivilegeError, UsageError
from inspector.model.engine_choice import EngineChoice
from inspector.model.text import safe
from inspector.model.topology import Container, Endpoint, EngineIdentity, Mode, Network, Published, SandboxId, Subnet

CALL_TIMEOUT_S = 10
"""Longest wait for one answer; an engine that accepts and never answers must not hang us."""

BRIDGE_NAME_OPTION = "com.docker.network.bridge.name"
"""The network option that names the bridge device."""


@dataclass(frozen=True, slots=True)
class NetworkFact:
    """One network, and the name the engine says its bridge has."""

    network: Network
    bridge_name: str | None


@dataclass(frozen=True, slots=True)
class ProcessFact:
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


class Engine:
    """A connected engine. Every call ends in an answer or an InspectorError."""

    def __init__(self, api: Any) -> None:
        """Wrap a client of the docker SDK's low-level API."""
        self.api = api

    @contextmanager
    def calls(self) -> Iterator[None]:
        """Turn what the SDK raises inside the block into our own errors."""
        with translated():
            yield

    def close(self) -> None:
        """Close the connections."""
        self.api.close()

    def identity(self) -> EngineIdentity:
        """Say which engine this is, and its version."""
        with self.calls():
            answer = self.api.version()
        components = answer.get("Components") or [{}]
        name = components[0].get("Name", "Engine")
        return EngineIdentity(name=safe(name if name != "Engine" else "Docker Engine"), version=_release(answer))

    def networks(self) -> tuple[NetworkFact, ...]:
        """List the networks, in one call."""
        with self.calls():
            answer = self.api.networks()
        return tuple(sorted((_network(each) for each in answer), key=lambda fact: fact.network.name))

    def containers(self) -> tuple[Container, ...]:
        """List all containers, running or not, in one call."""
        with self.calls():
            answer = self.api.containers(all=True)
        names = {each["Id"]: _name(each) for each in answer}
        return tuple(sorted((_container(each, names) for each in answer), key=lambda each: each.name))

    def process(self, container: Container) -> ProcessFact:
        """Ask where the container's first process and its files are. Raises DepartedError if it no longer runs."""
        with self.calls():
            answer = self.api.inspect_container(container.id)
        state = answer["State"]
        if not state.get("Pid"):
            raise DepartedError(f"container {container.name} stopped while we looked", "start it and ask again")
        asked = answer.get("HostConfig") or {}
        # Where the user mounts a file there, HostsPath and ResolvConfPath become the path of that file.
        mounted = {each.get("Destination") for each in answer.get("Mounts") or ()}
        return ProcessFact(
            container=container.name,
            pid=int(state["Pid"]),
            started=str(state["StartedAt"]),
            hosts_path="" if "/etc/hosts" in mounted else str(answer.get("HostsPath") or ""),
            resolv_conf_path="" if "/etc/resolv.conf" in mounted else str(answer.get("ResolvConfPath") or ""),
            dns_servers=tuple(safe(str(each)) for each in asked.get("Dns") or ()),
            links=tuple(_linked(str(each)) for each in asked.get("Links") or ()),
        )

    @property
    def is_local(self) -> bool:
        """Whether it was reached by a Unix socket, so that its process is one of this kernel's."""
        return self._socket_path is not None

    @property
    def _socket_path(self) -> str | None:
        return getattr(self.api.get_adapter(self.api.base_url), "socket_path", None)

    def peer_pid(self) -> int | None:
        """Return the process that listens on the engine's socket; None where it is in another pid namespace."""
        path = self._socket_path
        if path is None:
            return None
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except OSError as error:
                raise EngineUnreachableError(f"the engine at {path} went away: {error.strerror}") from error
            # SO_PEERCRED yields struct ucred {pid, uid, gid} of the listener (unix(7)).
            pid, _uid, _gid = struct.unpack("iii", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid) or None


def connect(choice: EngineChoice, environment: Mapping[str, str] = os.environ) -> Engine:
    """Connect as `docker` would: --host, then --context, then DOCKER_HOST, DOCKER_CONTEXT and the current context.

    Raises EngineUnreachableError, or PrivilegeError where the socket is there and closed to us.
    """
    docker = load_sdk()
    context = choice.context or (None if environment.get("DOCKER_HOST") else environment.get("DOCKER_CONTEXT"))
    with translated():
        if choice.host:
            client = docker.DockerClient(base_url=choice.host, timeout=CALL_TIMEOUT_S)
        elif context:
            _refuse_unknown(context)
            client = docker.DockerClient.from_context(context, timeout=CALL_TIMEOUT_S)
        else:
            client = docker.from_env(environment=dict(environment), timeout=CALL_TIMEOUT_S)
    return Engine(client.api)


def load_sdk() -> Any:
    """Load the docker SDK, without its HTTP library's guesser of character sets.

    requests does without one (it warns), and the engine's JSON is UTF-8: measured 20 ms of 110.
    """
    guesser = "charset_normalizer"
    if "docker" in sys.modules or guesser in sys.modules:
        return import_module("docker")
    sys.modules[guesser] = None  # type: ignore[assignment]  # makes its import fail (importlib's own convention)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("docker")
    finally:
        del sys.modules[guesser]


def _refuse_unknown(context: str) -> None:
    """Refuse a context that is not there: the SDK would take the default engine, and answer about another one."""
    from docker.context import ContextAPI

    if ContextAPI.get_context(context) is None:
        known = ", ".join(safe(each.Name) for each in ContextAPI.contexts())
        raise UsageError(f"there is no docker context {context!r}", f"there are: {known}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the exceptions of the docker SDK and its HTTP library into our own."""
    import docker.errors
    import requests.exceptions

    try:
        yield
    except InspectorError:
        raise
    except docker.errors.NotFound as error:
        raise DepartedError(f"the engine no longer knows it: {safe(error.explanation or str(error))}") from error
    except docker.errors.APIError as error:
        raise UsageError(f"the engine refused: {safe(error.explanation or str(error))}") from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError, ValueError) as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> InspectorError:
    text = str(error)
    if "Permission denied" in text or "PermissionError" in text:
        return PrivilegeError(
            "the engine's socket is closed to this user", "run it with sudo, or as a member of the docker group"
        )
    if "FileNotFoundError" in text or "No such file" in text:
        reason = "there is no socket at its address"
    elif "Connection refused" in text or "ConnectionRefused" in text:
        reason = "nothing listens at its address"
    elif "timed out" in text.lower() or "timeout" in text.lower():
        reason = f"it did not answer within {CALL_TIMEOUT_S} s"
    else:
        reason = safe(text.splitlines()[0] if text else type(error).__name__, 160)
    return EngineUnreachableError(
        f"the engine cannot be reached: {reason}", "is it running? see `dnetsniff doctor`, or name it with --host"
    )


def _release(answer: Mapping[str, Any]) -> str:
    return safe(str(answer.get("Version", "?")).split("+", maxsplit=1)[0])


def _name(summary: Mapping[str, Any]) -> str:
    """Return the container's own name; Engines before 26 also list `/other/alias` for legacy links."""
    own = [each[1:] for each in summary.get("Names") or () if "/" not in each[1:]]
    return safe(own[0]) if own else str(summary["Id"])[:12]


def _network(summary: Mapping[str, Any]) -> NetworkFact:
    ranges = (summary.get("IPAM") or {}).get("Config") or ()
    options = summary.get("Options") or {}
    network = Network(
        id=summary["Id"],
        name=safe(summary["Name"]),
        driver=safe(summary.get("Driver") or ""),
        subnets=tuple(
            Subnet(prefix=ip_network(each["Subnet"], strict=False), gateway=_bare(each.get("Gateway")))
            for each in ranges
            if each.get("Subnet")
        ),
        internal=bool(summary.get("Internal")),
    )
    named = options.get(BRIDGE_NAME_OPTION)
    guess = f"br-{network.id[:12]}" if network.driver == "bridge" else None
    return NetworkFact(network=network, bridge_name=safe(named) if named else guess)


def _container(summary: Mapping[str, Any], names: Mapping[str, str]) -> Container:
    asked = (summary.get("HostConfig") or {}).get("NetworkMode") or ""
    mode, shares = _mode(asked, names)
    attached = (summary.get("NetworkSettings") or {}).get("Networks") or {}
    name = _name(summary)
    return Container(
        id=summary["Id"],
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
