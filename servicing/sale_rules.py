"""How sales of loans are booked: what leaves the books, its price, gain or loss, and what is serviced for the owner.

LOAN_SALE_CLEARING comes to zero with every sale and every purchase. Never: amounts (`servicing/effects/sales.py`).
Next: `servicing/books.py`; `servicing/posting_rules.py`, which has the other rules.
"""

from __future__ import annotations

from ledger.templates import Row, Template
from servicing.turns import RAIL, Rule, Turn

SALE_RULES = (
    Rule(
        Turn.SETTLES,
        Template(
            "loan_sold",
            1,
            "Loan sold",
            (
                Row("LOAN_SALE_CLEARING", "LOAN_PRINCIPAL", "principal"),
                Row("LOAN_SALE_CLEARING", "INTEREST_RECEIVABLE", "interest"),
                Row("LOAN_SALE_CLEARING", "LATE_FEES_RECEIVABLE", "late_fees"),
                Row("LOAN_SALE_CLEARING", "RETURNED_PAYMENT_FEES_RECEIVABLE", "returned_payment_fees"),
                Row("LOAN_SALE_CLEARING", "OTHER_FEES_RECEIVABLE", "other_fees"),
                Row("LOAN_SALE_CLEARING", "RECOVERABLE_FROM_BORROWER", "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "deferred_fee_sold",
            1,
            "Deferred origination fee of a loan sold",
            (Row("DEFERRED_ORIGINATION_FEES", "LOAN_SALE_CLEARING", "deferred"),),
        ),
    ),
    Rule(
        Turn.SENDS,
        Template(
            "cost_recovery_sold",
            1,
            "Interest counted as principal, of a loan sold",
            (Row("COST_RECOVERY_APPLIED", "LOAN_PRINCIPAL", "principal"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_sale_price",
            1,
            "Price of a loan sold",
            (Row(RAIL, "LOAN_SALE_CLEARING", "price"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_sale_gain",
            1,
            "Gain on a loan sold or bought back",
            (Row("LOAN_SALE_CLEARING", "GAIN_ON_LOAN_SALES", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_sale_loss",
            1,
            "Loss on a loan sold or bought back",
            (Row("LOSS_ON_LOAN_SALES", "LOAN_SALE_CLEARING", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "loan_bought_back",
            1,
            "Loan bought back",
            (
                Row("LOAN_PRINCIPAL", "LOAN_SALE_CLEARING", "principal"),
                Row("INTEREST_RECEIVABLE", "LOAN_SALE_CLEARING", "interest"),
                Row("LATE_FEES_RECEIVABLE", "LOAN_SALE_CLEARING", "late_fees"),
                Row("RETURNED_PAYMENT_FEES_RECEIVABLE", "LOAN_SALE_CLEARING", "returned_payment_fees"),
                Row("OTHER_FEES_RECEIVABLE", "LOAN_SALE_CLEARING", "other_fees"),
                Row("RECOVERABLE_FROM_BORROWER", "LOAN_SALE_CLEARING", "recoverable"),
            ),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "buy_back_price",
            1,
            "Price of a loan bought back",
            (Row("LOAN_SALE_CLEARING", RAIL, "price"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "claim_sale_price",
            1,
            "Price of a charged-off claim sold",
            (Row(RAIL, "ALLOWANCE_FOR_CREDIT_LOSSES", "price"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "claim_buy_back_price",
            1,
            "Price of a charged-off claim bought back",
            (Row("ALLOWANCE_FOR_CREDIT_LOSSES", RAIL, "price"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "serviced_claim_kept",
            1,
            "Owed on a loan serviced for its owner",
            (Row("SERVICED_FOR_OTHERS", "SERVICED_FOR_OTHERS_CONTRA", "claim"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "serviced_claim_settled",
            1,
            "No longer owed on a loan serviced for its owner",
            (Row("SERVICED_FOR_OTHERS_CONTRA", "SERVICED_FOR_OTHERS", "claim"),),
        ),
    ),
    Rule(
        Turn.SETTLES,
        Template(
            "collected_for_owner",
            1,
            "Payment collected for the owner of a loan",
            (
                Row(RAIL, "DUE_TO_INVESTORS", "amount"),
                Row(RAIL, "UNAPPLIED_PAYMENTS", "unapplied"),
            ),
        ),
    ),
    Rule(
        Turn.SPENDS,
        Template(
            "unapplied_to_owner",
            1,
            "Unapplied cash collected for the owner of a loan",
            (Row("UNAPPLIED_PAYMENTS", "DUE_TO_INVESTORS", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "charged_back_to_owner",
            1,
            "Payment charged back to the owner of a loan",
            (Row("DUE_TO_INVESTORS", RAIL, "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "refunded_for_owner",
            1,
            "Refund of cash that did not stand, at the owner's expense",
            (Row("DUE_TO_INVESTORS", "REFUNDS_PAYABLE", "amount"),),
        ),
    ),
    Rule(
        Turn.CHARGES,
        Template(
            "drawn_for_owner",
            1,
            "Loan drawn further at its owner's expense",
            (Row("DUE_TO_INVESTORS", "DISBURSEMENTS_PAYABLE", "amount"),),
        ),
    ),
)
