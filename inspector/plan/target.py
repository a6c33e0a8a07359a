"""Understand a destination as it was typed: `tomcat02`, `tomcat02:8080`, `[fd00::2]:53/udp`. Pure.

1. A port makes the probe TCP; `/udp` behind it makes it UDP.
2. What is an IPv6 address as a whole is one: `fd00::2:80` has no port, `[fd00::2]:80` has (RFC 3986, 3.2.2).
3. Container and host names hold no colon, so a single one stands before a port.
"""

from ipaddress import ip_address

from msgspec import Struct

from inspector.errors import UsageError
from inspector.model.question import MOST_CONNECTIONS, PORTS, Protocol, Question

_HINT = "write NAME:PORT, NAME:PORT/udp or [IPV6]:PORT"


class Target(Struct, frozen=True):
    """Who is asked, and how."""

    destination: str
    protocol: Protocol = Protocol.ICMP
    port: int | None = None


def read_target(word: str) -> Target:
    """Return what the word means. Raises UsageError where it means nothing, or could mean two things."""
    where, slash, protocol = word.rpartition("/") if "/" in word else (word, "", "")
    if slash and protocol not in {Protocol.TCP, Protocol.UDP}:
        raise UsageError(f"{word!r} asks for the protocol {protocol!r}", "it can be tcp or udp")
    destination, port = _divided(word, where, wants_port=bool(slash))
    if port is None:
        return Target(destination)
    return Target(destination, Protocol(protocol or Protocol.TCP), port)


def words_of(question: Question) -> tuple[str, ...]:
    """Return what has to be looked into: both ends, and who publishes the port (`8080/tcp`, as docker writes it)."""
    published = (f"{question.port}/{question.protocol}",) if question.port else ()
    return (question.source, question.destination, *published)


def refuse_odd(question: Question, *, size_given: bool) -> None:
    """Raise UsageError for what a probe of this protocol cannot be."""
    if question.port is None:
        return
    if question.protocol is Protocol.TCP and size_given:
        raise UsageError("a TCP probe opens a connection and carries no payload", "leave --size out, or probe by UDP")
    if question.count > MOST_CONNECTIONS:
        raise UsageError(
            f"{question.count} probes are too many for {question.protocol.upper()}",
            f"at most {MOST_CONNECTIONS}: each takes a port of the source's",
        )


def _divided(word: str, where: str, *, wants_port: bool) -> tuple[str, int | None]:
    if where.startswith("["):
        return _bracketed(word, where, wants_port=wants_port)
    if _is_address(where) and ":" in where:
        if wants_port:
            raise UsageError(f"{word!r} could mean an address with or without a port", "write [IPV6]:PORT/udp")
        return where, None
    destination, colon, port = where.partition(":")
    if ":" in port:
        raise UsageError(f"{word!r} is no IPv6 address, and no name has more than one colon", _HINT)
    if not colon:
        if wants_port:
            raise UsageError(f"{word!r} names a protocol and no port", _HINT)
        return where, None
    if not destination:
        raise UsageError(f"{word!r} names a port and nobody to ask", _HINT)
    return destination, _port(word, port)


def _bracketed(word: str, where: str, *, wants_port: bool) -> tuple[str, int | None]:
    address, bracket, rest = where[1:].partition("]")
    if not bracket or not _is_address(address) or ":" not in address:
        raise UsageError(f"{word!r} has no IPv6 address in its brackets", "write it like [fd00::2]:80")
    if not rest and not wants_port:
        return address, None
    if not rest.startswith(":"):
        raise UsageError(f"{word!r} has no port behind its brackets", "write it like [fd00::2]:80")
    return address, _port(word, rest[1:])


def _port(word: str, text: str) -> int:
    least, most = PORTS
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else 0
    if not least <= port <= most:
        raise UsageError(f"{text!r} in {word!r} is no port", f"a port is a number from {least} to {most}")
    return port


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
