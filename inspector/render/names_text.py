"""A lookup as a person reads it: what the source goes by, each query with its way, who answered. Pure."""

from collections.abc import Iterator

from inspector.model.lookup import (
    EMBEDDED_DNS,
    HostsLine,
    Nameservers,
    ResolverFile,
    ResolverSetup,
    Service,
    Status,
)
from inspector.model.names import Mechanism, NameReport
from inspector.model.report import Outcome, Report
from inspector.model.sentence import join, say
from inspector.model.text import safe
from inspector.model.topology import HOST
from inspector.render.language import cells, padded, spoken
from inspector.render.name_words import MOST_SHOWN, found, is_same_name, listed, names_asked, server_words, upstream
from inspector.render.query_text import query_lines
from inspector.render.report_parts import (
    MOST_TEXT,
    OUTCOME_STYLES,
    finding_lines,
    led,
    note_lines,
    story_lines,
    verdict_lines,
)
from inspector.render.text import NARROW, Paint, Style, indented

LOOPBACK_IFINDEX = 1
"""The kernel makes a namespace's loopback before any other link (include/net/flow.h)."""
THE_ENGINES = "the engine's file"
"""Where the files are read unless something else is said."""
HOSTS, RESOLV_CONF = "/etc/hosts", "/etc/resolv.conf"
OPTIONS = {
    "ndots": "ndots:{:d}",
    "timeout_s": "timeout:{:g}",
    "attempts": "attempts:{:d}",
    "rotate": "rotate",
    "single_request": "single-request",
    "single_request_reopen": "single-request-reopen",
    "use_tcp": "use-vc",
    "edns0": "edns0",
    "no_aaaa": "no-aaaa",
    "no_tld_query": "no-tld-query",
}
"""How resolv.conf(5) writes what differs from its defaults."""


def render_names(report: Report, *, width: int = NARROW, coloured: bool = False) -> str:
    """Return the whole lookup, lines no wider than `width` where words allow, in the language that is being written."""
    paint, names = Paint(coloured=coloured), report.names
    lines = [*_head(report, width, paint)]
    if names is not None:
        lines += ["", *_setup(names, width)]
        lines += query_lines(names, report.plan.source.sandbox, width, paint)
        lines += _silence(report, names, width, paint)
    lines += story_lines(report, width, paint)
    lines += ["", *names_verdict_lines(report, width, paint)]
    lines += finding_lines(report.findings, width, paint)
    lines += note_lines(report, width, paint)
    return "\n".join(lines) + "\n"


def names_verdict_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write who answered and what, or why nobody did."""
    names, outcome = report.names, report.verdict.outcome
    if names is None or outcome not in {Outcome.DELIVERED, Outcome.UNRESOLVED}:
        yield from verdict_lines(report, width, paint)
        return
    word = say("RESOLVED") if outcome is Outcome.DELIVERED else say("UNRESOLVED")
    said = _resolved(names)
    if outcome is Outcome.UNRESOLVED:
        said = say("{name}: {why}", name=names.name, why=report.plan.obstacle or names.why)
    yield from led(safe(spoken(said), MOST_TEXT), width, word, paint(word, OUTCOME_STYLES[outcome]))


def _resolved(names: NameReport) -> str:
    by = {Mechanism.HOSTS_FILE: say("the hosts file"), Mechanism.UPSTREAM_DNS: _upstream(names)}.get(
        names.mechanism, server_words(names)
    )
    plain = names.mechanism is Mechanism.HOSTS_FILE or "PTR" in names.types
    searched = names.canonical if names.canonical and not plain else names.name
    if not is_same_name(searched, names.name):
        by = say("{server} (as {known})", server=by, known=searched)
    said = say("by {server}: {found}", server=by, found=listed(found(names)))
    return say("{said}; reverse: {name}", said=said, name=names.reverse) if names.reverse else said


def _upstream(names: NameReport) -> str:
    """Name the server that knew, and who asked it, where it was not the source itself."""
    server = upstream(names)
    if server == names.server:
        return say("upstream DNS {server}", server=server)
    asker = say("Docker's embedded DNS") if names.server == EMBEDDED_DNS else names.server
    return say("upstream DNS {server}, asked by {asker}", server=server, asker=asker)


def _head(report: Report, width: int, paint: Paint) -> Iterator[str]:
    names, source = report.names, report.plan.source
    where = say("on the host") if source.sandbox == HOST else say("in {sandbox}", sandbox=source.label)
    asked = safe(names.name if names else report.plan.question.destination)
    first, *rest = indented(
        say("{name}, as a program {where} would look it up", name=asked, where=where), width, "", "  "
    )
    yield paint(first[: len(asked)], Style.STRONG) + first[len(asked) :]
    yield from rest
    engine = f"{report.engine.name} {report.engine.version}"
    rules = f"  {spoken(_rules(names.setup))}   " if names else "  "
    if cells(rules) + len(engine) <= width:
        yield rules + engine
    else:
        yield from indented(rules.strip(), width, "  ")
        yield from indented(engine, width, "  ")


def _rules(setup: ResolverSetup) -> str:
    return say("({libc} rules: {evidence})", libc=setup.libc.value, evidence=setup.libc_evidence)


def _setup(names: NameReport, width: int) -> Iterator[str]:
    """Write what the source's resolver goes by."""
    setup = names.setup
    rows = [(say("order"), _order(setup)), *_hosts(names), *_nameservers(setup)]
    if len(names_asked(names)) > 1:
        rows.append((say("names asked"), listed(names_asked(names))))
    for word, words in rows:
        yield from indented(words, width, f"  {padded(word, len(RESOLV_CONF))}  ")


def _order(setup: ResolverSetup) -> str:
    order = join(", then ", (_service(each) for each in setup.services))
    if not setup.order_evidence:
        return order
    return say("{order}   ({evidence})", order=order, evidence=setup.order_evidence)


def _service(service: Service) -> str:
    more = [f"{each}=return" for each in service.ends_on if each is not Status.SUCCESS]
    return f"{service.name} [{' '.join(more)}]" if more else service.name


def _hosts(names: NameReport) -> Iterator[tuple[str, str]]:
    lines = names.hosts or tuple(_passed_over(names))
    file = _file(names.setup, HOSTS)
    if not lines:
        unread = file is not None and file.lines is None
        yield HOSTS, say("no line can be told") if unread else say("no line for it")
    for number, line in enumerate(lines[:MOST_SHOWN]):
        written = f"{line.address}  {spoken(listed(line.names, ' '))}"
        told = say("line {number}: {line}", number=line.number, line=written)
        told = told if names.hosts else say("{line}   (unused)", line=told)
        yield "" if number else HOSTS, told
    if len(lines) > MOST_SHOWN:
        yield "", say("and {count} lines more", count=len(lines) - MOST_SHOWN)
    if whence := _whence(file):
        yield "", whence


def _passed_over(names: NameReport) -> Iterator[HostsLine]:
    """Yield the lines that hold the name and did not answer: DNS comes first, or another type was asked for."""
    for line in names.setup.hosts:
        if any(is_same_name(each, names.name) for each in (line.address, *line.names)):
            yield line


def _nameservers(setup: ResolverSetup) -> Iterator[tuple[str, str]]:
    conf, file = setup.nameservers, _file(setup, RESOLV_CONF)
    words = [f"nameserver {', '.join(conf.addresses)}"]
    if conf.search:
        words.append(f"search {spoken(listed(conf.search, ' '))}")
    options = _options(conf)
    if options:
        words.append(f"options {' '.join(options)}")
    yield RESOLV_CONF, "; ".join(words)
    if whence := _whence(file):
        yield "", whence
    if setup.upstreams and EMBEDDED_DNS in conf.addresses:
        beyond = [
            spoken(say("{server} from the host", server=each.address)) if each.from_host else each.address
            for each in setup.upstreams
        ]
        yield "", say("what {server} does not know goes to {servers}", server=EMBEDDED_DNS, servers=listed(beyond))


def _options(conf: Nameservers) -> list[str]:
    usual = Nameservers()
    return [
        written.format(getattr(conf, name))
        for name, written in OPTIONS.items()
        if getattr(conf, name) != getattr(usual, name)
    ]


def _file(setup: ResolverSetup, path: str) -> ResolverFile | None:
    return next((each for each in setup.files if each.path == path), None)


def _whence(file: ResolverFile | None) -> str:
    """Say which file was read where it is not the engine's, or why none was."""
    if file is None or (file.origin == THE_ENGINES and file.why is None):
        return ""
    if file.lines is None:
        return say("{file} could not be read: {why}", file=file.origin, why=file.why)
    if file.why:
        return say("read: {file} ({why})", file=file.origin, why=file.why)
    return say("read: {file}", file=file.origin)


def _silence(report: Report, names: NameReport, width: int, paint: Paint) -> Iterator[str]:
    """Say that nothing left the source's namespace, where each place that would have shown it was watched."""
    hops = [hop for each in names.exchanges for leg in each.legs for hop in (*leg.question, *leg.answer)]
    outside = [each for each in names.quiet if each.link.ifindex != LOOPBACK_IFINDEX]
    source = report.plan.source.sandbox
    blind = any(each.point.partition("/")[0] == source for each in report.blind_spots)
    if blind or not any(each.sandbox == source for each in outside):
        return
    if any(hop.point.sandbox != source or hop.point.link.ifindex != LOOPBACK_IFINDEX for hop in hops):
        return
    lead = say("nothing left the namespace:") if hops else say("no packet anywhere:")
    points = outside if hops else names.quiet
    watched = say("{points} saw no DNS", points=", ".join(str(each) for each in points))
    yield ""
    yield from led(watched, width, lead, paint(lead, Style.STRONG), "  ")
