"""The reports of modifications: each before and after, and what borrowers in difficulty were given, by type."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from gl_export.rendering import Report, to_csv
from gl_export.reports.modifications import difficulty_report, modifications_report
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.modifications import modify
from servicing.commands.payments import take_payment
from servicing.drafts import LoanDraft
from tests.integration.gl_export.books import BOOK, go_to, seal_all
from tests.unit.servicing.examples import TERMS

FUNDED = date(2026, 10, 1)
LOAN = replace(TERMS, funded_on=FUNDED, first_due_on=date(2026, 11, 1))


def change(engine: sa.Engine, loan_id: int, key: str, kind: str, **told: Any) -> None:
    def work(uow: UnitOfWork) -> object:
        return modify(
            uow,
            loan_id,
            kind=kind,
            told=told,
            reason="hardship",
            approved_by="boss",
            effective_date=date(2026, 12, 15),
            request_key=key,
        )

    run(engine, work, actor="clerk")


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(report).decode())))


def test_modifications_are_reported_as_they_were_known_when_sealed(engine: sa.Engine) -> None:
    # 10,000.00 each, nothing paid by 15 December: 44 days past due. The first has a new schedule of 16 months at 9
    # instead of 12 percent, the second 3 months more, the third, which is current, another due date.
    drafts = [LoanDraft(name, LOAN) for name in ("A", "B", "C")]
    one, two, three = run(engine, lambda uow: board_and_fund_loans(uow, BOOK, drafts), actor="clerk")
    go_to(engine, date(2026, 12, 15))
    for n, day in enumerate((date(2026, 11, 1), date(2026, 12, 1))):
        run(
            engine,
            lambda uow, n=n, day=day: take_payment(  # type: ignore[misc]
                uow,
                three,
                amount=LOAN.amount(LOAN.principal.to_decimal() / 11),
                effective_date=day,
                method="ach",
                external_id=f"p{n}",
                request_key=f"p{n}",
            ),
            actor="clerk",
        )
    restructured = {"rate": "9", "installments": "16", "first_due_on": "2027-02-01"}
    change(engine, one, "m1", "restructure", **restructured)
    change(engine, two, "m2", "extend", installments="3")
    change(engine, three, "m3", "due_date", day="10")
    seal_all(engine)
    change(engine, two, "m4", "forgive", amount="100")

    day = date(2026, 12, 31)
    with engine.connect() as connection:
        found = rows(modifications_report(connection, BOOK, as_of=day, known_at=1))
        again = rows(modifications_report(connection, BOOK, as_of=day))
        given = rows(difficulty_report(connection, BOOK, as_of=day))

    assert found == again
    assert [(row["loan_id"], row["kind"], row["difficulty"]) for row in found] == [
        (str(one), "restructure", "yes"),
        (str(two), "extend", "yes"),
        (str(three), "due_date", "no"),
    ]
    assert [row["dpd_before"] for row in found] == ["44", "44", "0"]
    assert (found[0]["rate_before"], found[0]["rate_after"]) == ("12.00", "9")
    assert (found[1]["matures_before"], found[1]["matures_after"]) == ("2027-10-01", "2028-01-01")
    # The first: 16 months from 1 February 2027 end on 1 May 2028, 7 months after 1 October 2027.
    assert [(row["types"], row["rate_cut"], row["months_longer"]) for row in given] == [
        ("rate_reduction+term_extension+payment_delay", "3.00", "7.00"),
        ("term_extension", "0.00", "3.00"),
    ]
    assert [row["principal"] for row in given] == ["10000.00", "10000.00"]
    assert (given[0]["bucket_current"], given[1]["bucket_60_89"]) == ("10000.00", "10000.00")
