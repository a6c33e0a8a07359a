"""The problem library: one small file for each finding, and the table that says which are looked for.

A detector is a function `detect(case) -> Finding | None`. No evidence, no finding. The more decisive come first.
"""

from collections.abc import Callable, Iterator

from inspector.explain.case import Case
from inspector.explain.findings import (
    asymmetric_return,
    bound_to_loopback,
    bridge_port_missing,
    connection_reset,
    container_not_running,
    container_paused,
    dns_truncated,
    dual_homed,
    duplicate_address,
    embedded_dns_forwards_own_names,
    embedded_dns_silent,
    firewall_backends_mixed,
    firewall_drop,
    firewall_reject,
    host_network,
    hosts_file_stale,
    icc_disabled,
    interface_down,
    internal_network,
    ip_forward_off,
    ipv6_neighbour_filtered,
    link_one_way,
    macvlan_host_isolation,
    mtu_too_big,
    name_not_resolvable,
    neighbour_unanswered,
    networks_isolated,
    no_network,
    no_route,
    overlay_mtu,
    overlay_peer_silent,
    overlay_port_blocked,
    port_closed,
    published_port_filtered,
    published_port_hairpin,
    published_port_proxy,
    rp_filter_drop,
    shared_sandbox,
    slow_lookup,
    stale_conntrack,
    stale_neighbour,
    subnet_overlap,
    upstream_dns_unreachable,
)
from inspector.model.report import Finding

Detector = Callable[[Case], Finding | None]

DETECTORS: tuple[Detector, ...] = (
    container_not_running.detect,
    hosts_file_stale.detect,
    no_network.detect,
    interface_down.detect,
    bridge_port_missing.detect,
    no_route.detect,
    overlay_mtu.detect,
    overlay_port_blocked.detect,
    overlay_peer_silent.detect,
    mtu_too_big.detect,
    macvlan_host_isolation.detect,
    stale_neighbour.detect,
    duplicate_address.detect,
    subnet_overlap.detect,
    ipv6_neighbour_filtered.detect,
    neighbour_unanswered.detect,
    ip_forward_off.detect,
    rp_filter_drop.detect,
    internal_network.detect,
    networks_isolated.detect,
    icc_disabled.detect,
    firewall_backends_mixed.detect,
    firewall_drop.detect,
    firewall_reject.detect,
    bound_to_loopback.detect,
    port_closed.detect,
    connection_reset.detect,
    published_port_hairpin.detect,
    published_port_filtered.detect,
    stale_conntrack.detect,
    published_port_proxy.detect,
    link_one_way.detect,
    embedded_dns_silent.detect,
    embedded_dns_forwards_own_names.detect,
    dns_truncated.detect,
    upstream_dns_unreachable.detect,
    name_not_resolvable.detect,
    asymmetric_return.detect,
    container_paused.detect,
    slow_lookup.detect,
    dual_homed.detect,
    host_network.detect,
    shared_sandbox.detect,
)


def look_for_all(case: Case) -> Iterator[Finding]:
    """Yield what is found, the decisive first."""
    for detect in DETECTORS:
        if (finding := detect(case)) is not None:
            yield finding
