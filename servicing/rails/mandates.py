"""A mandate: what a borrower has authorized to be debited, on which days, and how it was authorized.

Amounts are minor units. Never: the debit itself (`servicing/commands/autopay.py`). Next: `docs/spec/rails.md`, worked.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

AMOUNT_RULES = ("amount_due", "fixed", "amount_due_plus")
"""What is due, a fixed amount (never more than pays the loan off), or what is due and an extra beside it."""

ENTRY_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "PPD": "signed by a consumer",
        "WEB": "given by a consumer on a web page or a phone's screen",
        "TEL": "given by a consumer on the telephone",
        "CCD": "agreed with a business",
    }
)
"""The entry classes of the Nacha rules that debit a borrower, and how each is authorized."""

ENDINGS = ("revoked", "invalidated")
"""How a mandate ends: the borrower revoked it, or a return said that it is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A mandate as it was given, and the day on which it ended, if it has.

    `amount` is that of a fixed rule, or the extra. `day_of_month` is the day of debits; of none, the due dates.
    """

    loan_id: int
    mandate_no: int
    method: str
    amount_rule: str
    amount: int
    currency: str
    starts_on: date
    authorized_on: date
    text_version: str
    authorized_how: str
    entry_class: str | None = None
    day_of_month: int | None = None
    account_no: int | None = None
    card_token: str | None = None
    actor: str = ""
    request_key: str = ""
    ended_on: date | None = None
    end_cause: str | None = None
    end_reason: str | None = None

    def is_active(self, on: date) -> bool:
        """Tell whether it allows a debit on a day."""
        return self.starts_on <= on and self.ended_on is None


def debit_days(mandate: Mandate, due_dates: Iterable[date], *, first: date, last: date) -> tuple[date, ...]:
    """Return the days from `first` to `last`, both included, on which a mandate debits.

    A day of the month that a month lacks is its last one.
    """
    start = max(first, mandate.starts_on)
    if mandate.day_of_month is None:
        return tuple(sorted({due for due in due_dates if start <= due <= last}))
    count = (last - start).days + 1
    days = (start + timedelta(days=n) for n in range(max(0, count)))
    return tuple(day for day in days if day.day == _day_in(day, mandate.day_of_month))


def amount_to_debit(mandate: Mandate, *, due: int, payoff: int) -> int:
    """Return what a mandate debits where so much is due, and so much pays the loan off; it may be nothing.

    An extra goes with something that is due, and never beyond the payoff.
    """
    asked = {
        "amount_due": due,
        "fixed": mandate.amount,
        "amount_due_plus": due + mandate.amount if due else 0,
    }[mandate.amount_rule]
    return min(asked, payoff)


def _day_in(month_of: date, wanted: int) -> int:
    return min(wanted, calendar.monthrange(month_of.year, month_of.month)[1])
