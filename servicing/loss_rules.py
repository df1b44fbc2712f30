"""How losses are booked: charge-off, the claim that is still held, recoveries, interest in non-accrual,
and the provision for them.

Never: when, or which amounts (`servicing/effects/charge_offs.py`, `servicing/effects/non_accrual.py`).
Next: `servicing/books.py`; `servicing/posting_rules.py`, which has the other rules.
"""

from __future__ import annotations

from ledger.templates import Row, Template
from servicing.turns import RAIL, Rule, Turn

LOSS_RULES = (
    Rule(
        Turn.SETTLES,
        Template(
            "loan_charged_off",
            1,
            "Loan charged off",
            (
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "LOAN_PRINCIPAL", "principal"),
                Row("INTEREST_INCOME", "INTEREST_RECEIVABLE", "interest"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "INTEREST_RECEIVABLE", "interest_of_prior_years"),
                Row("LATE_FEE_INCOME", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("OTHER_FEE_INCOME", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("OTHER_FEE_INCOME", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "LATE_FEES_RECEIVABLE", "late_fees_lost"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees_lost"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "OTHER_FEES_RECEIVABLE", "other_fees_lost"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "RECOVERABLE_FROM_BORROWER", "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "deferred_fee_charged_off",
            1,
            "Deferred origination fee of a loan charged off",
            (Row("DEFERRED_ORIGINATION_FEES", "ALLOWANCE_FOR_CREDIT_LOSSES", "deferred"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "cost_recovery_charged_off",
            1,
            "Interest counted as principal, of a loan charged off",
            (Row("COST_RECOVERY_APPLIED", "LOAN_PRINCIPAL", "principal"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "claim_kept",
            1,
            "Claim charged off and still held",
            (Row("CHARGED_OFF_CLAIM", "CHARGED_OFF_CLAIM_CONTRA", "claim"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "claim_settled",
            1,
            "Claim charged off and no longer held",
            (Row("CHARGED_OFF_CLAIM_CONTRA", "CHARGED_OFF_CLAIM", "claim"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "recovery_received",
            1,
            "Recovery after charge-off",
            (
                Row(RAIL, "ALLOWANCE_FOR_CREDIT_LOSSES", "amount"),
                Row(RAIL, "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "unapplied_recovered",
            1,
            "Recovery after charge-off out of unapplied cash",
            (Row("UNAPPLIED_PAYMENTS", "ALLOWANCE_FOR_CREDIT_LOSSES", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "charged_back_after_charge_off",
            1,
            "Payment charged back after charge-off",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", RAIL, "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "refunded_after_charge_off",
            1,
            "Refund after charge-off of cash that did not stand",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", "REFUNDS_PAYABLE", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "drawn_after_charge_off",
            1,
            "Loan drawn further after charge-off",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", "DISBURSEMENTS_PAYABLE", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "agency_commission_kept",
            1,
            "Commission that an agency keeps of a recovery",
            (Row("COLLECTION_EXPENSE", RAIL, "commission"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "non_accrual_entered",
            1,
            "Accrued interest reversed: loan in non-accrual",
            (
                Row("INTEREST_INCOME", "INTEREST_RECEIVABLE", "interest"),
                Row("ALLOWANCE_FOR_CREDIT_LOSSES", "INTEREST_RECEIVABLE", "interest_of_prior_years"),
            ),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "non_accrual_interest_kept",
            1,
            "Contract interest that is not accrued",
            (Row("NON_ACCRUAL_INTEREST", "NON_ACCRUAL_INTEREST_CONTRA", "interest"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "non_accrual_interest_settled",
            1,
            "Contract interest that was not accrued, no longer owed",
            (Row("NON_ACCRUAL_INTEREST_CONTRA", "NON_ACCRUAL_INTEREST", "interest"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "non_accrual_interest_received",
            1,
            "Contract interest paid that was not accrued",
            (
                Row(RAIL, "COST_RECOVERY_APPLIED", "cost_recovery"),
                Row(RAIL, "INTEREST_INCOME", "income"),
            ),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "unapplied_to_non_accrual_interest",
            1,
            "Unapplied cash applied to contract interest that was not accrued",
            (
                Row("UNAPPLIED_PAYMENTS", "COST_RECOVERY_APPLIED", "cost_recovery"),
                Row("UNAPPLIED_PAYMENTS", "INTEREST_INCOME", "income"),
            ),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "non_accrual_interest_charged_back",
            1,
            "Interest charged back on a loan in non-accrual",
            (
                Row("COST_RECOVERY_APPLIED", RAIL, "cost_recovery"),
                Row("INTEREST_INCOME", RAIL, "income"),
            ),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "cost_recovery_earned",
            1,
            "Interest counted as principal, earned",
            (Row("COST_RECOVERY_APPLIED", "INTEREST_INCOME", "income"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "provision_made",
            1,
            "Allowance for credit losses raised to what is required",
            (Row("PROVISION_FOR_CREDIT_LOSSES", "ALLOWANCE_FOR_CREDIT_LOSSES", "amount"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "provision_released",
            1,
            "Allowance for credit losses lowered to what is required",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", "PROVISION_FOR_CREDIT_LOSSES", "amount"),),
        ),
    ),
)
