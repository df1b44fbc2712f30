"""The daily cycle of a whole book: set-based where it can be, and the same books whichever days it is run on."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.commands import books
from ledger.money import Money, Rounding
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from servicing.accrual import rounded
from servicing.commands import bulk_accrual
from servicing.commands.boarding import board_and_fund_loans, board_loans
from servicing.commands.cycle import run_cycle
from servicing.commands.payments import return_payment, reverse_payment, take_payment
from servicing.drafts import LoanDraft
from servicing.end_of_day import DayReport
from servicing.errors import EffectiveDateAhead
from servicing.opening import Opening
from servicing.product import LateFee, NonAccrual, PercentFee, SmallBalance
from servicing.queries import booked_balances, booked_claim, loan_view
from tests.integration.servicing.acts import pay
from tests.support.database import ADMIN, APP, Database
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import RULES, TERMS

pytestmark = pytest.mark.twice

OPENING = TERMS.funded_on
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"accrual": "monthly"},
    {"day_count": "actual/360", "rounding": Rounding.HALF_EVEN},
    {"day_count": "actual/actual"},
    {"day_count": "30/360"},
    {"day_count": "period", "rests": "due_dates"},
    {"interest": "scheduled", "day_count": "30e/360"},
    {"interest": "flat", "day_count": "period", "rounding": Rounding.UP},
    {"rounding": Rounding.DOWN, "amortization": "equal_principal"},
    {"rests": "due_dates", "day_count": "actual/364"},
    {"origination_fee": PercentFee(percent=Decimal("3.5"))},
    {"origination_fee": PercentFee(percent=Decimal("3.5"), income="straight_line"), "accrual": "monthly"},
    {"non_accrual_dpd": 12, "origination_fee": PercentFee(percent=Decimal("3.5"))},
    {"non_accrual_dpd": 5, "accrual": "monthly", "non_accrual": NonAccrual(consecutive_payments=1)},
    {"non_accrual_dpd": 12, "charge_off_dpd": 35},
    {"charge_off_dpd": 25, "late_fee": LateFee()},
)
"""Products that differ in everything that the interest of a day depends on."""


def portfolio() -> list[LoanDraft]:
    return [
        LoanDraft(
            f"L{n}",
            replace(
                TERMS,
                product=RULES.model_copy(update=rules),
                principal=Money(1_000_000 + 12_345 * n, "USD"),
                rate=Decimal("9.95") + n,
                installments=3 if n % 3 == 0 else 12,
            ),
        )
        for n, rules in enumerate(VARIANTS * 2)
    ]


def lender(engine: sa.Engine, drafts: list[LoanDraft]) -> tuple[str, list[int]]:
    """Return the code of a new book and the ids of its loans, on the day of their funding."""
    code = f"R{uuid.uuid4().hex[:8]}"
    open_book(engine, code, OPENING)
    ids = run(engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR)
    return code, list(ids)


def advance(engine: sa.Engine, code: str, day: date) -> None:
    run(engine, partial(books.advance_business_date, book_code=code, to=day), actor=ACTOR)


def in_force(engine: sa.Engine, loan_ids: list[int]) -> list[list[tuple[object, ...]]]:
    """Return the entries of each loan that are neither reversals nor reversed: name, date, amount, accounts."""
    statement = sa.text(
        "SELECT e.source_ref, e.effective_date, p.seq, p.amount, p.debit_account, p.credit_account"
        " FROM ledger.journal_entry e JOIN ledger.posting p USING (subledger_id, entry_no)"
        " WHERE e.subledger_id = :id AND e.reverses_no IS NULL AND NOT EXISTS (SELECT FROM ledger.journal_entry r"
        " WHERE r.subledger_id = e.subledger_id AND r.reverses_no = e.entry_no) ORDER BY 2, 1, 3"
    )
    with engine.connect() as connection:
        return [[tuple(row)[:4] for row in connection.execute(statement, {"id": loan_id})] for loan_id in loan_ids]


def ties_out(engine: sa.Engine, loan_ids: list[int]) -> None:
    """Hold the books of loans against the fold; interest that is booked monthly may lag behind."""
    with engine.connect() as connection:
        for loan_id in loan_ids:
            view, booked = loan_view(connection, loan_id), booked_balances(connection, loan_id)
            if view.state.charged_off_on is not None:
                assert {name: minor for name, minor in booked.items() if minor and name != "unapplied"} == {}
                assert booked_claim(connection, loan_id) == view.state.payoff
                continue
            lags = 0 if view.loan.terms.product.accrual == "daily" else view.state.interest - booked["interest"]
            assert lags >= 0
            assert {**booked, "interest": booked["interest"] + lags} == view.state.balances()


def act(engine: sa.Engine, chance: random.Random, loan_id: int, today: date, name: str, paid: list[int]) -> None:
    """Let something happen to a loan: a payment, in time or back-dated, or the undoing of one."""

    def work(uow: UnitOfWork) -> None:
        if paid and chance.random() < 0.25:
            undo = chance.choice([return_payment, reverse_payment])
            undo(uow, loan_id, paid.pop(chance.randrange(len(paid))), "R01", name)
            return
        back = chance.choice([0, 0, 0, 1, 5, 20])
        amount = Money(chance.choice([88_849, 50_000, 5_000, 400_000]), "USD")
        on = max(OPENING, today - timedelta(days=back))
        taken = take_payment(
            uow, loan_id, amount=amount, effective_date=on, method="ach", external_id=name, request_key=name
        )
        paid.append(taken.payment_id)

    run(engine, work, actor=ACTOR)


@pytest.mark.parametrize("seed", [1])
def test_days_that_were_skipped_come_out_as_if_they_had_been_run(
    engine: sa.Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_accrual, "CHUNK_LOANS", 7)
    drafts = portfolio()
    kinds = [lender(engine, drafts), lender(engine, drafts)]
    chance = random.Random(seed)
    paid: list[list[list[int]]] = [[[] for _ in drafts] for _ in kinds]
    last = OPENING + timedelta(days=75)
    today = OPENING
    while today < last:
        today += timedelta(days=1)
        skipped = chance.random() < 0.6 and today != last
        happening = [chance.getrandbits(32) for _ in drafts if chance.random() < 0.06]
        places = [chance.randrange(len(drafts)) for _ in happening]
        for side, (code, ids) in enumerate(kinds):
            advance(engine, code, today)
            for number, (life, place) in enumerate(zip(happening, places, strict=True)):
                own = random.Random(life)
                act(engine, own, ids[place], today, f"{today}-{number}", paid[side][place])
            if side == 0 or not skipped:
                run_cycle(engine, code, today, actor=ACTOR)

    (daily, daily_ids), (sometimes, sometimes_ids) = kinds
    assert in_force(engine, daily_ids) == in_force(engine, sometimes_ids)
    ties_out(engine, daily_ids)
    ties_out(engine, sometimes_ids)
    for code in (daily, sometimes):
        assert run_cycle(engine, code, last, actor=ACTOR).entries == 0
    with engine.connect() as connection:
        assert verify(connection).holds


def test_a_loan_that_was_paid_off_while_nobody_ran_the_day_has_the_late_fee_that_it_earned_before(
    engine: sa.Engine,
) -> None:
    # Nothing came by 25 February, the last day of grace; 10,500.00 on 1 March pay all, the fee found later too.
    code, (loan_id,) = lender(engine, [LoanDraft("A", TERMS)])
    today = date(2026, 3, 1)
    advance(engine, code, today)
    pay(engine, loan_id, "10500.00", today, "all")

    run_cycle(engine, code, today, actor=ACTOR)

    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
        assert booked_balances(connection, loan_id) == view.state.balances()
    assert [fee.id for fee in view.state.fees] == ["late_fee-1"]
    # 10,500.00 less 10,000.00, 147.95 (10,000.00 x 12% x 45/365) and 15.00.
    assert (view.state.status, view.state.unapplied) == ("paid_off", 33705)


def test_a_small_balance_that_a_payment_leaves_is_written_off_by_a_run_days_later(engine: sa.Engine) -> None:
    # docs/spec/fees.md: the payoff of the 25th comes on the 26th and leaves 3.03.
    rules = {"small_balance": SmallBalance(limit=Decimal(5), automatic=True)}
    terms = replace(TERMS, product=TERMS.product.model_copy(update=rules))
    code, (loan_id,) = lender(engine, [LoanDraft("A", terms)])
    for on, run_on, amount in ((15, 25, "888.49"), (26, 28, "9243.72")):
        advance(engine, code, date(2026, 2, on))
        pay(engine, loan_id, amount, date(2026, 2, on), f"p{on}")
        advance(engine, code, date(2026, 2, run_on))
        run_cycle(engine, code, date(2026, 2, run_on), actor=ACTOR)

    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
        assert booked_balances(connection, loan_id) == view.state.balances()
    assert view.state.status == "paid_off"


def test_most_of_a_quiet_month_is_booked_set_based(engine: sa.Engine) -> None:
    code, ids = lender(engine, portfolio())
    reports: list[DayReport] = []
    for n in range(1, 29):
        advance(engine, code, OPENING + timedelta(days=n))
        reports.append(run_cycle(engine, code, OPENING + timedelta(days=n), actor=ACTOR))

    assert {report.days for report in reports} == {1}
    # Two loans have months of thirty days by the one convention and two by the other: January's last night, or the one
    # before it, counts for nothing, so that each of them is folded once.
    assert sum(report.brought_forward for report in reports) == 4
    assert sum(report.accrual_entries for report in reports) > 20 * len(ids) * 0.8
    ties_out(engine, ids)


def test_a_bad_loan_is_named_and_stops_nobody(engine: sa.Engine, module_database: Database) -> None:
    code, ids = lender(engine, portfolio())
    bad, frozen = ids[3], ids[5]
    with module_database.connect(ADMIN, autocommit=True) as admin:
        admin.execute("ALTER TABLE servicing.terms_version DISABLE TRIGGER ALL")
        admin.execute("UPDATE servicing.terms_version SET terms = terms - 'rate' WHERE loan_id = %s", (bad,))
        admin.execute("UPDATE ledger.subledger SET frozen = true WHERE subledger_id = %s", (frozen,))
    day = OPENING + timedelta(days=3)
    advance(engine, code, day)

    report = run_cycle(engine, code, day, actor=ACTOR)

    assert {failure.loan_id: failure.code for failure in report.failures} == {
        bad: "loan-unreadable",
        frozen: "subledger-frozen",
    }
    ties_out(engine, [loan_id for loan_id in ids if loan_id not in (bad, frozen)])
    with engine.connect() as connection:
        assert booked_balances(connection, frozen)["interest"] == 0
    with module_database.connect(ADMIN, autocommit=True) as admin:
        admin.execute("UPDATE ledger.subledger SET frozen = false WHERE subledger_id = %s", (frozen,))
    assert [failure.loan_id for failure in run_cycle(engine, code, day, actor=ACTOR).failures] == [bad]
    ties_out(engine, [frozen])


def test_a_dry_run_says_what_a_run_would_book_and_keeps_nothing(engine: sa.Engine) -> None:
    code, ids = lender(engine, portfolio())
    day = OPENING + timedelta(days=40)
    advance(engine, code, day)
    before = in_force(engine, ids)

    tried = run_cycle(engine, code, day, actor=ACTOR, dry_run=True)

    assert in_force(engine, ids) == before
    assert tried.entries == run_cycle(engine, code, day, actor=ACTOR).entries > 0


def test_loans_are_aged_and_late_ones_charged_on_the_day_that_does_it(engine: sa.Engine) -> None:
    one = [LoanDraft("A", TERMS)]
    code, (loan_id,) = lender(engine, one)
    due = TERMS.first_due_on
    advance(engine, code, due + timedelta(days=60))

    reports = {n: run_cycle(engine, code, due + timedelta(days=n), actor=ACTOR) for n in (0, 1, 9, 10, 29, 30, 60)}

    assert {n: next(name for name, loans in report.buckets.items() if loans) for n, report in reports.items()} == {
        0: "current", 1: "1-29", 9: "1-29", 10: "1-29", 29: "1-29", 30: "30-59", 60: "60-89"
    }  # fmt: skip
    # 10 days of grace: the fee comes with the close of the tenth, and the next ones with theirs.
    assert {n: report.brought_forward for n, report in reports.items()} == {
        0: 0, 1: 0, 9: 0, 10: 1, 29: 0, 30: 0, 60: 1
    }  # fmt: skip
    with engine.connect() as connection:
        assert booked_balances(connection, loan_id)["penalties"] == 3000


def test_a_day_ahead_is_refused(engine: sa.Engine) -> None:
    code, _ = lender(engine, portfolio()[:1])
    with pytest.raises(EffectiveDateAhead):
        run_cycle(engine, code, OPENING + timedelta(days=1), actor=ACTOR)


def test_a_payment_between_the_lock_and_the_look_is_not_accrued_past(
    engine: sa.Engine, module_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk waits for a payment's lock; what it knew of the loan is old by then, and it begins again."""
    code, ids = lender(engine, portfolio()[:4])
    day = OPENING + timedelta(days=5)
    advance(engine, code, day)
    run_cycle(engine, code, day - timedelta(days=1), actor=ACTOR)
    overtaken: list[int] = []
    batch_of = bulk_accrual._Accrual._batch
    pool = module_database.engine(APP)

    def changed_meanwhile(self: Any, *what: Any) -> Any:
        if not overtaken:
            overtaken.append(ids[0])
            # What a payment leaves that committed while its lock was waited for.
            with pool.begin() as connection:
                statement = sa.text("UPDATE servicing.standing SET next_step_on = :day WHERE loan_id = :id")
                connection.execute(statement, {"day": day, "id": ids[0]})
        return batch_of(self, *what)

    monkeypatch.setattr(bulk_accrual._Accrual, "_batch", changed_meanwhile)
    report = run_cycle(engine, code, day, actor=ACTOR)

    assert report.brought_forward == len(overtaken) == 1
    ties_out(engine, ids)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**15), st.integers(1, 10**9), st.sampled_from(list(Rounding))),
        min_size=1,
        max_size=50,
    )
)
@settings(max_examples=50)
def test_the_database_rounds_as_the_pure_function_does(
    module_database: Database, cases: list[tuple[int, int, Rounding]]
) -> None:
    halves = [(2 * n + 1, 2, mode) for n, _, mode in cases]
    with module_database.connect(APP) as connection:
        for numerator, denominator, mode in [*cases, *halves]:
            row = connection.execute(
                "SELECT servicing.rounded(%s::numeric, %s::numeric, %s)", (numerator, denominator, mode.value)
            ).fetchone()
            assert row is not None
            assert int(row[0]) == rounded(Fraction(numerator, denominator), mode)


def test_a_month_end_brings_fee_income_to_many_loans_without_a_fold(engine: sa.Engine) -> None:
    fee = {"origination_fee": PercentFee(percent=Decimal("3.5"))}
    terms = replace(TERMS, product=RULES.model_copy(update=fee), first_due_on=OPENING + timedelta(days=300))
    code, ids = lender(engine, [LoanDraft(f"F{n}", terms) for n in range(5)])
    forward = []
    day = OPENING
    for _ in range(75):
        day += timedelta(days=1)
        advance(engine, code, day)
        forward.append(run_cycle(engine, code, day, actor=ACTOR).brought_forward)
    ties_out(engine, ids)
    with engine.connect() as connection:
        months = connection.scalar(
            sa.text(
                "SELECT count(*) FROM ledger.journal_entry WHERE template = 'deferred_fee_amortized'"
                " AND subledger_id = ANY (:ids)"
            ),
            {"ids": ids},
        )
        planned = [
            entry
            for loan_id in ids
            for entry in loan_view(connection, loan_id).state.planned
            if entry.template == "deferred_fee_amortized"
        ]
    assert sum(forward) == 0
    assert months == len(planned) == 3 * len(ids)


def test_loans_in_non_accrual_and_charged_off_cost_no_fold_a_day(engine: sa.Engine) -> None:
    stops = replace(TERMS, product=RULES.model_copy(update={"non_accrual_dpd": 12}))
    ends = replace(TERMS, product=RULES.model_copy(update={"charge_off_dpd": 12}))
    drafts = [LoanDraft(f"N{n}", stops) for n in range(4)] + [LoanDraft(f"O{n}", ends) for n in range(4)]
    code, ids = lender(engine, drafts)
    forward = {}
    day = OPENING
    while day < date(2026, 3, 14):
        day += timedelta(days=1)
        advance(engine, code, day)
        forward[day] = run_cycle(engine, code, day, actor=ACTOR).brought_forward
    ties_out(engine, ids)
    with engine.connect() as connection:
        statuses = [loan_view(connection, loan_id).state.status for loan_id in ids]
        held = [booked_balances(connection, loan_id)["interest"] for loan_id in ids[:4]]
    # Late fees on 25 February; 12 days past due at the close of the 27th.
    assert {day: loans for day, loans in forward.items() if loans} == {date(2026, 2, 25): 8, date(2026, 2, 27): 8}
    assert statuses == ["non_accrual"] * 4 + ["charged_off"] * 4
    # 10000 x 12% x 58/365 = 190.68.
    assert held == [19068] * 4


@pytest.mark.parametrize("late", [0, 5])
def test_loans_in_mid_life_accrue_by_the_day_from_their_cut_over_on(engine: sa.Engine, late: int) -> None:
    cut_over = OPENING + timedelta(days=31 + late)
    zero = Money(0, "USD")
    opening = Opening(
        cut_over_on=cut_over,
        principal=Money(921_343, "USD"),
        interest=Money(1_234, "USD"),
        late_fees=zero,
        returned_payment_fees=zero,
        other_fees=zero,
        unapplied=zero,
        days_past_due=late,
    )
    drafts = [replace(draft, opening=opening) for draft in portfolio()]
    code = f"R{uuid.uuid4().hex[:8]}"
    open_book(engine, code, OPENING)
    advance(engine, code, cut_over + timedelta(days=3))
    ids = list(run(engine, lambda uow: board_loans(uow, code, drafts), actor=ACTOR))

    for days in (3, 4, 9, 40, 41, 75):
        day = cut_over + timedelta(days=days)
        advance(engine, code, day)
        report = run_cycle(engine, code, day, actor=ACTOR)

        assert report.failures == ()
        ties_out(engine, ids)
    with engine.connect() as connection:
        early = connection.scalar(
            sa.text("SELECT min(effective_date) FROM ledger.journal_entry WHERE subledger_id = ANY (:ids)"),
            {"ids": ids},
        )
    assert early == cut_over
