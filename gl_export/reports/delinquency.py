"""Delinquency as reports: aging on a day, rolls between buckets over a month, vintages by month on book.

They are drawn from the ranges of days that servicing keeps, in the buckets that all products can be compared by. Known
at a block is: at the opening of the business date on which it was sealed, since more of that day may come after it.
Shares are percent, cut off at two decimals.
Next: `servicing/delinquency_queries.py`; `docs/spec/delinquency.md`.
"""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from gl_export import store
from gl_export.rendering import Column, Kind, Report
from gl_export.reports.stamps import stamp
from ledger.dates import Month
from ledger.money import Money
from ledger.queries.accounts import Book, book
from servicing.delinquency_queries import GRID, AgedLoans, aging, rolls, vintages

AMOUNTS = ("principal", "interest", "fees", "penalties")
AGING_COLUMNS = (
    Column("bucket", "Days past due"),
    Column("currency", "Currency"),
    Column("loans", "Loans", Kind.INTEGER),
    *(Column(name, name.capitalize(), Kind.AMOUNT) for name in AMOUNTS),
    Column("past_due", "Past due", Kind.AMOUNT),
)
ROLL_COLUMNS = (
    Column("from_bucket", "From"),
    Column("to_bucket", "To"),
    Column("loans", "Loans", Kind.INTEGER),
    Column("percent", "Percent"),
)
VINTAGE_COLUMNS = (
    Column("funded", "Funded"),
    Column("month_on_book", "Month", Kind.INTEGER),
    Column("loans", "Loans", Kind.INTEGER),
    *(Column(f"percent_{days}", f"{days}+ %") for days in (30, 60, 90)),
)


def aging_report(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None) -> Report:
    """Return the open loans of a day by bucket, with what is past due by component.

    Raises: BookUnknown.
    """
    rests_on, owner = stamp(connection, book_code, as_of=as_of, known_at=known_at), book(connection, book_code)
    found = aging(connection, owner.book_id, as_of, _known_on(connection, owner, known_at))
    return Report(
        name="delinquency_aging",
        title=f"Aging of {book_code} on {as_of.isoformat()}",
        stamp=rests_on,
        columns=AGING_COLUMNS,
        rows=tuple(_aged(each) for each in found),
    )


def roll_rates_report(
    connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None
) -> Report:
    """Return where the loans of each bucket at the end of the month before were at the end of a month.

    Raises: BookUnknown.
    """
    first = month.first_day - timedelta(days=1)
    rests_on = stamp(connection, book_code, as_of=month.last_day, known_at=known_at, from_date=month.first_day)
    owner = book(connection, book_code)
    found = rolls(connection, owner.book_id, first, month.last_day, _known_on(connection, owner, known_at))
    return Report(
        name="roll_rates",
        title=f"Roll rates of {book_code} for {month}",
        stamp=rests_on,
        columns=ROLL_COLUMNS,
        rows=tuple(
            (before, after, loans, _percent(loans, sum(found[before].values())))
            for before in GRID.bucket_names
            if before in found
            for after, loans in sorted(found[before].items(), key=lambda item: _place(item[0]))
        ),
    )


def vintages_report(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None) -> Report:
    """Return what part of the loans funded in each month was 30, 60 and 90 days past due at the end of later months.

    Raises: BookUnknown.
    """
    rests_on, owner = stamp(connection, book_code, as_of=as_of, known_at=known_at), book(connection, book_code)
    found = vintages(connection, owner.book_id, as_of, _known_on(connection, owner, known_at))
    return Report(
        name="vintages",
        title=f"Vintages of {book_code} through {as_of.isoformat()}",
        stamp=rests_on,
        columns=VINTAGE_COLUMNS,
        rows=tuple(
            (
                each.funded.isoformat()[:7],
                each.month_on_book,
                each.loans,
                *(_percent(behind, each.loans) for behind in (each.over_30, each.over_60, each.over_90)),
            )
            for each in found
        ),
    )


def _known_on(connection: sa.Connection, owner: Book, known_at: int | None) -> date:
    """Return the day at whose close the ranges are drawn as they were known."""
    if known_at is None:
        return owner.business_date
    sealed_on = store.business_date_at(connection, owner.book_id, known_at)
    return date.min if sealed_on is None else sealed_on - timedelta(days=1)


def _aged(each: AgedLoans) -> tuple[str | int | Money, ...]:
    amounts = [Money(getattr(each, name), each.currency) for name in AMOUNTS]
    return (each.bucket, each.currency, each.loans, *amounts, Money.sum(amounts, each.currency))


def _percent(part: int, whole: int) -> str:
    hundredths = 10_000 * part // whole
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _place(name: str) -> tuple[int, str]:
    return (GRID.bucket_names.index(name), "") if name in GRID.bucket_names else (len(GRID.bucket_names), name)
