"""Lives a scripted portfolio on a database through the real commands."""

from __future__ import annotations

from datetime import date
from functools import partial
from importlib.resources import files

import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands import books
from ledger.dates import Month
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import run_cycle
from servicing.commands.payments import return_payment, reverse_payment, take_payment
from servicing.events import Kind
from servicing.portfolio import Action, PaymentAction, make_portfolio, script_life

ACTOR = "job:test"


def open_book(engine: sa.Engine, code: str, opened_on: date) -> None:
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        books.create_book(uow, code=code, name=code, base_currency="USD", opened_on=opened_on, business_date=opened_on)
        books.load_chart(uow, code, chart)

    run(engine, work, actor=ACTOR)


def live(engine: sa.Engine, code: str, loans: int, months: int, seed: int = 7) -> dict[int, int]:
    """Return the loan id of each draft."""
    opening = date(2026, 1, 1)
    open_book(engine, code, opening)
    drafts = make_portfolio(seed, loans, opening)
    ids: dict[int, int] = {}
    payments: dict[str, int] = {}

    def act(uow: UnitOfWork, action: Action) -> None:
        loan_id = ids[action.loan]
        if isinstance(action, PaymentAction):
            taken = take_payment(
                uow,
                loan_id,
                amount=action.amount,
                effective_date=action.effective_date,
                method=action.method,
                external_id=action.external_id,
                request_key=f"take:{action.external_id}",
            )
            payments[action.external_id] = taken.payment_id
        else:
            undo = return_payment if action.kind is Kind.RETURNED else reverse_payment
            undo(uow, loan_id, payments[action.external_id], action.why, f"undo:{action.external_id}")

    for scripted in script_life(seed, drafts, opening, months):
        run(engine, partial(books.advance_business_date, book_code=code, to=scripted.day), actor=ACTOR)
        if scripted.boarded:
            batch = [drafts[n] for n in scripted.boarded]
            new = run(engine, partial(board_and_fund_loans, book_code=code, drafts=batch), actor=ACTOR)
            ids.update(zip(scripted.boarded, new, strict=True))
        for action in scripted.actions:
            run(engine, partial(act, action=action), actor=ACTOR)
        if scripted.day == Month.of(scripted.day).last_day:
            run_cycle(engine, code, scripted.day, actor=ACTOR)
    return ids
