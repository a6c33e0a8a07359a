"""No false alarm: where all is well, nothing is found but what is worth knowing and true."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from commands import docker

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
COURSE = [
    *permutations(("tomcat01", "tomcat02", "tomcat03"), 2),
    *permutations(("mynet-tomcat01", "mynet-tomcat02"), 2),
    *(("host", each) for each in ("tomcat01", "tomcat02", "tomcat03", "mynet-tomcat01", "mynet-tomcat02")),
    *((each, word) for each in ("tomcat01", "mynet-tomcat01") for word in ("gateway", "host")),
]


def traced(run: Run, *words: str) -> dict[str, Any]:
    ran = run("trace", *words, "-c", "2", "-W", "3", "--format", "json")
    assert ran.status == 0, (words, ran.out, ran.err)
    report: dict[str, Any] = ran.json
    return report


def is_calm(report: dict[str, Any], *notes: str) -> None:
    """Assert that nothing is found but these notes, and that the wire did what was expected of it."""
    found = {each["id"]: each["severity"] for each in report["findings"]}
    assert found == dict.fromkeys(notes, "note"), report["findings"]
    assert report["disagreements"] == []
    assert report["prediction"]["outcome"] == "delivered"
    assert report["blind_spots"] == []


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("course")
def test_the_whole_course_by_address(run: Run) -> None:
    for source, destination in COURSE:
        is_calm(traced(run, source, destination, "--no-lookup"))


@pytest.mark.usefixtures("course")
def test_the_course_by_name_on_a_network_that_has_names(run: Run) -> None:
    for source, destination in permutations(("mynet-tomcat01", "mynet-tomcat02"), 2):
        report = traced(run, source, destination)
        assert report["resolution"]["mechanism"] == "embedded-dns"
        is_calm(report)


@pytest.mark.usefixtures("course")
def test_the_course_by_a_link(run: Run) -> None:
    is_calm(traced(run, "tomcat03", "tomcat01"))


@pytest.mark.usefixtures("course")
def test_the_course_with_a_container_on_both_networks(run: Run) -> None:
    docker("network", "connect", "mynet", "tomcat01")
    try:
        for source, destination in (
            *permutations(("tomcat01", "mynet-tomcat01"), 2),
            *permutations(("tomcat01", "tomcat02"), 2),
        ):
            is_calm(traced(run, source, destination, "--no-lookup"), "dual-homed")
        is_calm(traced(run, "tomcat01", "mynet-tomcat02"), "dual-homed")
    finally:
        docker("network", "disconnect", "mynet", "tomcat01")


@pytest.mark.timeout(180)
def test_a_plain_compose_project(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    """Three networks in a row, the last one internal; proxy and app on two each, one port published."""
    for name, *options in (("dn-front",), ("dn-back",), ("dn-data", "--internal")):
        network(name, *options)
    members = {"dn-proxy": ("dn-front", "dn-back"), "dn-app": ("dn-back", "dn-data"), "dn-db": ("dn-data",)}
    for name, (first, *more) in members.items():
        publish = ("-p", "127.0.0.1::8080") if name == "dn-proxy" else ()
        extra(name, "--network", first, "--network-alias", name.removeprefix("dn-"), *publish)
        for each in more:
            docker("network", "connect", each, name)
    both = ("dual-homed",)
    for source, destination in (*permutations(("dn-proxy", "dn-app"), 2), *permutations(("dn-app", "dn-db"), 2)):
        is_calm(traced(run, source, destination), *both)
        is_calm(traced(run, source, destination, "--no-lookup"), *both)
    for source, destination, notes in (
        ("host", "dn-proxy", both),
        ("host", "dn-app", both),
        ("host", "dn-db", ()),
        ("dn-proxy", "gateway", both),
    ):
        is_calm(traced(run, source, destination, "--no-lookup"), *notes)
