"""Decide what a libc asks DNS next, given what came back: a machine without sockets or clocks. Pure.

The caller sends what `due` returns, tells `answered` and `refused` what came, and calls `due` again then and at
`wake_ns`. Times are of a clock that only goes forward. The rules for one name are in `exchange_*`; here are those
that lead from one name to the next:

1. glibc (__res_context_search in resolv/res_query.c): no such name and no data lead to the next name, and so does
   SERVFAIL within the search list; another failure there skips the rest of the list, and a refused connection ends it
   all. Where the name as it is was tried first, its failure is the one that is reported.
2. musl (name_from_dns_search in src/network/lookup_name.c): only NXDOMAIN leads to the next name.
3. With `Wanted.every` all names are asked for.
"""

from msgspec import Struct, field
from msgspec.structs import replace

from inspector.model.dns import Message
from inspector.model.lookup import Ending, Libc, Query, Resolved, ResolverSetup, Wanted
from inspector.plan.candidates import ADDRESSES, Candidate, names_to_try
from inspector.plan.exchange import Exchange, Verdict
from inspector.plan.exchange_every import EveryExchange
from inspector.plan.exchange_glibc import GlibcExchange, Habits, glibc_servers
from inspector.plan.exchange_musl import MuslExchange, rounds_of
from inspector.plan.numbering import Numbering


class _Search(Struct):
    """One type, or A and AAAA together, over all names."""

    types: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    place: int = 0
    verdicts: list[tuple[Candidate, Verdict]] = field(default_factory=list)


class Resolver:
    """One lookup in DNS. It can be pickled before it is used.

    `identifiers` are 16-bit numbers drawn at random by the caller, at least one; some more than there will be queries
    is best.
    """

    def __init__(self, wanted: Wanted, setup: ResolverSetup, identifiers: tuple[int, ...]) -> None:
        self._wanted = wanted
        self._setup = setup
        servers = setup.nameservers
        self._numbering = Numbering(identifiers)
        self._habits = Habits(
            single=servers.single_request,
            reopen=servers.single_request_reopen,
            turn=identifiers[0] if servers.rotate else 0,
        )
        self._searches = [
            _Search(types, _names(wanted, setup, types)) for types in _together(_asked_for(wanted, setup))
        ]
        self._current = 0
        self._exchange: Exchange | None = None
        self._open()

    @property
    def done(self) -> bool:
        """Whether nothing more is to be asked or waited for."""
        return self._exchange is None

    @property
    def result(self) -> Resolved:
        """How it ended, as far as it has; what answered, or the failure that libc reports."""
        endings = [self._result(each) for each in self._searches if each.verdicts]
        answers = [each for each in endings if each.ending is Ending.ANSWERED]
        if answers:
            by = tuple(number for each in answers for number in each.decided_by)
            return replace(answers[0], decided_by=by)
        return endings[0] if endings else Resolved(Ending.UNASKED, error="EAI_NONAME")

    def due(self, now_ns: int) -> tuple[Query, ...]:
        """Return the queries that leave now."""
        leaving: list[Query] = []
        while self._exchange is not None:
            leaving += self._exchange.due(now_ns)
            if not self._exchange.done:
                break
            self._conclude()
        return tuple(leaving)

    def wake_ns(self) -> int | None:
        """Return when `due` is to be called even if nothing comes in; None once it is done."""
        return None if self._exchange is None else self._exchange.wake_ns()

    def answered(self, query: Query, message: Message, now_ns: int) -> None:  # noqa: ARG002 - part of the protocol
        """Take in an answer: the caller has compared server, port, identifier, name and type."""
        if self._exchange is not None and query.name == self._name:
            self._exchange.answered(query, message)
            self._conclude_if_done()

    def refused(self, query: Query, errno: int, now_ns: int) -> None:  # noqa: ARG002 - part of the protocol
        """Take in that the source's stack, an ICMP error or a TCP reset refused a query."""
        if self._exchange is not None and query.name == self._name:
            self._exchange.refused(query, errno)
            self._conclude_if_done()

    @property
    def _name(self) -> str:
        search = self._searches[self._current]
        return search.candidates[search.place].name

    def _open(self) -> None:
        """Start asking for the name whose turn it is, if one is left."""
        self._exchange = None
        while self._current < len(self._searches):
            search = self._searches[self._current]
            if search.place < len(search.candidates):
                self._exchange = self._exchange_for(search.candidates[search.place].name, search.types)
                return
            self._current += 1

    def _exchange_for(self, name: str, types: tuple[str, ...]) -> Exchange:
        servers, wanted = self._setup.nameservers, self._wanted
        if wanted.every:
            return EveryExchange(name, types, servers, wanted, self._numbering)
        if self._setup.libc is Libc.MUSL:
            return MuslExchange(name, types, rounds_of(servers, wanted), self._numbering)
        return GlibcExchange(name, types, glibc_servers(servers, wanted), self._numbering, self._habits)

    def _conclude_if_done(self) -> None:
        if self._exchange is not None and self._exchange.done:
            self._conclude()

    def _conclude(self) -> None:
        """Note how the name ended, and find the next one."""
        if self._exchange is None:
            return
        search = self._searches[self._current]
        search.verdicts.append((search.candidates[search.place], self._exchange.verdict()))
        search.place = self._next_place(search)
        self._open()

    def _next_place(self, search: _Search) -> int:
        candidate, verdict = search.verdicts[-1]
        following, end = search.place + 1, len(search.candidates)
        if self._wanted.every:
            return following
        if verdict.final and (verdict.ending is not Ending.UNREACHABLE or candidate.searched):
            return end
        if not candidate.searched or verdict.ending in {
            Ending.NO_DATA,
            Ending.NO_SUCH_NAME,
            Ending.SERVER_FAILED,
        }:
            return following
        as_it_is = (place for place in range(following, end) if not search.candidates[place].searched)
        return next(as_it_is, end)

    def _result(self, search: _Search) -> Resolved:
        for candidate, verdict in search.verdicts:
            if verdict.ending is Ending.ANSWERED:
                return Resolved(Ending.ANSWERED, candidate.name, verdict.decided_by)
        verdict = self._reported(search.verdicts)
        return Resolved(verdict.ending, decided_by=verdict.decided_by, error=verdict.error or _error(verdict.ending))

    def _reported(self, verdicts: list[tuple[Candidate, Verdict]]) -> Verdict:
        """Choose the failure that libc reports: the last one in musl, by the end of __res_context_search in glibc."""
        last = verdicts[-1][1]
        if self._setup.libc is Libc.MUSL or last.final:
            return last
        first, verdict = verdicts[0]
        if not first.searched:
            return verdict
        searched = [each for candidate, each in verdicts if candidate.searched]
        for ending in (Ending.NO_DATA, Ending.SERVER_FAILED):
            found = next((each for each in searched if each.ending is ending), None)
            if found is not None:
                return found
        return last


def _names(wanted: Wanted, setup: ResolverSetup, types: tuple[str, ...]) -> tuple[Candidate, ...]:
    """Return the names in order; where every one is asked for, none of them twice."""
    found = names_to_try(wanted.name, setup.nameservers, setup.libc, types)
    return tuple({each.name: each for each in found}.values()) if wanted.every else found


def _asked_for(wanted: Wanted, setup: ResolverSetup) -> tuple[str, ...]:
    if setup.nameservers.no_aaaa and setup.libc is Libc.GLIBC:
        return tuple(each for each in wanted.types if each != "AAAA")
    return wanted.types


def _together(types: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Part the types into those that are asked for at once: A and AAAA, and each other one alone."""
    pair = tuple(each for each in ADDRESSES if each in types)
    others: list[tuple[str, ...]] = [(each,) for each in dict.fromkeys(types) if each not in ADDRESSES]
    return [pair, *others] if pair else others


def _error(ending: Ending) -> str | None:
    match ending:
        case Ending.ANSWERED:
            return None
        case Ending.NO_SUCH_NAME | Ending.UNASKED:
            return "EAI_NONAME"
        case Ending.NO_DATA:
            return "EAI_NODATA"
        case Ending.SERVER_FAILED | Ending.REFUSED | Ending.TIMED_OUT | Ending.UNREACHABLE:
            return "EAI_AGAIN"
