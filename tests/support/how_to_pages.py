"""Pages on applications with what their commands print, each at a lender of its own, who knows Ann and Ben.

`python -m tests.support.how_to_pages` runs the commands and writes what they print into the pages.
Next: `tests/integration/cli/test_how_to_pages.py`, which keeps them true.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from api.cli.main import main
from ledger.db import create_engine
from ledger.unit_of_work import UnitOfWork, run
from origination.commands import submit_application
from origination.policies.document import shipped_text
from tests.integration.cli.conftest import environment
from tests.integration.origination.test_funding import request
from tests.support.applications import BY_HAND, KEY
from tests.support.console_blocks import FENCE, ROOT, normalized, steps_of
from tests.support.database import Database, create_template, fresh_database
from tests.support.known_people import asked_by, write_sources
from tests.support.servers import scratch_server
from tests.support.workflows import SIDE_BY_SIDE

PAGES = tuple(ROOT / "docs" / "how-to" / name for name in ("workflows.md", "funding.md"))
BROKEN = SIDE_BY_SIDE.replace('role = "funder"', 'role = "king"').replace('to = "expired" }', 'to = "gone" }')
RULES = """\
product = "installment"

[groups]
closers = ["dan", "eve"]
managers = ["mia", "omar"]

[[approvals]]
up_to = "10000.00"
needs = [{ group = "closers" }]

[[approvals]]
needs = [{ group = "closers" }, { group = "managers" }]

[[conditions]]
name = "note-signed"
title = "The promissory note is signed"
evidence = "the signed note, by its number or place"

[[conditions]]
name = "insurance"
title = "The car is insured"
evidence = "the policy, by its number"
waived_by = "managers"

[rescission]
days = 3
holds_disbursement = true
"""
PAYOUTS = """\
[
    {"payee": "Lakeside Motors", "rail": "ach", "amount": "9000.00", "routing": "021000021", "account_number": "44556"},
    {"payee": "Ann Ann", "rail": "check", "amount": "2880.00"}
]
"""
BEFORE = (
    "init --opened-on 2026-01-05",
    "verification sources load sources.toml",
    "policy load personal.toml",
    'policy activate personal --reason "The first" --approver chief',
    "policy authority authority.toml --approver chief",
)
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\dZ")
_HASH = re.compile(r"\b[0-9a-f]{12}\b")


def enter(database: Database, *names: str) -> list[str]:
    """Let ann enter applications, and return their ids."""
    engine = create_engine(database.app_url)

    def work(uow: UnitOfWork) -> list[str]:
        return [str(submit_application(uow, "main", request(name))) for name in names]

    ids = run(engine, work, actor="ann")
    engine.dispose()
    return ids


def printed(database: Database, folder: Path) -> Callable[[str], str]:
    """Return what prints a command's output where a lender is at work: a book, sources, a policy, limits of authority.

    The folder holds what Ben and Ann apply with, a workflow that is broken, and what the page on fundings loads.
    """
    written = {"broken.toml": BROKEN, "rules.toml": RULES, "by_hand.toml": BY_HAND, "payouts.json": PAYOUTS}
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_sources(folder)
    for name in ("ben", "ann"):
        (folder / f"{name}.json").write_text(json.dumps(asked_by(name)), encoding="utf-8")
    for name in ("personal.toml", "authority.toml"):
        (folder / name).write_text(shipped_text(name), encoding="utf-8")
    runner = CliRunner(env={**environment(database), "LOANBOOK_BANK_ACCOUNT_KEYS": KEY})

    def output(command: str) -> str:
        typed, _, file = command.partition(" > ")
        with chdir(folder):
            shown = runner.invoke(main, shlex.split(typed)[1:]).output
            if file:
                Path(file).write_text(shown, encoding="utf-8")
        return "" if file else shown

    for command in BEFORE:
        output(f"loanbook {command}")
    return output


def masked(text: str) -> str:
    """Return text without what is another at each run: moments and hashes, and the blanks that they take."""
    text = _HASH.sub("HASH", _MOMENT.sub("MOMENT", normalized(text)))
    return re.sub(r" {2,}", "  ", re.sub("\N{BOX DRAWINGS LIGHT HORIZONTAL}+", "-", text))


def rewritten(page: str, output: Callable[[str], str]) -> str:
    """Return a page with what its commands print."""

    def fresh(match: re.Match[str]) -> str:
        steps = (f"$ {step.command}\n{_lines(output(step.command))}" for step in steps_of(match[1]))
        return f"```console\n{''.join(steps)}```"

    return FENCE.sub(fresh, page)


def _lines(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


if __name__ == "__main__":
    with scratch_server(durable=False) as server:
        url = server.url_for("postgres")
        create_template(url)
        for page in PAGES:
            with fresh_database(url) as database, TemporaryDirectory() as name:
                found = rewritten(page.read_text(encoding="utf-8"), printed(database, Path(name)))
            page.write_text(found, encoding="utf-8")
