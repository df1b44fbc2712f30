"""The loan roll-forward: what each balance of the loans was, what moved it by kind, and what it is now.

Movements are named by the template that booked them; a reversal counts where the entry it reverses counted. A
template that no row names falls under `other`, so nothing is ever left out, and a row whose movements do not
lead to the ledger's closing balance cannot be made. Never: a query. Next:
`gl_export/reports/loan_roll_forward.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gl_export.errors import RollForwardBroken
from gl_export.matching import Balances
from ledger.chart import AccountDefinition, Side
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class MovementKind:
    """A column of the roll-forward: its name, its heading, and the templates that are counted in it."""

    name: str
    heading: str
    templates: tuple[str, ...]


KINDS = (
    MovementKind("funded", "Funded", ("loan_funded", "loan_drawn", "interest_withheld")),
    MovementKind("boarded", "Boarded", ("loan_boarded",)),
    MovementKind("accrued", "Accrued", ("interest_accrued",)),
    MovementKind("amortized", "Amortized", ("deferred_fee_amortized",)),
    MovementKind(
        "charged",
        "Charged",
        ("late_fee_assessed", "returned_payment_fee_assessed", "fee_charged", "penalty_charged", "fee_tax_charged"),
    ),
    MovementKind("paid", "Paid", ("payment_applied", "down_payment_received", "unapplied_applied")),
    MovementKind(
        "relieved",
        "Relieved",
        (
            "fee_waived",
            "fee_waived_from_income",
            "fee_tax_waived",
            "interest_waived",
            "interest_waived_from_income",
            "small_balance_written_off",
            "principal_forgiven",
            "settlement_forgiven",
            "settlement_charged_off",
        ),
    ),
    MovementKind(
        "charged_off",
        "Charged off",
        (
            "loan_charged_off",
            "deferred_fee_charged_off",
            "cost_recovery_charged_off",
            "claim_kept",
            "claim_settled",
            "charged_back_after_charge_off",
            "refunded_after_charge_off",
            "drawn_after_charge_off",
        ),
    ),
    MovementKind(
        "sold",
        "Sold",
        (
            "loan_sold",
            "deferred_fee_sold",
            "cost_recovery_sold",
            "loan_sale_price",
            "loan_sale_gain",
            "loan_sale_loss",
            "loan_bought_back",
            "buy_back_price",
            "claim_sale_price",
            "claim_buy_back_price",
        ),
    ),
    MovementKind(
        "serviced",
        "Serviced for others",
        (
            "serviced_claim_kept",
            "serviced_claim_settled",
            "collected_for_owner",
            "unapplied_to_owner",
            "charged_back_to_owner",
            "refunded_for_owner",
            "drawn_for_owner",
        ),
    ),
    MovementKind("provided", "Provided", ("provision_made", "provision_released")),
    MovementKind("recovered", "Recovered", ("recovery_received", "unapplied_recovered", "agency_commission_kept")),
    MovementKind(
        "not_accrued",
        "Not accrued",
        (
            "non_accrual_entered",
            "non_accrual_interest_kept",
            "non_accrual_interest_settled",
            "non_accrual_interest_received",
            "unapplied_to_non_accrual_interest",
            "non_accrual_interest_charged_back",
            "cost_recovery_earned",
        ),
    ),
    MovementKind("capitalized", "Capitalized", ("arrears_capitalized", "non_accrual_interest_capitalized")),
    MovementKind("credited", "Credited", ("goodwill_credited", "merchant_refund_applied")),
    MovementKind("charged_back", "Charged back", ("payment_charged_back", "unapplied_charged_back")),
    MovementKind("refunded", "Refunded", ("refund_approved", "refund_recoverable", "refund_sent", "refund_recovered")),
    MovementKind(
        "disbursed", "Disbursed", ("disbursement_sent", "disbursement_paid", "disbursement_returned", "loan_refinanced")
    ),
    MovementKind("committed", "Committed", ("commitment_made", "commitment_drawn", "commitment_released")),
)
OTHER = MovementKind("other", "Other", ())


@dataclass(frozen=True, slots=True)
class Movement:
    """What the entries of one template did to one account, debits positive, and how many entries they were.

    `template` of a reversal is that of the entry it reverses, and `reversal` is true.
    """

    account: str
    template: str
    reversal: bool
    change: Money
    entry_count: int


@dataclass(frozen=True, slots=True)
class RollForwardRow:
    """One account in one currency over a month, on its normal side; `moved` follows the kinds, other last.

    Raises: RollForwardBroken if opening and movements do not make the closing balance.
    """

    account: AccountDefinition
    opening: Money
    moved: tuple[Money, ...]
    closing: Money

    def __post_init__(self) -> None:
        movements = Money.sum(self.moved, self.opening.currency)
        if self.opening + movements != self.closing:
            raise RollForwardBroken(
                account=self.account.code,
                opening=self.opening.minor,
                movements=movements.minor,
                expected=(self.opening + movements).minor,
                closing=self.closing.minor,
                currency=self.opening.currency,
            )


def kind_of(template: str) -> MovementKind:
    """Return the kind under which a template's entries are counted."""
    return next((kind for kind in KINDS if template in kind.templates), OTHER)


def roll_forward(
    accounts: Mapping[str, AccountDefinition],
    *,
    opening: Balances,
    movements: Iterable[Movement],
    closing: Balances,
) -> tuple[RollForwardRow, ...]:
    """Return a row for each subledgered account and currency with a figure, by code and currency.

    Balances are signed, debits positive, as the trial balance has them; they come from another source than
    the movements, so that the row proves something.

    Raises: RollForwardBroken.
    """
    moved: dict[tuple[str, str], dict[str, Money]] = {}
    for movement in movements:
        currency = movement.change.currency
        sums = moved.setdefault((movement.account, currency), {})
        name = kind_of(movement.template).name
        sums[name] = sums.get(name, Money.zero(currency)) + movement.change
    keys = sorted(key for key in {*opening, *moved, *closing} if accounts[key[0]].subledgered)
    return tuple(
        _row(accounts[code], currency, (opening, moved.get((code, currency), {}), closing)) for code, currency in keys
    )


def _row(
    account: AccountDefinition, currency: str, figures: tuple[Balances, Mapping[str, Money], Balances]
) -> RollForwardRow:
    opening, moved, closing = figures
    zero, sign = Money.zero(currency), 1 if account.normal_side is Side.DEBIT else -1
    key = (str(account.code), currency)
    return RollForwardRow(
        account,
        opening.get(key, zero) * sign,
        tuple(moved.get(kind.name, zero) * sign for kind in (*KINDS, OTHER)),
        closing.get(key, zero) * sign,
    )
