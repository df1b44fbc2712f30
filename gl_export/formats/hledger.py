"""The journal that hledger and ledger read: two more independent programs that add the books up again.

Accounts and commodities are declared, with all the decimals a currency has: an imbalance below the declared
precision would pass. Next: `gl_export/formats/plain_text.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gl_export.batch import GLBatch, Journal
from gl_export.formats.plain_text import account_name, first_days
from ledger.money import Money

_TYPE_LETTERS = {"Assets": "A", "Liabilities": "L", "Equity": "E", "Income": "R", "Expenses": "X"}


def render(batch: GLBatch) -> bytes:
    """Return one batch as a file of its own."""
    return render_all((batch,), title=batch.batch_id)


def render_all(batches: Sequence[GLBatch], *, title: str) -> bytes:
    """Return batches, in order of their days, as one file."""
    journals = sorted(
        (journal for batch in batches for journal in batch.journals),
        key=lambda journal: (journal.booking_date, journal.journal_id),
    )
    currencies = sorted({journal.currency for journal in journals})
    parts = [
        f"; {title}\n",
        "".join(f"commodity {_example(currency)}\n" for currency in currencies),
        "".join(f"account {name}  ; type:{_TYPE_LETTERS[name.split(':')[0]]}\n" for name in first_days(batches)),
        *(_transaction(journal) for journal in journals),
    ]
    return "\n".join(parts).encode()


def _example(currency: str) -> str:
    """Return an amount that shows the decimals, with the decimal mark even where no decimals follow."""
    text = Money(1000, currency).format()
    return f"{text if '.' in text else text + '.'} {currency}"


def _transaction(journal: Journal) -> str:
    lines = [f"    {account_name(line)}  {line.signed.format()} {journal.currency}\n" for line in journal.lines]
    return f"{journal.booking_date.isoformat()} {journal.journal_id}\n{''.join(lines)}"
