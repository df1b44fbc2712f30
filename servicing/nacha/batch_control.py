"""Record 8: what the entries of a batch come to.

Never trusted: a reader compares it with the entries. Next: `servicing/nacha/totals.py`, how it is worked out.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NUMBER, TEXT, Field, Layout, constant, reserved


@dataclass(frozen=True, slots=True)
class BatchControl:
    """Count, hash and totals in cents of a batch, and whose it is. Entries and addenda are counted together."""

    service_class: str
    entry_count: int
    entry_hash: str
    debit_total: int
    credit_total: int
    company_id: str
    odfi: str
    number: int
    authentication: str = ""


BATCH_CONTROL = Layout(
    "batch control",
    (
        Field("", 1, 1, constant("8")),
        Field("service_class", 2, 3, DIGITS),
        Field("entry_count", 5, 6, NUMBER),
        Field("entry_hash", 11, 10, DIGITS),
        Field("debit_total", 21, 12, NUMBER),
        Field("credit_total", 33, 12, NUMBER),
        Field("company_id", 45, 10, TEXT),
        Field("authentication", 55, 19, TEXT),
        Field("", 74, 6, reserved(6)),
        Field("odfi", 80, 8, DIGITS),
        Field("number", 88, 7, NUMBER),
    ),
)
