"""An engine that is not ours to trust: what it answers ends in values without anything to obey, or in a sentence."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from fuzzing import LONG, dice
from hostile import Poison, harmful, obeyed
from hypothesis import given
from hypothesis import strategies as st

from inspector.discover import engine_answers
from inspector.discover.engine import Engine
from inspector.errors import DepartedError, EngineUnreachableError, InspectorError
from inspector.lab.build import down, status

PODMAN: dict[str, Any] = json.loads((Path(__file__).parent / "answers" / "podman-4.3.1.json").read_text())
DOCKER: dict[str, Any] = {
    "version": {"Version": "28.5.1", "Components": [{"Name": "Engine", "Version": "28.5.1"}]},
    "networks": [
        {
            "Id": "1" * 64,
            "Name": "mynet",
            "Driver": "bridge",
            "Options": {engine_answers.BRIDGE_NAME_OPTION: "br0"},
            "IPAM": {"Config": [{"Subnet": "192.168.0.0/16", "Gateway": "192.168.0.1"}]},
        }
    ],
    "containers": [
        {
            "Id": letter * 64,
            "Names": [f"/{letter}"],
            "State": "running",
            "Status": "Up",
            "Image": "tomcat",
            "Labels": {"a": "b"},
            "HostConfig": {"NetworkMode": mode},
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
            "NetworkSettings": {"Networks": {"mynet": {"IPAddress": "192.168.0.2", "MacAddress": "02:00:00:00:00:01"}}},
        }
        for letter, mode in (("a", "mynet"), ("b", f"container:{'a' * 64}"), ("c", "host"))
    ],
    "inspected": {
        letter * 64: {
            "Id": letter * 64,
            "State": {"Pid": 7, "StartedAt": "2026"},
            "HostConfig": {"NetworkMode": "mynet", "Dns": ["192.0.2.1"], "Links": ["/a:/b/c"]},
            "Mounts": [{"Destination": "/data"}],
            "HostsPath": "/var/lib/hosts",
            "NetworkSettings": {"Networks": {"mynet": {"Gateway": "192.168.0.1"}}},
        }
        for letter in "abc"
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=6,
)


class Api:
    """A client whose engine answers with these documents."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def version(self) -> Any:
        return self._answers["version"]

    def networks(self, **_: Any) -> Any:
        return self._answers["networks"]

    def containers(self, **_: Any) -> Any:
        return self._answers["containers"]

    def inspect_container(self, identifier: str) -> Any:
        inspected = self._answers["inspected"]
        return inspected.get(identifier, {}) if isinstance(inspected, dict) else inspected

    def events(self, **_: Any) -> Any:
        return iter(self._answers["containers"])


def everything(answers: dict[str, Any]) -> list[Any]:
    """Ask all that is asked of an engine."""
    engine = Engine(Api(answers))
    containers = engine.containers()
    found: list[Any] = [engine.identity(), containers, engine.networks(containers), status(engine)]
    return [*found, *(engine.process(each) for each in containers if each.running), *engine.changes(0)]


@pytest.mark.parametrize("answers", [DOCKER, PODMAN], ids=["docker", "podman"])
@pytest.mark.parametrize("seed", range(12))
def test_nothing_of_what_an_engine_says_is_obeyed(answers: dict[str, Any], seed: int) -> None:
    said = Poison(("engine", seed)).value(answers)
    for each in everything(said):
        # Paths are opened as they are, and never shown.
        shown = [
            (where, text) for where, text in harmful(each) if not where.endswith(("hosts_path", "resolv_conf_path"))
        ]
        assert shown == []


@pytest.mark.parametrize("answers", [DOCKER, PODMAN], ids=["docker", "podman"])
@pytest.mark.parametrize("seed", range(400 if LONG else 40))
def test_an_answer_with_anything_in_any_place_is_read_or_refused(answers: dict[str, Any], seed: int) -> None:
    chance = dice("engine", seed)
    broken = copy.deepcopy(answers)
    for _ in range(chance.choice((1, 1, 3))):
        _break(broken, chance)
    try:
        everything(broken)
    except (EngineUnreachableError, DepartedError) as error:
        assert not obeyed(str(error))  # noqa: PT017 - refusal is one of two right ends


@given(JSON, JSON, JSON, JSON)
def test_any_document_is_read_or_refused(version: Any, networks: Any, containers: Any, inspected: Any) -> None:
    try:
        everything({"version": version, "networks": networks, "containers": containers, "inspected": inspected})
    except InspectorError as error:
        assert not obeyed(str(error))  # noqa: PT017 - as above


def test_what_the_lab_says_of_a_hostile_engine_is_harmless() -> None:
    guest = {**DOCKER["containers"][0], "Names": ["/gu\x1b[2Jest"], "Id": "x" * 64}
    ours = {**DOCKER["networks"][0], "Name": "my\x1b[2Jnet"}

    class Taken(Api):
        def containers(self, **options: Any) -> Any:
            return [] if "label" in options.get("filters", {}) else [guest]

    with pytest.raises(InspectorError) as caught:
        down(Engine(Taken({**DOCKER, "networks": [ours]})))
    assert not obeyed(str(caught.value))


def _break(document: Any, chance: random.Random) -> None:
    """Put something else somewhere in it."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = chance.choice(keys)
        below = document[key]
        if isinstance(below, dict | list) and below and chance.random() < 0.9:
            document = below
            continue
        document[key] = chance.choice([None, 0, -1, 1.5, "", "\x1b[2J", [], {}, [None], {"": None}, "x" * 70, True])
        return
