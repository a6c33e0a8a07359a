"""Find out what a source's resolver goes by: its files, its libc, and the rules that send its questions elsewhere."""

from inspector import netns
from inspector.discover.beneath import Refusal, Root, open_root, own_root
from inspector.discover.engine_view import EngineView
from inspector.discover.files import ResolverFiles, read_host_files, read_resolver_files
from inspector.discover.nat_rules import read_nat_rules
from inspector.discover.survey import Stacks
from inspector.errors import InspectorError, PrivilegeError
from inspector.model.lookup import FILES_THEN_DNS, Libc, ResolverSetup, Service, TranslationRule, Upstream
from inspector.model.question import Party
from inspector.model.sentence import say
from inspector.model.topology import HOST
from inspector.wire.resolver_files import read_hosts, read_nsswitch, read_resolv_conf


def resolver_setup(engine: EngineView, stacks: Stacks, source: Party) -> ResolverSetup:
    """Read it all; what cannot be read is said in its place, and the rest goes on."""
    files = resolver_files(engine, stacks, source.container)
    nameservers = read_resolv_conf(files.resolv_conf.text or "", libc=files.libc)
    services, evidence = _order(files)
    rules, why = _rules(stacks, source)
    fact = stacks.facts.get(source.container or "")
    return ResolverSetup(
        libc=files.libc,
        libc_evidence=files.libc_evidence,
        services=services,
        order_evidence=evidence,
        hosts=read_hosts(files.hosts.text or ""),
        nameservers=nameservers,
        upstreams=nameservers.forwards_to or _upstreams(engine, stacks, source),
        files=(files.hosts, files.resolv_conf, files.nsswitch),
        own_servers=fact.own_servers if fact else (),
        rules=rules,
        rules_why=why,
    )


def resolver_files(engine: EngineView, stacks: Stacks, container: str | None) -> ResolverFiles:
    """Read what a container that was looked into resolves names by; None means the engine's host itself."""
    root = host_root(engine)
    try:
        if container is None:
            return read_host_files(root)
        return read_resolver_files(own=stacks.roots[container], engine=root, process=stacks.facts[container])
    finally:
        if isinstance(root, Root):
            root.close()


def host_root(engine: EngineView) -> Root | Refusal:
    """Open the root the engine's own files lie below: that of the process behind its socket, not always ours."""
    pid = engine.peer_pid()
    if pid is None:
        return own_root()
    root = open_root(pid)
    # As for its namespace: the pid may be another pid namespace's.
    return own_root() if isinstance(root, Refusal) and root.gone else root


def _order(files: ResolverFiles) -> tuple[tuple[Service, ...], str]:
    """Return the order of the mechanisms, and what says so."""
    if files.libc is Libc.MUSL:
        return FILES_THEN_DNS, say("musl: always /etc/hosts, then DNS")
    found = read_nsswitch(files.nsswitch.text) if files.nsswitch.text is not None else None
    if found is not None:
        return found, f"{files.nsswitch.path}, hosts:"
    missing = files.nsswitch.why or say("it has no line for hosts")
    return FILES_THEN_DNS, say(
        "assumed, as glibc 2.35 and later do: {path}: {why}", path=files.nsswitch.path, why=missing
    )


def _upstreams(engine: EngineView, stacks: Stacks, source: Party) -> tuple[Upstream, ...]:
    """Say where the embedded DNS forwards to where its file does not: the container's own servers, else the host's."""
    fact = stacks.facts.get(source.container or "")
    if fact is None or source.sandbox == HOST:
        return ()
    if fact.dns_servers:
        return tuple(Upstream(each) for each in fact.dns_servers)
    text = resolver_files(engine, stacks, None).resolv_conf.text
    return tuple(Upstream(each) for each in read_resolv_conf(text or "").addresses)


def _rules(stacks: Stacks, source: Party) -> tuple[tuple[TranslationRule, ...], str | None]:
    namespace = stacks.namespaces.get(source.sandbox) if source.sandbox else None
    if namespace is None or source.sandbox == HOST:
        return (), None
    try:
        return netns.enter(namespace.fd, read_nat_rules), None
    except PrivilegeError:
        # The lookup goes on: which rule turned a query aside is an extra, and CAP_NET_ADMIN a capability more.
        return (), "CAP_NET_ADMIN is missing"
    except InspectorError as error:
        return (), str(error)
    except OSError as error:
        return (), error.strerror or str(error)
