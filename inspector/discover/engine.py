"""The one door to the engine: what its networks and containers are called, and where their processes are."""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

from inspector.discover import engine_answers
from inspector.discover.engine_answers import NetworkFact, ProcessFact, Tongue
from inspector.discover.engine_view import Overview
from inspector.discover.listener import listener_of
from inspector.errors import DepartedError, EngineUnreachableError, InspectorError, PrivilegeError, UsageError
from inspector.loading import patterns_when_used, stand_ins, without
from inspector.model.engine_choice import EngineChoice
from inspector.model.text import safe
from inspector.model.topology import Container, EngineIdentity

CALL_TIMEOUT_S = 10
"""Longest wait for one answer; an engine that accepts and never answers must not hang us."""

_STAND_INS = {"importlib.metadata": {"version": lambda name: import_module("importlib.metadata").version(name)}}
"""urllib3 takes it in for what it does not do over HTTP/1.1; the rest of it takes a tenth of the time (8 ms)."""

CHANGES = frozenset({"start", "die", "died", "destroy", "remove", "rename", "connect", "disconnect"})
"""What an engine calls the events after which there are other capture points, or other names."""


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
        with understood():
            return engine_answers.identity(self._version())

    @property
    def tongue(self) -> Tongue:
        """What is to be known of an engine of this name."""
        with understood():
            return engine_answers.tongue(self._version())

    def networks(self, members: Iterable[Container] = ()) -> tuple[NetworkFact, ...]:
        """List the networks, in one call, each by the name that its members have for it."""
        with self.calls():
            answer = self.api.networks()
        with understood():
            found = engine_answers.agreed((engine_answers.network(each) for each in answer), tuple(members))
        return tuple(sorted(found, key=lambda fact: fact.network.name))

    def containers(self) -> tuple[Container, ...]:
        """List all containers, running or not: in one call, and one more for each that the list says too little of."""
        with self.calls():
            answer = self.api.containers(all=True)
        with understood():
            names = {each["Id"]: engine_answers.own_name(each) for each in answer}
            inspected = {each: self._inspect(each) for each in engine_answers.unsaid(answer)}
            found = [engine_answers.container(each, names, inspected.get(each["Id"], {})) for each in answer]
        return tuple(sorted(found, key=lambda each: each.name))

    def overview(self) -> Overview:
        """List networks and containers, and say which engine this is."""
        identity, containers = self.identity(), self.containers()
        return Overview(identity, containers, self.networks(containers))

    def processes(self, containers: Sequence[Container]) -> tuple[ProcessFact | None, ...]:
        """Say where the first process of each is; None where there is none any more."""
        return tuple(self._process(each) for each in containers)

    def _process(self, container: Container) -> ProcessFact | None:
        with suppress(DepartedError):
            return self.process(container)
        return None

    def process(self, container: Container) -> ProcessFact:
        """Ask where the container's first process and its files are. Raises DepartedError if it no longer runs."""
        with self.calls():
            answer = self.api.inspect_container(container.id)
        with understood():
            if not answer["State"].get("Pid"):
                raise DepartedError(f"container {container.name} stopped while we looked", "start it and ask again")
            return engine_answers.process(container, answer, self.tongue)

    def changes(self, since_s: int) -> Iterator[str]:
        """Yield a word for each change to containers and their networks since then, while the engine is there.

        Raises EngineUnreachableError where it is not, or is silent for CALL_TIMEOUT_S.
        """
        with self.calls():
            for each in self.api.events(since=since_s, decode=True, filters={"type": ["container", "network"]}):
                with understood():
                    word = str(each.get("Action") or each.get("status") or "")
                if word in CHANGES:
                    yield word

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            with self.calls():
                return bool(self.api.ping())
        except InspectorError:
            return False

    def _version(self) -> Mapping[str, Any]:
        with self.calls():
            answer: Mapping[str, Any] = self.api.version()
        return answer

    def _inspect(self, identifier: str) -> Mapping[str, Any]:
        """Return what the engine says of it; nothing where it is gone meanwhile."""
        with suppress(DepartedError), self.calls():
            answer: Mapping[str, Any] = self.api.inspect_container(identifier)
            return answer
        return {}

    @property
    def address(self) -> str:
        """Where it is reached."""
        return str(self.api.base_url)

    @property
    def _socket_path(self) -> str | None:
        return getattr(self.api.get_adapter(self.api.base_url), "socket_path", None)

    def peer_pid(self) -> int | None:
        """Return the process that listens on the engine's socket; None where it is in another pid namespace.

        Raises EngineUnreachableError where it is not reached by a Unix socket, so is not one of this kernel's.
        """
        path = self._socket_path
        if path is None:
            raise _over_tcp(f"the engine at {self.address}")
        try:
            return listener_of(path)
        except OSError as error:
            raise EngineUnreachableError(f"the engine at {path} went away: {error.strerror}") from error


def connect(choice: EngineChoice, environment: Mapping[str, str] = os.environ) -> Engine:
    """Connect as `docker` would: --host, then --context, then DOCKER_HOST, DOCKER_CONTEXT and the current context.

    Raises EngineUnreachableError, or PrivilegeError where the socket is there and closed to us.
    """
    kind = _client()
    context = choice.context or (None if environment.get("DOCKER_HOST") else environment.get("DOCKER_CONTEXT"))
    _refuse_ssh(choice.host or ("" if context else environment.get("DOCKER_HOST", "")))
    with translated():
        if choice.host:
            client = kind(base_url=choice.host, timeout=CALL_TIMEOUT_S)
        elif context:
            _refuse_unknown(context)
            client = kind.from_context(context, timeout=CALL_TIMEOUT_S)
        else:
            client = kind.from_env(environment=dict(environment), timeout=CALL_TIMEOUT_S)
    return Engine(client.api)


@cache
def _client() -> Any:
    """Return the SDK's client, made to ask for the version once: it costs the engine 20 ms, which asks programs."""
    docker = load_sdk()

    class Api(docker.APIClient):  # type: ignore[misc,name-defined]  # loaded by name
        said: Any = None

        def version(self, api_version: bool = True) -> Any:  # noqa: FBT001, FBT002 - the SDK's signature
            if self.said is None:
                self.said = super().version(api_version)
            return self.said

    class Client(docker.DockerClient):  # type: ignore[misc,name-defined]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.api = Api(*args, **kwargs)

    return Client


def _refuse_ssh(address: str) -> None:
    """Refuse another machine's engine, before the SDK asks for a library of its own."""
    if address.lower().startswith("ssh://"):
        raise EngineUnreachableError(
            f"the engine at {safe(address)} is on another machine, and its interfaces can only be seen there",
            "run dnetsniff on that machine",
        )


def load_sdk(*, by_unix_socket: bool = False) -> Any:
    """Load the docker SDK, without its HTTP library's guesser of character sets.

    requests does without one (it warns), and the engine's JSON is UTF-8: measured 20 ms of 110. Nor is OpenSSL needed
    (8 ms) where the engine can only be one that is reached by a Unix socket.
    """
    spared = ("charset_normalizer", *(("ssl", "_hashlib") if by_unix_socket else ()))
    with without(*spared), stand_ins(_STAND_INS), patterns_when_used(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("docker")


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


def _over_tcp(engine: str) -> EngineUnreachableError:
    return EngineUnreachableError(
        f"{engine} is reached over TCP: nothing tells which machine it is on, and its interfaces can only be seen "
        "there",
        "run dnetsniff on the engine's machine, and name its Unix socket with --host",
    )


@contextmanager
def understood() -> Iterator[None]:
    """Turn what reading an answer raises into our own error: whatever listens there, it speaks another language."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise EngineUnreachableError(
            f"what answers is no engine that can be understood ({type(error).__name__} in its answer)",
            "name the engine's own socket with --host",
        ) from error


def _unreachable(error: Exception) -> InspectorError:
    text = str(error)
    if "paramiko" in text:
        return EngineUnreachableError(
            "the engine is reached by ssh, on another machine, and its interfaces can only be seen there",
            "run dnetsniff on that machine",
        )
    if "SSL module" in text:
        # Where only a Unix socket will do, TLS was not loaded.
        return _over_tcp("the engine")
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
