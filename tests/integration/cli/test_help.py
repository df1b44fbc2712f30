"""Every command teaches: help with an example, and the same options everywhere."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from api.cli.main import COMMANDS, main

CHANGING = frozenset(
    {
        "accelerate",
        "account close",
        "account open",
        "account load",
        "account rename",
        "account reopen",
        "ach build",
        "ach resolve",
        "ach reverse",
        "ach take",
        "allowance load",
        "application erase",
        "application form load",
        "application load",
        "application routing load",
        "application save",
        "application submit",
        "application withdraw",
        "autopay",
        "bank-account add",
        "bank-account correct",
        "bank-account rotate",
        "board",
        "chargeback",
        "sell",
        "refinance",
        "buy-back",
        "flag",
        "charge-off",
        "charge-off-reversal",
        "collections allow",
        "collections assign",
        "collections cease",
        "collections contact",
        "collections policy",
        "collections promise",
        "recovery",
        "non-accrual",
        "return-to-accrual",
        "close run",
        "credit",
        "day advance",
        "decision run",
        "decision underwrite",
        "delinquency pause",
        "delinquency resume",
        "draw",
        "end-agreement",
        "entry reverse",
        "bank confirm",
        "bank import",
        "bank match",
        "bank undo",
        "export acknowledge",
        "export mapping",
        "export next",
        "export reject",
        "export write",
        "gl assign",
        "gl import",
        "gl resolve",
        "gl sign-off",
        "fee",
        "index load",
        "init",
        "instruction batch",
        "instruction cancel",
        "instruction charge-due",
        "instruction return",
        "instruction schedule",
        "instruction send",
        "instruction settle",
        "instruction settle-due",
        "loan board",
        "loan pay",
        "loan return",
        "loan reverse",
        "mandate end",
        "mandate give",
        "migrate",
        "modify",
        "payoff pay",
        "payoff quote",
        "offer make",
        "offer accept",
        "funding policy",
        "funding approve",
        "funding condition",
        "funding fund",
        "funding cancel",
        "document make",
        "period close",
        "period lift",
        "period open",
        "period reopen",
        "period soft-close",
        "period year-end",
        "policy activate",
        "policy authority",
        "policy load",
        "post approve",
        "post new",
        "post reject",
        "product load",
        "rate follow",
        "rate reset",
        "refund",
        "run-day",
        "seal",
        "settle",
        "settlement",
        "task claim",
        "task complete",
        "task reassign",
        "task release",
        "trial-plan",
        "verification record",
        "verification run-due",
        "verification sources load",
        "waive",
        "workflow activate",
        "workflow cancel",
        "workflow load",
        "workflow outcome",
        "workflow recompute",
        "workflow retry",
        "workflow signal",
        "workflow start",
        "workflow tick",
        "write-off",
    }
)


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, with its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


LEAVES = dict(leaves(main))


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split(), "--help"])

    assert result.exit_code == 0
    assert "\n  loanbook " in result.stdout or "loanbook db url" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_every_command_that_changes_the_books_can_be_tried(name: str) -> None:
    options = {option for parameter in LEAVES[name].params for option in parameter.opts}

    assert {"--dry-run", "--actor"} <= options


def test_no_other_command_offers_a_dry_run() -> None:
    offering = {
        name for name, command in LEAVES.items() if any("--dry-run" in parameter.opts for parameter in command.params)
    }

    assert offering == CHANGING


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_one_says_of_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name
    assert command.help is not None


def test_help_is_quick_because_it_loads_nothing_heavy() -> None:
    heavy = ("sqlalchemy", "pydantic", "flask", "rich", "psycopg", "alembic")
    script = (
        "import sys\nfrom api.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started

    assert done.stdout.splitlines()[-1] == "[]"
    assert seconds < 5, "half a second on an idle machine"


def test_no_abbreviation_no_case_folding_of_commands() -> None:
    assert CliRunner().invoke(main, ["trial"]).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["trial-balance", "--nope"],
        ["trial-balance", "--as-of", "31.3.2026"],
        ["trial-balance", "--as-of", "20260331"],
        ["entry", "one", "two"],
        ["entry"],
        ["period", "close", "2026-13"],
        ["post"],
        ["journal", "--limit", "0"],
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_exit_code_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert result.stdout == "" or arguments in (["entry"], ["post"])
    if arguments not in (["entry"], ["post"]):
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("error: ")


def test_bad_usage_is_an_error_object_for_programs() -> None:
    result = CliRunner().invoke(main, ["trial-balance", "--nope", "--json"])

    assert result.exit_code == 2
    assert '"code": "usage"' in result.stderr
    assert len(result.stderr.splitlines()) == 1
