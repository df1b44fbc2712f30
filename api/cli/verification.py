"""`loanbook verification`: sources loaded and shown, applicants verified, and what came of it.

Next: `api/verification.py`; `docs/how-to/applications.md`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from api.cli.applications import vault_of
from api.cli.default_group import DefaultGroup
from api.cli.options import changes, reads, reads_as
from api.cli.output import Column, amount, print_line, print_table, shown
from api.cli.session import Session

KINDS = ("identity", "credit_report", "bank_data", "income", "fraud")
LIST = (
    Column("verification_no", "No", right=True),
    Column("kind", "Kind"),
    Column("outcome", "Outcome"),
    Column("source", "Source"),
    Column("tries", "Tries", right=True),
    Column("latency_ms", "ms", right=True),
    amount("cost", "Cost"),
    Column("facts", "Facts", long=True),
)
ATTEMPTS = (
    Column("verification_no", "No", right=True),
    Column("attempt_no", "Attempt", right=True),
    Column("source", "Source"),
    Column("status", "Status"),
    Column("http_status", "HTTP", right=True),
    Column("latency_ms", "ms", right=True),
    Column("detail", "Detail", long=True),
)
SOURCES = (
    Column("name", "Source"),
    Column("kind", "Kind"),
    Column("type", "Type"),
    Column("priority", "Priority", right=True),
    Column("release", "Release", right=True),
    Column("breaker", "Breaker"),
    Column("failures", "Failures", right=True),
)
FACTS = (Column("section", "Section"), Column("fact", "Fact"), Column("value", "Value"))


@click.group()
def verification() -> None:
    """Ask sources about applicants, and keep what came of it.

    \b
    loanbook verification sources load bureau.toml
    loanbook verification run 51
    loanbook verification run-due
    loanbook verification list 51
    loanbook verification facts 51
    """


@verification.command("run")
@click.argument("application_id", type=int)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="What to verify [default: the form's].")
@click.option("--again", is_flag=True, help="Ask anew what is known already.")
@reads_as
def run(session: Session, application_id: int, kinds: tuple[str, ...], again: bool) -> int:
    """Verify an applicant, kind by kind; what is known already is not asked anew.

    A source that fails is tried again, with growing pauses, and left alone for a while when it has failed too often.
    Where none answers, people must look: run it again later, or use `record`. The exit code is 1 then.

    \b
    loanbook verification run 51
    loanbook verification run 51 --kind credit_report --again
    """
    from api.verification import verification_json, verify

    done = verify(
        session.edge,
        vault_of(session),
        session.book_code,
        application_id,
        actor=session.actor,
        environment=os.environ,
        kinds=kinds,
        again=again,
    )
    rows = [verification_json(each) for each in done]
    session.show({"application_id": application_id, "verifications": rows}, lambda: _print(rows))
    return 1 if any(each["outcome"] == "manual_review" for each in rows) else 0


@verification.command("run-due")
@changes
def run_due(session: Session) -> int:
    """Verify what is outstanding of every application that waits for a decision; run it as often as you like.

    What no source has answered is left for people, and asked again by the next run. The exit code is 1 then.

    \b
    loanbook verification run-due --dry-run
    loanbook verification run-due
    """
    from functools import partial

    from api.cli.progress import progress
    from api.verification import verify_due

    keys, code = vault_of(session), session.book_code
    with progress("Verifying", quiet=session.as_json) as advance:
        report = verify_due(
            session.edge,
            keys,
            code,
            actor=session.actor,
            environment=os.environ,
            dry_run=session.dry_run,
            on_progress=partial(advance, total=0),
        )
    document = {
        "looked_at": report.looked_at,
        "asked": report.asked,
        "completed": report.completed,
        "for_people": [{"application_id": number, "kind": kind} for number, kind in report.for_people],
    }
    text = f"{report.looked_at:,} applications wait; {report.asked:,} verifications to ask"
    if not session.dry_run:
        text += f"; {report.completed:,} completed; {len(report.for_people):,} for people to look at"
    session.show(document, lambda: print_line(text))
    return 1 if report.for_people else 0


@verification.command("list")
@click.argument("application_id", type=int)
@reads
def list_verifications(session: Session, application_id: int) -> None:
    """List the verifications of an application, and every attempt that was made.

    \b
    loanbook verification list 51
    """
    from api.verification import verification_json
    from origination.verification_queries import verifications

    code = session.book_code
    found = session.read(lambda connection: verifications(connection, code, application_id))
    rows = [verification_json(each) for each in found]

    def people() -> None:
        _print(rows)
        tries = [{**each, "verification_no": row["verification_no"]} for row in rows for each in row["attempts"]]
        print_table(ATTEMPTS, tries, title="Attempts")

    session.show({"application_id": application_id, "verifications": rows}, people)


@verification.command("facts")
@click.argument("application_id", type=int)
@reads
def facts(session: Session, application_id: int) -> None:
    """Show the facts that decisions about an application read, section by section; none of them is personal.

    Amounts are whole minor units, as decisions read them.

    \b
    loanbook verification facts 51 --json
    """
    from origination.verification_queries import sources_of

    found = session.read(lambda connection: sources_of(connection, application_id))
    rows = [
        {"section": section, "fact": name, "value": shown(value)}
        for section, values in found.items()
        for name, value in values.items()
    ]
    session.show({"application_id": application_id, **found}, lambda: print_table(FACTS, rows))


@verification.command("record")
@click.argument("application_id", type=int)
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--fact", "given", metavar="NAME=VALUE", multiple=True, required=True, help="A fact; amounts in cents.")
@click.option("--reason", required=True, help="How it was found out.")
@changes
def record(session: Session, application_id: int, kind: str, given: tuple[str, ...], reason: str) -> None:
    """Write down facts that a person has found out, in the place of a source that did not answer.

    \b
    loanbook verification record 51 --kind income --fact annual=6000000 --fact employment_months=40 \\
        --reason "Two pay slips"
    """
    from api.verification import verification_json
    from origination.verification_commands import record_by_hand

    code, found = session.book_code, _facts(given)
    done = session.change(lambda uow: record_by_hand(uow, code, application_id, kind, found, reason=reason))
    row = verification_json(done)
    session.show(row, lambda: _print([row]))


@verification.group("sources", cls=DefaultGroup, default="list", bare=True)
def sources() -> None:
    """Load the sources that are asked, and show how they do.

    \b
    loanbook verification sources load bureau.toml
    loanbook verification sources list
    """


@sources.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def load(session: Session, file: Path) -> None:
    """Let sources be asked as a TOML file declares them; the same ones again change nothing.

    \b
    loanbook verification sources load bureau.toml --dry-run
    """
    from api.applications import release_json
    from api.cli.files import read_text
    from ledger.unit_of_work import UnitOfWork
    from origination.verification.source import read_sources
    from origination.verification_commands import load_source

    found = read_sources(read_text(file))

    def work(uow: UnitOfWork) -> list[dict[str, Any]]:
        loaded = [(each, *load_source(uow, each)) for each in found]
        return [release_json(each.name, release, is_new=is_new) for each, release, is_new in loaded]

    done = session.change(work)

    def people() -> None:
        for each in done:
            how = "is loaded" if each["is_new"] else "was loaded before: nothing changed"
            print_line(f"Source {each['name']}, release {each['release']}, {how}.")

    session.show({"sources": done}, people)


@sources.command("list")
@reads
def list_sources(session: Session) -> None:
    """List the sources in force, in the order in which they are asked, and where their breakers stand.

    \b
    loanbook verification sources list
    """
    from datetime import UTC, datetime

    from api.verification import source_json
    from origination.verification_queries import source_views

    now = datetime.now(UTC)
    rows = [source_json(each) for each in session.read(lambda connection: source_views(connection, now))]
    session.show({"sources": rows}, lambda: print_table(SOURCES, rows))


def _facts(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        name, sign, text = each.partition("=")
        if not sign:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--fact")
        whole = text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()
        found[name] = int(text) if whole else {"true": True, "false": False}.get(text, text)
    return found


def _print(rows: Sequence[Mapping[str, Any]]) -> None:
    from ledger.currencies import amount_text

    table = []
    for row in rows:
        tries = row["attempts"]
        currency = tries[0]["currency"] if tries else "USD"
        table.append(
            {
                **row,
                "source": row["source"] or "",
                "tries": len(tries),
                "latency_ms": sum(each["latency_ms"] for each in tries),
                "cost": amount_text(row["cost"], currency),
                "facts": ", ".join(f"{name} {shown(value)}" for name, value in row["facts"].items()) or row["reason"],
            }
        )
    print_table(LIST, table)
