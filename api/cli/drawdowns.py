"""`loanbook draw`: a loan that is disbursed in parts is drawn further.

Next: `servicing/commands/drawdowns.py`; `docs/spec/drawdowns.md`.
"""

from __future__ import annotations

from datetime import date

import click

from api.cli.options import BOOK_DAY, REQUEST_KEY, changes
from api.cli.output import print_line
from api.cli.session import Session, new_request_key


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount")
@click.option("--on", type=BOOK_DAY, help="When it is paid out [default: the business date].")
@REQUEST_KEY
@changes
def draw(session: Session, loan_id: int, amount: str, on: date | None, request_key: str | None) -> None:
    """Pay out more of a loan; the installments to come are worked out again.

    \b
    loanbook draw 7 2000.00 --on 2026-03-15
    """
    from api.drawdowns import draw_further
    from api.views import major_units

    key = request_key or new_request_key()
    done = session.change(lambda uow: draw_further(uow, loan_id, amount, on, key, major_units))
    text = f"Loan {loan_id}: {done['amount']} drawn on {done['effective_date']}; {done['undrawn']} may still be drawn."
    session.show(done, lambda: print_line(text))
