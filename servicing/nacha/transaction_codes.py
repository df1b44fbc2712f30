"""The two digits that say what an entry does to which kind of account.

Source: Nacha Operating Rules, appendix three, transaction codes. Next: `servicing/nacha/rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Side(StrEnum):
    """What an entry does to the receiver's account."""

    DEBIT = "debit"
    CREDIT = "credit"


class Use(StrEnum):
    """What a transaction code is for."""

    LIVE = "live"
    PRENOTE = "prenote"
    ANSWER = "return or change"
    REMITTANCE = "remittance of zero dollars"


class AccountKind(StrEnum):
    """What kind of account is debited or credited."""

    CHECKING = "checking"
    SAVINGS = "savings"
    LEDGER = "general ledger"
    LOAN = "loan"


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """One code: account, side, use."""

    code: str
    account: AccountKind
    side: Side
    use: Use


def _family(first: str, account: AccountKind) -> tuple[TransactionCode, ...]:
    """Return the codes of a kind of account: 1 to 4 credits, 6 to 9 debits."""
    uses = (Use.ANSWER, Use.LIVE, Use.PRENOTE, Use.REMITTANCE)
    return tuple(
        TransactionCode(f"{first}{base + index}", account, side, use)
        for base, side in ((1, Side.CREDIT), (6, Side.DEBIT))
        for index, use in enumerate(uses)
    )


_LOAN = AccountKind.LOAN
_ALL = (
    *_family("2", AccountKind.CHECKING),
    *_family("3", AccountKind.SAVINGS),
    *_family("4", AccountKind.LEDGER),
    TransactionCode("51", _LOAN, Side.CREDIT, Use.ANSWER),
    TransactionCode("52", _LOAN, Side.CREDIT, Use.LIVE),
    TransactionCode("53", _LOAN, Side.CREDIT, Use.PRENOTE),
    TransactionCode("54", _LOAN, Side.CREDIT, Use.REMITTANCE),
    TransactionCode("55", _LOAN, Side.DEBIT, Use.LIVE),
    TransactionCode("56", _LOAN, Side.DEBIT, Use.ANSWER),
)
TRANSACTION_CODES: Mapping[str, TransactionCode] = MappingProxyType({each.code: each for each in _ALL})
REVERSAL_ONLY = frozenset({"55"})
"""A loan account is debited only to take back a credit."""


def side_of(code: str) -> Side | None:
    """Return what a code does, or None where there is no such code."""
    found = TRANSACTION_CODES.get(code)
    return None if found is None else found.side


def code_for(account: AccountKind, side: Side, use: Use = Use.LIVE) -> str:
    """Return the code for an account, a side and a use.

    Raises: LookupError where there is none.
    """
    wanted = (account, side, use)
    found = next((each.code for each in _ALL if (each.account, each.side, each.use) == wanted), None)
    if found is None:
        raise LookupError(f"no transaction code {use} {side} of a {account} account")
    return found
