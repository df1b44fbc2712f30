"""How money is booked that a rail took or gave, and that no payment of a loan accounts for yet.

It stands in the account of unmatched returns, on the book's own subledger, until somebody finds whose it is.
Never: a loan. Next: `servicing/commands/ach_returns.py`; `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from ledger.templates import Row, Template, Templates

EXCEPTIONS = "UNMATCHED_RETURNS"
RAIL = "RAIL_CLEARING"

TAKEN = Template("unmatched_return_taken", 1, "Unmatched {code} of entry {trace}", (Row(EXCEPTIONS, RAIL, "amount"),))
GIVEN = Template("unmatched_return_given", 1, "Unmatched {code} of entry {trace}", (Row(RAIL, EXCEPTIONS, "amount"),))
TAKEN_SETTLED = Template(
    "unmatched_return_taken_settled", 1, "Settled: {code} of entry {trace}", (Row(RAIL, EXCEPTIONS, "amount"),)
)
GIVEN_SETTLED = Template(
    "unmatched_return_given_settled", 1, "Settled: {code} of entry {trace}", (Row(EXCEPTIONS, RAIL, "amount"),)
)
TEMPLATES = Templates((TAKEN, GIVEN, TAKEN_SETTLED, GIVEN_SETTLED))
