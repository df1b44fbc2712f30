"""How each event of a loan is booked: the templates, each with its turn in a replay, and from a plan to postings.

RAIL_CLEARING stands for the clearing account of the payment's method; the planned entry says which. A template that
was used is never edited, only followed by a next version. A role may move to another account: entries booked before
that stay right. Never: amounts. Next: `ledger/templates.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.chart import AccountCode
from ledger.journal import Posting
from ledger.money import Money
from ledger.templates import Row, Template, Templates, instantiate, narrate
from servicing.loss_rules import LOSS_RULES
from servicing.sale_rules import SALE_RULES
from servicing.state import PlannedEntry
from servicing.turns import RAIL, Rule, Turn
from servicing.workout_rules import WORKOUT_RULES

TAKES_FROM: tuple[tuple[Turn, str], ...] = (
    (Turn.SETTLES, "LOAN_PRINCIPAL"),
    (Turn.SPENDS, "UNAPPLIED_PAYMENTS"),
    (Turn.SENDS, "REFUNDS_PAYABLE"),
    (Turn.SENDS, "DISBURSEMENTS_PAYABLE"),
    (Turn.SENDS, "DEFERRED_ORIGINATION_FEES"),
    (Turn.SENDS, "COST_RECOVERY_APPLIED"),
)
"""From which balance the entries of a turn take what those of an earlier turn brought, in this order."""

ASSETS = frozenset({"LOAN_PRINCIPAL"})
"""Those of these balances that debits add to."""


RULES = (
    Rule(
        Turn.CHARGES,
        Template(
            "loan_funded",
            1,
            "Loan funded",
            (
                Row("LOAN_PRINCIPAL", "DISBURSEMENTS_PAYABLE", "proceeds"),
                Row("LOAN_PRINCIPAL", "DEFERRED_ORIGINATION_FEES", "fee"),
            ),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_boarded",
            1,
            "Loan boarded in mid-life",
            (
                Row("LOAN_PRINCIPAL", "CONVERSION_CLEARING", "principal"),
                Row("INTEREST_RECEIVABLE", "CONVERSION_CLEARING", "interest"),
                Row("LATE_FEES_RECEIVABLE", "CONVERSION_CLEARING", "late_fees"),
                Row("RETURNED_PAYMENT_FEES_RECEIVABLE", "CONVERSION_CLEARING", "returned_payment_fees"),
                Row("OTHER_FEES_RECEIVABLE", "CONVERSION_CLEARING", "other_fees"),
                Row("CONVERSION_CLEARING", "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "deferred_fee_amortized",
            1,
            "Deferred origination fee earned",
            (Row("DEFERRED_ORIGINATION_FEES", "ORIGINATION_FEE_INCOME", "income"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_drawn",
            1,
            "Loan drawn further",
            (Row("LOAN_PRINCIPAL", "DISBURSEMENTS_PAYABLE", "amount"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "down_payment_received",
            1,
            "Down payment received",
            (Row(RAIL, "LOAN_PRINCIPAL", "principal"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "commitment_made",
            1,
            "Commitment to lend more",
            (Row("COMMITMENT", "COMMITMENT_CONTRA", "undrawn"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "commitment_drawn",
            1,
            "Commitment drawn",
            (Row("COMMITMENT_CONTRA", "COMMITMENT", "undrawn"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "commitment_released",
            1,
            "Commitment released",
            (Row("COMMITMENT_CONTRA", "COMMITMENT", "undrawn"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "disbursement_sent",
            1,
            "Disbursement sent",
            (Row("DISBURSEMENTS_PAYABLE", "ACH_CLEARING", "amount"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "disbursement_paid",
            1,
            "Part of the proceeds sent",
            (Row("DISBURSEMENTS_PAYABLE", RAIL, "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "disbursement_returned",
            1,
            "Part of the proceeds came back",
            (Row(RAIL, "DISBURSEMENTS_PAYABLE", "amount"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "loan_refinanced",
            1,
            "Another loan paid off out of the proceeds",
            (Row("DISBURSEMENTS_PAYABLE", "REFINANCE_CLEARING", "amount"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "interest_withheld",
            1,
            "Interest of odd days kept from the proceeds",
            (Row("DISBURSEMENTS_PAYABLE", "INTEREST_INCOME", "interest"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "interest_accrued",
            1,
            "Interest accrued",
            (Row("INTEREST_RECEIVABLE", "INTEREST_INCOME", "interest"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "payment_applied",
            1,
            "Payment received",
            (
                Row(RAIL, "LATE_FEES_RECEIVABLE", "late_fees"),
                Row(RAIL, "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row(RAIL, "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row(RAIL, "INTEREST_RECEIVABLE", "interest"),
                Row(RAIL, "LOAN_PRINCIPAL", "principal"),
                Row(RAIL, "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "unapplied_applied",
            1,
            "Unapplied cash applied",
            (
                Row("UNAPPLIED_PAYMENTS", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("UNAPPLIED_PAYMENTS", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("UNAPPLIED_PAYMENTS", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("UNAPPLIED_PAYMENTS", "INTEREST_RECEIVABLE", "interest"),
                Row("UNAPPLIED_PAYMENTS", "LOAN_PRINCIPAL", "principal"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "goodwill_credited",
            1,
            "Goodwill credit by the lender",
            (
                Row("GOODWILL_CREDITS", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("GOODWILL_CREDITS", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("GOODWILL_CREDITS", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("GOODWILL_CREDITS", "INTEREST_RECEIVABLE", "interest"),
                Row("GOODWILL_CREDITS", "LOAN_PRINCIPAL", "principal"),
                Row("GOODWILL_CREDITS", "RECOVERABLE_FROM_BORROWER", "recoverable"),
                Row("GOODWILL_CREDITS", "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "merchant_refund_applied",
            1,
            "Refund by the merchant",
            (
                Row(RAIL, "LATE_FEES_RECEIVABLE", "late_fees"),
                Row(RAIL, "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row(RAIL, "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row(RAIL, "INTEREST_RECEIVABLE", "interest"),
                Row(RAIL, "LOAN_PRINCIPAL", "principal"),
                Row(RAIL, "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "payment_charged_back",
            1,
            "Payment charged back",
            (
                Row("LATE_FEES_RECEIVABLE", RAIL, "late_fees"),
                Row("RETURNED_PAYMENT_FEES_RECEIVABLE", RAIL, "returned_payment_fees"),
                Row("OTHER_FEES_RECEIVABLE", RAIL, "other_fees"),
                Row("INTEREST_RECEIVABLE", RAIL, "interest"),
                Row("LOAN_PRINCIPAL", RAIL, "principal"),
                Row("RECOVERABLE_FROM_BORROWER", RAIL, "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "unapplied_charged_back",
            1,
            "Unapplied cash of a payment charged back",
            (Row("UNAPPLIED_PAYMENTS", RAIL, "unapplied"),),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "refund_approved",
            1,
            "Refund of unapplied cash approved",
            (Row("UNAPPLIED_PAYMENTS", "REFUNDS_PAYABLE", "refund"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "refund_recoverable",
            1,
            "Refund of cash that did not stand, recoverable from the borrower",
            (Row("RECOVERABLE_FROM_BORROWER", "REFUNDS_PAYABLE", "recoverable"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "refund_sent",
            1,
            "Refund sent",
            (Row("REFUNDS_PAYABLE", RAIL, "refund"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "refund_recovered",
            1,
            "Refund recovered from the borrower",
            (Row(RAIL, "RECOVERABLE_FROM_BORROWER", "recovered"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "late_fee_assessed",
            1,
            "Late fee assessed",
            (Row("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME", "fee"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "returned_payment_fee_assessed",
            1,
            "Returned payment fee assessed",
            (Row("RETURNED_PAYMENT_FEES_RECEIVABLE", "OTHER_FEE_INCOME", "fee"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "fee_charged",
            1,
            "Fee charged",
            (Row("OTHER_FEES_RECEIVABLE", "OTHER_FEE_INCOME", "fee"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "penalty_charged",
            1,
            "Penalty charged",
            (Row("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME", "fee"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "fee_tax_charged",
            1,
            "Tax on a fee",
            (
                Row("LATE_FEES_RECEIVABLE", "FEE_TAXES_PAYABLE", "late_fees"),
                Row("RETURNED_PAYMENT_FEES_RECEIVABLE", "FEE_TAXES_PAYABLE", "returned_payment_fees"),
                Row("OTHER_FEES_RECEIVABLE", "FEE_TAXES_PAYABLE", "other_fees"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "fee_waived",
            1,
            "Fee waived",
            (
                Row("WAIVED_FEES", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("WAIVED_FEES", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("WAIVED_FEES", "OTHER_FEES_RECEIVABLE", "other_fees"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "fee_waived_from_income",
            1,
            "Fee waived",
            (
                Row("LATE_FEE_INCOME", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("OTHER_FEE_INCOME", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("OTHER_FEE_INCOME", "OTHER_FEES_RECEIVABLE", "other_fees"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "fee_tax_waived",
            1,
            "Tax on a fee that was waived",
            (
                Row("FEE_TAXES_PAYABLE", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("FEE_TAXES_PAYABLE", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("FEE_TAXES_PAYABLE", "OTHER_FEES_RECEIVABLE", "other_fees"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "interest_waived",
            1,
            "Interest waived",
            (Row("WAIVED_INTEREST", "INTEREST_RECEIVABLE", "interest"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "interest_waived_from_income",
            1,
            "Interest waived",
            (Row("INTEREST_INCOME", "INTEREST_RECEIVABLE", "interest"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "small_balance_written_off",
            1,
            "Small balance written off",
            (
                Row("SMALL_BALANCE_WRITE_OFF", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("SMALL_BALANCE_WRITE_OFF", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("SMALL_BALANCE_WRITE_OFF", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("SMALL_BALANCE_WRITE_OFF", "INTEREST_RECEIVABLE", "interest"),
                Row("SMALL_BALANCE_WRITE_OFF", "LOAN_PRINCIPAL", "principal"),
                Row("SMALL_BALANCE_WRITE_OFF", "RECOVERABLE_FROM_BORROWER", "recoverable"),
            ),
        ),
    ),
    *LOSS_RULES,
    *WORKOUT_RULES,
    *SALE_RULES,
)

TEMPLATES = Templates(rule.template for rule in RULES)
TURNS: Mapping[str, Turn] = {rule.template.name: rule.turn for rule in RULES}
"""The turn of each template, by its name."""

BALANCE_ROLES: Mapping[str, tuple[str, ...]] = {
    "principal": ("LOAN_PRINCIPAL",),
    "interest": ("INTEREST_RECEIVABLE", "NON_ACCRUAL_INTEREST"),
    "fees": ("OTHER_FEES_RECEIVABLE",),
    "penalties": ("LATE_FEES_RECEIVABLE", "RETURNED_PAYMENT_FEES_RECEIVABLE"),
    "unapplied": ("UNAPPLIED_PAYMENTS",),
    "recoverable": ("RECOVERABLE_FROM_BORROWER",),
}
"""The roles of the accounts that hold what a loan owes, and what it was paid beyond that, by component."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The account that plays each role now, and all accounts that ever have."""

    now: Mapping[str, AccountCode]
    ever: Mapping[str, frozenset[AccountCode]]


def postings_of(planned: PlannedEntry, roles: Roles, currency: str) -> tuple[Posting, ...]:
    """Return the postings of a planned entry.

    Raises: TemplateRowUnresolved if a role has no account; SameAccountBothSides.
    """
    accounts = roles.now
    if planned.clearing_role is not None and planned.clearing_role in accounts:
        accounts = {**accounts, RAIL: accounts[planned.clearing_role]}
    amounts = {name: Money(minor, currency) for name, minor in planned.amounts.items()}
    return instantiate(TEMPLATES.get(planned.template), amounts, accounts)


def books(planned: PlannedEntry, version: int, postings: Sequence[Posting], roles: Roles) -> bool:
    """Tell whether postings of a version of the template book what is planned, by accounts that had the roles then."""
    rows = [row for row in TEMPLATES.get(planned.template, version).rows if planned.amounts.get(row.amount_name)]
    if {row.amount_name for row in rows} != {name for name, minor in planned.amounts.items() if minor}:
        return False
    return len(rows) == len(postings) and all(
        posting.money.minor == planned.amounts[row.amount_name]
        and posting.debit in _ever(row.debit_role, planned, roles)
        and posting.credit in _ever(row.credit_role, planned, roles)
        for row, posting in zip(rows, postings, strict=True)
    )


def _ever(role: str, planned: PlannedEntry, roles: Roles) -> frozenset[AccountCode]:
    name = planned.clearing_role if role == RAIL else role
    return roles.ever.get(name or "", frozenset())


def narration_of(planned: PlannedEntry) -> str:
    """Return the narration of a planned entry."""
    return narrate(TEMPLATES.get(planned.template))
