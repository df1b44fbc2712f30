"""Record 5: on whose behalf the entries below are, of which class, for what and for which day.

Never: sums (`servicing/nacha/batch_control.py`). Next: `servicing/nacha/entry_detail.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from servicing.nacha.fields import DATE, DIGITS, NEEDED, NUMBER, TEXT, Field, Layout, constant, one_of

MIXED, CREDITS, DEBITS = "200", "220", "225"
RETRY, REVERSAL, RETURN_FEE = "RETRY PYMT", "REVERSAL", "RETURN FEE"


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """The company, the class and the purpose of a batch.

    `descriptive_date` is for the receiver's eyes, or `SD` and the hour of a same-day window; `settlement_day` the day
    of the year that an operator fills in; `odfi` the first eight digits of the originating bank's routing number.
    """

    service_class: str
    company_name: str
    company_id: str
    sec: str
    description: str
    effective_on: date | None
    odfi: str
    number: int
    discretionary: str = ""
    descriptive_date: str = ""
    settlement_day: str = ""
    status: str = "1"

    @property
    def is_reversal(self) -> bool:
        """Tell whether the entries take back earlier ones."""
        return self.description == REVERSAL


BATCH_HEADER = Layout(
    "batch header",
    (
        Field("", 1, 1, constant("5")),
        Field("service_class", 2, 3, one_of(MIXED, CREDITS, DEBITS)),
        Field("company_name", 5, 16, TEXT),
        Field("discretionary", 21, 20, TEXT),
        Field("company_id", 41, 10, NEEDED),
        Field("sec", 51, 3, NEEDED),
        Field("description", 54, 10, NEEDED),
        Field("descriptive_date", 64, 6, TEXT),
        Field("effective_on", 70, 6, DATE),
        Field("settlement_day", 76, 3, TEXT),
        Field("status", 79, 1, one_of("1", "0", "2")),
        Field("odfi", 80, 8, DIGITS),
        Field("number", 88, 7, NUMBER),
    ),
)
