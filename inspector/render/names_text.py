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
from inspector.model.text import safe
from inspector.model.topology import HOST
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
    """Return the whole lookup, lines no wider than `width` where words allow."""
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
    word = "RESOLVED" if outcome is Outcome.DELIVERED else "UNRESOLVED"
    said = _resolved(names)
    if outcome is Outcome.UNRESOLVED:
        said = f"{names.name}: {report.plan.obstacle or names.why}"
    yield from led(safe(said, MOST_TEXT), width, word, paint(word, OUTCOME_STYLES[outcome]))


def _resolved(names: NameReport) -> str:
    by = {
        Mechanism.HOSTS_FILE: "the hosts file",
        Mechanism.UPSTREAM_DNS: f"upstream DNS {upstream(names)}{_asked_by(names)}",
    }.get(names.mechanism, server_words(names))
    plain = names.mechanism is Mechanism.HOSTS_FILE or "PTR" in names.types
    searched = names.canonical if names.canonical and not plain else names.name
    known = "" if is_same_name(searched, names.name) else f" (as {searched})"
    reverse = f"; reverse: {names.reverse}" if names.reverse else ""
    return f"by {by}{known}: {listed(found(names))}{reverse}"


def _asked_by(names: NameReport) -> str:
    """Say who asked the server that knew, where it was not the source itself."""
    if upstream(names) == names.server:
        return ""
    return ", asked by Docker's embedded DNS" if names.server == EMBEDDED_DNS else f", asked by {names.server}"


def _head(report: Report, width: int, paint: Paint) -> Iterator[str]:
    names, source = report.names, report.plan.source
    where = "on the host" if source.sandbox == HOST else f"in {source.label}"
    asked = safe(names.name if names else report.plan.question.destination)
    first, *rest = indented(f"{asked}, as a program {where} would look it up", width, "", "  ")
    yield paint(first[: len(asked)], Style.STRONG) + first[len(asked) :]
    yield from rest
    engine = f"{report.engine.name} {report.engine.version}"
    rules = f"  ({names.setup.libc} rules: {names.setup.libc_evidence})   " if names else "  "
    if len(rules) + len(engine) <= width:
        yield rules + engine
    else:
        yield from indented(rules.strip(), width, "  ")
        yield from indented(engine, width, "  ")


def _setup(names: NameReport, width: int) -> Iterator[str]:
    """Write what the source's resolver goes by."""
    setup = names.setup
    rows = [("order", _order(setup)), *_hosts(names), *_nameservers(setup)]
    if len(names_asked(names)) > 1:
        rows.append(("names asked", listed(names_asked(names))))
    for label, words in rows:
        yield from indented(words, width, f"  {label:<{len(RESOLV_CONF)}}  ")


def _order(setup: ResolverSetup) -> str:
    evidence = f"   ({setup.order_evidence})" if setup.order_evidence else ""
    return ", then ".join(_service(each) for each in setup.services) + evidence


def _service(service: Service) -> str:
    more = [f"{each}=return" for each in service.ends_on if each is not Status.SUCCESS]
    return f"{service.name} [{' '.join(more)}]" if more else service.name


def _hosts(names: NameReport) -> Iterator[tuple[str, str]]:
    lines = names.hosts or tuple(_passed_over(names))
    file = _file(names.setup, HOSTS)
    if not lines:
        unread = file is not None and file.lines is None
        yield HOSTS, "no line can be told" if unread else "no line for it"
    for number, line in enumerate(lines[:MOST_SHOWN]):
        told = f"line {line.number}: {line.address}  {listed(line.names, ' ')}{'' if names.hosts else '   (unused)'}"
        yield "" if number else HOSTS, told
    if len(lines) > MOST_SHOWN:
        yield "", f"and {len(lines) - MOST_SHOWN} lines more"
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
        words.append(f"search {listed(conf.search, ' ')}")
    options = _options(conf)
    if options:
        words.append(f"options {' '.join(options)}")
    yield RESOLV_CONF, "; ".join(words)
    if whence := _whence(file):
        yield "", whence
    if setup.upstreams and EMBEDDED_DNS in conf.addresses:
        beyond = [f"{each.address}{' from the host' if each.from_host else ''}" for each in setup.upstreams]
        yield "", f"what {EMBEDDED_DNS} does not know goes to {listed(beyond)}"


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
        return f"{file.origin} could not be read: {file.why}"
    return f"read: {file.origin}{f' ({file.why})' if file.why else ''}"


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
    lead = "nothing left the namespace:" if hops else "no packet anywhere:"
    points = outside if hops else names.quiet
    watched = f"{', '.join(str(each) for each in points)} saw no DNS"
    yield ""
    yield from led(watched, width, lead, paint(lead, Style.STRONG), "  ")
