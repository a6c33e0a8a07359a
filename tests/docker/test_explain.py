"""A live report is given again, byte for byte, by another process without privilege, engine or the same settings."""

import os
from pathlib import Path

import pytest
from capabilities import keep_capabilities
from commands import dnetsniff

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

ELSEWHERE = {
    "TZ": "Asia/Shanghai",
    "LC_ALL": "C",
    "COLUMNS": "200",
    "PYTHONHASHSEED": "7",
    "DOCKER_HOST": "unix:///nowhere.sock",
}


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("trace tomcat01 tomcat02", ()),
        ("trace tomcat01 tomcat02", ("--format", "json")),
        ("trace tomcat01 mynet-tomcat01 -W 0.3 -c 1 -v", ()),
        ("trace tomcat01 mynet-tomcat01 -W 0.3 -c 1", ("--format", "json")),
        ("trace mynet-tomcat01 mynet-tomcat02:9 -c 1 -v", ()),
        ("trace mynet-tomcat01 mynet-tomcat02 -c 1 -q", ()),
        ("resolve tomcat03 tomcat01", ()),
        ("resolve mynet-tomcat01 mynet-tomcat02", ("--format", "json")),
    ],
)
def test_the_report_is_the_live_one(tmp_path: Path, asked: str, form: tuple[str, ...]) -> None:
    live = dnetsniff(*asked.split(), *form, "-w", str(tmp_path / "kept"))
    flags = [each for each in asked.split() if each in {"-v", "-q"}]
    again = dnetsniff(
        "explain",
        str(tmp_path / "kept"),
        *flags,
        *form,
        env={**os.environ, **ELSEWHERE},
        cwd="/",
        preexec_fn=keep_capabilities,
    )
    assert live.out
    assert (again.out, again.status, again.err) == (live.out, live.status, "")
