"""`loanbook audit`: what an auditor asks of the entries of a period, and samples that can be drawn again.

Next: `ledger/queries/entry_tests.py`, `ledger/queries/samples.py`; `docs/how-to/audit.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.entries import JOURNAL_COLUMNS, journal_rows
from api.cli.options import DAY, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ledger.queries.samples import Population, Sample

FINDING_COLUMNS = (
    Column("test", "Test"),
    Column("entries", "Entries", right=True),
    Column("share", "Of all", right=True),
    amount("total", "Amount"),
    Column("about", "Entries that are"),
)
DIGIT_COLUMNS = (
    Column("digit", "Digit"),
    Column("entries", "Entries", right=True),
    Column("share", "Share", right=True),
    Column("expected", "Expected", right=True),
    Column("bar", ""),
)
PERSON_COLUMNS = (
    Column("person", "Person"),
    Column("booked", "Booked", right=True),
    amount("total", "Amount"),
    Column("by_hand", "By hand", right=True),
    Column("reversals", "Reversals", right=True),
    Column("approved", "Approved", right=True),
    Column("first_day", "From"),
    Column("last_day", "To"),
)
BAR_OF = 50
"""So many characters stand for a share of one half."""


def period(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which entries it looks at."""
    for option in (
        click.option("--known-at", metavar="BLOCK", help="As known at a seal block, or at a moment."),
        click.option("--currency", help="Amounts in this currency [default: the book's]."),
        click.option("--to", "booked_to", type=DAY, required=True, help="Booked on this day or earlier."),
        click.option("--from", "booked_from", type=DAY, required=True, help="Booked on this day or later."),
    ):
        command = option(command)
    return command


DAYS = click.option("--days", type=click.IntRange(0, 36_600), default=30, show_default=True, help="Of back_dated.")
ROUND = click.option("--round", "multiple", metavar="AMOUNT", default="1000", show_default=True, help="Of round.")


@click.group()
def audit() -> None:
    """Test the entries of a period, draw samples, look at digits and people.

    \b
    loanbook audit tests --from 2026-01-01 --to 2026-03-31
    loanbook audit tests --from 2026-01-01 --to 2026-03-31 --show duplicate
    loanbook audit sample --from 2026-01-01 --to 2026-03-31 --by monetary --size 60 --seed 2026
    """


@audit.command("tests")
@period
@DAYS
@ROUND
@click.option("--show", metavar="TEST", help="Show the entries that this test finds.")
@reads
def run_all(session: Session, days: int, multiple: str, show: str | None, **asked: Any) -> None:
    """Count what each test finds: by hand, at weekends, back-dated, round, twice, and others.

    \b
    loanbook audit tests --from 2026-03-01 --to 2026-03-31 --days 5 --round 500
    """
    from api.audit import found_json, tests_json
    from api.views import major_units
    from ledger.money import Money

    def work(connection: sa.Connection) -> dict[str, Any]:
        of = _population(connection, session, asked)
        least = Money.parse(multiple, of.currency).minor
        if show is not None:
            return found_json(connection, of, show, days=days, multiple=least, money=major_units)
        return tests_json(connection, of, days=days, multiple=least, money=major_units)

    found = session.read(work)
    session.show(found, lambda: _print_tests(found) if show is None else _print_entries(found["entries"]))


@audit.command("sample")
@period
@click.option(
    "--by",
    type=click.Choice(("random", "monetary", "threshold")),
    default="random",
    show_default=True,
    help="Each entry alike, each unit of money alike, or all of an amount or more.",
)
@click.option("--size", type=click.IntRange(1, 10_000), help="How many are drawn.")
@click.option("--seed", help="Whoever gives it again draws the same: a number, or any words.")
@click.option("--threshold", metavar="AMOUNT", help="Of `--by threshold`.")
@reads
def sample(session: Session, by: str, size: int | None, seed: str | None, threshold: str | None, **asked: Any) -> None:
    """Draw a sample of the entries of a period; the same seed draws the same.

    \b
    loanbook audit sample --from 2026-01-01 --to 2026-03-31 --size 25 --seed 7
    loanbook audit sample --from 2026-01-01 --to 2026-03-31 --by monetary --size 60 --seed 7
    loanbook audit sample --from 2026-01-01 --to 2026-03-31 --by threshold --threshold 10000
    """
    from api.audit import sample_json
    from api.views import major_units
    from ledger.money import Money
    from ledger.queries.samples import monetary_sample, over, random_sample

    if by == "threshold" and threshold is None:
        raise click.UsageError("--by threshold needs --threshold")
    if by != "threshold" and (size is None or seed is None):
        raise click.UsageError(f"--by {by} needs --size and --seed")

    def draw(connection: sa.Connection, of: Population) -> Sample:
        if threshold is not None and by == "threshold":
            return over(connection, of, threshold=Money.parse(threshold, of.currency).minor)
        drawing = monetary_sample if by == "monetary" else random_sample
        return drawing(connection, of, size=size or 0, seed=seed or "")

    def work(connection: sa.Connection) -> dict[str, Any]:
        of = _population(connection, session, asked)
        return {"by": by, "seed": seed, **sample_json(connection, of, draw(connection, of), major_units)}

    found = session.read(work)
    session.show(found, lambda: _print_sample(found))


@audit.command("digits")
@period
@reads
def digits(session: Session, **asked: Any) -> None:
    """Compare the first digits of amounts with Benford's law.

    \b
    loanbook audit digits --from 2026-01-01 --to 2026-03-31
    """
    from api.audit import digits_json

    found = session.read(lambda connection: digits_json(connection, _population(connection, session, asked)))
    session.show(found, lambda: _print_digits(found))


@audit.command("people")
@period
@reads
def people(session: Session, **asked: Any) -> None:
    """List who booked and who approved, how much, and how much of it by hand.

    \b
    loanbook audit people --from 2026-01-01 --to 2026-03-31
    """
    from api.audit import people_json
    from api.views import major_units

    found = session.read(
        lambda connection: people_json(connection, _population(connection, session, asked), major_units)
    )
    rows = [{**row, "total": grouped(row["total"])} for row in found["people"]]
    session.show(found, lambda: print_table(PERSON_COLUMNS, rows))


def _population(connection: sa.Connection, session: Session, asked: Mapping[str, Any]) -> Population:
    from api.journal import known_at_block
    from ledger.queries.accounts import book
    from ledger.queries.samples import Population

    first: date = asked["booked_from"]
    return Population(
        book=session.book_code,
        booked_from=first,
        booked_to=asked["booked_to"],
        currency=asked["currency"] or book(connection, session.book_code).base_currency,
        known_at=known_at_block(connection, asked["known_at"]),
    )


def _print_tests(found: Mapping[str, Any]) -> None:
    rows = [
        {**row, "total": grouped(row["total"]), "share": _share(row["entries"], found["entries"])}
        for row in found["tests"]
    ]
    print_line(f"{found['entries']:,} entries, {grouped(found['total'])} {found['currency']}")
    print_table(FINDING_COLUMNS, rows)


def _share(part: int, whole: int) -> str:
    tenths = 1000 * part // (whole or 1)
    return f"{tenths // 10}.{tenths % 10}%"


def _print_sample(found: Mapping[str, Any]) -> None:
    facts = {
        "population": f"{found['population']:,} entries, {grouped(found['total'])} {found['currency']}",
        "drawn": f"{len(found['entries']):,} entries, {grouped(found['drawn'])} {found['currency']}",
        "interval": found["interval"] and grouped(found["interval"]),
        "begins at": found["start"] and grouped(found["start"]),
    }
    print_facts({name: value for name, value in facts.items() if value is not None})
    print_line("")
    _print_entries(found["entries"])


def _print_entries(entries: list[Mapping[str, Any]]) -> None:
    print_table(JOURNAL_COLUMNS, (row for one in entries for row in journal_rows(one)))


def _print_digits(found: Mapping[str, Any]) -> None:
    from decimal import Decimal

    rows = []
    for row in found["digits"]:
        bar = "#" * int(Decimal(row["share"]) * 2 * BAR_OF)
        mark = int(Decimal(row["expected"]) * 2 * BAR_OF)
        rows.append({**row, "bar": f"{bar:<{mark}}|" if len(bar) <= mark else f"{bar[:mark]}|{bar[mark + 1 :]}"})
    print_table(DIGIT_COLUMNS, rows)
    print_line(f"Mean deviation {found['mean_deviation']}: {found['verdict']}")


@audit.command("package")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "booked_from", type=DAY, required=True, help="Booked on this day or later.")
@click.option("--to", "booked_to", type=DAY, required=True, help="Booked on this day or earlier.")
@click.option("--known-at", metavar="BLOCK", help="As known at a seal block, or at a moment [default: the latest].")
@reads
def package(session: Session, folder: Path, booked_from: date, booked_to: date, known_at: str | None) -> None:
    """Write all that an audit of a period asks for to a new folder: a CSV for each table, and what proves them.

    Entries side by side, trial balance, chart, periods, seals, batches of the GL, a data dictionary, and the evidence
    bundle with the script that verifies it offline. Written again on the same block it is the same, byte for byte.

    \b
    loanbook audit package out/audit-2026 --from 2026-01-01 --to 2026-12-31
    """
    from api.cli.progress import progress
    from api.journal import known_at_block
    from api.views import plain
    from gl_export.commands.audit_package import write_audit_package

    with progress("Audit package", quiet=session.as_json) as advance:
        done = session.read(
            lambda connection: write_audit_package(
                connection,
                session.book_code,
                folder,
                from_date=booked_from,
                as_of=booked_to,
                known_at=known_at_block(connection, known_at),
                on_progress=advance,
            )
        )
    session.show(
        plain(done), lambda: print_line(f"{done.rows:,} rows in {len(done.files)} files, on block {done.block_no}")
    )
