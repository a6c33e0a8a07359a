"""Names of types and response codes, there and back."""

import pytest

from inspector.wire.dns_words import rcode_name, type_name, type_number


@pytest.mark.parametrize("number", [1, 2, 5, 6, 12, 15, 16, 28, 33, 255, 0, 3, 65280, 0xFFFF])
def test_a_type_is_found_by_its_name(number: int) -> None:
    assert type_number(type_name(number)) == number
    assert type_number(type_name(number).lower()) == number


@pytest.mark.parametrize("name", ["", "AA", "TYPE", "TYPE-1", "TYPE65536", "TYPE1x", "TYPE²", "TYPE" + "9" * 5000, "1"])
def test_no_type_is_called_so(name: str) -> None:
    assert type_number(name) is None


def test_unknown_numbers_keep_their_number() -> None:
    assert (type_name(1), type_name(65280)) == ("A", "TYPE65280")
    assert (rcode_name(0), rcode_name(3), rcode_name(10), rcode_name(11)) == (
        "NOERROR",
        "NXDOMAIN",
        "NOTZONE",
        "RCODE11",
    )
