"""The command line says what it can, and the documents say the same."""

import subprocess
import sys
from pathlib import Path

import cli_page
import pytest

from inspector.cli.main import COMMANDS


def test_the_page_is_what_help_says() -> None:
    written = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    assert cli_page.page() == written, "run `make docs`"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_a_page(name: str) -> None:
    assert name in {page.split(" ")[0] for page in cli_page.PAGES}


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nsys.argv = ['dnetsniff', '--help']\nimport inspector.cli.main as command\n"
        "command.leave = lambda status: print(sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)\n"
        "command.main()"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True)
    assert "'click'" in done.stderr
    for heavy in ("'scapy'", "'docker'", "'pyroute2'", "'rich'"):
        assert heavy not in done.stderr
