"""The receivers whose imports are a table: general ledgers that each want their own columns, dates and signs.

The facts are those of the vendors' pages, named in `docs/spec/gl_formats.md` with what could not be checked: none of
these programs can be asked here. Next: `gl_export/formats/layout.py`; `gl_export/formats/declared.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from gl_export.formats.layout import Cell, Layout, Row, Setting


def _date(form: str) -> Callable[[Row], str]:
    return lambda row: row.journal.booking_date.strftime(form)


def _setting(name: str) -> Callable[[Row], str]:
    return lambda row: row.settings[name]


def _always(text: str) -> Callable[[Row], str]:
    return lambda _row: text


def _debit(row: Row) -> str:
    return "" if row.line.debit is None else row.line.debit.format()


def _credit(row: Row) -> str:
    return "" if row.line.credit is None else row.line.credit.format()


def _signed(row: Row) -> str:
    return row.line.signed.format()


def _code(row: Row) -> str:
    return row.line.gl_account.code


def _name(row: Row) -> str:
    return row.line.gl_account.name


def _currency(row: Row) -> str:
    return row.journal.currency


def _journal_id(row: Row) -> str:
    return row.journal.journal_id


def _short_no(row: Row) -> str:
    return row.short_no


def _source(row: Row) -> str:
    return row.source


def _place(row: Row) -> str:
    return str(row.place)


SEGMENTS, REFERENCES = 30, 10


def _segment(number: int) -> Callable[[Row], str]:
    def value(row: Row) -> str:
        # Whatever is beyond the last segment stays in it: the receiver refuses it, and nothing is cut off.
        segments = row.line.gl_account.code.split(row.settings["segment_separator"], SEGMENTS - 1)
        return segments[number - 1] if number <= len(segments) else ""

    return value


US_DATE, UK_DATE, ISO_DATE, SLASHED = _date("%m/%d/%Y"), _date("%d/%m/%Y"), _date("%Y-%m-%d"), _date("%Y/%m/%d")

QUICKBOOKS_ONLINE = Layout(
    name="quickbooks_online",
    cells=(
        Cell("Journal No", _short_no, 21),
        Cell("Journal Date", US_DATE),
        Cell("Account Name", _name),
        Cell("Description", _source),
        Cell("Debits", _debit),
        Cell("Credits", _credit),
    ),
    takes_currencies=False,
)

QUICKBOOKS_DESKTOP = Layout(
    name="quickbooks_desktop",
    cells=(
        Cell("TRNSTYPE", _always("GENERAL JOURNAL")),
        Cell("DATE", US_DATE),
        Cell("ACCNT", _name, 159),
        Cell("AMOUNT", _signed),
        Cell("DOCNUM", _short_no, 11),
        Cell("MEMO", _source),
    ),
    takes_currencies=False,
    is_ascii=True,
)
"""Its rows are led by TRNS and SPL (`gl_export/formats/iif.py`)."""

NETSUITE = Layout(
    name="netsuite",
    cells=(
        Cell("External ID", _journal_id),
        Cell("Date", US_DATE),
        Cell("Subsidiary", _setting("subsidiary")),
        Cell("Currency", _currency),
        Cell("Account", _code),
        Cell("Debit", _debit),
        Cell("Credit", _credit),
        Cell("Memo", _source),
    ),
    settings=(Setting("subsidiary", "the subsidiary in OneWorld; empty without it", ""),),
    most_digits=10,
)

XERO = Layout(
    name="xero",
    cells=(
        Cell("*Narration", _journal_id),
        Cell("*Date", UK_DATE),
        Cell("Description", _name),
        Cell("*AccountCode", _code),
        Cell("*TaxRate", _setting("tax_rate")),
        Cell("*Amount", _signed),
    ),
    settings=(Setting("tax_rate", "the whole name of the tax rate of these lines, such as Tax Exempt"),),
    most_lines_of_file=300,
    takes_currencies=False,
)

SAGE_INTACCT = Layout(
    name="sage_intacct",
    cells=(
        Cell("JOURNAL", _setting("journal"), once=True),
        Cell("DATE", US_DATE, once=True),
        Cell("DESCRIPTION", lambda row: f"Loanbook {row.short_no}", 30, once=True),
        Cell("REFERENCE_NO", _short_no, once=True),
        Cell("LINE_NO", _place),
        Cell("ACCT_NO", _code),
        Cell("LOCATION_ID", _setting("location")),
        Cell("DEPT_ID", _setting("department")),
        Cell("MEMO", _source),
        Cell("DEBIT", _debit),
        Cell("CREDIT", _credit),
    ),
    settings=(
        Setting("journal", "the id of the journal, such as GJ"),
        Setting("location", "the location of all lines", ""),
        Setting("department", "the department of all lines", ""),
    ),
    takes_currencies=False,
    is_ascii=True,
)

SAP = Layout(
    name="sap",
    cells=(
        Cell("Batch ID", _short_no, 12),
        Cell("Company Code", _setting("company_code"), 4),
        Cell("Document Type", _setting("document_type"), 2),
        Cell("Document Date", ISO_DATE),
        Cell("Posting Date", ISO_DATE),
        Cell("Transaction Currency", _currency, 5),
        Cell("Header Text", lambda row: f"Loanbook {row.short_no}", 25),
        Cell("Reference", _short_no, 16),
        Cell("Line", _place),
        Cell("G/L Account", _code, 10),
        Cell("Debit", _debit),
        Cell("Credit", _credit),
        Cell("Assignment", lambda row: f"{row.short_no}/{row.line.line_no}", 18),
        Cell("Item Text", _source, 50),
    ),
    settings=(
        Setting("company_code", "the company code, four characters"),
        Setting("document_type", "the document type", "SA"),
    ),
    most_lines_of_journal=999,
)

_REFERENCE = {
    1: ("Batch Name", lambda row: row.batch.batch_id),
    4: ("Journal Entry Name", _journal_id),
    5: ("Journal Entry Description", lambda row: f"Loanbook {row.short_no}"),
    10: ("Journal Entry Line Description", _source),
}

ORACLE_FUSION = Layout(
    name="oracle_fusion",
    cells=(
        Cell("Status Code", _always("NEW")),
        Cell("Ledger ID", _setting("ledger_id"), 18),
        Cell("Effective Date of Transaction", SLASHED),
        Cell("Journal Source", _setting("source"), 25),
        Cell("Journal Category", _setting("category"), 25),
        Cell("Currency Code", _currency, 15),
        Cell("Journal Entry Creation Date", SLASHED),
        Cell("Actual Flag", _always("A")),
        *(Cell(f"Segment{number}", _segment(number), 25) for number in range(1, SEGMENTS + 1)),
        Cell("Entered Debit Amount", _debit),
        Cell("Entered Credit Amount", _credit),
        Cell("Converted Debit Amount", _debit),
        Cell("Converted Credit Amount", _credit),
        *(
            Cell(f"REFERENCE{number} {_REFERENCE[number][0]}", _REFERENCE[number][1], 100)
            if number in _REFERENCE
            else Cell(f"REFERENCE{number}", _always(""))
            for number in range(1, REFERENCES + 1)
        ),
    ),
    settings=(
        Setting("ledger_id", "the number of the primary ledger"),
        Setting("source", "the journal source", "Loanbook"),
        Setting("category", "the journal category", "Manual"),
        Setting("segment_separator", "what parts the segments of a GL account's code", "-"),
    ),
    takes_currencies=False,
    has_headings=False,
)
"""Entered and converted amounts are the same: the ledger that takes them is in the batch's own currency."""
