"""Many runs of the command, each in a fork of one process that has loaded what they need: some 30 ms instead of 300."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from commands import Ran

CPU_S = 30
"""What a run may work before the kernel ends it: it would have to be mended."""
SERVER = f"""
import json, os, resource, sys
from inspector.cli import explain
from inspector.cli.main import main
from inspector.pipeline import THINKING, THINKING_ABOUT_CAPTURES
from inspector.loading import load
load(*THINKING, *THINKING_ABOUT_CAPTURES)
import inspector.render.report_json, inspector.render.report_text, inspector.render.capture_text
for line in sys.stdin:
    words, out, err = json.loads(line)
    pid = os.fork()
    if pid == 0:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        resource.setrlimit(resource.RLIMIT_CPU, ({CPU_S}, {CPU_S}))
        sys.argv = ["dnetsniff", *words]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Forking:
    """Runs commands; what they write goes through files in this folder."""

    def __init__(self, folder: Path) -> None:
        """Load everything once."""
        self._out, self._err = folder / "out", folder / "err"
        self._server: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        """Have it until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()

    def run(self, *words: Any) -> Ran:
        """Run a command to its end."""
        assert self._server.stdin
        assert self._server.stdout
        asked = [[str(each) for each in words], str(self._out), str(self._err)]
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return Ran(status, *(each.read_text("utf-8", "surrogateescape") for each in (self._out, self._err)))
