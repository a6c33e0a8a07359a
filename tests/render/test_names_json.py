"""`resolution` as scripts read it: every kind as it was written down, and the contract's keys."""

import json
from typing import Any

import named
import pytest
from named import UPSTREAM
from named_cases import CASES, FOLDER, as_json, forwarded_by_container, refused, silent_upstream, truncated

from inspector.render.report_json import render_json, to_dict

CONTRACT = {"name", "mechanism", "address", "server", "answers", "queries"}
OF_QUERIES = {"name", "type", "server", "rcode", "elapsed_ns", "seen_at"}


def resolution(case: str) -> dict[str, Any]:
    return to_dict(CASES[case]())["resolution"]


@pytest.mark.parametrize("case", CASES)
def test_the_json_is_the_one_written_down(case: str) -> None:
    assert as_json(CASES[case]()) == (FOLDER / f"{case}.json").read_text()


@pytest.mark.parametrize("case", CASES)
def test_it_keeps_the_contract_and_is_plain(case: str) -> None:
    told = resolution(case)
    assert set(told) >= CONTRACT
    for each in told["queries"]:
        assert set(each) >= OF_QUERIES
        assert (each["elapsed_ns"] is None) == (each["outcome"] != "answered")
        assert (each["why"] is None) == (each["rcode"] is not None)
    text = render_json(CASES[case]())
    assert text.isascii()
    assert json.loads(text)["resolution"] == told


def test_without_a_lookup_the_shape_stays_as_it_was() -> None:
    assert to_dict(named.reported(None))["resolution"] == {
        "name": "tomcat02",
        "mechanism": "engine",
        "address": None,
        "server": None,
        "answers": [],
        "queries": [],
    }


def test_a_query_that_was_not_answered_has_no_rcode_and_a_reason() -> None:
    quiet = to_dict(silent_upstream())["resolution"]["queries"][0]
    assert (quiet["outcome"], quiet["rcode"], quiet["elapsed_ns"], quiet["why"]) == (
        "silent",
        None,
        None,
        "no answer within 5.00 s",
    )
    assert quiet["seen_at"][:2] == ["tomcat01/lo", "tomcat01/eth0"]
    assert quiet["seen_at"][-1] == "host/up0"
    shut = to_dict(refused())["resolution"]["queries"]
    assert [(each["outcome"], each["why"]) for each in shut] == [
        ("refused", "Connection refused"),
        ("refused", "Network is unreachable"),
    ]
    assert shut[1]["seen_at"] == []


def test_legs_have_the_hops_of_paths() -> None:
    first = to_dict(forwarded_by_container())["resolution"]["queries"][0]
    mine, theirs = first["legs"]
    assert (mine["kind"], theirs["kind"], theirs["server"]) == ("asked", "forwarded", UPSTREAM)
    assert [hop["heading"] for hop in mine["question"]] == ["out", "in"], "JSON keeps both sightings on a loopback"
    rewrite = {"field": "destination", "before": "127.0.0.11:53", "after": "127.0.0.11:40720"}
    assert mine["question"][0]["rewrites"] == [rewrite]
    assert first["rule"]["chain"] == "DOCKER_OUTPUT"
    assert theirs["question"][-1]["point"] == "host/up0"
    assert theirs["rcode"] == "NOERROR"
    assert len(theirs["answers"]) == 3


def test_nothing_is_cut() -> None:
    told = to_dict(truncated())["resolution"]
    assert len(told["addresses"]) == len(told["answers"]) == 15
    assert [each["transport"] for each in told["queries"]] == ["udp", "tcp"]
