"""Flows of datagrams that began before the port was published, or that keep to a container that is gone."""

import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from commands import dnetsniff
from private_engine import IMAGE, PrivateEngine, private_engine
from services import serving_in

from inspector import netns

pytestmark = pytest.mark.docker
OPTIONS = ("-d", "--dns", "127.0.0.1", "--stop-signal", "KILL")
CLIENT_PORT = 40_123


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    with private_engine("--userland-proxy=false") as engine:
        engine.start("client")
        yield engine


@contextmanager
def client(private: PrivateEngine, gateway: str) -> Iterator[socket.socket]:
    """A program in the client that sends from one port all the time."""

    def opened() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("", CLIENT_PORT))
        return sock

    with netns.open_of(int(private.docker("inspect", "-f", "{{.State.Pid}}", "client"))) as namespace:
        sock = netns.enter(namespace.fd, opened)
    with closing(sock):
        yield sock


def is_answered(sock: socket.socket, gateway: str, patience_s: float = 5) -> bool:
    sock.sendto(b"hello", (gateway, 5353))
    return bool(select.select([sock], [], [], patience_s)[0]) and sock.recv(100) == b"hello"


def traced(private: PrivateEngine) -> dict[str, Any]:
    ran = dnetsniff(
        "trace", "client", "gateway:5353/udp", "-c", "1", "--no-lookup", "--format", "json",
        env={**os.environ, "DOCKER_HOST": private.url},
    )  # fmt: skip
    assert ran.out, ran.err
    report = json.loads(ran.out)
    assert isinstance(report, dict)
    return report


@pytest.mark.parametrize("how", ["before", "elsewhere"])
def test_a_flow_that_keeps_to_an_older_way_is_found_and_mended(private: PrivateEngine, how: str) -> None:
    gateway = private.docker("inspect", "-f", "{{.NetworkSettings.Gateway}}", "client")
    mine = private.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "client")
    flow = f"-p udp --orig-src {mine} --orig-dst {gateway} --orig-port-src {CLIENT_PORT} --orig-port-dst 5353"
    with client(private, gateway) as sock:
        if how == "before":
            # Engine 20.10 leaves what was there before it published the port; nobody listens, which nobody says.
            private.type("iptables -I OUTPUT -p icmp -j DROP")
            sock.sendto(b"hello", (gateway, 5353))
        private.docker("run", *OPTIONS, "-p", "5353:5353/udp", "--name", "echo", IMAGE)
        try:
            with serving_in(private.docker("inspect", "-f", "{{.State.Pid}}", "echo"), 5353, udp=True):
                if how == "elsewhere":
                    old = f"--reply-src 172.17.0.99 --reply-dst {mine} --reply-port-src 5353"
                    private.type(
                        f"conntrack -I {flow} {old} --reply-port-dst {CLIENT_PORT} -t 120 --dst-nat 172.17.0.99"
                    )
                assert not is_answered(sock, gateway, 0.2)
                report = traced(private)
                assert report["verdict"]["outcome"] == "delivered", "new flows go to the container"
                (translation,) = report["translations"]
                assert translation["original"]["destination"] == f"{gateway}:5353"
                (finding,) = report["findings"]
                assert (finding["id"], finding["severity"]) == ("stale-conntrack", "warning")
                assert f"{mine}:{CLIENT_PORT} > {gateway}:5353" in finding["evidence"][0]
                (remedy,) = finding["remedy"]
                private.type(remedy)
                assert is_answered(sock, gateway)
                assert traced(private)["findings"] == []
        finally:
            private.docker("rm", "-f", "echo")
            if how == "before":
                private.type("iptables -D OUTPUT -p icmp -j DROP")
