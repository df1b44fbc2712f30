"""The days of a loan that is boarded, held against the book before anything is booked.

A loan is funded while its book is open, and falls due within a hundred years. On a tape every mistake is named by row
and column. Never: what a loan is otherwise (`servicing/terms.py`).
Next: `servicing/boarding.py`, which reads a tape; `api/loans.py`; `api/cli/loans.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from api.days import objection_to
from api.errors import FundedBeforeBookOpened
from ledger.queries.accounts import Book
from servicing.boarding import SHOWN_MISTAKES, Tape
from servicing.errors import TapeInvalid, TermsInvalid
from servicing.schedule import dues_of
from servicing.terms import Terms

MAX_YEARS = 100


def require_days(book: Book, terms: Terms) -> None:
    """Refuse a loan that was funded before its book opened, or that names a day that can be in no books.

    Raises: FundedBeforeBookOpened; TermsInvalid with the field and the day.
    """
    for field, reason in _objections(terms):
        raise TermsInvalid(field=field, reason=reason)
    if terms.funded_on < book.opened_on:
        raise FundedBeforeBookOpened(funded_on=terms.funded_on, book=book.code, opened_on=book.opened_on)


def require_days_of_tape(text: str, tape: Tape, *, book: Book | None = None) -> None:
    """Refuse a tape for the days of its loans; without a book, whatever day it opened is right.

    `text` is what the tape was read from: each of its rows is one loan of the tape.

    Raises: TapeInvalid with every mistake by row and column.
    """
    mistakes = [
        f"row {row}, column {field}: {reason}"
        for row, draft in zip(_rows(text), tape.drafts, strict=True)
        for field, reason in (*_objections(draft.terms), *_outside(draft.terms, book))
    ]
    if mistakes:
        raise TapeInvalid(count=len(mistakes), mistakes=tuple(mistakes[:SHOWN_MISTAKES]))


def _rows(text: str) -> Iterator[int]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    for _ in reader:
        yield reader.line_num


def _objections(terms: Terms) -> Iterator[tuple[str, str]]:
    for field in ("funded_on", "first_due_on"):
        objection = objection_to(getattr(terms, field))
        if objection is not None:
            yield field, objection
            return
    try:
        last = dues_of(terms)[-1]
    except TermsInvalid as mistake:
        yield mistake.field, mistake.reason
        return
    latest = _years_after(terms.funded_on, MAX_YEARS)
    if last > latest:
        reason = f"the last of {terms.installments} falls due on {last}, which lies after {latest}"
        yield "installments", f"{reason}, {MAX_YEARS} years after the funding on {terms.funded_on}"


def _years_after(day: date, years: int) -> date:
    # The 28th is in every February.
    return day.replace(year=day.year + years, day=min(day.day, 28))


def _outside(terms: Terms, book: Book | None) -> Iterator[tuple[str, str]]:
    if book is not None and terms.funded_on < book.opened_on:
        yield "funded_on", f"{terms.funded_on} lies before book {book.code} opened on {book.opened_on}"
    if book is not None and terms.funded_on > book.business_date:
        yield "funded_on", f"{terms.funded_on} lies ahead of the business date {book.business_date}"
