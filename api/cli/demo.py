"""`loanbook demo`: three months of a lender's life, from boarding to the third month-end close.

Next: `api/demo/story.py`, which lives them; `api/demo/summary.py`.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.options import MONTH, reads_installation
from api.cli.output import Column, print_line, print_table
from api.cli.progress import progress
from api.cli.session import Session

if TYPE_CHECKING:
    from api.demo.story import Plan
    from api.demo.summary import Summary
    from ledger.dates import Month

ACTS = (
    *("payments", "back-dated payments", "returns", "retries", "reversals"),
    *("modifications", "trial plans", "charge-offs", "recoveries"),
)

COLUMNS = (
    Column("month", "Month"),
    Column("opening", "Opening", right=True),
    Column("funded", "Funded", right=True),
    Column("paid", "Paid", right=True),
    Column("charged_off", "Charged off", right=True),
    Column("closing", "Closing", right=True),
)


@click.command()
@click.option("--loans", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True, help="How many loans.")
@click.option("--seed", type=int, default=20_260_101, show_default=True, help="Another seed, other loans and lives.")
@click.option("--file", "tape", type=click.Path(path_type=Path), help="A tape of loans instead.")
@click.option(
    "--from", "first", type=MONTH, help="The first month of a tape's three [default: those of most fundings]."
)
@click.option("--out", "out_dir", type=click.Path(path_type=Path), help="Where files go [default: LOANBOOK_OUT_DIR].")
@reads_installation
def demo(session: Session, loans: int, seed: int, tape: Path | None, first: Month | None, out_dir: Path | None) -> int:
    """Live three months of a portfolio and close each of them; write the close packages; verify every seal.

    The digest of each month end is published to a file beside the packages, and the seals are verified against
    these files.

    Of a tape (its form: board --help) those loans live that were funded in three months; the others are counted.

    Each seed and number of loans, and each tape, has a book of its own. Run again, a demonstration goes on where it was
    stopped, and says what it found done. The exit code is 1 if a check fails.

    \b
    loanbook demo
    loanbook demo --loans 100 --seed 7
    loanbook demo --file tape.csv --from 2011-10
    """
    from api.cli.files import usable_folder
    from api.database import Role
    from api.demo.digests import refuse_foreign_digests
    from api.demo.plan import plan_from_seed, plan_from_tape
    from api.demo.story import live
    from api.demo.summary import summarize
    from api.migrate import migrate

    if first is not None and tape is None:
        raise click.UsageError("--from is for a tape", click.get_current_context())
    started = time.monotonic()
    plan = plan_from_seed(loans, seed) if tape is None else plan_from_tape(tape, seed, first)
    folder = (out_dir or session.settings.out_dir) / plan.book_code
    usable_folder(folder)
    migrate(session.edge_as(Role.ADMIN, create=True))
    session.edge.read(lambda connection: refuse_foreign_digests(connection, folder))
    with progress("Three months", quiet=session.as_json) as advance, session.edge.named_trouble():
        lived = live(session.edge.engine, plan, out_dir=folder, advance=advance)
    summary = session.edge.read(lambda connection: summarize(connection, plan, lived, folder))
    seconds = time.monotonic() - started
    session.show(_document(plan, summary), lambda: _print(plan, summary, folder, seconds))
    return 0 if summary.proof.holds and not summary.breaks else 1


def _document(plan: Plan, summary: Summary) -> dict[str, object]:
    lived = summary.lived
    return {
        "book": plan.book_code,
        "loans": {"boarded": lived.loans_boarded, "found": lived.loans_found, "left_out": plan.left_out},
        "applications": asdict(summary.funnel),
        "acts": {"done": dict(lived.acts_done), "found": lived.acts_found},
        "months": {"closed": lived.months_closed, "found": lived.months_found},
        "principal": [dict(row) for row in summary.principal],
        "breaks": summary.breaks,
        "batches": summary.batch_count,
        "entries": summary.proof.entries,
        "blocks": summary.proof.blocks,
        "findings": len(summary.proof.findings),
        "anchored_to": [str(digest) for digest in summary.anchors],
        "head": None if summary.proof.head is None else summary.proof.head.block_hash.hex(),
    }


def _print(plan: Plan, summary: Summary, folder: Path, seconds: float) -> None:
    lived, proof = summary.lived, summary.proof
    print_line(f"Book {plan.book_code}, {plan.months[0]} to {plan.months[-1]}:")
    came = summary.funnel
    print_line(
        f"  {came.entered:,} applications: {came.funded:,} funded, {came.declined:,} declined, "
        f"{came.withdrawn:,} withdrawn; {came.referred:,} of them referred to an underwriter"
    )
    if plan.front_door:
        print_line(f"  {plan.front_door} of them one by one: intake, bureau, tasks, offers, contracts")
    print_line(f"  {_done(lived.loans_boarded, lived.loans_found, 'loans boarded and funded')}")
    if plan.left_out:
        print_line(f"  {plan.left_out:,} loans of the tape were funded in other months, and are left out")
    for what in ACTS:
        print_line(f"  {lived.acts_done[what]:,} {what}")
    if lived.acts_found:
        print_line(f"  {lived.acts_found:,} acts found from an earlier run")
    print_line(f"  {_done(lived.months_closed, lived.months_found, 'months closed')}")
    print_table(COLUMNS, summary.principal, title=f"Loan principal, {plan.currency}")
    print_line(f"Trial balance of {summary.as_of}: {summary.total_debits.format(grouping=True)} on each side")
    print_line(f"Subledgers against control accounts and exported GL: {summary.breaks} breaks")
    print_line(
        f"Verified: {proof.entries:,} entries, {proof.postings:,} postings in {proof.blocks} blocks, "
        f"{len(proof.findings)} findings"
    )
    print_line(_anchor(summary))
    print_line(f"Files: {summary.files} in {folder}, with {summary.batch_count} GL batches")
    last = plan.months[-1]
    print_line(
        f"The last close, to be opened and read: {folder / str(last) / 'readable' / f'close-{last}'}.html and .xlsx"
    )
    print_line(f"Took {seconds:.0f} s")


def _anchor(summary: Summary) -> str:
    if not summary.proof.holds:
        return "Not anchored: the findings are shown by loanbook verify"
    latest = max(summary.anchors)
    return f"Anchored through block {latest.block_no} by the published digests of {len(summary.anchors)} month ends"


def _done(now: int, found: int, what: str) -> str:
    return f"{now:,} {what}" + (f"; {found:,} found from an earlier run" if found else "")
