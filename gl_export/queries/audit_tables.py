"""The tables of an audit package: their columns with what each holds, and the query that each is copied by.

On the lines of the AICPA's Audit Data Standard for the general ledger (GL_Detail, Trial_Balance, Chart_of_Accounts),
with the tables beside them that ISO 21378 has for periods and sources. Never: a figure that is not in the journal.
Next: `gl_export/commands/audit_package.py`; `docs/spec/audit_package.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gl_export.queries.balances import AFTER_BLOCK


@dataclass(frozen=True, slots=True)
class AuditColumn:
    """A column: its name, what it is made of, and what it says."""

    name: str
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class AuditTable:
    """A table: its name, what it holds, the columns in order, and the query, which yields them so."""

    name: str
    about: str
    columns: tuple[AuditColumn, ...]
    query: str


def named(query: str) -> str:
    """Return a query with its parameters as the driver takes them in a COPY."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", query)


def _columns(*told: tuple[str, str, str]) -> tuple[AuditColumn, ...]:
    return tuple(AuditColumn(*each) for each in told)


GL_DETAIL = AuditTable(
    "gl_detail",
    "every side of every posting that was booked in the period and sealed",
    _columns(
        ("Journal_ID", "text", "subledger and number of the entry, parted by a dash"),
        ("Journal_ID_Line_Number", "integer", "from 1, two for each posting: its debit and its credit"),
        ("JE_Header_Description", "text", "narration of the entry"),
        ("Source", "text", "template by which it was booked"),
        ("Effective_Date", "date", "when it happened"),
        ("Posting_Date", "date", "the day in whose books it stands"),
        ("Fiscal_Year", "integer", "year of the posting date"),
        ("Period", "integer", "month of the posting date"),
        ("GL_Account_Number", "text", "account of this side"),
        ("Amount", "integer", "minor units of the currency, debits positive"),
        ("Amount_Credit_Debit_Indicator", "text", "D or C"),
        ("Amount_Currency", "text", "ISO 4217"),
        ("Entered_By", "text", "who booked it"),
        ("Entered_At", "timestamp", "when it was written, in UTC"),
        ("Approved_By", "text", "the second person, if there was one"),
        ("Reversal_Of", "text", "Journal_ID of the entry that it reverses"),
        ("Corrects", "text", "Journal_ID of the entry that it takes the place of"),
        ("Business_Event", "text", "what it was booked for, as its source calls it"),
        ("Seal_Block", "integer", "block in which it was sealed"),
    ),
    "WITH "
    + named(AFTER_BLOCK)
    + """
SELECT e.subledger_id || '-' || e.entry_no, 2 * (p.seq - 1) + side.no, e.narration, e.template, e.effective_date,
       e.booking_date, extract(year from e.booking_date)::int, extract(month from e.booking_date)::int, a.code,
       side.sign * p.amount, side.indicator, p.currency, e.actor,
       to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.approved_by,
       e.subledger_id || '-' || e.reverses_no, e.subledger_id || '-' || e.corrects_no, e.source_ref, m.block_no
  FROM ledger.journal_entry e
  LEFT JOIN after_block b ON b.subledger_id = e.subledger_id
  JOIN ledger.seal_member m ON m.subledger_id = e.subledger_id AND e.entry_no BETWEEN m.from_no AND m.to_no
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
       AND p.booking_date BETWEEN %(from_date)s AND %(as_of)s
 CROSS JOIN LATERAL (VALUES (1, p.debit_account, 1, 'D'), (2, p.credit_account, -1, 'C'))
       side (no, account_id, sign, indicator)
  JOIN ledger.account a ON a.account_id = side.account_id
 WHERE e.book_id = %(book_id)s AND e.booking_date BETWEEN %(from_date)s AND %(as_of)s
   AND (b.first_no IS NULL OR e.entry_no < b.first_no)
 ORDER BY e.booking_date, e.subledger_id, e.entry_no, p.seq, side.no
""",
)
PERIODS = AuditTable(
    "periods",
    "what happened to the months of the book",
    _columns(
        ("Month", "date", "its first day"),
        ("Event_Number", "integer", "from 1 in each month"),
        ("Action", "text", "open, soft close, close, reopen"),
        ("From_State", "text", "state before"),
        ("To_State", "text", "state after"),
        ("Entered_By", "text", "who did it"),
        ("Approved_By", "text", "the second person"),
    ),
    """
SELECT e.month, e.event_no, e.action, e.from_state, e.to_state, e.actor, e.approver
  FROM ledger.period_event e WHERE e.book_id = %(book_id)s AND e.month <= %(as_of)s ORDER BY e.month, e.event_no
""",
)
SEALS = AuditTable(
    "seals",
    "the chain of blocks in which entries were sealed",
    _columns(
        ("Block", "integer", "from 1"),
        ("Sealed_At", "timestamp", "in UTC"),
        ("Entries", "integer", "entries that it seals, of all books"),
        ("Postings", "integer", "postings that it seals"),
        ("Hash", "text", "SHA-256 in hexadecimal, over its content and the hash of the block before"),
        ("Previous_Hash", "text", "that hash"),
    ),
    """
SELECT s.block_no, to_char(s.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), s.entry_count,
       s.posting_count, encode(s.block_hash, 'hex'), encode(s.previous_hash, 'hex')
  FROM ledger.seal_block s WHERE s.block_no <= %(known_at)s ORDER BY s.block_no
""",
)
GL_BATCHES = AuditTable(
    "gl_batches",
    "what the general ledger was sent, line by line",
    _columns(
        ("Batch_ID", "text", "by which the general ledger knows it"),
        ("Line_Number", "integer", "from 1"),
        ("First_Block", "integer", "first seal block of the batch"),
        ("Last_Block", "integer", "last one"),
        ("Posting_Date", "date", "day of the line"),
        ("Account", "text", "account of the book"),
        ("GL_Account", "text", "account of the general ledger"),
        ("Amount", "integer", "minor units of the currency, debits positive"),
        ("Currency", "text", "ISO 4217"),
        ("Built_By", "text", "who built the batch"),
    ),
    """
SELECT b.batch_id, l.line_no, b.first_block, b.last_block, l.booking_date, l.account, l.gl_account,
       CASE l.side WHEN 'debit' THEN l.amount ELSE -l.amount END, l.currency, b.actor
  FROM gl_export.batch b JOIN gl_export.batch_line l ON l.book_id = b.book_id AND l.batch_no = b.batch_no
 WHERE b.book_id = %(book_id)s AND b.last_block <= %(known_at)s ORDER BY b.batch_no, l.line_no
""",
)
COPIED = (GL_DETAIL, PERIODS, SEALS, GL_BATCHES)

TRIAL_BALANCE_COLUMNS = _columns(
    ("GL_Account_Number", "text", "account"),
    ("Amount_Currency", "text", "ISO 4217"),
    ("Amount_Beginning", "integer", "balance before the period: minor units, debits positive"),
    ("Amount_Debits", "integer", "debits of the period"),
    ("Amount_Credits", "integer", "credits of the period"),
    ("Amount_Ending", "integer", "balance at its end: beginning, plus debits, less credits"),
)
CHART_COLUMNS = _columns(
    ("GL_Account_Number", "text", "account"),
    ("GL_Account_Name", "text", "its name at the end of the period"),
    ("Account_Type", "text", "asset, liability, equity, income, expense, off_balance"),
    ("Normal_Side", "text", "debit or credit"),
    ("Parent", "text", "the account under which it stands"),
    ("Subledgered", "text", "yes where loans have it one by one"),
    ("Header", "text", "yes where it takes no postings"),
)
DICTIONARY_COLUMNS = _columns(
    ("Table", "text", "file without its ending"),
    ("Table_About", "text", "what it holds"),
    ("Column", "text", "column"),
    ("Kind", "text", "integer, text, date (YYYY-MM-DD) or timestamp"),
    ("About", "text", "what it says"),
)
DECLARED = (
    *COPIED,
    AuditTable("trial_balance", "every account before the period, within it and at its end", TRIAL_BALANCE_COLUMNS, ""),
    AuditTable("chart_of_accounts", "the accounts of the book", CHART_COLUMNS, ""),
    AuditTable("data_dictionary", "every column of every table", DICTIONARY_COLUMNS, ""),
)
"""Every table of a package."""
