"""The shipped recordings: each gives the report beside it, and says nothing of the machine it was made on."""

import json
import os
import re
import socket
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from inspector.archive import load
from inspector.course import catalogue, samples
from inspector.course.lesson import Lesson, Verb
from inspector.errors import NoSuchFileError, UsageError
from inspector.model.report import Report
from inspector.pipeline import review
from inspector.plan.make import make_plan
from inspector.render.report_text import render_text

RECORDED = sorted(each.parent for each in samples.root().rglob("recording.json"))
KNOWN_PREFIXES = [
    ip_network(each)
    for each in ("127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.51.100.0/24", "224.0.0.0/4", "0.0.0.0/32")
]
"""The loopback, what the engine gives to networks, the course's own, and TEST-NET-2 (RFC 5737), where the server is."""
HOST_LINKS = re.compile(r"lo|docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7}|dnup[0-9a-f]{6,7}")

kept = cache(load)
"""A recording is a value: each is read once."""


@cache
def reviewed(folder: Path) -> Report:
    return review(kept(folder))


of_each = pytest.mark.parametrize("folder", RECORDED, ids=lambda each: "/".join(each.parts[-3:]))


@of_each
def test_the_report_is_the_one_beside_it(folder: Path) -> None:
    assert render_text(reviewed(folder), width=100) == (folder / "report.txt").read_text(encoding="utf-8")


@of_each
def test_the_host_has_nothing_but_the_lab(folder: Path) -> None:
    topology = kept(folder).topology
    host = next(each for each in topology.sandboxes if each.id == "host")
    for link in host.links:
        assert HOST_LINKS.fullmatch(link.name), link.name
    own = {each.name for each in topology.containers}
    made = {one.name for step in lesson_of(folder).steps for one in step.set_up if hasattr(one, "publish")}
    assert own <= {"tomcat01", "tomcat02", "tomcat03", "mynet-tomcat01", "mynet-tomcat02", *made}


@of_each
def test_every_address_is_one_of_the_course(folder: Path) -> None:
    text = (folder / "recording.json").read_text(encoding="utf-8")
    for word in set(re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text)):
        address = ip_address(word)
        assert any(address in each for each in KNOWN_PREFIXES), word


@of_each
def test_neither_file_names_this_machine(folder: Path) -> None:
    """The machine that runs this is often the one that recorded: its names must not be there."""
    machine = os.uname()
    for file in folder.iterdir():
        data = file.read_bytes()
        for word in (machine.release, machine.version, *([name] if len(name := socket.gethostname()) > 4 else [])):
            assert word.encode() not in data, file.name


@of_each
def test_the_machine_goes_by_an_invented_name(folder: Path) -> None:
    assert b"Linux 6.1" in (folder / "frames.pcapng").read_bytes()[:400]


@of_each
def test_the_plan_follows_from_the_topology(folder: Path) -> None:
    from inspector.correlate.name_report import name_report

    recording = kept(folder)
    names = name_report(recording.lookup) if recording.lookup else None
    assert make_plan(recording.topology, recording.plan.question, names) == recording.plan


@of_each
def test_it_is_small(folder: Path) -> None:
    assert sum(each.stat().st_size for each in folder.iterdir()) < 150_000


@of_each
def test_it_is_a_step_of_a_lesson(folder: Path) -> None:
    lesson = lesson_of(folder)
    step = next(each for each in lesson.steps if each.id == folder.name)
    report = reviewed(folder)
    assert report.verdict.outcome in step.outcomes
    assert set(step.findings) <= {each.id for each in report.findings}
    assert samples.release(report.engine.version) == folder.parent.name


@pytest.mark.parametrize("name", catalogue.names())
def test_each_step_is_recorded_on_both_engines(name: str) -> None:
    asked = {each.id for each in catalogue.find(name).steps if each.verb is not Verb.LS}
    assert set(samples.engines(name)) >= {"20.10", "28"}
    for engine in samples.engines(name):
        there = {each.name for each in (samples.root() / name / engine).iterdir()}
        assert there == asked
        for step in catalogue.find(name).steps:
            assert samples.find(name, step.sample, engine).is_dir()


@pytest.mark.parametrize(
    ("version", "release"), [("20.10.24", "20.10"), ("28.5.2", "28"), ("23.0.0-rc.1", "23"), ("29", "29")]
)
def test_the_release_of_a_version(version: str, release: str) -> None:
    assert samples.release(version) == release


def test_the_newest_engine_is_the_last() -> None:
    assert samples.engines("bridge")[-1] == "28"
    assert samples.find("bridge", "by-address", None) == samples.find("bridge", "by-address", "28")


def test_what_was_not_recorded_is_said() -> None:
    with pytest.raises(UsageError, match=r"there are: 20\.10, 28"):
        samples.find("bridge", "by-address", "19.03")
    with pytest.raises(NoSuchFileError):
        samples.find("nothing", "at-all", None)


def test_no_document_names_a_folder_of_this_machine() -> None:
    for folder in RECORDED:
        for word in ("/root", "/home", "/work", "/var/tmp", "/tmp"):
            assert word not in json.dumps(json.loads((folder / "recording.json").read_text())), folder


def lesson_of(folder: Path) -> Lesson:
    return catalogue.find(folder.parts[-3])
