"""`/v1/reports`: what finance reads, as JSON, CSV, a workbook or a page.

Next: `gl_export/reports/declared.py`, the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from flask import Blueprint, Response
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.journal import known_at_block
from api.models import BookQuery, Day, KnownAt, Query
from gl_export.html import to_html
from gl_export.rendering import Report, to_csv, to_json
from gl_export.reports.declared import REPORTS, report_named
from gl_export.xlsx import to_xlsx
from ledger.queries.accounts import book

routes = Blueprint("reports", __name__)

RENDERED: Mapping[str, tuple[str, Callable[[Report], bytes]]] = {
    "json": ("application/json", to_json),
    "csv": ("text/csv; charset=utf-8", to_csv),
    "html": ("text/html; charset=utf-8", lambda report: to_html((report,), title=report.title)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda report: to_xlsx((report,), title=report.title),
    ),
}


class ReportQuery(BookQuery):
    """As of which day (a report over a month is of the month in which it lies), known at which block, in what form."""

    as_of: Day | None = None
    known_at: KnownAt | None = None
    format: Literal["json", "csv", "html", "xlsx"] = "json"


@routes.get("/v1/reports")
def index() -> Response:
    """Return the reports there are."""
    http.query(Query)
    return http.reply(
        {"reports": [{"report": each.name, "purpose": each.purpose, "over_month": each.over_month} for each in REPORTS]}
    )


@routes.get("/v1/reports/<name>")
def show(name: str) -> Response:
    """Draw a report."""
    asked = http.query(ReportQuery)

    def work(connection: Connection) -> Report:
        code = choose_book(connection, asked.book)
        day = asked.as_of or book(connection, code).business_date
        return report_named(name).draw(connection, code, as_of=day, known_at=known_at_block(connection, asked.known_at))

    kind, render = RENDERED[asked.format]
    drawn = http.edge().read(work)
    answer = Response(render(drawn), content_type=kind)
    if asked.format in ("csv", "xlsx"):
        answer.headers["Content-Disposition"] = f'attachment; filename="{drawn.name}.{asked.format}"'
    return answer
