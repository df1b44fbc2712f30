"""Loans, control accounts and the GL agree on any day, known at any block; reports say the same for ever."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from gl_export.commands.batches import build_batch
from gl_export.errors import TieOutBroken
from gl_export.matching import Verdict
from gl_export.queries.balances import clearing_ages, control_balances, subledger_balances
from gl_export.queries.tie_out import tie_out
from gl_export.rendering import Report, to_csv, to_json
from gl_export.reports.clearing_accounts import clearing_report
from gl_export.reports.declared import REPORTS
from gl_export.reports.loan_roll_forward import loan_roll_forward_detail, loan_roll_forward_report
from gl_export.reports.reconciliation import reconciliation_report
from gl_export.reports.trial_balance import trial_balance_report
from ledger.commands.posting import reverse_entry
from ledger.dates import Month
from ledger.money import Money
from ledger.unit_of_work import run
from tests.integration.gl_export.books import BOOK, fund, go_to, open_loans, pay, post, seal_all
from tests.support.database import OWNER, Database

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


def live(engine: sa.Engine) -> range:
    """Live two months with payments, a reversal across the month end and a late entry; three blocks."""
    loans = open_loans(engine, 3)
    for loan in loans:
        fund(engine, loan, 1_000_00 * (loan - loans.start + 1))
    go_to(engine, date(2026, 10, 20))
    paid = pay(engine, loans[0], "p1", 100_00, unapplied=5_00)
    pay(engine, loans[1], "p1", 200_00)
    seal_all(engine)
    run(engine, lambda uow: build_batch(uow, BOOK), actor="ops")
    go_to(engine, date(2026, 11, 3))
    run(
        engine,
        lambda uow: reverse_entry(uow, loans[0], paid.entry_no, request_key="p1:back"),
        actor="clerk",
    )
    pay(engine, loans[2], "p1", 300_00)
    seal_all(engine)
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 7_00)
    post(engine, loans[1], "late", parts, booking_date=date(2026, 10, 21), approved_by="boss")
    seal_all(engine)
    return loans


def rows_of(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(report).decode())))


@pytest.mark.parametrize("as_of", [date(2026, 10, 19), date(2026, 10, 31), date(2026, 11, 30)])
@pytest.mark.parametrize("known_at", [0, 1, 2, 3])
def test_loans_add_up_to_the_control_accounts_on_any_day_known_at_any_block(
    engine: sa.Engine, as_of: date, known_at: int
) -> None:
    live(engine)
    pay(engine, 2, "not sealed", 1_00)

    with engine.connect() as connection:
        found = tie_out(connection, BOOK, as_of=as_of, known_at=known_at)
        control = control_balances(connection, BOOK, as_of=as_of, known_at=known_at)

    found.prove()
    assert {row.verdict for row in found.rows} <= {Verdict.AGREED, Verdict.TIMING}
    loans = {(row.account.code, row.control.currency): row.subledger for row in found.rows if row.subledger}
    for key, money in control.items():
        if key in loans:
            match = loans[key]
            assert match is not None
            assert match.left == money


def test_balances_as_known_then_do_not_change_when_more_is_booked(engine: sa.Engine) -> None:
    loans = live(engine)
    bounds = {"as_of": OCTOBER.last_day, "known_at": 1}
    with engine.connect() as connection:
        before = subledger_balances(connection, BOOK, **bounds)  # type: ignore[arg-type]

    pay(engine, loans[2], "p2", 50_00)
    seal_all(engine)

    with engine.connect() as connection:
        assert subledger_balances(connection, BOOK, **bounds) == before  # type: ignore[arg-type]
    assert before[("1210", "USD")] == Money(5_700_00, "USD")


def test_what_no_batch_has_taken_is_timing_and_gone_after_the_next_batch(engine: sa.Engine) -> None:
    live(engine)
    with engine.connect() as connection:
        before = tie_out(connection, BOOK, as_of=NOVEMBER.last_day, known_at=3)

    run(engine, lambda uow: build_batch(uow, BOOK), actor="ops")

    with engine.connect() as connection:
        after = tie_out(connection, BOOK, as_of=NOVEMBER.last_day, known_at=3)
    assert Verdict.TIMING in {row.verdict for row in before.rows}
    assert {row.verdict for row in after.rows} == {Verdict.AGREED}


@pytest.mark.parametrize(
    ("statement", "left_name"),
    [
        ("ledger.account_balance SET balance = balance + 1 WHERE subledger_id = 2", "subledgers"),
        (
            "gl_export.batch_line SET amount = amount + 1 WHERE account = '1210' AND line_no = 2",
            "control account",
        ),
    ],
)
def test_one_cent_that_an_owner_adds_anywhere_is_a_break(
    engine: sa.Engine, database: Database, statement: str, left_name: str
) -> None:
    live(engine)
    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE gl_export.batch_line DISABLE TRIGGER batch_line_append_only")
        owner.execute(f"UPDATE {statement}")

    with engine.connect() as connection, pytest.raises(TieOutBroken) as refusal:
        tie_out(connection, BOOK, as_of=NOVEMBER.last_day, known_at=3).prove()

    assert (refusal.value.account, refusal.value.left_name) == ("1210", left_name)
    assert abs(refusal.value.difference) == 1


def test_the_roll_forward_leads_from_month_to_month_and_to_the_trial_balance(engine: sa.Engine) -> None:
    live(engine)

    with engine.connect() as connection:
        months = [rows_of(loan_roll_forward_report(connection, BOOK, month=m)) for m in (OCTOBER, NOVEMBER)]
        closing = rows_of(trial_balance_report(connection, BOOK, as_of=NOVEMBER.last_day))
    principal = [next(row for row in rows if row["account"] == "1210") for rows in months]

    assert [row["funded"] for row in principal] == ["6000.00", "0.00"]
    assert [row["paid"] for row in principal] == ["-307.00", "-200.00"]
    assert principal[0]["opening"] == "0.00"
    assert principal[0]["closing"] == principal[1]["opening"] == "5693.00"
    balance = next(row for row in closing if row["account"] == "1210")
    assert principal[1]["closing"] == balance["debit_balance"] == "5493.00"


def test_the_detail_by_loan_sums_to_every_figure_of_the_roll_forward(engine: sa.Engine) -> None:
    live(engine)

    with engine.connect() as connection:
        summary = rows_of(loan_roll_forward_report(connection, BOOK, month=NOVEMBER))
        detail = rows_of(loan_roll_forward_detail(connection, BOOK, month=NOVEMBER))
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in detail:
        sums[row["account"], row["movement"]] += Decimal(row["amount"])

    for row in summary:
        for movement in ("funded", "accrued", "paid", "other"):
            assert Decimal(row[movement]) == sums[row["account"], movement]
    assert {row["reversal"] for row in detail} == {"yes", "no"}


def test_a_clearing_account_shows_its_age_until_it_comes_back_to_zero(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    go_to(engine, date(2026, 10, 6))
    post(engine, loan, "settle", ("ACH_CLEARING", "CASH", 60_00), template="settled")
    seal_all(engine)

    with engine.connect() as connection:
        (aged,) = clearing_ages(connection, BOOK, as_of=date(2026, 10, 31), known_at=1)
        (row,) = rows_of(clearing_report(connection, BOOK, as_of=date(2026, 10, 31)))

    assert (aged.account, str(aged.balance), aged.age_days) == ("1120", "-40.00 USD", 30)
    assert (row["days_6_30"], row["oldest"]) == ("-40.00", "2026-10-01")


def test_every_report_comes_out_the_same_at_its_block_whatever_was_booked_since(engine: sa.Engine) -> None:
    loans = live(engine)

    def drawn() -> list[bytes]:
        with engine.connect() as connection:
            day, at = OCTOBER.last_day, 2
            reports = (
                trial_balance_report(connection, BOOK, as_of=day, known_at=at),
                loan_roll_forward_report(connection, BOOK, month=OCTOBER, known_at=at),
                loan_roll_forward_detail(connection, BOOK, month=OCTOBER, known_at=at),
                reconciliation_report(connection, BOOK, as_of=day, known_at=at),
                clearing_report(connection, BOOK, as_of=day, known_at=at),
            )
            return [to_csv(report) + to_json(report) for report in reports]

    before = drawn()
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 9_00)
    post(engine, loans[0], "later", parts, booking_date=date(2026, 10, 22), approved_by="boss")
    seal_all(engine)
    run(engine, lambda uow: build_batch(uow, BOOK), actor="ops")

    assert drawn() == before
    assert len(set(before)) == 5


def test_a_report_without_a_block_rests_on_the_newest_and_says_so(engine: sa.Engine) -> None:
    live(engine)
    pay(engine, 2, "not sealed", 1_00)

    with engine.connect() as connection:
        report = trial_balance_report(connection, BOOK, as_of=NOVEMBER.last_day)
        block_hash = connection.scalar(
            sa.text("SELECT encode(block_hash, 'hex') FROM ledger.seal_block WHERE block_no = 3")
        )

    assert (report.stamp.block_no, report.stamp.block_hash) == (3, block_hash)
    assert report.digest == trial_balance_report_digest(engine, known_at=3)


def trial_balance_report_digest(engine: sa.Engine, *, known_at: int) -> str:
    with engine.connect() as connection:
        return trial_balance_report(connection, BOOK, as_of=NOVEMBER.last_day, known_at=known_at).digest


def test_a_book_in_which_nothing_happened_has_empty_reports(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        reports = (
            trial_balance_report(connection, BOOK, as_of=OCTOBER.last_day),
            loan_roll_forward_report(connection, BOOK, month=OCTOBER),
            reconciliation_report(connection, BOOK, as_of=OCTOBER.last_day),
            clearing_report(connection, BOOK, as_of=OCTOBER.last_day),
        )

    assert all(report.rows == () for report in reports)
    assert reports[0].stamp.block_no == 0


def test_every_declared_report_is_drawn_as_of_a_day_or_its_month(engine: sa.Engine) -> None:
    live(engine)

    with engine.connect() as connection:
        drawn = [each.draw(connection, BOOK, as_of=OCTOBER.last_day) for each in REPORTS]

    assert [report.name for report in drawn] == [each.name for each in REPORTS]
    assert all(report.stamp.as_of == OCTOBER.last_day for report in drawn)


def test_the_auditor_who_only_reads_draws_the_same_reports(engine: sa.Engine, database: Database) -> None:
    live(engine)
    digests = []
    for each in (engine, database.engine("loanbook_reader")):
        with each.connect() as connection:
            digests.append(reconciliation_report(connection, BOOK, as_of=NOVEMBER.last_day).digest)

    assert digests[0] == digests[1]
