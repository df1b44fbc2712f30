"""The installments of public LendingClub loans, 2007 to 2011, against the level payment of the schedule.

The rule that they follow: the annuity of the funded amount, a twelfth of the rate shown a month, rounded up to the
cent. From December 2008 to May 2010, and before October 2007, the rates are shown rounded to two decimals: the rule
then holds for a rate that rounds to the one shown. Next: `docs/spec/schedules.md`.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ledger.money import Money, Rounding
from servicing.amortization import Start, ask
from servicing.contract import Phase
from servicing.product import InstallmentRounding
from servicing.schedule import contract_schedule, periods_of
from servicing.terms import Terms
from tests.support.public_data import public_rows
from tests.unit.servicing.examples import RULES, TERMS

RULE = RULES.model_copy(update={"day_count": "period", "installment_rounding": InstallmentRounding(mode=Rounding.UP)})
EXACT = (("2007-10", "2008-11"), ("2010-06", "2011-12"))
"""The first and the last month of each run of months whose rates are shown exactly."""

HALF_OF_A_LAST_PLACE = Decimal("0.005")
CAPPED = "6.00"
"""The rate of a borrower on active duty, 50 USC 3937; where it took the contract's place, the installment stayed."""

Row = dict[str, str]


def loan(row: Row, rate: Decimal) -> Terms:
    amount, count = Money.parse(row["funded_amnt"], "USD"), int(row["term"])
    return replace(TERMS, product=RULE, principal=amount, rate=rate, installments=count)


def installment(row: Row, rate: Decimal) -> int:
    terms = loan(row, rate)
    amount = terms.principal.minor
    return ask(terms, Phase(terms.installments, "level"), Start(amount, periods_of(terms), rate, amount)).amount


def published(row: Row) -> int:
    return Money.parse(row["installment"], "USD").minor


def rows_of(*, shown_exactly: bool) -> list[Row]:
    found = public_rows("lc_sample_dev.csv")
    return [row for row in found if any(first <= row["issue_d"][:7] <= last for first, last in EXACT) is shown_exactly]


def test_the_installment_is_the_annuity_rounded_up_to_the_cent() -> None:
    rows = rows_of(shown_exactly=True)

    others = [row for row in rows if installment(row, Decimal(row["int_rate_pct"])) != published(row)]

    assert len(others) * 100 < len(rows)
    assert {row["int_rate_pct"] for row in others} <= {CAPPED}


def test_where_the_rate_is_shown_rounded_one_that_rounds_to_it_gives_the_installment() -> None:
    for row in rows_of(shown_exactly=False):
        shown = Decimal(row["int_rate_pct"])
        least, most = (installment(row, shown + way * HALF_OF_A_LAST_PLACE) for way in (-1, 1))

        assert least <= published(row) <= most, row["row_id"]


def test_every_installment_but_the_last_is_the_same_and_the_last_takes_no_more() -> None:
    for row in rows_of(shown_exactly=True)[::25]:
        terms = loan(row, Decimal(row["int_rate_pct"]))
        rows = contract_schedule(terms)

        assert {each.total for each in rows[:-1]} == {installment(row, terms.rate)}
        assert 0 < rows[-1].total <= rows[0].total
        assert sum(each.principal for each in rows) == terms.principal.minor
