"""Files as a bank sends them: returns and changes of entries that were sent.

Next: `tests/integration/servicing/test_ach_returns.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from servicing.nacha.addenda import Addendum
from servicing.nacha.addenda_98 import Change
from servicing.nacha.addenda_99 import Returned
from servicing.nacha.addenda_99_contested import Contested
from servicing.nacha.batch_header import BatchHeader
from servicing.nacha.entry_detail import Entry
from servicing.nacha.file import Batch, File
from servicing.nacha.file_header import FileHeader
from servicing.nacha.rendering import render
from servicing.nacha.rules import Held

ROUTING, RDFI = "091000019", "09100001"
ODFI = "121042882"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that a bank gives: the code, the entry's trace number, how much comes back."""

    code: str
    original_trace: str
    amount: int = 0
    side: str = "debit"
    corrected: str = ""


def answer_file(answers: Sequence[Answered], *, made_on: date = date(2026, 3, 20), first: int = 1) -> bytes:
    """Return a file of returns, contests and changes; the bank numbers its entries from `first`."""
    header = FileHeader(f" {ODFI}", f" {ROUTING}", made_on, "0600", "A", "FIRST BANK", "RECEIVING BANK")
    placed = [(answer, f"{RDFI}{number:07d}") for number, answer in enumerate(answers, start=first)]
    changes = [each for each in placed if each[0].code.startswith("C")]
    returns = [each for each in placed if not each[0].code.startswith("C")]
    groups = [(sec, group) for sec, group in (("PPD", returns), ("COR", changes)) if group]
    batches = tuple(
        Batch(
            BatchHeader("200", "LOANBOOK LENDING", "1234567890", sec, "LOAN PMT", None, RDFI, number),
            tuple(_entry(answer, trace) for answer, trace in group),
        )
        for number, (sec, group) in enumerate(groups, start=1)
    )
    return render(File(header, batches), Held.RECEIVED)


def _entry(answer: Answered, trace: str) -> Entry:
    code = "26" if answer.side == "debit" else "21"
    return Entry(code, ODFI, "744-5678-99", answer.amount, trace, addenda=(_addendum(answer, trace),))


def _addendum(answer: Answered, trace: str) -> Addendum:
    if answer.code.startswith("C"):
        return Change(answer.code, answer.original_trace, RDFI, answer.corrected, trace)
    if answer.code >= "R71":
        return Contested(answer.code, answer.original_trace, RDFI, trace, trace, trace)
    return Returned(answer.code, answer.original_trace, RDFI, trace)
