"""Reports as one page for a browser or a printer: tables, charts where a picture says more, stamp and digest.

Nothing is fetched and nothing runs; everything is escaped; the same reports give the same bytes. A long table shows its
first rows and says so. Never: a clock, a query. Next: `gl_export/charts.py`; `gl_export/templates/reports.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gl_export import charts
from gl_export.rendering import Cell, Kind, Report, Stamp, for_people
from ledger.money import Money

MOST_ROWS = 1_000
MOST_CHARTS = 6
"""A report in many currencies, or over many accounts, has so many charts at most."""


def to_html(reports: Sequence[Report], *, title: str) -> bytes:
    """Return a page of reports."""
    page = (
        _environment().get_template("reports.html").render(title=title, sections=[_section(each) for each in reports])
    )
    return (page + "\n").encode()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gl_export", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _section(report: Report) -> Mapping[str, Any]:
    right = (Kind.AMOUNT, Kind.INTEGER)
    drawn = CHARTS.get(report.name, _none)(report)
    return {
        "name": report.name,
        "title": report.title,
        "headings": [{"text": column.heading, "right": column.kind in right} for column in report.columns],
        "rows": [[for_people(cell) for cell in row] for row in report.rows[:MOST_ROWS]],
        "totals": [[for_people(cell) for cell in row] for row in report.totals],
        "count": f"{len(report.rows):,}",
        "left_out": f"{len(report.rows) - MOST_ROWS:,}" if len(report.rows) > MOST_ROWS else "",
        "digest": report.digest,
        "stamp": _stamped(report.stamp),
        "charts": [Markup(svg) for svg, _ in zip(drawn, range(MOST_CHARTS), strict=False)],  # noqa: S704 - charts escape
    }


def _stamped(stamp: Stamp) -> str:
    period = stamp.as_of.isoformat() if stamp.from_date is None else f"{stamp.from_date} to {stamp.as_of}"
    rests_on = f"block {stamp.block_no}, {stamp.block_hash}" if stamp.block_no else "nothing sealed"
    return f"Book {stamp.book}, {period}. Rests on {rests_on}."


# --- Charts -----------------------------------------------------------------------------------------------


def _none(_report: Report) -> Iterator[str]:
    yield from ()


def _aging(report: Report) -> Iterator[str]:
    """Draw what is past due by bucket, in each currency."""
    names = [column.name for column in report.columns]
    bucket, currency, past_due = (names.index(name) for name in ("bucket", "currency", "past_due"))
    for code in sorted({str(row[currency]) for row in report.rows}):
        rows = [row for row in report.rows if row[currency] == code]
        yield charts.bars(
            f"Past due by days past due, {code}",
            [str(row[bucket]) for row in rows],
            [_major(row[past_due]) for row in rows],
        )


def _roll_forward(report: Report) -> Iterator[str]:
    """Draw how each account that moved came from its opening to its closing balance, the largest first."""
    names = [column.name for column in report.columns]
    opening, closing = names.index("opening"), names.index("closing")
    moved = [row for row in report.rows if any(_major(cell) for cell in row[opening + 1 : closing])]
    for row in sorted(moved, key=lambda row: -max(abs(_major(cell)) for cell in row[opening : closing + 1])):
        moves = [
            (report.columns[place].heading, _major(row[place]))
            for place in range(opening + 1, closing)
            if _major(row[place])
        ]
        yield charts.waterfall(f"{row[0]} {row[1]}, {row[2]}", _major(row[opening]), moves, _major(row[closing]))


def _vintages(report: Report) -> Iterator[str]:
    """Draw what percentage of each funding month was 30 days behind, by months on book."""
    names = [column.name for column in report.columns]
    funded, month, share = (names.index(name) for name in ("funded", "month_on_book", "percent_30"))
    months = sorted({int(str(row[month])) for row in report.rows})
    series = []
    for name in sorted({str(row[funded]) for row in report.rows}):
        by_month = {int(str(row[month])): Decimal(str(row[share])) for row in report.rows if row[funded] == name}
        series.append(charts.Series(name, tuple(by_month.get(each) for each in months)))
    if months:
        yield charts.curves(
            "Percent 30 or more days past due, by months on book", [str(each) for each in months], series
        )


CHARTS: Mapping[str, Callable[[Report], Iterator[str]]] = {
    "delinquency_aging": _aging,
    "loan_roll_forward": _roll_forward,
    "vintages": _vintages,
}
"""What is drawn of which report."""


def _major(cell: Cell) -> Decimal:
    assert isinstance(cell, Money)
    return Decimal(cell.format())
