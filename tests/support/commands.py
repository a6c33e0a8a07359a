"""The commands a user types, for tests that type them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def dnetsniff(*words: str, **options: Any) -> Ran:
    """Run the command as a user would, in a process of its own."""
    program = [sys.executable, "-P", "-c", "from inspector.cli.main import main; main()"]
    options = {"timeout": 60, **options}
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False, **options)
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


def docker(*words: str) -> str:
    """Run the docker command line, which must succeed."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
