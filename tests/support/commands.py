"""The commands a user types, for tests that type them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import screens
from msgspec import Struct
from session_tag import session

PROGRAM = [sys.executable, "-P", "-c", "from inspector.cli.main import main; main()"]


class Ran(Struct, frozen=True):
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def dnetsniff(*words: str, **options: Any) -> Ran:
    """Run the command as a user would, in a process of its own."""
    options = {"timeout": 60, **options}
    ran = _ran(words, options)
    if screens.wanted(words):
        screens.keep(words, ran.out, lambda *plain: _ran(plain, options).out)
    return ran


def _ran(words: Sequence[str], options: dict[str, Any]) -> Ran:
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False, **options)
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


FULL = "dnetsniff: cannot write the output: No space left on device\n"


def ran_into(output: Any, *words: str, **streams: Any) -> "subprocess.CompletedProcess[str]":
    """Run the command with this as its standard output."""
    streams = {"stderr": subprocess.PIPE, **streams}
    return subprocess.run([*PROGRAM, *words], stdout=output, text=True, check=False, timeout=60, **streams)


TESTS_LABEL = "dnetsniff.tests"
MAKES = (("run",), ("create",), ("network", "create"))


def docker(*words: str) -> str:
    """Run the docker command line, which must succeed; what it makes has the label of the tests."""
    for verb in MAKES:
        if words[: len(verb)] == verb:
            words = (*verb, "--label", f"{TESTS_LABEL}={session().tag}", *words[len(verb) :])
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
