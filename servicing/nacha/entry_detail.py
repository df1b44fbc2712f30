"""Record 6: one debit or credit of one account.

The classes CIE and MTE swap the widths of name and identification. Never: what may stand in which class
(`servicing/nacha/rules.py`). Next: `servicing/nacha/addenda.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.addenda import Addendum
from servicing.nacha.addenda_05 import Note
from servicing.nacha.addenda_98 import Change
from servicing.nacha.addenda_98_refused import RefusedChange
from servicing.nacha.addenda_99 import Returned
from servicing.nacha.addenda_99_contested import Contested
from servicing.nacha.addenda_99_dishonored import Dishonored
from servicing.nacha.fields import DIGITS, NEEDED, NUMBER, TEXT, Field, Layout, constant, one_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A debit or credit: the receiver's bank and account, the amount in cents, who it is, and its addenda.

    `routing` has all nine digits; `discretionary` holds the payment type of WEB and TEL.
    """

    transaction_code: str
    routing: str
    account: str
    amount: int
    trace: str
    individual_id: str = ""
    name: str = ""
    discretionary: str = ""
    addenda: tuple[Addendum, ...] = ()

    @property
    def addenda_indicator(self) -> str:
        """Return what position 79 says: whether records 7 follow."""
        return "1" if self.addenda else "0"

    @property
    def payment_type(self) -> str:
        """Return R for recurring, S for single, as WEB and TEL have it."""
        return self.discretionary.strip()

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return the addenda of free text."""
        return tuple(each for each in self.addenda if isinstance(each, Note))

    @property
    def returns(self) -> tuple[Returned | Dishonored | Contested, ...]:
        """Return the addenda by which an entry comes back, the newest last."""
        return tuple(each for each in self.addenda if isinstance(each, Returned | Dishonored | Contested))

    @property
    def changes(self) -> tuple[Change | RefusedChange, ...]:
        """Return the addenda that tell of a change of the receiver's details."""
        return tuple(each for each in self.addenda if isinstance(each, Change | RefusedChange))

    @property
    def is_forward(self) -> bool:
        """Tell whether the entry moves money on its way out, and is no answer to one that did."""
        return not (self.returns or self.changes)


def _layout(*, id_width: int) -> Layout:
    return Layout(
        "entry",
        (
            Field("", 1, 1, constant("6")),
            Field("transaction_code", 2, 2, DIGITS),
            Field("routing", 4, 9, DIGITS),
            Field("account", 13, 17, NEEDED),
            Field("amount", 30, 10, NUMBER),
            Field("individual_id", 40, id_width, TEXT),
            Field("name", 40 + id_width, 37 - id_width, TEXT),
            Field("discretionary", 77, 2, TEXT),
            Field("addenda_indicator", 79, 1, one_of("0", "1")),
            Field("trace", 80, 15, DIGITS),
        ),
    )


ENTRY = _layout(id_width=15)
ENTRY_SWAPPED = _layout(id_width=22)
"""The entry of CIE and MTE: the identification is the longer one, and the name behind it."""
