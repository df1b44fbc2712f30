"""How far behind loans are on any day, and were known to be on any day: of one loan, and of a whole book.

Never: a fold; the ranges are kept in step with it. Next: `servicing/commands/delinquency.py`;
`docs/spec/delinquency.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import sqlalchemy as sa

from servicing.aging import Position
from servicing.product import Delinquency
from servicing.store import load_loan

IN_FORCE = "r.known_on <= :known_at AND (r.superseded_on IS NULL OR r.superseded_on > :known_at)"
"""The ranges that were in force at the close of a day."""

ON_DAY = f"r.from_day <= :day AND (r.through IS NULL OR r.through >= :day) AND {IN_FORCE}"
"""Of them, the one of each loan that holds on a day."""


def days_past_due_at(day: str) -> str:
    """Return the SQL of the days past due of a loan on a day of its range; `least` passes over what is null."""
    return f"greatest(0, coalesce(least({day}, r.stopped_on) - r.counts_from, 0))"


DAYS_PAST_DUE = days_past_due_at(":day")


PAST_DUE_NOW = (
    "r.superseded_on IS NULL AND r.counts_from IS NOT NULL AND (r.through IS NULL OR r.through >= :day)"
    " AND r.from_day <= :day"
)
"""The ranges in force today in which a loan is past due on a day; an index finds them among all that ever were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelinquencyRange:
    """Where a loan stands from a day through another (None: it goes on), in one bucket all the time."""

    position: Position
    through: date | None
    bucket: str
    dpd_from: int
    dpd_through: int | None


_HISTORY = sa.text(
    "SELECT r.from_day, r.through, r.since, r.recent_since, r.counts_from, r.recent_counts_from, r.stopped_on,"  # noqa: S608
    " r.principal, r.interest, r.fees, r.penalties, r.status"
    f" FROM servicing.delinquency_range r WHERE r.loan_id = :loan_id AND {IN_FORCE} ORDER BY r.from_day"
)


def delinquency_history(
    connection: sa.Connection,
    loan_id: int,
    *,
    from_day: date | None = None,
    through: date | None = None,
    known_at: date | None = None,
) -> tuple[str, tuple[DelinquencyRange, ...]]:
    """Return the currency of a loan, and where it stood from a day through another (None: the business date).

    Raises: LoanUnknown.
    """
    loan = load_loan(connection, loan_id, lock=False)
    last = through or loan.business_date
    rows = connection.execute(_HISTORY, {"loan_id": loan_id, "known_at": known_at or loan.business_date}).all()
    rules = loan.terms.product.delinquency
    found = (
        part
        for day, end, *rest in rows
        for part in _by_bucket(Position(day, *rest), end, rules)
        if part.position.from_day <= last and (from_day is None or part.through is None or part.through >= from_day)
    )
    return loan.terms.currency, tuple(found)


def _by_bucket(position: Position, through: date | None, rules: Delinquency) -> Iterator[DelinquencyRange]:
    """Yield the parts of a range in which the bucket stays the same."""
    starts = [position.from_day]
    if position.counts_from is not None and position.stopped_on is None:
        turns = (position.counts_from + timedelta(days=first) for first in rules.buckets)
        starts += [day for day in turns if day > position.from_day and (through is None or day <= through)]
    ends = [*(after - timedelta(days=1) for _, after in pairwise(starts)), through]
    for start, end in zip(starts, ends, strict=True):
        dpd = position.dpd(start)
        yield DelinquencyRange(
            position=replace(position, from_day=start),
            through=end,
            bucket=rules.bucket(dpd),
            dpd_from=dpd,
            dpd_through=None if end is None else position.dpd(end),
        )


_OWN_RULES = sa.text(
    "SELECT v.content_hash, v.rules -> 'delinquency' -> 'buckets' AS buckets FROM servicing.product_version v"
    " WHERE v.rules -> 'delinquency' ? 'buckets'"
)


def own_buckets(connection: sa.Connection) -> Mapping[str, tuple[int, ...]]:
    """Return the buckets of the products that declare other ones than the default, by the hash of their content."""
    default = Delinquency().buckets
    rows = connection.execute(_OWN_RULES)
    return {row.content_hash: tuple(row.buckets) for row in rows if tuple(row.buckets) != default}


_AGES = (
    "SELECT CASE WHEN r.loan_id IS NULL THEN CASE WHEN s.unpaid_since < :day THEN :day - s.unpaid_since ELSE 0 END"  # noqa: S608 - text of ours
    " ELSE " + DAYS_PAST_DUE + " END AS dpd, {product} AS product, count(*) AS loans,"
    " count(*) FILTER (WHERE s.matures_on <= :day) AS matured"
    " FROM servicing.standing s JOIN servicing.loan l ON l.loan_id = s.loan_id"
    " LEFT JOIN servicing.delinquency_range r ON r.loan_id = s.loan_id AND r.from_day <= :day"
    " AND (r.through IS NULL OR r.through >= :day) AND r.superseded_on IS NULL {join}"
    " WHERE l.book_id = :book_id AND s.is_open GROUP BY 1, 2"
)
_JOIN = (
    " LEFT JOIN servicing.terms_version t ON t.loan_id = s.loan_id AND t.version = 1"
    " AND t.product_hash = ANY (CAST(:own AS text[]))"
)


def open_by_bucket(connection: sa.Connection, book_id: int, day: date) -> tuple[dict[str, int], int]:
    """Return how many open loans of a book are in each bucket of their products, and how many of all have matured."""
    own = own_buckets(connection)
    rules = Delinquency()
    found, matured = dict.fromkeys(rules.bucket_names, 0), 0
    # Where no product has buckets of its own, nobody asks for the product of each loan.
    text = _AGES.format(product="t.product_hash" if own else "CAST(NULL AS text)", join=_JOIN if own else "")
    values = {"book_id": book_id, "day": day, **({"own": list(own)} if own else {})}
    for row in connection.execute(sa.text(text), values):
        buckets = Delinquency(buckets=own[row.product]) if row.product else rules
        name = buckets.bucket(row.dpd)
        found[name] = found.get(name, 0) + row.loans
        matured += row.matured
    return found, matured


# --- Of a whole book --------------------------------------------------------------------------------------

GRID = Delinquency()
"""The buckets of reports over many products: everybody's, so that products can be compared."""
_FIRST_DAYS = f"CAST(ARRAY[{', '.join(map(str, GRID.buckets))}] AS integer[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedLoans:
    """The loans of a bucket on a day, and what is past due of them by component, in minor units."""

    bucket: str
    currency: str
    loans: int
    principal: int
    interest: int
    fees: int
    penalties: int


_AGING = sa.text(
    f"SELECT width_bucket({DAYS_PAST_DUE}, {_FIRST_DAYS}) AS place, l.currency, count(*) AS loans,"  # noqa: S608
    " sum(r.principal) AS principal, sum(r.interest) AS interest, sum(r.fees) AS fees, sum(r.penalties) AS penalties"
    " FROM servicing.delinquency_range r JOIN servicing.loan l ON l.loan_id = r.loan_id"
    f" WHERE l.book_id = :book_id AND r.status = 'open' AND {ON_DAY} GROUP BY 1, 2 ORDER BY 2, 1"
)


def aging(connection: sa.Connection, book_id: int, day: date, known_at: date) -> tuple[AgedLoans, ...]:
    """Return the open loans of a book on a day by bucket, as they were known at the close of another."""
    rows = connection.execute(_AGING, {"book_id": book_id, "day": day, "known_at": known_at})
    return tuple(
        AgedLoans(
            bucket=GRID.bucket_names[row.place],
            currency=row.currency,
            loans=row.loans,
            principal=int(row.principal),
            interest=int(row.interest),
            fees=int(row.fees),
            penalties=int(row.penalties),
        )
        for row in rows
    )


_ROLLS = sa.text(
    "WITH placed AS ("  # noqa: S608
    f"SELECT r.loan_id, CAST(:day AS date) AS day, r.status, width_bucket({DAYS_PAST_DUE}, {_FIRST_DAYS}) AS place"
    f" FROM servicing.delinquency_range r WHERE {ON_DAY}"
    ") SELECT a.place AS before, CASE WHEN b.status = 'open' THEN CAST(b.place AS text) ELSE b.status END AS after,"
    " count(*) AS loans FROM placed b JOIN servicing.loan l ON l.loan_id = b.loan_id"
    f" JOIN (SELECT r.loan_id, width_bucket({days_past_due_at(':first')},"
    f" {_FIRST_DAYS}) AS place FROM servicing.delinquency_range r WHERE r.status = 'open' AND r.from_day <= :first"
    f" AND (r.through IS NULL OR r.through >= :first) AND {IN_FORCE}) a ON a.loan_id = b.loan_id"
    " WHERE l.book_id = :book_id GROUP BY 1, 2 ORDER BY 1, 2"
)


def rolls(
    connection: sa.Connection, book_id: int, first: date, last: date, known_at: date
) -> Mapping[str, Mapping[str, int]]:
    """Return how many loans that were open in a bucket on one day were in which on a later one, or had which status."""
    found: dict[str, dict[str, int]] = {}
    values = {"book_id": book_id, "first": first, "day": last, "known_at": known_at}
    for row in connection.execute(_ROLLS, values):
        after = GRID.bucket_names[int(row.after)] if row.after.isdigit() else row.after
        found.setdefault(GRID.bucket_names[row.before], {})[after] = row.loans
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """The loans that were funded in a month, and how many were how far behind at the end of a later month.

    A loan that is charged off counts as 90 days past due and more.
    """

    funded: date
    month_on_book: int
    loans: int
    over_30: int
    over_60: int
    over_90: int


_AT_END = days_past_due_at("e.month_end")
_VINTAGES = sa.text(
    "WITH vintage AS (SELECT CAST(date_trunc('month', t.effective_date) AS date) AS funded, count(*) AS loans"  # noqa: S608
    " FROM servicing.terms_version t JOIN servicing.loan l ON l.loan_id = t.loan_id"
    " WHERE l.book_id = :book_id AND t.version = 1 GROUP BY 1), behind AS ("
    "SELECT CAST(date_trunc('month', t.effective_date) AS date) AS funded, e.month_end,"
    f" count(*) AS over_30, count(*) FILTER (WHERE r.status = 'charged_off' OR {_AT_END} >= 60) AS over_60,"
    f" count(*) FILTER (WHERE r.status = 'charged_off' OR {_AT_END} >= 90) AS over_90"
    " FROM servicing.delinquency_range r JOIN servicing.loan l ON l.loan_id = r.loan_id"
    " JOIN servicing.terms_version t ON t.loan_id = r.loan_id AND t.version = 1"
    " CROSS JOIN LATERAL (SELECT CAST(m + interval '1 month' - interval '1 day' AS date) AS month_end FROM"
    "  generate_series(date_trunc('month', CAST(r.from_day AS timestamp)), least(r.through, :day), '1 month') m) e"
    f" WHERE l.book_id = :book_id AND (r.since IS NOT NULL OR r.status = 'charged_off') AND {IN_FORCE}"
    " AND e.month_end BETWEEN r.from_day AND least(r.through, :day)"
    f" AND (r.status = 'charged_off' OR {_AT_END} >= 30) GROUP BY 1, 2)"
    " SELECT v.funded, v.loans, CAST(e.month_end AS date) AS month_end, coalesce(b.over_30, 0) AS over_30,"
    " coalesce(b.over_60, 0) AS over_60, coalesce(b.over_90, 0) AS over_90 FROM vintage v"
    " CROSS JOIN LATERAL (SELECT CAST(m + interval '1 month' - interval '1 day' AS date) AS month_end FROM"
    "  generate_series(CAST(v.funded AS timestamp), :day, '1 month') m) e"
    " LEFT JOIN behind b ON b.funded = v.funded AND b.month_end = e.month_end"
    " WHERE e.month_end <= :day ORDER BY 1, 3"
)


def vintages(connection: sa.Connection, book_id: int, day: date, known_at: date) -> tuple[Vintage, ...]:
    """Return the vintages of a book at each month end through a day; the month of the funding has the number 0."""
    rows = connection.execute(_VINTAGES, {"book_id": book_id, "day": day, "known_at": known_at})
    return tuple(
        Vintage(
            funded=row.funded,
            month_on_book=12 * (row.month_end.year - row.funded.year) + row.month_end.month - row.funded.month,
            loans=row.loans,
            over_30=row.over_30,
            over_60=row.over_60,
            over_90=row.over_90,
        )
        for row in rows
    )
