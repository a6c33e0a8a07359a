"""Looking the name up takes long.

What: the program waits for seconds before it has its address.
Why: a server answers A and never AAAA, a server is slow, or a run of search domains is tried first.
On the wire: A is answered at once and AAAA not; or several names are asked for, each answered NXDOMAIN.
Remedy: mend the server; `--dns-option single-request-reopen`; a trailing dot, or fewer search domains.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import told, wanted
from inspector.model.lookup import Libc, Replied, Silent, Unsent
from inspector.model.names import Exchange, NameReport
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.text import safe

SLOW_NS = 1_000_000_000
SEARCH_SLOW_NS = 500_000_000
MANY_NAMES = 3


def detect(case: Case) -> Finding | None:
    """Look for an answer that came, and for what had to be waited for before it."""
    names = case.names
    needed = _needed(names) if names and names.answers else ()
    if names is None or not needed:
        return None
    silent = [each for each in needed if isinstance(each.outcome, Silent)]
    took_ns = _took_ns(needed)
    remedy: tuple[str, ...]
    tried = list(dict.fromkeys(each.outcome.query.name for each in needed))
    if silent and _half_is_silent(needed, silent):
        kind = silent[0].outcome.query.type
        title = say(
            "{server} answers, and not for {kind}: every lookup waits for it",
            server=silent[0].outcome.query.server,
            kind=kind,
        )
        # musl has no such option.
        option = ("--dns-option single-request-reopen",) if names.setup.libc is Libc.GLIBC else ()
        remedy = (*option, say("a server that answers {kind}, be it with no data", kind=kind))
    elif len(tried) >= MANY_NAMES and took_ns > SEARCH_SLOW_NS:
        title = say(
            "{count} other names were asked for before {canonical}, {seconds:.1f} s in all",
            count=len(tried) - 1,
            canonical=names.canonical,
            seconds=took_ns / 1e9,
        )
        remedy = (
            say("ask for {canonical}. with a trailing dot", canonical=names.canonical),
            say("--dns-option ndots:1, or fewer search domains"),
        )
    elif took_ns > SLOW_NS:
        title = say("the answer took {seconds:.1f} s", seconds=took_ns / 1e9)
        remedy = (say("a server that answers at once stands first: {command} run --dns ADDRESS", command=case.command),)
    else:
        return None
    slow = silent or list(needed)
    return Finding(
        id="slow-lookup",
        severity=Severity.WARNING,
        confidence=Confidence.CERTAIN,
        title=title,
        evidence=tuple(dict.fromkeys(told(each) for each in slow)),
        remedy=remedy,
    )


def _needed(names: NameReport) -> tuple[Exchange, ...]:
    """Return what was asked up to the answer; `--all` asks on behind it, where libc would not."""
    asked = wanted(names)
    ends = [place for place, each in enumerate(asked) if safe(each.outcome.query.name) == names.canonical]
    return asked[: ends[-1] + 1] if ends else asked


def _half_is_silent(needed: tuple[Exchange, ...], silent: list[Exchange]) -> bool:
    answered = {each.outcome.query.type for each in needed if isinstance(each.outcome, Replied)}
    return not {each.outcome.query.type for each in silent} & answered


def _took_ns(needed: tuple[Exchange, ...]) -> int:
    return max(_end_ns(each) for each in needed) - min(each.outcome.at_ns for each in needed)


def _end_ns(exchange: Exchange) -> int:
    match exchange.outcome:
        case Replied(answered_ns=answered_ns):
            return answered_ns
        case Silent(at_ns=at_ns, waited_ns=waited_ns):
            return at_ns + waited_ns
        case Unsent(at_end_ns=at_end_ns, at_ns=at_ns):
            return at_end_ns or at_ns
