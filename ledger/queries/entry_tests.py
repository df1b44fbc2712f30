"""What an auditor asks of the entries of a period: which are unusual by their day, their amount, their hand.

Each test is a row of a table: a name, what it finds, and a condition in SQL. All of them are counted in one pass.
Next: `ledger/queries/samples.py`, which has the population; `docs/spec/audit.md`, worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ledger.errors import TextRefused
from ledger.queries.entries import EntryView, entries_of_keys
from ledger.queries.samples import MOST, Population, of_population


@dataclass(frozen=True, slots=True)
class EntryTest:
    """A test: `condition` is of a row of the population, with `alike`, how many there are of the same."""

    name: str
    about: str
    condition: str


TESTS = (
    EntryTest("manual", "booked by hand", "template = 'manual_journal'"),
    EntryTest("approved", "approved by a second person", "approved_by IS NOT NULL"),
    EntryTest("weekend", "booked on a Saturday or a Sunday", "extract(isodow FROM booking_date) >= 6"),
    EntryTest("recorded_on_weekend", "written on a Saturday or a Sunday, UTC", "extract(isodow FROM written_at) >= 6"),
    EntryTest("at_night", "written from 22:00 to 06:00, UTC", "extract(hour FROM written_at) NOT BETWEEN 6 AND 21"),
    EntryTest("back_dated", "effective some days before it was booked", "booking_date - effective_date > :days"),
    EntryTest("ahead", "effective after it was booked", "effective_date > booking_date"),
    EntryTest("reversal", "reverses another", "reverses_no IS NOT NULL"),
    EntryTest("round", "a multiple of the round amount", "amount % :round = 0"),
    EntryTest("duplicate", "the same as another of its subledger: lines, day, template; not undone", "alike > 1"),
)

_TESTED = """
    , standing AS (
        SELECT o.*, o.recorded_at AT TIME ZONE 'UTC' AS written_at,
            o.reverses_no IS NULL AND NOT EXISTS (
                SELECT FROM ledger.journal_entry r WHERE r.subledger_id = o.subledger_id AND r.reverses_no = o.entry_no
            ) AS stands
        FROM population o
    ),
    written_out AS (
        SELECT p.subledger_id, p.entry_no,
            array_agg(concat_ws('/', p.debit_account, p.credit_account, p.amount, p.currency) ORDER BY p.seq) AS lines
        FROM ledger.posting p WHERE p.booking_date BETWEEN :booked_from AND :booked_to
        GROUP BY p.subledger_id, p.entry_no
    ),
    tested AS (
        SELECT s.*, CASE WHEN s.stands THEN count(*) OVER (
            PARTITION BY s.stands, s.subledger_id, s.template, s.effective_date, w.lines) ELSE 0 END AS alike
        FROM standing s JOIN written_out w USING (subledger_id, entry_no)
    )
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """How many entries a test finds, and what they come to in minor units."""

    test: EntryTest
    entries: int
    total: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All tests over one population."""

    entries: int
    total: int
    findings: tuple[Finding, ...]


def run_tests(connection: sa.Connection, of: Population, *, days: int, multiple: int) -> Findings:
    """Return what every test finds; `days` and `multiple` (minor units) are those of back_dated and round.

    Raises: BookUnknown; TextRefused for a multiple below 1.
    """
    values = _values(connection, of, days, multiple)
    counted = ", ".join(
        f"count(*) FILTER (WHERE {each.condition}) AS {each.name},"
        f" coalesce(sum(amount) FILTER (WHERE {each.condition}), 0) AS {each.name}_total"
        for each in TESTS
    )
    select = ("SELECT count(*) AS entries, coalesce(sum(amount), 0) AS total,", counted, "FROM tested")
    row = connection.execute(of_population(" ".join((_TESTED, *select))), values).one()._mapping
    findings = tuple(Finding(each, row[each.name], int(row[f"{each.name}_total"])) for each in TESTS)
    return Findings(row["entries"], int(row["total"]), findings)


def entries_found(
    connection: sa.Connection, of: Population, name: str, *, days: int, multiple: int, limit: int = MOST
) -> tuple[EntryView, ...]:
    """Return the entries that a test finds, in the order of the journal, at most `limit` of them.

    Raises: BookUnknown; TextRefused for a test that there is not.
    """
    found = next((each for each in TESTS if each.name == name), None)
    if found is None:
        raise TextRefused(field="test", reason=f"{name} is none of {', '.join(each.name for each in TESTS)}")
    order = "ORDER BY booking_date, subledger_id, entry_no LIMIT :limit"
    select = ("SELECT subledger_id, entry_no FROM tested WHERE", found.condition, order)
    values = {**_values(connection, of, days, multiple), "limit": limit}
    rows = connection.execute(of_population(" ".join((_TESTED, *select))), values).all()
    keys = [(row.subledger_id, row.entry_no) for row in rows]
    shown = entries_of_keys(connection, keys)
    return tuple(shown[key] for key in keys)


# --- First digits -----------------------------------------------------------------------------------------

BENFORD = tuple(
    Decimal(share)
    for share in ("0.30103", "0.17609", "0.12494", "0.09691", "0.07918", "0.06695", "0.05799", "0.05115", "0.04576")
)
"""The share of each first digit d that Benford's law expects, log10(1 + 1/d), to five places."""

CLOSENESS = ((Decimal("0.006"), "close"), (Decimal("0.012"), "acceptable"), (Decimal("0.015"), "marginal"))
"""Up to which mean deviation digits conform; above the last they do not. Nigrini, Benford's Law (2012), chapter 7."""


@dataclass(frozen=True, slots=True)
class FirstDigits:
    """How many entries have an amount that begins with each digit from 1 to 9."""

    counts: tuple[int, ...]

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """Return the share of each digit to five places; zeros without entries."""
        whole = sum(self.counts) or 1
        return tuple((Decimal(count) / whole).quantize(Decimal("0.00001")) for count in self.counts)

    @property
    def mean_deviation(self) -> Decimal:
        """Return the mean absolute deviation from the shares that are expected, to five places."""
        apart = (abs(share - expected) for share, expected in zip(self.shares, BENFORD, strict=True))
        return (sum(apart, Decimal(0)) / 9).quantize(Decimal("0.00001"))

    @property
    def verdict(self) -> str:
        """Return how close the digits conform."""
        return next((word for most, word in CLOSENESS if self.mean_deviation <= most), "no conformity")


_DIGITS = "SELECT left(amount::text, 1)::int AS digit, count(*) AS entries FROM population GROUP BY 1"


def first_digits(connection: sa.Connection, of: Population) -> FirstDigits:
    """Return the first digits of the amounts of a population.

    Raises: BookUnknown.
    """
    rows = connection.execute(of_population(_DIGITS), of.values(connection))
    counts = {row.digit: row.entries for row in rows}
    return FirstDigits(tuple(counts.get(digit, 0) for digit in range(1, 10)))


# --- People -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Activity:
    """What one person, or program, booked or approved in a period, in minor units."""

    person: str
    booked: int
    by_hand: int
    reversals: int
    total: int
    approved: int
    first_day: date
    last_day: date


_PEOPLE = """
    , acts AS (
        SELECT actor AS person, 1 AS booked, 0 AS approved, template, reverses_no, amount, booking_date FROM population
        UNION ALL
        SELECT approved_by, 0, 1, NULL, NULL, 0, booking_date FROM population WHERE approved_by IS NOT NULL
    )
    SELECT person, sum(booked)::bigint AS booked, count(*) FILTER (WHERE template = 'manual_journal') AS by_hand,
        count(*) FILTER (WHERE reverses_no IS NOT NULL) AS reversals, sum(amount) AS total,
        sum(approved)::bigint AS approved, min(booking_date) AS first_day, max(booking_date) AS last_day
    FROM acts GROUP BY person ORDER BY person
"""


def activity(connection: sa.Connection, of: Population) -> tuple[Activity, ...]:
    """Return who booked and approved how much, by name.

    Raises: BookUnknown.
    """
    rows: Any = connection.execute(of_population(_PEOPLE), of.values(connection))
    return tuple(
        Activity(
            row.person,
            row.booked,
            row.by_hand,
            row.reversals,
            int(row.total),
            row.approved,
            row.first_day,
            row.last_day,
        )
        for row in rows
    )


def _values(connection: sa.Connection, of: Population, days: int, multiple: int) -> dict[str, Any]:
    if multiple < 1:
        raise TextRefused(field="round", reason=f"it is {multiple} minor units, and at least 1 is wanted")
    return {**of.values(connection), "days": days, "round": multiple}
