"""Every rail by the method of its instructions.

Next: the file of each; `docs/spec/rails.md` has them as one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from servicing.rails import ach_credit, ach_debit, cash, check, credit_card, debit_card, internal, wire
from servicing.rails.rail import Rail

RAILS: Mapping[str, Rail] = MappingProxyType(
    {
        each.RAIL.name: each.RAIL
        for each in (ach_debit, ach_credit, debit_card, credit_card, wire, check, cash, internal)
    }
)
"""The rails by name."""
