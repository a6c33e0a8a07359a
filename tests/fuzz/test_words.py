"""What is typed, and what a container's files make of it: a plan, or a sentence that says what is wrong with it."""

from functools import cache
from typing import Any

import click
import pytest
from fuzzing import FOLDERS, LONG
from hostile import HOSTILE, obeyed
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import archive
from inspector.cli.capture import Size
from inspector.errors import InspectorError, UsageError
from inspector.model.lookup import FILES_THEN_DNS, Libc, ResolverSetup
from inspector.model.question import Question
from inspector.plan.capture_points import find, looked_into, points_of
from inspector.plan.lookup import lookup_program, plan_lookup
from inspector.plan.make import make_plan
from inspector.plan.parties import find_source, is_a_name
from inspector.plan.target import read_target
from inspector.wire.dns_name import printable_name
from inspector.wire.packet_filter import compile_filter
from inspector.wire.resolver_files import read_hosts, read_nsswitch, read_resolv_conf

EXAMPLES = settings(max_examples=250 if LONG else 50)
WORDS = ["tomcat01", "tomcat02", "host", "gateway", "10.0.0.1", "::1", "fe80::1%eth0", "[fd00::2]", "localhost", "."]
PIECES = [":80", "/udp", "/tcp", ":", "%", "[", "]", "0", ":99999", "..", "a" * 64, "a." * 130, "xn--", "ß", "\u0130"]
WORD = st.lists(st.sampled_from([*WORDS, *PIECES, *HOSTILE]) | st.text(max_size=5), max_size=4).map("".join)
LINES = st.lists(
    st.tuples(
        st.sampled_from(
            ["nameserver ", "search ", "domain ", "options ", "# ExtServers: [", "hosts: ", "10.0.0.1 ", ""]
        ),
        WORD
        | st.sampled_from(["ndots:99999999999", "timeout:-1", "attempts:\u0663", "rotate", "files [NOTFOUND=return"]),
        st.sampled_from(["", " ", "]", " b"]),
    ).map("".join),
    max_size=6,
).map("\n".join)


@cache
def topology() -> Any:
    return archive.load(FOLDERS[-1]).topology


def refused(read: Any, *given_words: Any) -> Any:
    """Return what comes of it; None where it is refused in a sentence that a terminal shows as it is."""
    try:
        return read(*given_words)
    except (InspectorError, click.UsageError) as error:
        told = str(error) if isinstance(error, InspectorError) else error.format_message()
        assert obeyed(told) == ""
        return None


@EXAMPLES
@given(WORD, WORD)
def test_any_two_ends_make_a_plan_or_a_sentence(source: str, destination: str) -> None:
    target = refused(read_target, destination)
    if target is None:
        return
    question = Question(
        source, printable_name(target.destination), protocol=target.protocol, port=target.port, look_up=False
    )
    refused(make_plan, topology(), question)
    refused(make_plan, topology(), Question("tomcat01", question.destination, look_up=False))
    refused(is_a_name, topology(), question)


@EXAMPLES
@given(st.lists(WORD, min_size=1, max_size=3), st.booleans())
def test_any_targets_of_a_capture_are_points_or_a_sentence(words: list[str], passive: bool) -> None:  # noqa: FBT001
    known = topology()
    wanted = refused(find, words, known.containers, known.networks)
    if wanted is not None:
        looked_into(wanted, known.containers, known.networks)
        points_of(known, wanted, passive=passive)


@st.composite
def setups(draw: st.DrawFn) -> ResolverSetup:
    """Draw what a source's resolver goes by, as three files say it."""
    libc = draw(st.sampled_from(Libc))
    nameservers = read_resolv_conf(draw(LINES), libc=libc, hostname=draw(WORD)[:64])
    services = read_nsswitch(draw(LINES))
    return ResolverSetup(
        libc,
        "",
        services=FILES_THEN_DNS if services is None else services,
        hosts=read_hosts(draw(LINES)),
        nameservers=nameservers,
        upstreams=nameservers.forwards_to,
    )


@EXAMPLES
@given(WORD, setups(), st.sampled_from([("A", "AAAA"), ("MX",), ("\x1b",)]), st.booleans())
def test_any_name_and_any_files_plan_a_lookup_or_a_sentence(
    name: str,
    setup: ResolverSetup,
    types: tuple[str, ...],
    every: bool,  # noqa: FBT001
) -> None:
    source = find_source(topology(), "tomcat01")
    question = Question("tomcat01", printable_name(name), names_only=True, types=types, every=every)
    plan = refused(plan_lookup, topology(), question, source, setup)
    if plan is not None:
        assert len(plan.candidates) <= 8
        lookup_program(plan)


@EXAMPLES
@given(WORD | st.text(st.sampled_from("0123456789kKmMgG .-+\x1b"), max_size=20))
def test_any_size_is_a_number_of_bytes_or_a_sentence(word: str) -> None:
    size = refused(Size().convert, word, None, None)
    assert size is None or size > 0


@EXAMPLES
@given(WORD | st.lists(st.sampled_from(["host", "and", "10.0.0.1", "port", "(", "not", "ether", "\x00"])).map(" ".join))
def test_any_filter_is_a_program_or_a_sentence(expression: str) -> None:
    program = refused(compile_filter, expression, 96)
    assert program is None or len(program) % 8 == 0


def test_a_word_that_means_nothing_is_named_harmlessly() -> None:
    with pytest.raises(UsageError) as caught:
        find_source(topology(), HOSTILE[0])
    assert "\\x1b[2J" in str(caught.value)
