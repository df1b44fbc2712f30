"""An auditor's population of entries, and samples of it that come out the same whenever the same seed is given.

A sample is drawn in the database: of ten million entries only those that are chosen are read. Of sampling by monetary
units, an entry's chance is its amount, and one of at least the interval is always chosen. Never: a random number that
nobody can draw again. Next: `ledger/queries/entry_tests.py`; `docs/spec/audit.md`, worked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.errors import DateRangeBackwards, TextRefused
from ledger.queries.entries import EntryView, entries_of_keys
from ledger.store import load_book

MOST = 10_000
"""A sample holds no more entries than this: what is larger is no sample, and the journal has pages for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The entries of a book that were booked from a day through a day, with what they come to in one currency.

    `known_at` is a seal block's number; without it, what is not sealed yet is in it too.
    """

    book: str
    booked_from: date
    booked_to: date
    currency: str
    known_at: int | None = None

    def __post_init__(self) -> None:
        """Refuse days that are the wrong way round.

        Raises: DateRangeBackwards.
        """
        if self.booked_to < self.booked_from:
            raise DateRangeBackwards(from_date=self.booked_from, to_date=self.booked_to)

    def values(self, connection: sa.Connection) -> dict[str, Any]:
        """Return the parameters of `POPULATION`.

        Raises: BookUnknown.
        """
        return {
            "book_id": load_book(connection, self.book).book_id,
            "booked_from": self.booked_from,
            "booked_to": self.booked_to,
            "currency": self.currency,
            "known_at": self.known_at,
        }


POPULATION = """
    amounts AS (
        SELECT p.subledger_id, p.entry_no, sum(p.amount)::bigint AS amount
        FROM ledger.posting p
        WHERE p.booking_date BETWEEN :booked_from AND :booked_to AND p.currency = :currency
        GROUP BY p.subledger_id, p.entry_no
    ),
    population AS (
        SELECT e.*, a.amount
        FROM ledger.journal_entry e JOIN amounts a USING (subledger_id, entry_no)
        WHERE e.book_id = :book_id AND e.booking_date BETWEEN :booked_from AND :booked_to
        AND (CAST(:known_at AS bigint) IS NULL OR EXISTS (
            SELECT FROM ledger.seal_member m WHERE m.subledger_id = e.subledger_id
            AND m.from_no <= e.entry_no AND m.to_no >= e.entry_no AND m.block_no <= :known_at))
    )
"""
"""Two parts of a WITH: the amount of each entry, and the entries with it."""


def of_population(statement: str) -> sa.TextClause:
    """Return what reads `population`; it may begin with further parts of the WITH, each after a comma."""
    return sa.text("\n".join(("WITH", POPULATION, statement)))


@dataclass(frozen=True, slots=True)
class Sampled:
    """An entry of a sample, what it comes to in minor units, and how many of the monetary units drawn are in it."""

    view: EntryView
    amount: int
    hits: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn of how many, in minor units; `interval` and `start` are of sampling by monetary units."""

    entries: tuple[Sampled, ...]
    population: int
    total: int
    interval: int | None = None
    start: int | None = None


_RANDOM = """
    SELECT subledger_id, entry_no, amount, 1 AS hits FROM population
    ORDER BY sha256(convert_to(:seed || ':' || subledger_id || ':' || entry_no, 'UTF8')), subledger_id, entry_no
    LIMIT :size
"""
_MONETARY = """
    , laid_out AS (
        SELECT subledger_id, entry_no, amount, booking_date,
            sum(amount) OVER (ORDER BY booking_date, subledger_id, entry_no) AS through
        FROM population
    ),
    hit AS (
        SELECT *, least(:size, greatest(0, div(through - :start - 1 + :interval, :interval)))
            - least(:size, greatest(0, div(through - amount - :start - 1 + :interval, :interval))) AS hits
        FROM laid_out
    )
    SELECT subledger_id, entry_no, amount, hits::int FROM hit WHERE hits > 0
    ORDER BY booking_date, subledger_id, entry_no
"""
_OVER = """
    SELECT subledger_id, entry_no, amount, 1 AS hits FROM population WHERE amount >= :threshold
    ORDER BY amount DESC, booking_date, subledger_id, entry_no LIMIT :size
"""
_TOTALS = "SELECT count(*) AS entries, coalesce(sum(amount), 0) AS total FROM population"


def random_sample(connection: sa.Connection, of: Population, *, size: int, seed: str) -> Sample:
    """Return entries that each had the same chance, in the order in which they were drawn.

    Raises: BookUnknown; TextRefused for a size that is not 1 to 10,000.
    """
    _check(size)
    return Sample(_drawn(connection, of, _RANDOM, {"size": size, "seed": seed}), *_totals(connection, of))


def monetary_sample(connection: sa.Connection, of: Population, *, size: int, seed: str) -> Sample:
    """Return the entries in which every so manieth monetary unit lies, in the order of the journal.

    Of all units laid out one after the other, the first is drawn within the interval, which is total / size. An entry
    may hold several. Raises: BookUnknown; TextRefused for a size that is not 1 to 10,000, or above the total.
    """
    _check(size)
    entries, total = _totals(connection, of)
    if total < size:
        raise TextRefused(field="size", reason=f"it is {size}, and all entries come to {total} minor units")
    interval = total // size
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()) % interval
    drawn = _drawn(connection, of, _MONETARY, {"interval": interval, "start": start, "size": size})
    return Sample(drawn, entries, total, interval, start)


def over(connection: sa.Connection, of: Population, *, threshold: int) -> Sample:
    """Return all entries of a threshold in minor units or more, the largest first.

    Raises: BookUnknown; TextRefused where they are more than 10,000.
    """
    found = _drawn(connection, of, _OVER, {"threshold": threshold, "size": MOST + 1})
    if len(found) > MOST:
        raise TextRefused(
            field="threshold", reason=f"more than {MOST:,} entries are of {threshold} minor units or more"
        )
    return Sample(found, *_totals(connection, of))


def _check(size: int) -> None:
    if not 1 <= size <= MOST:
        raise TextRefused(field="size", reason=f"it is {size}, and a sample holds 1 to {MOST:,} entries")


def _totals(connection: sa.Connection, of: Population) -> tuple[int, int]:
    row = connection.execute(of_population(_TOTALS), of.values(connection)).one()
    return row.entries, int(row.total)


def _drawn(connection: sa.Connection, of: Population, statement: str, values: Mapping[str, Any]) -> tuple[Sampled, ...]:
    rows = connection.execute(of_population(statement), {**of.values(connection), **values}).all()
    shown = entries_of_keys(connection, [(row.subledger_id, row.entry_no) for row in rows])
    return tuple(Sampled(shown[row.subledger_id, row.entry_no], row.amount, row.hits) for row in rows)
