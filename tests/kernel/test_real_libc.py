"""The glibc of this machine asks what the files under tests/plan/lookups say, in a namespace of its own."""

import os
import platform
import sys

import pytest
from lookup_cases import FOLDER, Asked, read_case
from msgspec.structs import replace
from real_libc import CLIENT, measure

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the libc of this machine is another one"),
]


@pytest.mark.parametrize(
    "name",
    [
        "glibc-pair",
        "glibc-search",
        "glibc-no-data-first",
        "glibc-root-in-search-dots",
        "glibc-dns-files",
        "glibc-servfail-in-search",
        "glibc-single-request-reopen",
        "glibc-silent-aaaa",
    ],
)
def test_glibc_asks_what_the_file_says(name: str) -> None:
    path = FOLDER / f"{name}.toml"
    case, found = read_case(path), measure(path, [sys.executable, "-c", CLIENT])
    asked = [Asked(*each) for each in found["queries"]]
    assert [replace(each, at_s=0.0) for each in asked] == [replace(each, at_s=0.0) for each in case.queries]
    assert [each.at_s for each in asked] == pytest.approx([each.at_s for each in case.queries], abs=0.5)
    assert found["over_s"] == pytest.approx(case.expect["over_s"], abs=0.5)
    assert found["error"] == case.expect["error"]
