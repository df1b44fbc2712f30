"""When a debit that came back is sent again, and when nothing more may be tried.

Two rules stand beside each other: the network lets one entry be presented three times within 180 days; the consumer
rule stops a lender after two failures in a row on a loan, whatever entry or channel they went by. Never: money.
Source: Nacha Operating Rules, subsection 2.12.4; 12 CFR 1041.8(b). Next: `docs/spec/nacha.md`, worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from servicing.nacha.banking_days import after, banking_day_from
from servicing.nacha.reason_codes import RETURN_CODES

RETRIES_MOST = 2
RETRY_DAYS = 180
FAILURES_MOST = 2


class Refusal(StrEnum):
    """Why a debit is not sent again."""

    REASON = "the reason of the return does not allow it"
    AUTHORIZATION = "the receiver has to authorize it anew"
    ACCOUNT = "the account is of no use"
    COUNT = "it was presented three times"
    TIME = "180 days have gone since it first settled"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a lender sends again: banking days after the return, by number of the retry; then on a payday, if any.

    `paydays` are days of the month; of none, the banking day itself.
    """

    waits: tuple[int, ...] = (3, 5)
    paydays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Either the day on which a debit is sent again, or why it is not."""

    on: date | None = None
    refusal: Refusal | None = None


def decide_retry(
    reason_code: str,
    *,
    presented: int,
    first_settled_on: date,
    returned_on: date,
    policy: RetryPolicy,
) -> Retry:
    """Return when a debit that came back is to settle again, if ever.

    `presented` counts how often it was sent so far, the first time included.
    """
    refusal = _refusal_of(reason_code)
    if refusal is not None:
        return Retry(refusal=refusal)
    if presented > RETRIES_MOST or presented > len(policy.waits):
        return Retry(refusal=Refusal.COUNT)
    on = retry_day(returned_on, policy.waits[presented - 1], policy.paydays)
    if on > last_retry_day(first_settled_on):
        # A payday too late is no reason to give up: the banking day itself may still do.
        on = retry_day(returned_on, policy.waits[presented - 1], ())
    if on > last_retry_day(first_settled_on):
        return Retry(refusal=Refusal.TIME)
    return Retry(on=on)


def last_retry_day(first_settled_on: date) -> date:
    """Return the last day on which a debit may settle again."""
    return first_settled_on + timedelta(days=RETRY_DAYS)


def retry_day(returned_on: date, wait: int, paydays: Sequence[int]) -> date:
    """Return the banking day for a retry: so many banking days after the return, or the first payday from there on."""
    day = after(returned_on, wait)
    if not paydays:
        return day
    while day.day not in paydays:
        day += timedelta(days=1)
    return banking_day_from(day)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to take a payment for a loan, by whatever channel; `failed_for_funds` once it came back so.

    One that came back for another reason neither failed in the sense of the rule nor succeeded.
    """

    on: date
    failed_for_funds: bool = False
    came_back: bool = False


def attempts_stopped(attempts: Iterable[Attempt], authorized_on: date | None = None) -> bool:
    """Tell whether two attempts in a row failed for want of funds, with no new authorization after the second.

    `attempts` are in the order in which they were made. An attempt that is not settled yet counts as a success until
    it comes back; one that came back for another reason is passed over. `authorized_on` is the day of the latest
    authorization: one of the day of the second attempt, or before it, is not new.
    """
    failures = 0
    for attempt in attempts:
        if not attempt.failed_for_funds:
            failures = failures if attempt.came_back else 0
            continue
        failures += 1
        if failures >= FAILURES_MOST:
            if authorized_on is None or authorized_on <= attempt.on:
                return True
            failures = 0
    return False


def _refusal_of(reason_code: str) -> Refusal | None:
    reason = RETURN_CODES[reason_code]
    if reason.represent:
        return None
    if reason.authorize:
        return Refusal.AUTHORIZATION
    return Refusal.ACCOUNT if reason.block else Refusal.REASON
