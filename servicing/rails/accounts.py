"""A bank account: its routing number, its kind and holder, and a number that nothing prints.

The number itself is a value of a type of its own that shows the last four characters at most, in whatever way it is
written; only `reveal` gives it away. Never: a key (`servicing/vault.py`). Next: `docs/spec/rails.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from servicing.rails.errors import AccountNumberInvalid, RoutingNumberInvalid

WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7, 1)
"""The weights of the digits of a routing number; the weighted sum is a multiple of ten. Source: ABA routing policy."""

ISSUED = (range(13), range(21, 33), range(61, 73), range(80, 81))
"""The first two digits that are given out."""

KINDS = ("checking", "savings")

_NUMBER = re.compile(r"[0-9A-Za-z]{4,17}", re.ASCII)


class AccountNumber:
    """The number of a bank account, which shows itself masked."""

    __slots__ = ("__number",)

    def __init__(self, number: str) -> None:
        """Take a number as it is written, blanks and dashes left out.

        Raises: AccountNumberInvalid.
        """
        bare = number.replace(" ", "").replace("-", "")
        if not _NUMBER.fullmatch(bare):
            raise AccountNumberInvalid(length=len(bare))
        self.__number = bare

    def reveal(self) -> str:
        """Return the number itself, for what is sent to the bank and for the vault."""
        return self.__number

    @property
    def last_four(self) -> str:
        """Return what may be shown of it: its last four characters, never more than half of it."""
        return self.__number[-min(4, len(self.__number) // 2) :]

    def __str__(self) -> str:
        return masked(self.last_four)

    def __repr__(self) -> str:
        return f"AccountNumber({masked(self.last_four)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccountNumber) and other.reveal() == self.__number

    def __hash__(self) -> int:
        return hash(self.__number)

    def __reduce__(self) -> str:
        raise TypeError("the number of a bank account is not written down")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """A bank account of a borrower in one version; `reason` says what made the version."""

    loan_id: int
    account_no: int
    version: int
    routing: str
    last_four: str
    kind: str
    holder: str
    reason: str
    actor: str
    request_key: str

    @property
    def shown(self) -> str:
        """Return the number as it may be shown."""
        return masked(self.last_four)


def masked(last_four: str) -> str:
    """Return what stands for a number of which so much may be shown."""
    return f"****{last_four}"


def check_routing(routing: str) -> str:
    """Return a routing number, if it is one.

    The weights 3, 7, 1 are those of its nine digits in turn: 021000021 gives 0 + 14 + 1 + 0 + 0 + 0 + 0 + 14 + 1 = 30.
    Raises: RoutingNumberInvalid.
    """
    if not re.fullmatch(r"[0-9]{9}", routing, re.ASCII):
        raise RoutingNumberInvalid(routing=routing[:20], reason="it has nine digits")
    if not any(int(routing[:2]) in issued for issued in ISSUED):
        raise RoutingNumberInvalid(routing=routing, reason="no such first two digits are given out")
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, routing, strict=True))
    if total % 10:
        raise RoutingNumberInvalid(routing=routing, reason="its check digit does not fit")
    return routing
