"""`loanbook settle`: the bank has settled what went over the rails on a day.

Next: `gl_export/commands/settlement.py`.
"""

from __future__ import annotations

from datetime import date

import click

from api.cli.options import DAY, changes
from api.cli.output import print_line
from api.cli.session import Session


@click.command()
@click.argument("day", type=DAY)
@click.option("--reference", metavar="TEXT", help="The bank's reference.")
@changes
def settle(session: Session, day: date, reference: str | None) -> None:
    """Book that the bank settled, in full, what went over each rail on a day: cash against the clearing account.

    One entry for each rail, on the business date. Run again, it books only what has come to that day since.

    \b
    loanbook settle 2026-03-31 --reference "Statement 2026-04-01"
    """
    from api.views import plain
    from gl_export.commands.settlement import settle_rails

    code = session.book_code
    entries = session.change(lambda uow: settle_rails(uow, code, day, bank_reference=reference))
    numbers = ", ".join(str(entry.entry_no) for entry in entries)
    text = f"Settled {day}: entries {numbers}" if entries else f"Nothing of {day} is left to settle."
    session.show({"day": day.isoformat(), "entries": plain(entries)}, lambda: print_line(text))
