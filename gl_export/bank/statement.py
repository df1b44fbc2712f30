"""A bank statement as a value, whichever format it came in: what the account held, what moved it, what it holds.

Amounts are signed from the account's side: what comes in is positive. A statement that gives both balances and does not
foot cannot be made. Never: a file. Next: `gl_export/bank/reading.py`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from gl_export.errors import BankStatementWrong
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class BankLine:
    """A line that was booked. `references` are what the bank and the payer call it; `bank_id` is the bank's own name
    for it, if it gives one."""

    place: str
    booking_date: date
    amount: Money
    value_date: date | None = None
    kind: str = ""
    bank_id: str | None = None
    references: tuple[str, ...] = ()
    text: str = ""

    @property
    def content(self) -> str:
        """Return all that the bank says of it, in one text."""
        value = "" if self.value_date is None else self.value_date.isoformat()
        parts = (self.booking_date.isoformat(), value, self.amount.currency, str(self.amount.minor), self.kind)
        return "\t".join((*parts, *self.references, self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatement:
    """The lines of one account in one currency, in the order of the file.

    Raises: BankStatementWrong if opening balance and lines do not make the closing balance.
    """

    file: str
    account: str
    statement_id: str
    currency: str
    as_of: date
    lines: tuple[BankLine, ...]
    opening: Money | None = None
    closing: Money | None = None

    def __post_init__(self) -> None:
        for line in self.lines:
            if line.amount.currency != self.currency:
                reason = f"it is in {line.amount.currency}, the statement in {self.currency}"
                raise BankStatementWrong(file=self.file, place=line.place, reason=reason)
        if self.opening is None or self.closing is None:
            return
        moved = Money.sum((line.amount for line in self.lines), self.currency)
        if self.opening + moved != self.closing:
            reason = (
                f"statement {self.statement_id} of account {self.account} does not foot: {self.opening.format()} and"
                f" lines of {moved.format()} make {(self.opening + moved).format()}, not {self.closing.format()}"
            )
            raise BankStatementWrong(file=self.file, place="closing balance", reason=reason)

    def keyed_lines(self) -> Iterator[tuple[str, BankLine]]:
        """Yield each line with a key that is the same whenever the bank says it again.

        Equal lines on a day are legal, and told apart by how many came before.
        """
        seen: Counter[str] = Counter()
        for line in self.lines:
            name = line.bank_id or "sha256:" + hashlib.sha256(line.content.encode()).hexdigest()
            seen[name] += 1
            yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), line
