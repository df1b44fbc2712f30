"""Where a loan stood day by day, as both doors show it.

Next: `servicing/delinquency_queries.py`; `api/routes/delinquency.py`, `api/cli/delinquency.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from api.views import Json, MoneyForm
from ledger.money import Money
from servicing.delinquency_queries import DelinquencyRange

PARTS = ("principal", "interest", "fees", "penalties", "past_due")


def history_json(loan_id: int, currency: str, ranges: Sequence[DelinquencyRange], money: MoneyForm) -> Json:
    """Return the ranges of a loan, the earliest first."""
    return {"loan_id": loan_id, "ranges": [_range_json(each, currency, money) for each in ranges]}


def _range_json(each: DelinquencyRange, currency: str, money: MoneyForm) -> Json:
    position = each.position
    days = {"from": position.from_day, "through": each.through, "unpaid_since": position.since}
    return {
        **{name: None if day is None else day.isoformat() for name, day in days.items()},
        "dpd_from": each.dpd_from,
        "dpd_through": each.dpd_through,
        "recency_dpd_from": position.recent_dpd(position.from_day),
        "bucket": each.bucket,
        "status": position.status,
        **{name: money(Money(getattr(position, name), currency)) for name in PARTS},
    }
