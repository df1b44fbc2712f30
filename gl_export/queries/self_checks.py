"""What the books check of themselves at any time: that they balance, that they agree, that nothing lies about.

Each check names what it looked at and what does not hold. Reads only, in one snapshot. Never: a repair.
Next: `servicing/commands/engine_check.py`; `ledger/verify.py` for the seals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from gl_export.queries.balances import clearing_ages
from gl_export.queries.tie_out import tie_out
from gl_export.reports.stamps import stamp
from ledger.domain_error import DomainError
from ledger.queries.accounts import book
from ledger.queries.trial_balance import trial_balance
from servicing.commands.engine_check import departures, every_loan

CHUNK_LOANS = 200
MOST_FINDINGS = 100
"""So many findings of a check are told; there may be more."""

Progress = Callable[[str, int, int], None]
"""Called with the name of a check, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """A check that was made: what holds if it is sound, how much was looked at, and what does not hold."""

    name: str
    about: str
    looked_at: int
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Asked:
    """What is checked: the book, the day, how old a clearing account's balance may be, and which loans.

    `sample` of None is every loan; a number draws so many by the seed, 0 none.
    """

    book_code: str
    as_of: date
    clearing_days: int = 31
    sample: int | None = None
    seed: str = ""


def self_checks(
    connection: sa.Connection, asked: Asked, *, on_progress: Progress | None = None
) -> tuple[SelfCheck, ...]:
    """Make every check, in order.

    Raises: BookUnknown.
    """
    book(connection, asked.book_code)
    report = on_progress or _nobody
    made = []
    for number, (name, about, make) in enumerate(CHECKS):
        report(name, number, len(CHECKS))
        looked_at, findings = make(connection, asked, report)
        made.append(SelfCheck(name, about, looked_at, findings))
    return tuple(made)


Found = tuple[int, tuple[str, ...]]


def _trial_balance(connection: sa.Connection, asked: Asked, _report: Progress) -> Found:
    try:
        found = trial_balance(connection, asked.book_code, as_of=asked.as_of).balance
    except DomainError as unequal:
        return 0, (str(unequal),)
    return len(found.rows), tuple(
        f"{total.currency}: debits {total.debits.format()}, credits {total.credits.format()}"
        for total in found.totals
        if total.debits != total.credits
    )


def _balances(connection: sa.Connection, asked: Asked, _report: Progress) -> Found:
    rows = connection.execute(
        sa.text("SELECT * FROM ledger.find_broken_balances() LIMIT :most"), {"most": MOST_FINDINGS}
    )
    findings = tuple(f"{row.place}: {row.found}, its postings make {row.expected}" for row in rows)
    counted = connection.scalar(sa.text("SELECT count(*) FROM ledger.account_balance"))
    return int(counted or 0), findings


def _tie_out(connection: sa.Connection, asked: Asked, _report: Progress) -> Found:
    known_at = stamp(connection, asked.book_code, as_of=asked.as_of).block_no
    found = tie_out(connection, asked.book_code, as_of=asked.as_of, known_at=known_at)
    return len(found.rows), tuple(
        f"account {row.account.code}: {row.verdict}, control {row.control.format()} {row.control.currency}"
        + ("" if row.subledger is None else f", loans {row.subledger.left.format()}")
        + f", exported {row.exported.right.format()}"
        for row in found.breaks
    )


def _clearing(connection: sa.Connection, asked: Asked, _report: Progress) -> Found:
    known_at = stamp(connection, asked.book_code, as_of=asked.as_of).block_no
    ages = clearing_ages(connection, asked.book_code, as_of=asked.as_of, known_at=known_at)
    return len(ages), tuple(
        f"account {each.account}: {each.balance.format()} {each.balance.currency}, open since {each.oldest},"
        f" {each.age_days} days"
        for each in ages
        if each.age_days > asked.clearing_days
    )


def _engine(connection: sa.Connection, asked: Asked, report: Progress) -> Found:
    ids = chosen_loans(connection, asked)
    findings: list[str] = []
    for place in range(0, len(ids), CHUNK_LOANS):
        report("engine", place, len(ids))
        found = departures(connection, ids[place : place + CHUNK_LOANS])
        findings += [f"loan {each.loan_id}: {each.reason}" for each in found]
    return len(ids), tuple(findings[:MOST_FINDINGS])


def chosen_loans(connection: sa.Connection, asked: Asked) -> list[int]:
    """Return the loans that are folded: every one, or the first so many in the order of the SHA-256 of SEED:LOAN."""
    if asked.sample == 0:
        return []
    ids = list(every_loan(connection, asked.book_code))
    if asked.sample is None:
        return ids
    drawn = sorted(ids, key=lambda loan_id: hashlib.sha256(f"{asked.seed}:{loan_id}".encode()).digest())
    return sorted(drawn[: asked.sample])


CHECKS: tuple[tuple[str, str, Callable[[sa.Connection, Asked, Progress], Found]], ...] = (
    ("trial_balance", "debits equal credits, what is not sealed yet included", _trial_balance),
    ("balances", "every balance that is kept is the sum of its postings", _balances),
    ("tie_out", "loans add up to the control accounts, and the GL was sent what they hold", _tie_out),
    ("clearing", "no clearing or suspense account holds what is older than it may be", _clearing),
    ("engine", "each loan, folded again from its events, asks for the entries that its journal has", _engine),
)


def _nobody(_name: str, _done: int, _whole: int) -> None:
    """Report to nobody."""
