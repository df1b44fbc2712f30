"""The standard entry classes that are read, and what each allows. PPD, CCD, WEB and TEL are sent.

IAT and ADV have records of another layout and are refused. Source: Nacha Operating Rules, appendix three.
Next: `servicing/nacha/rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from servicing.nacha.entry_detail import ENTRY, ENTRY_SWAPPED
from servicing.nacha.fields import Layout
from servicing.nacha.transaction_codes import Side

BOTH = frozenset(Side)
DEBITS_ONLY = frozenset({Side.DEBIT})
CREDITS_ONLY = frozenset({Side.CREDIT})


@dataclass(frozen=True, slots=True)
class EntryClass:
    """One class: what it is for, which sides go forward, how much text goes with an entry, and whose accounts.

    `consumer`: an unauthorized debit may come back for 60 days. `sent`: this house sends it.
    """

    code: str
    name: str
    sides: frozenset[Side] = BOTH
    notes_most: int = 0
    consumer: bool = True
    sent: bool = False
    typed: bool = False
    layout: Layout = field(default=ENTRY)


_ALL = (
    EntryClass("PPD", "Prearranged payment and deposit", notes_most=1, sent=True),
    EntryClass("CCD", "Corporate credit or debit", notes_most=1, consumer=False, sent=True),
    EntryClass("WEB", "Internet-initiated or mobile", notes_most=1, sent=True, typed=True),
    EntryClass("TEL", "Telephone-initiated", DEBITS_ONLY, sent=True, typed=True),
    EntryClass("COR", "Notification of change", frozenset(), consumer=False),
    EntryClass("CTX", "Corporate trade exchange", notes_most=9999, consumer=False),
    EntryClass("ARC", "Accounts receivable", DEBITS_ONLY),
    EntryClass("BOC", "Back office conversion", DEBITS_ONLY),
    EntryClass("POP", "Point of purchase", DEBITS_ONLY),
    EntryClass("RCK", "Re-presented check", DEBITS_ONLY),
    EntryClass("XCK", "Destroyed check", DEBITS_ONLY, consumer=False),
    EntryClass("POS", "Point of sale"),
    EntryClass("SHR", "Shared network", DEBITS_ONLY),
    EntryClass("CIE", "Customer-initiated", CREDITS_ONLY, notes_most=1, layout=ENTRY_SWAPPED),
    EntryClass("MTE", "Machine transfer", layout=ENTRY_SWAPPED),
    EntryClass("DNE", "Death notification", CREDITS_ONLY, notes_most=1),
    EntryClass("ENR", "Automated enrollment", CREDITS_ONLY, notes_most=9999, consumer=False),
    EntryClass("TRC", "Check truncation", DEBITS_ONLY, consumer=False),
    EntryClass("TRX", "Check truncation exchange", DEBITS_ONLY, notes_most=9999, consumer=False),
    EntryClass("ACK", "Acknowledgment of CCD", CREDITS_ONLY, notes_most=1, consumer=False),
    EntryClass("ATX", "Acknowledgment of CTX", CREDITS_ONLY, notes_most=1, consumer=False),
)
ENTRY_CLASSES: Mapping[str, EntryClass] = MappingProxyType({each.code: each for each in _ALL})
DEFAULT_CLASS = "PPD"
"""What an entry goes under that no mandate says a class for."""
OTHER_LAYOUTS = frozenset({"IAT", "ADV"})
