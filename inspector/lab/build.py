"""Build the lab, say what stands, and remove it.

1. Whatever is in the way is found before anything is made, and said; nothing of the user's is touched.
2. A lab that cannot be finished is taken down again: what this `up` made, and nothing that another one did.
3. Only what carries the label is removed.
4. An interruption waits for the call under way: what the engine is still making could not be removed.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any

from msgspec import Struct

from inspector.discover.engine import Engine, understood
from inspector.discover.engine_answers import own_name
from inspector.errors import DepartedError, InspectorError, UsageError
from inspector.lab.image import find_image, remove_own
from inspector.lab.layout import COURSE, GUEST_LABEL, LABEL, MEMBERS, NETWORK, RUN_LABEL, SUBNET, Member
from inspector.model.text import safe

OURS = (f"{LABEL}={COURSE}",)
"""Finds the lab, whichever `up` built it."""
STAYS_UP_S = 0.3
"""An image whose command ends at once has ended by then."""


class Standing(Struct, frozen=True):
    """One container of the lab as it stands."""

    name: str
    state: str
    places: tuple[tuple[str, str], ...]
    """(network, address)."""


def status(engine: Engine) -> tuple[Standing, ...]:
    """Return what stands of the lab, in the course's order."""
    order = [member.name for member in MEMBERS]
    standing = [_standing(each) for each in _labelled(engine)]
    return tuple(sorted(standing, key=lambda each: order.index(each.name) if each.name in order else len(order)))


def is_whole(standing: Iterable[Standing]) -> bool:
    """Whether every container of the course runs."""
    running = {each.name for each in standing if each.state == "running"}
    return running >= {member.name for member in MEMBERS}


def half_built(engine: Engine) -> tuple[str, ...]:
    """Name what nobody asked for: a lab that is not whole, and guests that a lesson left on one that is."""
    standing = status(engine)
    if is_whole(standing):
        return tuple(each.name for each in standing if each.name not in {member.name for member in MEMBERS})
    networks = (f"network {each['Name']}" for each in _labelled_networks(engine))
    return (*(each.name for each in standing), *networks)


def up(
    engine: Engine,
    *,
    image: str | None,
    subnet: str | None,
    host_routes: Iterable[str],
    again: str,
    nameservers: Iterable[str] = (),
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[tuple[Standing, ...], bool]:
    """Build it; return what stands and whether it was built now. Raises UsageError if something is in the way.

    `again` is the command as it was typed, without a subnet: the line that is offered starts with it.
    """
    standing = status(engine)
    if is_whole(standing):
        return standing, False
    if standing or _labelled_networks(engine):
        raise UsageError("half a lab is there already", "remove it first: dnetsniff lab down")
    _refuse_another_course(engine)
    wanted = _the_subnet(subnet)
    nameservers = _the_nameservers(nameservers)
    _refuse_taken_names(engine)
    _refuse_taken_subnet(engine, wanted, [ip_network(each) for each in host_routes], again)
    run = secrets.token_hex(8)
    labels = {LABEL: COURSE, RUN_LABEL: run}
    try:
        _build(engine, image, wanted, nameservers=nameservers, labels=labels, interrupted=interrupted)
    except BaseException as error:
        _roll_back(engine, run, error)
        raise
    return status(engine), True


def down(engine: Engine) -> tuple[str, ...]:
    """Remove everything with the label; return the names. Raises UsageError if others are on the lab's network."""
    networks = _labelled_networks(engine)
    ours = {each["Id"] for each in _labelled(engine)}
    for network in networks:
        _refuse_guests(engine, network, ours)
    return _remove(engine, OURS)


def _remove(engine: Engine, labels: tuple[str, ...]) -> tuple[str, ...]:
    removed = []
    for each in _labelled(engine, labels):
        with suppress(DepartedError), engine.calls():
            engine.api.remove_container(each["Id"], force=True, v=True)
        removed.append(_standing(each).name)
    for network in _labelled_networks(engine, labels):
        with suppress(DepartedError), engine.calls():
            engine.api.remove_network(network["Id"])
        removed.append(f"network {safe(network['Name'])}")
    if remove_own(engine):
        removed.append("the image made for it")
    return tuple(removed)


def _roll_back(engine: Engine, run: str, error: BaseException) -> None:
    try:
        _remove(engine, (*OURS, f"{RUN_LABEL}={run}"))
    except InspectorError as second:
        first = error.message if isinstance(error, InspectorError) else "the lab was interrupted"
        why = f"{first}; half of the lab is left, because {second.message}"
        raise type(second)(why, "remove it: dnetsniff lab down") from error


def _build(
    engine: Engine,
    asked: str | None,
    subnet: IPv4Network,
    *,
    nameservers: tuple[str, ...],
    labels: Mapping[str, str],
    interrupted: Callable[[], bool],
) -> None:
    image, command = find_image(engine, asked)
    with engine.calls():
        ranges = {"Driver": "default", "Config": [{"Subnet": str(subnet), "Gateway": str(subnet[1])}]}
        engine.api.create_network(NETWORK, driver="bridge", ipam=ranges, labels=labels)
    # The engine links to running containers only, so those with links come when the others have shown that they stay.
    for linked in (False, True):
        for member in MEMBERS:
            if bool(member.links) is linked:
                _stop_if(interrupted)
                _start(engine, member, image=image, command=command, nameservers=nameservers, labels=labels)
        if not linked:
            time.sleep(STAYS_UP_S)
        _refuse_ended(engine, image)
    _stop_if(interrupted)


def _stop_if(interrupted: Callable[[], bool]) -> None:
    if interrupted():
        raise KeyboardInterrupt


def _refuse_ended(engine: Engine, image: str) -> None:
    for each in _labelled(engine):
        if each["State"] != "running":
            raise UsageError(
                f"the image {image} does not stay up: {_standing(each).name} is {safe(each['Status']).lower()}",
                "name an image whose command goes on, or leave --image out; what was built is removed again",
            )


def _start(
    engine: Engine,
    member: Member,
    *,
    image: str,
    command: tuple[str, ...] | None,
    nameservers: tuple[str, ...],
    labels: Mapping[str, str],
) -> None:
    api = engine.api
    with engine.calls():
        settings = api.create_host_config(
            network_mode=member.network, links={each: each for each in member.links}, dns=list(nameservers) or None
        )
        made = api.create_container(
            image,
            command=list(command) if command else None,
            name=member.name,
            hostname=None,
            labels=labels,
            host_config=settings,
            detach=True,
        )
        api.start(made["Id"])


def _labelled(engine: Engine, labels: tuple[str, ...] = OURS) -> list[Any]:
    """List the lab's containers: by label and by name, since what is run from a commit of one inherits its labels."""
    names = {member.name for member in MEMBERS}
    with engine.calls():
        found = engine.api.containers(all=True, filters={"label": list(labels)})
    with understood():
        return [each for each in found if _standing(each).name in names | {(each.get("Labels") or {}).get(GUEST_LABEL)}]


def _labelled_networks(engine: Engine, labels: tuple[str, ...] = OURS) -> list[Any]:
    with engine.calls():
        return list(engine.api.networks(filters={"label": list(labels)}))


def _standing(summary: Any) -> Standing:
    with understood():
        places = (summary.get("NetworkSettings") or {}).get("Networks") or {}
        return Standing(
            name=own_name(summary),
            state=safe(summary["State"]),
            places=tuple((safe(network), safe(each.get("IPAddress") or "-")) for network, each in places.items()),
        )


def _the_subnet(asked: str | None) -> IPv4Network:
    try:
        wanted = IPv4Network(SUBNET if asked is None else asked)
    except ValueError as error:
        raise UsageError(f"--subnet {asked!r} is no IPv4 network: {error}", "write it like 10.213.0.0/16") from error
    if wanted.prefixlen > 28:  # noqa: PLR2004 - gateway, two containers and the one of row 11 need room
        raise UsageError(f"--subnet {asked} is too small for the lab", "take a /28 or larger")
    return wanted


def _the_nameservers(asked: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(asked)
    for each in wanted:
        try:
            ip_address(each)
        except ValueError as error:
            raise UsageError(f"--dns {each!r} is no IP address", "write it like 198.51.100.1") from error
    return wanted


def _refuse_another_course(engine: Engine) -> None:
    if not engine.tongue.holds_the_course:
        raise UsageError(
            f"the course is about Docker: {engine.identity().name} makes no legacy links and does not keep "
            "networks apart; nothing was touched",
            "run it on a Docker engine; trace, resolve and ls work here",
        )


def _refuse_taken_names(engine: Engine) -> None:
    with engine.calls():
        known = engine.api.containers(all=True)
        networks = engine.api.networks(names=[NETWORK])
    names = {name[1:] for each in known for name in each["Names"] if "/" not in name[1:]}
    taken = [member.name for member in MEMBERS if member.name in names]
    if taken:
        raise UsageError(
            f"there is already a container called {', '.join(taken)}, and it is not the lab's; nothing was touched",
            "rename or remove it",
        )
    if any(each["Name"] == NETWORK for each in networks):
        raise UsageError(
            f"there is already a network called {NETWORK}, and it is not the lab's; nothing was touched",
            f"remove it: docker network rm {NETWORK}",
        )


def _refuse_taken_subnet(engine: Engine, wanted: IPv4Network, routes: list[Any], again: str) -> None:
    with engine.calls():
        networks = engine.api.networks()
    used = {
        ip_network(each["Subnet"], strict=False): f"the network {safe(network['Name'])}"
        for network in networks
        for each in (network.get("IPAM") or {}).get("Config") or ()
        if each.get("Subnet")
    }
    for route in routes:
        used.setdefault(route, "a route of the host")
    for prefix, whose in used.items():
        if prefix.version == wanted.version and prefix.overlaps(wanted):
            raise UsageError(
                f"{wanted} overlaps {prefix}, which is {whose}; nothing was touched",
                f"take a free one: {again} --subnet {free}" if (free := free_subnet(used)) else None,
            )


def free_subnet(used: Iterable[Any]) -> IPv4Network | None:
    """Return a private /16 that overlaps none of the networks in use (RFC 1918); None where none is left."""
    taken = [each for each in used if each.version == 4]  # noqa: PLR2004
    candidates = [IPv4Network(f"10.{number}.0.0/16") for number in (213, *range(100, 256))]
    return next((each for each in candidates if not any(each.overlaps(one) for one in taken)), None)


def _refuse_guests(engine: Engine, network: Any, ours: set[str]) -> None:
    """Refuse to take the network from others: one that is stopped could not start again without it."""
    with engine.calls():
        members = engine.api.containers(all=True, filters={"network": network["Id"]})
    guests = [_standing(each).name for each in members if each["Id"] not in ours]
    if guests:
        name = safe(network["Name"])
        lines = "; ".join(f"docker network disconnect {name} {each}" for each in guests)
        raise UsageError(f"{', '.join(guests)} is on {name} too, so the lab stays", f"first: {lines}")
