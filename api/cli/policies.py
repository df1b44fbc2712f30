"""`loanbook policy`: what decides on applications, loaded from TOML or JSON, activated by two people, backtested.

Next: `origination/policy_commands.py`; `origination/policies/document.py` for the keys; `docs/how-to/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import BOOK_DAY, changes, changes_installation, reads
from api.cli.output import Column, print_facts, print_json, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    import sqlalchemy as sa

    from origination.policies.backtest import Backtest
    from origination.policies.engine import Policy

LIST = (
    Column("name", "Policy"),
    Column("in_force", "In force"),
    Column("since", "Since"),
    Column("challenger", "Challenger"),
    Column("versions", "Versions", right=True),
)
VERSIONS = (Column("content_hash", "Version"), Column("actor", "Loaded by"), Column("recorded_at", "At"))
ACTIVATIONS = (
    Column("activation_no", "No", right=True),
    Column("effective_date", "From"),
    Column("champion", "Champion"),
    Column("challenger", "Challenger"),
    Column("challenger_percent", "Share %", right=True),
    Column("actor", "Activated by"),
    Column("approver", "Approved by"),
    Column("reason", "Reason", long=True),
)
COUNTS = (Column("name", "What"), Column("count", "Count", right=True), Column("percent", "%", right=True))
FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def policy() -> None:
    """Load policies, activate them, and see what a version would have decided.

    \b
    loanbook policy check personal_loan.toml
    loanbook policy load personal_loan.toml
    loanbook policy activate personal_loan --reason "First version" --approver carol
    loanbook policy backtest next.toml --against personal_loan
    """


@policy.command("check")
@FILE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a line.")
def check(file: Path, *, as_json: bool) -> None:
    """Check a policy, and name every problem of it; nothing is kept, and no database is needed.

    \b
    loanbook policy check personal_loan.toml --json
    """
    from api.decisions import checked_json

    found = checked_json(_read(file))
    if as_json:
        print_json(found)
        return
    counts = ", ".join(f"{found[name]} {name}" for name in ("facts", "rules", "characteristics", "tables", "prices"))
    print_line(f"{found['name']} holds: {counts}. Version {found['content_hash'][:12]}.")


@policy.command("load")
@FILE
@changes_installation
def load(session: Session, file: Path) -> None:
    """Keep a version of a policy under the hash of its content; it decides nothing until it is activated.

    \b
    loanbook policy load personal_loan.toml
    """
    from api.decisions import loaded_policy_json
    from origination.policy_commands import load_policy

    read = _read(file)
    loaded = session.change(lambda uow: load_policy(uow, read))
    what = "is loaded" if loaded.is_new else "was loaded before: nothing changed"
    session.show(
        loaded_policy_json(loaded),
        lambda: print_line(f"Policy {loaded.name}, version {loaded.content_hash[:12]}, {what}."),
    )


@policy.command("authority")
@FILE
@changes
def authority(session: Session, file: Path) -> None:
    """Put limits of authority in force from a file, with the approval of a second person.

    \b
    loanbook policy authority authority.toml --approver carol
    """
    from api.cli.files import read_text
    from api.decisions import loaded_authority_json
    from origination.policies.authority import read_authority
    from origination.policy_commands import load_authority

    limits = read_authority(read_text(file))
    loaded = session.change(lambda uow: load_authority(uow, limits))
    what = "are in force" if loaded.is_new else "were in force before: nothing changed"
    session.show(
        loaded_authority_json(loaded), lambda: print_line(f"Limits of authority, version {loaded.version}, {what}.")
    )


@policy.command("activate")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it stays in the history.")
@click.option("--on", type=BOOK_DAY, help="From this day on [default: the business date].")
@click.option("--challenger", metavar="VERSION", help="Another version, which decides on a share of applications.")
@click.option("--share", metavar="PERCENT", default="0", help="Which share the challenger has, such as 10 or 2.5.")
@click.option("--shadow", "shadows", metavar="VERSION", multiple=True, help="A version that is run without effect.")
@changes
def activate(
    session: Session,
    version: str,
    reason: str,
    on: date | None,
    challenger: str | None,
    share: str,
    shadows: tuple[str, ...],
) -> None:
    """Let a version decide from a day on, with the approval of a second person.

    A version is the beginning of its hash; a name stands for the version of it that was loaded last.

    \b
    loanbook policy activate personal_loan --reason "First version" --approver carol
    loanbook policy activate 3fa9c1 --challenger 77b0e2 --share 10 --reason "Try wider bands" --approver carol
    """
    from api.decisions import activation_json
    from origination.policy_commands import activate_policy

    share_bp = _hundredths(share)
    done = session.change(
        lambda uow: activate_policy(
            uow,
            session.book_code,
            version,
            reason=reason,
            effective_date=on,
            challenger=challenger,
            challenger_bp=share_bp,
            shadows=shadows,
        )
    )
    document = activation_json(done)
    words = f"Policy {done.name}, version {done.champion[:12]}, decides from {done.effective_date} on."
    session.show(document, lambda: print_line(words))


@policy.command("list")
@reads
def list_policies(session: Session) -> None:
    """List policies, and which version of each is in force.

    \b
    loanbook policy list --json
    """
    from api.decisions import policy_json
    from ledger.queries.accounts import book
    from origination.decision_queries import policy_names, policy_view

    def read(connection: sa.Connection) -> list[dict[str, Any]]:
        today = book(connection, session.book_code).business_date
        return [policy_json(policy_view(connection, name, today)) for name in policy_names(connection)]

    found = session.read(read)
    rows = [
        {
            "name": each["name"],
            "in_force": each["in_force"]["champion"][:12] if each["in_force"] else "none",
            "since": each["in_force"]["effective_date"] if each["in_force"] else None,
            "challenger": _challenger(each["in_force"]),
            "versions": len(each["versions"]),
        }
        for each in found
    ]
    session.show({"policies": found}, lambda: print_table(LIST, rows))


@policy.command("show")
@click.argument("version")
@reads
def show(session: Session, version: str) -> None:
    """Show a policy: its versions and activations, and with --json what the version says.

    \b
    loanbook policy show personal_loan
    loanbook policy show 3fa9c1 --json
    """
    from api.decisions import checked_json, policy_json
    from ledger.queries.accounts import book
    from origination.decision_queries import policy_version, policy_view

    def read(connection: sa.Connection) -> tuple[dict[str, Any], Policy]:
        found = policy_version(connection, version)
        today = book(connection, session.book_code).business_date
        return policy_json(policy_view(connection, found.name, today), found.document), found

    document, found = session.read(read)

    def people() -> None:
        print_facts(checked_json(found))
        print_table(VERSIONS, [_cut(each, "content_hash") for each in document["versions"]])
        rows = [_cut(each, "champion", "challenger") for each in document["activations"]]
        print_table(ACTIVATIONS, rows)

    session.show(document, people)


@policy.command("backtest")
@FILE
@click.option("--facts", type=click.Path(path_type=Path), help="A CSV file of facts, instead of stored decisions.")
@click.option("--against", metavar="VERSION", help="Compare with this version [default: the one in force, if any].")
@click.option("--group-by", metavar="COLUMN", help="Count outcomes by a column of the CSV file as well.")
@reads
def backtest_policy(
    session: Session, file: Path, facts: Path | None, against: str | None, group_by: str | None
) -> None:
    """Run a version over past applications: its approval rate, what changes, and why.

    Past applications are those on which the policy of this name decided, or the rows of a CSV file whose columns are
    named like the facts; its other columns are left alone. With --facts and without --against no database is needed.

    \b
    loanbook policy backtest next.toml
    loanbook policy backtest next.toml --facts applications.csv --group-by loan_status
    """
    from api.cli.files import read_text
    from origination.policies.backtest import backtest, rows_of_csv

    version = _read(file)
    if facts is not None and against is None:
        found = backtest(version, rows_of_csv(read_text(facts)), group_by=group_by)
    else:
        rows = None if facts is None else list(rows_of_csv(read_text(facts)))
        found = session.read(lambda connection: _backtested(connection, session, version, rows, against, group_by))
    document = {"name": version.name, "content_hash": version.content_hash, **found.as_json()}
    session.show(document, lambda: _print_backtest(found))


def _backtested(
    connection: sa.Connection,
    session: Session,
    version: Policy,
    rows: list[dict[str, Any]] | None,
    against: str | None,
    group_by: str | None,
) -> Backtest:
    from ledger.queries.accounts import book
    from origination.decision_queries import past_facts, policy_version, policy_view
    from origination.policies.backtest import backtest

    live = None
    if against is not None:
        live = policy_version(connection, against)
    else:
        today = book(connection, session.book_code).business_date
        in_force = policy_view(connection, version.name, today).in_force
        live = policy_version(connection, in_force.champion) if in_force else None
    cases = (
        rows if rows is not None else [facts for _, facts in past_facts(connection, session.book_code, version.name)]
    )
    return backtest(version, cases, live=live, group_by=group_by)


def _print_backtest(found: Backtest) -> None:
    total = found.applications
    print_table(COUNTS, _counted(found.outcomes, total), title=f"{total} applications")
    if found.live_outcomes is not None:
        print_table(COUNTS, _counted(found.live_outcomes, total), title="The live version")
        changes = {f"{live} is now {now}": count for (live, now), count in found.changes.items()}
        print_table(COUNTS, _counted(changes, total), title="Changes")
    print_table(COUNTS, _counted(found.reasons, total), title="Principal reasons")
    for outcome, counts in found.by_group.items():
        print_table(COUNTS, _counted(counts, found.outcomes[outcome]), title=f"Of those: {outcome}")


def _counted(counts: Mapping[str, int], total: int) -> list[dict[str, Any]]:
    return [
        {"name": name, "count": count, "percent": f"{Decimal(count * 100) / total:.1f}"}
        for name, count in counts.items()
    ]


def _read(file: Path) -> Policy:
    from api.cli.files import read_text
    from origination.policies.engine import read_policy

    return read_policy(read_text(file))


def _hundredths(percent: str) -> int:
    try:
        share = Decimal(percent) * 100
        if share == share.to_integral_value() and 0 <= share <= 10_000:
            return int(share)
    except (InvalidOperation, ValueError):
        pass
    raise click.BadParameter(f"{percent!r} is not a percentage with at most two decimals", param_hint="--share")


def _challenger(in_force: Mapping[str, Any] | None) -> str | None:
    if in_force is None or in_force["challenger"] is None:
        return None
    return f"{in_force['challenger'][:12]} for {in_force['challenger_percent']} %"


def _cut(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**row, **{name: row[name] and row[name][:12] for name in names}}
