"""What all ways of asking for one candidate name have in common."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from inspector.model.dns import Message
from inspector.model.lookup import Ending, Query

NS_PER_S = 1_000_000_000


class Verdict(Struct, frozen=True):
    """How asking for one candidate ended."""

    ending: Ending
    decided_by: tuple[int, ...] = ()
    """Numbers of the queries whose answers say so."""
    final: bool = False
    """Whether the other candidates are given up."""
    error: str | None = None
    """What getaddrinfo(3) says of it, where that is not what goes with the ending."""


class Exchange(Protocol):
    """One candidate name, asked of the servers until it is settled. Times are of a clock that only goes forward."""

    @property
    def done(self) -> bool:
        """Whether nothing more is to be sent or waited for."""
        ...

    def due(self, now_ns: int) -> tuple[Query, ...]:
        """Return the queries that leave now; what is overdue is given up first."""
        ...

    def wake_ns(self) -> int | None:
        """Return when `due` is to be called even if nothing comes in."""
        ...

    def answered(self, query: Query, message: Message) -> None:
        """Take in an answer."""
        ...

    def refused(self, query: Query, errno: int) -> None:
        """Take in that a query was refused."""
        ...

    def verdict(self) -> Verdict:
        """Say how it ended, once it is done."""
        ...


def holds(message: Message, types: Iterable[str]) -> bool:
    """Whether an answer has data: a CNAME alone is none."""
    wanted = set(types)
    return message.rcode == "NOERROR" and any(each.type in wanted for each in message.answers)


def named(rcode: str) -> Ending:
    """Say a response code, which is no answer, as an ending."""
    known = {
        "NOERROR": Ending.NO_DATA,
        "NXDOMAIN": Ending.NO_SUCH_NAME,
        "SERVFAIL": Ending.SERVER_FAILED,
    }
    return known.get(rcode, Ending.REFUSED)
