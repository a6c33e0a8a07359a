"""An address is named by the function it lies in."""

import pytest

from inspector.capture.kernel_symbols import symbols

TABLE = b"".join(b"ffffffff8100%04x T fun%d\n" % (16 * number, number) for number in range(50)) + (
    b"ffffffffc0000000 t module_fun\t[module]\n"
)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (0xFFFFFFFF81000000, "fun0"),
        (0xFFFFFFFF81000017, "fun1"),
        (0xFFFFFFFF8100031F, "fun49"),
        (0xFFFFFFFFC0000001, "module_fun"),
        (0x10, "0x10"),
    ],
)
def test_the_function_an_address_lies_in(address: int, name: str) -> None:
    assert symbols(lambda: TABLE)(address) == name


@pytest.mark.parametrize(
    "table", [b"", b"0000000000000000 T one\n0000000000000000 T two\n", b"no table at all", b"\n\n\n"]
)
def test_hidden_addresses_and_other_tables_leave_the_number(table: bytes) -> None:
    assert symbols(lambda: table)(0xFFFFFFFF81000017) == "0xffffffff81000017"


def test_a_file_that_may_not_be_read_leaves_the_number() -> None:
    def refuse() -> bytes:
        raise PermissionError

    assert symbols(refuse)(255) == "0xff"
