"""Queries are counted over the lookup, and a question that is repeated says which time it is."""

from inspector.model.dns import Transport
from inspector.plan.numbering import Numbering


def test_queries_and_attempts_are_counted() -> None:
    numbering = Numbering((7, 8, 9))
    sock = numbering.socket()
    asked = [("A", Transport.UDP), ("AAAA", Transport.UDP), ("A", Transport.UDP), ("A", Transport.TCP)]
    made = [numbering.query("web", kind, "10.0.0.1", transport, sock) for kind, transport in asked]
    assert [each.number for each in made] == [1, 2, 3, 4]
    assert [each.attempt for each in made] == [1, 1, 2, 1]
    assert [each.identifier for each in made] == [7, 8, 9, 7]
    assert {each.socket for each in made} == {1}


def test_another_server_is_a_first_attempt() -> None:
    numbering = Numbering((7,))
    made = [numbering.query("web", "A", server, Transport.UDP, numbering.socket()) for server in ("::1", "::2", "::1")]
    assert [each.attempt for each in made] == [1, 1, 2]
    assert [each.socket for each in made] == [1, 2, 3]
