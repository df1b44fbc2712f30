"""Beancount, version 3: an independent program that adds the file up again and refuses it if a cent is off.

One transaction per day and currency; tolerance is set to zero, so nothing is forgiven. A file of all batches
since the first is a whole general ledger, and its balances are those of our trial balance. Never: `import
beancount`; it is a judge in a process of its own. Next: `gl_export/formats/plain_text.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gl_export.batch import GLBatch, Journal
from gl_export.formats.plain_text import account_name, first_days, quoted
from ledger.money import Money


def render(batch: GLBatch) -> bytes:
    """Return one batch as a file of its own; it balances, but opens with no balances brought forward."""
    return render_all((batch,), title=batch.batch_id)


def render_all(batches: Sequence[GLBatch], *, title: str) -> bytes:
    """Return batches, in order, as one file that ends with the balance of every account."""
    parts = [
        f'option "title" {quoted(title)}\noption "tolerance_multiplier" "0"\n',
        *_opens(batches),
        *(_transaction(journal) for batch in batches for journal in batch.journals),
        *_balances(batches),
    ]
    return "\n".join(parts).encode()


def _opens(batches: Sequence[GLBatch]) -> list[str]:
    opens = [
        f"{first.isoformat()} open {name}\n  name: {quoted(title)}\n"
        for name, (first, title) in first_days(batches).items()
    ]
    return ["".join(opens)]


def _transaction(journal: Journal) -> str:
    head = f"{journal.booking_date.isoformat()} * {quoted(journal.journal_id)}\n"
    return head + "".join(
        f"  {account_name(line)}  {line.signed.format()} {journal.currency}\n    line: {line.line_no}\n"
        for line in journal.lines
    )


def _balances(batches: Sequence[GLBatch]) -> list[str]:
    """Assert every account's balance, at the start of the day after the last, as assertions are read."""
    sums: dict[tuple[str, str], Money] = {}
    for batch in batches:
        for line in batch.lines:
            key = (account_name(line), line.money.currency)
            sums[key] = sums.get(key, Money.zero(key[1])) + line.signed
    last = max(line.booking_date for batch in batches for line in batch.lines) + timedelta(days=1)
    return [
        "".join(
            f"{last.isoformat()} balance {name}  {money.format()} {currency}\n"
            for (name, currency), money in sorted(sums.items(), key=lambda item: item[0])
        )
    ]
