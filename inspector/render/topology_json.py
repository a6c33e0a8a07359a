"""A topology as JSON. Pure."""

import json
from typing import Any

from inspector.model.topology import Container, Link, LinkKey, Network, Sandbox, Topology

SCHEMA = "dnetsniff.topology/1"


def to_dict(topology: Topology) -> dict[str, Any]:
    """Return the topology as plain values."""
    return {
        "schema": SCHEMA,
        "engine": {"name": topology.engine.name, "version": topology.engine.version},
        "networks": [_network(topology, each) for each in topology.networks],
        "containers": [_container(each) for each in topology.containers],
        "sandboxes": [_sandbox(each) for each in topology.sandboxes],
        "blind_spots": [{"point": each.point, "why": each.why} for each in topology.blind_spots],
    }


def render_json(topology: Topology) -> str:
    """Return the topology as one JSON object."""
    return json.dumps(to_dict(topology), indent=2)


def _network(topology: Topology, network: Network) -> dict[str, Any]:
    bridge = topology.link(network.bridge)
    return {
        "id": network.id,
        "name": network.name,
        "driver": network.driver,
        "internal": network.internal,
        "subnets": [{"prefix": str(each.prefix), "gateway": each.gateway} for each in network.subnets],
        "bridge": bridge.name if bridge else None,
        "parent": _key(network.parent),
        "ports": [
            {"port": each.port, "interface": each.name, "ifindex": each.key.ifindex, "peer": _key(each.peer)}
            for each in (topology.ports(bridge.key) if bridge else ())
        ],
    }


def _container(container: Container) -> dict[str, Any]:
    return {
        "id": container.id,
        "name": container.name,
        "state": container.state,
        "mode": container.mode.value,
        "shares_with": container.shares_with,
        "sandbox": container.sandbox,
        "endpoints": [
            {
                "network": each.network,
                "addresses": list(each.addresses),
                "mac": each.mac,
                "gateways": list(each.gateways),
                "link": _key(each.link),
            }
            for each in container.endpoints
        ],
        "published": [
            {"address": each.address, "port": each.port, "target": each.target, "protocol": each.protocol}
            for each in container.published
        ],
    }


def _sandbox(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "name": sandbox.id,
        "inode": sandbox.inode,
        "links": [_link(each) for each in sandbox.links],
        "routes": [
            {
                "destination": str(each.destination),
                "gateway": each.gateway,
                "ifindex": each.ifindex,
                "metric": each.metric,
                "source": each.source,
            }
            for each in sandbox.routes
            if not each.local
        ],
        "remotes": [{"ifindex": each.ifindex, "mac": each.mac, "node": each.node} for each in sandbox.remotes],
        "settings": {each.name: each.value for each in sandbox.settings},
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "ifindex": link.key.ifindex,
        "name": link.name,
        "kind": link.kind.value,
        "up": link.up,
        "running": link.running,
        "mtu": link.mtu,
        "mac": link.mac,
        "addresses": [str(each) for each in link.addresses],
        "peer": _key(link.peer),
        "peer_ifindex": link.peer_ifindex,
        "bridge": link.bridge.ifindex if link.bridge else None,
        "port": link.port,
        "parent": _key(link.parent),
        "mode": link.mode or None,
        "tunnel": {"number": link.tunnel.number, "port": link.tunnel.port} if link.tunnel else None,
    }


def _key(key: LinkKey | None) -> dict[str, Any] | None:
    return {"sandbox": key.sandbox, "ifindex": key.ifindex} if key else None
