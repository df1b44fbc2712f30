"""What a received file answers to entries that were sent: returns, their sequels, and notifications of change.

A file with an entry on its way forward is none of these, and is refused: a file that was sent is fed back by mistake.
Never: whose entry it was (`servicing/commands/ach_returns.py`). Next: `servicing/nacha/reason_codes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from servicing.nacha.addenda_98 import Change
from servicing.nacha.addenda_98_refused import RefusedChange
from servicing.nacha.entry_detail import Entry
from servicing.nacha.errors import AchForwardEntry
from servicing.nacha.file import File
from servicing.nacha.reason_codes import RETURN_CODES, Stage
from servicing.nacha.transaction_codes import TRANSACTION_CODES, Side


class AnswerKind(StrEnum):
    """What an entry that comes in says of one that went out."""

    RETURN = "return"
    DISHONORED = "dishonored return"
    CONTESTED = "contested return"
    CHANGE = "change"
    REFUSED_CHANGE = "refused change"


BY_STAGE = {
    Stage.RETURN: AnswerKind.RETURN,
    Stage.DISHONORED: AnswerKind.DISHONORED,
    Stage.CONTESTED: AnswerKind.CONTESTED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: why, to which entry, and how much comes back with it.

    `line` is that of the entry; `side` is that of the entry that was sent. `corrected` is the data of a change.
    """

    line: int
    kind: AnswerKind
    code: str
    original_trace: str
    trace: str
    side: Side
    amount: int
    corrected: str = ""

    @property
    def money_leaves(self) -> bool:
        """Tell whether the bank takes the amount: that of a debit which came back, and again when that is contested.

        Of a return that is dishonored it gives the amount back.
        """
        return (self.side is Side.DEBIT) is not (self.kind is AnswerKind.DISHONORED)


def answers_of(file: File) -> tuple[Answer, ...]:
    """Return the answers of a file, in its order.

    Raises: AchForwardEntry.
    """
    return tuple(_answers(file))


def _answers(file: File) -> Iterator[Answer]:
    for line, _, entry in file.placed_entries():
        if entry.is_forward:
            raise AchForwardEntry(line=line, trace=entry.trace)
        yield _answer(line, entry)


def _answer(line: int, entry: Entry) -> Answer:
    """Return the answer of an entry; of several stages, the last one is what is news."""
    side = TRANSACTION_CODES[entry.transaction_code].side
    last = (*entry.returns, *entry.changes)[-1]
    if isinstance(last, Change):
        kind, code, corrected = AnswerKind.CHANGE, last.change_code, last.corrected
    elif isinstance(last, RefusedChange):
        kind, code, corrected = AnswerKind.REFUSED_CHANGE, last.refusal_code, last.corrected
    else:
        kind, code, corrected = BY_STAGE[RETURN_CODES[last.reason_code].stage], last.reason_code, ""
    return Answer(line, kind, code, last.original_trace, entry.trace, side, entry.amount, corrected)
