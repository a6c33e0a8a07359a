"""Out by the uplink: routed, masqueraded, and back. The uplink leads to a namespace that the test has made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from private_engine import PrivateEngine, checked, private_engine
from session_tag import new_tag

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
NEAR, GATEWAY, FAR, SILENT = "198.51.100.1", "198.51.100.2", "198.51.100.129", "198.51.100.130"


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    """Give an engine with a container; beyond its uplink a router answers to one address and swallows another."""
    far = f"dntest-far-{new_tag()}"
    with private_engine() as made:
        made.start("web")
        checked("ip", "netns", "add", far)
        try:
            made.ip(f"link add up0 type veth peer name eth0 netns {far}")
            made.ip(f"addr add {NEAR}/25 dev up0")
            made.ip("link set up0 up")
            for words in (
                f"addr add {GATEWAY}/25 dev eth0",
                f"addr add {FAR}/32 dev lo",
                "link set lo up",
                "link set eth0 up",
                f"route add blackhole {SILENT}",
            ):
                checked("ip", "-n", far, *words.split())
            made.ip(f"route add default via {GATEWAY}")
            yield made
        finally:
            checked("ip", "netns", "del", far)


def traced(run: Run, private: PrivateEngine, destination: str, status: int) -> Any:
    """Trace from the container, and return the report."""
    ran = run("--host", private.url, "trace", "web", destination, "-W", "0.3", "--format", "json")
    assert ran.status == status, ran.err
    return ran.json


def hops(report: Any, direction: str) -> list[tuple[str, str, str, str]]:
    """Return (interface, heading, source, destination) of each hop of the first such packet, all of them seen."""
    path = next(each for each in report["paths"] if each["direction"] == direction)
    assert all(hop["seen"] for hop in path["hops"])
    return [(hop["interface"], hop["heading"], hop["source"], hop["destination"]) for hop in path["hops"]]


def test_the_source_is_rewritten_on_the_way_out_and_back(run: Run, private: PrivateEngine) -> None:
    report = traced(run, private, FAR, 0)
    web = private.docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "web")
    assert report["verdict"]["outcome"] == "delivered"
    assert report["path_kind"] == "outside"
    inside, port, bridge, out = hops(report, "request")
    assert (inside, bridge) == (("eth0", "out", web, FAR), ("docker0", "in", web, FAR))
    assert port[1:] == ("in", web, FAR)
    assert out == ("up0", "out", NEAR, FAR)
    back, *_, home = hops(report, "reply")
    assert back == ("up0", "in", FAR, NEAR)
    assert home == ("eth0", "in", FAR, web)
    rewrites = {each["field"]: (each["before"], each["after"]) for each in report["paths"][0]["hops"][-1]["rewrites"]}
    assert rewrites["source"] == (web, NEAR)
    (translation,) = report["translations"]
    identifier = translation["original"]["identifier"]
    assert translation["original"] == {"source": web, "destination": FAR, "identifier": identifier}
    assert translation["reply"] == {"source": FAR, "destination": NEAR, "identifier": identifier}
    (rule,) = translation["rules"]
    assert (rule["table"], rule["chain"], rule["owner"]) == ("nat", "POSTROUTING", "engine")
    assert rule["text"].endswith("! -o docker0 -j MASQUERADE")
    assert rewrites["ttl"] == ("64", "63")


def test_who_does_not_answer_out_there_is_unanswered(run: Run, private: PrivateEngine) -> None:
    report = traced(run, private, SILENT, 1)
    assert report["verdict"]["outcome"] == "unanswered"
    assert report["verdict"]["last_seen"] == "host/up0"
    assert hops(report, "request")[-1] == ("up0", "out", NEAR, SILENT)
