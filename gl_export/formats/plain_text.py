"""What the two plain-text accounting formats share: names that both accept, and where a type puts them.

Both know five roots only. Memoranda stand under equity, in a branch of their own: they balance among
themselves, so equity as a whole is not moved. Next: `gl_export/formats/beancount.py`,
`gl_export/formats/hledger.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from gl_export.batch import BatchLine, GLBatch
from ledger.chart import AccountType

ROOTS = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
    AccountType.OFF_BALANCE: "Equity:Memoranda",
}


def account_name(line: BatchLine) -> str:
    """Return the name of a line's GL account, distinct for distinct codes: `Assets:1210`.

    What is neither letter nor digit becomes a dash and its code point in hexadecimal; a name that does not
    begin with a digit is led by `X-`, since a name must begin with a capital or a digit.
    """
    code = "".join(char if char.isascii() and char.isalnum() else f"-{ord(char):x}-" for char in line.gl_account.code)
    return f"{ROOTS[line.account_type]}:{code if code[:1].isdigit() else 'X-' + code}"


def first_days(batches: Iterable[GLBatch]) -> dict[str, tuple[date, str]]:
    """Return by account name, in their order, the first day on which it occurs and what the GL calls it."""
    found: dict[str, tuple[date, str]] = {}
    for batch in batches:
        for line in batch.lines:
            name = account_name(line)
            first, title = found.get(name, (line.booking_date, line.gl_account.name))
            found[name] = (min(first, line.booking_date), title)
    return dict(sorted(found.items()))


def quoted(text: str) -> str:
    """Return the text between double quotes, with backslashes before quotes and backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
