"""Console blocks of a document: the commands in them, what they print, and what the document says they print.

A block begins with three backticks and `console`; a line `$ command` is run, the lines under it are its output, stdout
and stderr together. `python -m tests.support.console_blocks README.md` runs the blocks and writes what they print.
Next: `tests/integration/test_readme.py`, which keeps the document true.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What make itself runs, once the environment is there.
SPELLED_OUT = {"make demo": "loanbook demo --loans 1000 --seed 20260101"}
NOT_RUN = frozenset({"make test"})

# What differs from run to run or from machine to machine.
VARYING = (
    (re.compile(r"\b[0-9a-f]{16,}\b"), "HASH"),
    (re.compile(r"Started PostgreSQL [\d.]+ \(.*?\)"), "Started PostgreSQL VERSION (FOLDER)"),
    (re.compile(r"Took \d+ s"), "Took SECONDS s"),
)


@dataclass(frozen=True)
class Step:
    """A command of a block and the output under it."""

    command: str
    output: str


def steps_of(block: str) -> list[Step]:
    """Return the commands of a block, each with its output."""
    steps: list[Step] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append(Step(line[2:].rstrip("\n"), ""))
        else:
            steps[-1] = Step(steps[-1].command, steps[-1].output + line)
    return steps


def blocks_of(text: str) -> list[list[Step]]:
    """Return the console blocks of a document."""
    return [steps_of(match[1]) for match in FENCE.finditer(text)]


def run_step(step: Step, folder: Path) -> str:
    """Run a command in a folder whose state is its own, and return what it printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LOANBOOK_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LOANBOOK_ACTOR": "ann",
        "LOANBOOK_STATE_DIR": str(folder / "state"),
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", SPELLED_OUT.get(step.command, step.command)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def stop_server(folder: Path) -> None:
    """Stop the embedded server of a folder, if the blocks started one."""
    run_step(Step("loanbook db stop", ""), folder)


def normalized(output: str) -> str:
    """Return an output with what varies masked, and without blanks at the ends of lines."""
    for pattern, mask in VARYING:
        output = pattern.sub(mask, output)
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")


def rewrite(document: Path) -> None:
    """Run every block of a document and write what it printed into it."""

    def fresh(match: re.Match[str]) -> str:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)
            text = "".join(f"$ {step.command}\n{_kept(step, folder)}" for step in steps_of(match[1]))
            stop_server(folder)
        return f"```console\n{text}```"

    document.write_text(FENCE.sub(fresh, document.read_text(encoding="utf-8")), encoding="utf-8")


def _kept(step: Step, folder: Path) -> str:
    if step.command in NOT_RUN:
        return step.output
    lines = (line.rstrip() for line in run_step(step, folder).splitlines())
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(ROOT / name)
