"""Setting a flag on a loan, such as a bankruptcy or a death, and lifting it again.

Never: what a flag holds (`servicing/flags.py`). Next: `docs/spec/flags.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import Recorded, check_day, record
from servicing.engine import fold
from servicing.errors import FlagRefused
from servicing.events import Event, Kind
from servicing.flags import HOLDS
from servicing.store import Loan


def flag_loan(
    uow: UnitOfWork,
    loan_id: int,
    *,
    flag: str,
    reason: str,
    effective_date: date,
    request_key: str,
    lifted: bool = False,
) -> Recorded:
    """Set a flag from a day on, or lift it.

    Raises: LoanUnknown; EffectiveDateAhead; EffectiveBeforeFunding; FlagRefused; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=Kind.FLAGGED,
            effective_date=effective_date,
            entered_on=loan.business_date,
            details={"flag": flag, "reason": reason, **({"lifted": True} if lifted else {})},
        )

    def check(loan: Loan, event: Event) -> None:
        if flag not in HOLDS:
            raise FlagRefused(flag=flag[:50], reason=f"known are {', '.join(HOLDS)}")
        check_day(loan, event.effective_date)
        is_set = flag in fold(loan.terms, loan.events, effective_date, fees_through=loan.fees_through).flags
        if is_set is not lifted:
            raise FlagRefused(flag=flag, reason=f"it is {'' if is_set else 'not '}set on {effective_date}")

    return record(uow, loan_id, draft, check, request_key)
