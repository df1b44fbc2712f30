"""What the corrected data of a notification of change say, by its code.

Fields stand where the rule book puts them; two that follow each other are told apart by the space between. Data that
do not hold what the code promises are refused, and the notification with them. Never: the bank account itself.
Source: Nacha Operating Rules, appendix five; `docs/spec/nacha.md`. Next: `servicing/nacha/addenda_98.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from servicing.nacha.errors import AchCorrectionUnreadable
from servicing.nacha.fields import masked
from servicing.nacha.totals import check_digit
from servicing.nacha.transaction_codes import TRANSACTION_CODES, AccountKind

ACCOUNT_MOST, NAME_MOST, ID_MOST = 17, 22, 22


@dataclass(frozen=True, slots=True)
class Correction:
    """The details that are right; what is None stays as it was."""

    routing: str | None = None
    account: str | None = None
    transaction_code: str | None = None
    name: str | None = None
    individual_id: str | None = None

    @property
    def account_kind(self) -> AccountKind | None:
        """Return the kind of account that the transaction code stands for."""
        if self.transaction_code is None:
            return None
        return TRANSACTION_CODES[self.transaction_code].account

    @property
    def shown(self) -> dict[str, str]:
        """Return what is corrected, by name, as it may be shown."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        said = {name: value for name, value in values.items() if value is not None}
        return {name: masked(value) if name == "account" else value for name, value in said.items()}


def read_correction(change_code: str, data: str) -> Correction:
    """Return what a notification corrects.

    Raises: AchCorrectionUnreadable, also for codes that correct nothing an originator keeps.
    """
    reader = READERS.get(change_code)
    if reader is None:
        raise _unreadable(change_code, data, "the code corrects no detail of a receiver")
    try:
        return reader(data.rstrip())
    except ValueError as reason:
        raise _unreadable(change_code, data, str(reason)) from None


def write_correction(change_code: str, correction: Correction) -> str:
    """Return the 29 characters of a correction, less the spaces at their end."""
    routing, account = correction.routing or "", correction.account or ""
    code = correction.transaction_code or ""
    written = {
        "C01": account,
        "C02": routing,
        "C03": f"{routing:<12}{account}",
        "C04": correction.name or "",
        "C05": code,
        "C06": f"{account:<20}{code}",
        "C07": f"{routing}{account:<17}{code}",
        "C09": correction.individual_id or "",
    }
    return written[change_code].rstrip()


def _routing(text: str) -> str:
    if not re.fullmatch(r"\d{9}", text, re.ASCII):
        raise ValueError(f"{masked(text)!r} is no routing number")
    if int(text[8]) != check_digit(text):
        raise ValueError(f"the check digit of {text} should be {check_digit(text)}")
    return text


def _account(text: str) -> str:
    if not text.strip() or len(text.strip()) > ACCOUNT_MOST:
        raise ValueError(f"an account number has 1 to {ACCOUNT_MOST} characters")
    return text.strip()


def _code(text: str) -> str:
    if text not in TRANSACTION_CODES:
        raise ValueError(f"there is no transaction code {masked(text)!r}")
    return text


def _words(text: str, count: int) -> list[str]:
    words = text.split()
    if len(words) != count:
        raise ValueError(f"{count} fields are asked for")
    return words


def _needed(text: str, most: int) -> str:
    if not text.strip() or len(text.strip()) > most:
        raise ValueError(f"1 to {most} characters are asked for")
    return text.strip()


def _routing_and_account(data: str) -> Correction:
    routing, account = _words(data, 2)
    return Correction(routing=_routing(routing), account=_account(account))


def _account_and_code(data: str) -> Correction:
    account, _, code = data.rpartition(" ")
    return Correction(account=_account(account), transaction_code=_code(code))


def _routing_account_and_code(data: str) -> Correction:
    # The account number follows the routing number at once, and may itself fill its 17 characters up to the code.
    routing, account, code = data[:9], data[9:-2], data[-2:]
    return Correction(routing=_routing(routing), account=_account(account), transaction_code=_code(code))


READERS: Mapping[str, Callable[[str], Correction]] = MappingProxyType(
    {
        "C01": lambda data: Correction(account=_account(data)),
        "C02": lambda data: Correction(routing=_routing(data.strip())),
        "C03": _routing_and_account,
        "C04": lambda data: Correction(name=_needed(data, NAME_MOST)),
        "C05": lambda data: Correction(transaction_code=_code(data.strip())),
        "C06": _account_and_code,
        "C07": _routing_account_and_code,
        "C09": lambda data: Correction(individual_id=_needed(data, ID_MOST)),
    }
)
"""How the data of each code are read."""


def _unreadable(change_code: str, data: str, reason: str) -> AchCorrectionUnreadable:
    # They may hold an account number, whole or in part.
    return AchCorrectionUnreadable(change_code=change_code, data=repr(masked(data.strip())), reason=reason)
