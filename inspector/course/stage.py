"""What a lesson needs beside the lab, made on a live engine and removed again.

1. What is made carries the lab's label: `dnetsniff lab down` removes what a killed lesson left.
2. Nothing is made under a name that is taken, and what stood before is left as it was.
3. It is undone in reverse order, also when one of the steps back fails.
"""

import errno
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inspector import netns
from inspector.course.lesson import Connect, Listen, MakeNetwork, Run, SetUp
from inspector.discover.engine import Engine
from inspector.errors import InspectorError, UsageError
from inspector.lab.image import make_bare, remove_own
from inspector.lab.layout import COURSE, GUEST_LABEL, LABEL, MEMBERS

MODEL = MEMBERS[0].name
"""The container of the lab that guests take their image, command and name servers from."""


class Stage:
    """The set-up of one lesson on one engine, and the way back."""

    def __init__(self, engine: Engine) -> None:
        """Start with nothing made."""
        self._engine = engine
        self._undo: list[Callable[[], object]] = []

    def make(self, wanted: Iterable[SetUp]) -> None:
        """Make what a step needs. Raises UsageError where something is in the way; `clear` undoes the rest."""
        for each in wanted:
            match each:
                case Connect():
                    self._connect(each)
                case MakeNetwork():
                    self._make_network(each)
                case Run():
                    self._run(each)
                case Listen():
                    self._listen(each)

    def clear(self) -> None:
        """Undo all of it. Raises the first InspectorError when all has been tried."""
        failed: InspectorError | None = None
        while self._undo:
            try:
                self._undo.pop()()
            except InspectorError as error:
                failed = failed or error
        if failed:
            raise failed

    def _connect(self, wanted: Connect) -> None:
        if wanted.network in self._inspected(wanted.container)["NetworkSettings"]["Networks"]:
            return
        self._call("connect_container_to_network", wanted.container, wanted.network)
        self._later("disconnect_container_from_network", wanted.container, wanted.network, force=True)

    def _make_network(self, wanted: MakeNetwork) -> None:
        taken = [each for each in self._call("networks", names=[wanted.name]) if each["Name"] == wanted.name]
        _refuse_taken("network", wanted.name, taken)
        made = self._call("create_network", wanted.name, driver="bridge", labels={LABEL: COURSE})
        self._later("remove_network", made["Id"])

    def _run(self, wanted: Run) -> None:
        there = self._call("containers", all=True)
        _refuse_taken("container", wanted.name, [each for each in there if f"/{wanted.name}" in each["Names"]])
        model = self._inspected(MODEL)
        image, command = self._image(model, bare=wanted.bare)
        with self._engine.calls():
            settings = self._engine.api.create_host_config(network_mode=wanted.network, **_settings(wanted, model))
        made = self._call(
            "create_container",
            image,
            command=list(command) if command else None,
            name=wanted.name,
            labels={LABEL: COURSE, GUEST_LABEL: wanted.name},
            ports=[wanted.publish[1]] if wanted.publish else None,
            host_config=settings,
            detach=True,
        )
        self._later("remove_container", made["Id"], force=True, v=True)
        self._call("start", made["Id"])

    def _listen(self, wanted: Listen) -> None:
        """Listen by a socket of ours in the container's stack: it needs no program there, and ends with us."""

        def opened() -> socket.socket:
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("0.0.0.0", wanted.port))  # noqa: S104 - a service of a container listens on all of its addresses
            listening.listen()
            return listening

        try:
            with netns.open_of(self._inspected(wanted.container)["State"]["Pid"]) as namespace:
                listening = netns.enter(namespace.fd, opened)
        except OSError as error:
            # A service of the image's own does as well.
            if error.errno != errno.EADDRINUSE:
                raise InspectorError(f"cannot listen in {wanted.container}: {error.strerror}") from error
        else:
            self._undo.append(listening.close)

    def _image(self, model: Mapping[str, Any], *, bare: bool) -> tuple[str, tuple[str, ...] | None]:
        if bare and (made := make_bare(self._engine)):
            self._undo.append(lambda: remove_own(self._engine))
            return made
        return model["Config"]["Image"], tuple(model["Config"]["Cmd"] or ()) or None

    def _inspected(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._call("inspect_container", name)
        return found

    def _call(self, verb: str, *words: Any, **options: Any) -> Any:
        with self._engine.calls():
            return getattr(self._engine.api, verb)(*words, **options)

    def _later(self, verb: str, *words: Any, **options: Any) -> None:
        self._undo.append(lambda: self._call(verb, *words, **options))


def _refuse_taken(kind: str, name: str, taken: list[Any]) -> None:
    if taken:
        ours = LABEL in (taken[0].get("Labels") or {})
        hint = "it is left of a lesson: dnetsniff lab down" if ours else "rename or remove it"
        raise UsageError(f"there is already a {kind} called {name}", f"{hint}; or watch the recording: --replay")


def _settings(wanted: Run, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rest of a guest's host configuration: another container's stack has its own name servers."""
    shared = wanted.network.startswith("container:")
    servers = None if shared else model["HostConfig"].get("Dns") or None
    return {"dns": servers, **({"port_bindings": {wanted.publish[1]: wanted.publish[0]}} if wanted.publish else {})}
