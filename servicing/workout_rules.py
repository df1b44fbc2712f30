"""How modifications and settlements are booked: the templates, each with its turn in a replay.

Never: amounts. Next: `servicing/posting_rules.py`, which has all templates; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from ledger.templates import Row, Template
from servicing.turns import Rule, Turn

WORKOUT_RULES = (
    Rule(
        Turn.CONVERTS,
        Template(
            "arrears_capitalized",
            1,
            "Arrears capitalized",
            (
                Row("LOAN_PRINCIPAL", "INTEREST_RECEIVABLE", "interest"),
                Row("LOAN_PRINCIPAL", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("LOAN_PRINCIPAL", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("LOAN_PRINCIPAL", "OTHER_FEES_RECEIVABLE", "other_fees"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "settlement_forgiven",
            1,
            "Rest of a settled loan forgiven",
            (
                Row("WAIVED_FEES", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("WAIVED_FEES", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("WAIVED_FEES", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("WAIVED_INTEREST", "INTEREST_RECEIVABLE", "interest"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "LOAN_PRINCIPAL", "principal"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "RECOVERABLE_FROM_BORROWER", "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "settlement_charged_off",
            1,
            "Rest of a settled loan charged off",
            (
                Row("LATE_FEE_INCOME", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("OTHER_FEE_INCOME", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("OTHER_FEE_INCOME", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("INTEREST_INCOME", "INTEREST_RECEIVABLE", "interest"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "LOAN_PRINCIPAL", "principal"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "RECOVERABLE_FROM_BORROWER", "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "principal_forgiven",
            1,
            "Principal forgiven",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", "LOAN_PRINCIPAL", "principal"),),
        ),
    ),
    Rule(
        Turn.CONVERTS,
        Template(
            "non_accrual_interest_capitalized",
            1,
            "Arrears capitalized that were not accrued",
            (Row("LOAN_PRINCIPAL", "COST_RECOVERY_APPLIED", "cost_recovery"),),
        ),
    ),
)
