"""What the texts may say of the run they accompany: `{tomcat02}`, `{engine}`, `{rule}` and so on. Pure.

1. A container's name stands for its first IPv4 address, `NAME@NETWORK` for the one on that network, and
   `gateway@NETWORK` for what containers there have as their gateway.
2. What is not known of this run is said to be so; no text is left with a hole in it.
"""

from collections.abc import Iterable, Mapping

from inspector.model.report import Report
from inspector.model.topology import Container

GATEWAY = "gateway"
OF_REPORTS = ("engine", "address", "last_seen", "rule", "chain", "table", "server")
"""What stands for something in a report."""


class Facts(dict[str, str]):
    """What is known by name, with a word for the rest."""

    def __init__(self, known: Mapping[str, str], unknown: str) -> None:
        """Take the word for what is not known."""
        super().__init__(known)
        self._unknown = unknown

    def __missing__(self, key: str) -> str:
        """Say that it is not known."""
        return self._unknown

    def fill(self, text: str) -> str:
        """Put the facts into a text."""
        return text.format_map(self)


def of_containers(containers: Iterable[Container]) -> dict[str, str]:
    """Return the addresses of containers."""
    found: dict[str, str] = {}
    for container in containers:
        for endpoint in container.endpoints:
            for address in endpoint.addresses:
                if ":" not in str(address):
                    found.setdefault(container.name, str(address))
                    found.setdefault(f"{container.name}@{endpoint.network}", str(address))
            for gateway in endpoint.gateways:
                if ":" not in gateway:
                    found.setdefault(f"{GATEWAY}@{endpoint.network}", gateway)
    return found


def of_report(report: Report) -> dict[str, str]:
    """Return what a report says of its run."""
    verdict, resolution = report.verdict, report.plan.resolution
    rule = verdict.rule
    return {
        "engine": f"{report.engine.name} {report.engine.version}",
        **({"address": str(resolution.address)} if resolution.address else {}),
        **({"last_seen": str(verdict.last_seen)} if verdict.last_seen else {}),
        **({"rule": rule.text, "chain": rule.chain, "table": rule.table} if rule else {}),
        **({"server": asked} if (asked := _server(report)) else {}),
    }


def _server(report: Report) -> str | None:
    """Return who answered the name, or else who was asked first."""
    if report.names is None:
        return None
    return report.names.server or next((each.outcome.query.server for each in report.names.exchanges), None)
