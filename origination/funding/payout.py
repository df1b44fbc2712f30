"""To whom the proceeds of a contract go: several payees, each by a rail, together the proceeds to the cent.

Never: an account number in the clear; it comes sealed, or not at all. Next: `servicing/rails/`, which sends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ledger.money import Money
from origination.application import Disbursement, check_disbursements
from origination.errors import ApplicationInvalid
from servicing.rails.accounts import KINDS, AccountNumber, check_routing

METHODS: Mapping[str, str] = MappingProxyType({"ach": "ach_credit", "wire": "wire", "check": "check"})
"""The rail of servicing by which a payout goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeAccount:
    """The bank account of a payee as it is given.

    Raises: ApplicationInvalid; RoutingNumberInvalid.
    """

    routing: str
    number: AccountNumber
    kind: str = "checking"

    def __post_init__(self) -> None:
        check_routing(self.routing)
        if self.kind not in KINDS:
            raise ApplicationInvalid(problems=(f"a bank account is {' or '.join(KINDS)}, not {self.kind}",))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedAccount:
    """The same as it is kept."""

    routing: str
    kind: str
    last_four: str
    key_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A part of the proceeds, numbered from 1."""

    payout_no: int
    payee: str
    rail: str
    amount: Money
    account: SealedAccount | None = None

    @property
    def method(self) -> str:
        """Return the rail of servicing by which it goes."""
        return METHODS[self.rail]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutIn:
    """A part of the proceeds as it is given; ACH needs the account that it goes to."""

    payee: str
    rail: str
    amount: Money
    account: PayeeAccount | None = None


def check_payouts(external_id: str, payouts: Sequence[PayoutIn], *, proceeds: Money) -> None:
    """Refuse payouts that cannot be sent, or do not sum to the proceeds.

    Raises: ApplicationInvalid; DisbursementMismatch with both sums; CurrencyMismatch.
    """
    given = [Disbursement(each.payee, each.rail, each.amount) for each in payouts]
    problems = []
    for each in payouts:
        if (each.rail == "ach") != (each.account is not None):
            wants = "needs a" if each.account is None else "takes no"
            problems.append(f"{each.rail} to {each.payee} {wants} bank account")
    if problems:
        raise ApplicationInvalid(problems=tuple(problems))
    check_disbursements(external_id, given, proceeds=proceeds)
