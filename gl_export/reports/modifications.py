"""Modifications as reports: each with the contract before and after it, and what was given to borrowers in difficulty.

The second one follows ASC 310-10-50-42 to 50-44 (ASU 2022-02): by type, for the twelve months that end on the day, with
what is owed now and how late it is. Both count what was recorded when their block was sealed, and no more.
Next: `servicing/concessions.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from gl_export import store
from gl_export.rendering import Cell, Column, Kind, Report, Stamp
from gl_export.reports.stamps import stamp
from ledger.money import Money
from servicing.concessions import months_longer, rate_cut, types_of
from servicing.product import Delinquency
from servicing.queries import LoanView, modified_loans
from servicing.state import Modified

COLUMNS = (
    Column("loan_id", "Loan", Kind.INTEGER),
    Column("external_id", "External id"),
    Column("event_no", "Event", Kind.INTEGER),
    Column("on", "On", Kind.DATE),
    Column("kind", "Kind"),
    Column("difficulty", "In difficulty"),
    Column("types", "Types"),
    Column("dpd_before", "Days past due", Kind.INTEGER),
    Column("rate_before", "Rate before"),
    Column("rate_after", "Rate after"),
    Column("matures_before", "Matured on", Kind.DATE),
    Column("matures_after", "Matures on", Kind.DATE),
    Column("installment_before", "Installment before", Kind.AMOUNT),
    Column("installment_after", "Installment after", Kind.AMOUNT),
    Column("capitalized", "Capitalized", Kind.AMOUNT),
    Column("forgiven", "Forgiven", Kind.AMOUNT),
    Column("principal", "Principal now", Kind.AMOUNT),
    Column("dpd", "Days past due now", Kind.INTEGER),
    Column("status", "Status now"),
)
AGES = Delinquency()
DIFFICULTY_COLUMNS = (
    Column("types", "Types"),
    Column("currency", "Currency"),
    Column("modifications", "Modifications", Kind.INTEGER),
    Column("principal", "Principal now", Kind.AMOUNT),
    Column("rate_cut", "Points off the rate"),
    Column("months_longer", "Months longer"),
    Column("forgiven", "Forgiven", Kind.AMOUNT),
    *(Column(f"bucket_{name.strip('+').replace('-', '_')}", name, Kind.AMOUNT) for name in AGES.bucket_names),
)
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Given:
    """A modification of a loan, and the loan as it stands now."""

    view: LoanView
    modified: Modified

    def money(self, minor: int) -> Money:
        """Return an amount in the loan's currency."""
        return Money(minor, self.view.loan.terms.currency)


def modifications_report(
    connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None
) -> Report:
    """Return every modification that took effect by a day, the loans by id.

    Raises: BookUnknown.
    """
    rests_on = stamp(connection, book_code, as_of=as_of, known_at=known_at)
    return Report(
        name="modifications",
        title=f"Modifications of {book_code} through {as_of.isoformat()}",
        stamp=rests_on,
        columns=COLUMNS,
        rows=tuple(_row(each) for each in _given(connection, book_code, rests_on)),
    )


def difficulty_report(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None) -> Report:
    """Return what was given to borrowers in difficulty within a year, by type and currency.

    A loan counts once, by its latest such modification. Rates and months are averages weighted by what is owed now.
    Raises: BookUnknown.
    """
    rests_on = stamp(connection, book_code, as_of=as_of, known_at=known_at)
    since = as_of - relativedelta(years=1)
    latest: dict[int, Given] = {}
    for each in _given(connection, book_code, rests_on):
        if each.modified.difficulty and types_of(each.modified) and date.fromisoformat(each.modified.on) > since:
            latest[each.view.loan.loan_id] = each
    groups: dict[tuple[str, str], list[Given]] = {}
    for each in latest.values():
        key = "+".join(types_of(each.modified)), each.view.loan.terms.currency
        groups.setdefault(key, []).append(each)
    return Report(
        name="difficulty_modifications",
        title=f"Modifications for borrowers in difficulty of {book_code} in the year to {as_of.isoformat()}",
        stamp=rests_on,
        columns=DIFFICULTY_COLUMNS,
        rows=tuple(_group_row(*key, groups[key]) for key in sorted(groups)),
    )


def _given(connection: sa.Connection, book_code: str, rests_on: Stamp) -> Iterator[Given]:
    known = store.sealed_at(connection, rests_on.block_no)
    if known is None:
        return
    for view in modified_loans(connection, book_code, on=rests_on.as_of, known=known):
        yield from (Given(view, modified) for modified in view.state.modified)


def _row(each: Given) -> tuple[Cell, ...]:
    modified, view = each.modified, each.view
    before, after = modified.before, modified.after
    return (
        view.loan.loan_id,
        view.loan.external_id,
        modified.event_no,
        date.fromisoformat(modified.on),
        modified.kind,
        "yes" if modified.difficulty else "no",
        "+".join(types_of(modified)),
        modified.dpd,
        before.rate,
        after.rate,
        date.fromisoformat(before.matures_on),
        date.fromisoformat(after.matures_on),
        each.money(before.installment),
        each.money(after.installment),
        each.money(modified.capitalized),
        each.money(modified.forgiven),
        each.money(view.state.principal),
        view.dpd,
        view.state.status,
    )


def _group_row(types: str, currency: str, group: list[Given]) -> tuple[Cell, ...]:
    def owed(of: Iterable[Given]) -> Money:
        return Money.sum((each.money(each.view.state.principal) for each in of), currency)

    return (
        types,
        currency,
        len(group),
        owed(group),
        str(_weighted(group, [rate_cut(each.modified) for each in group])),
        str(_weighted(group, [Decimal(months_longer(each.modified)) for each in group])),
        Money.sum((each.money(each.modified.forgiven) for each in group), currency),
        *(owed(each for each in group if AGES.bucket(each.view.dpd) == name) for name in AGES.bucket_names),
    )


def _weighted(group: list[Given], values: list[Decimal]) -> Decimal:
    """Return the average of values, weighted by what is owed now; of loans that owe nothing, the plain one."""
    weights = [each.view.state.principal for each in group]
    if not sum(weights):
        weights = [1] * len(group)
    total = sum((value * weight for value, weight in zip(values, weights, strict=True)), Decimal(0))
    return (total / sum(weights)).quantize(HUNDREDTH, ROUND_HALF_UP)
