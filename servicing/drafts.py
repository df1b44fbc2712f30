"""A loan that is about to be boarded: its terms, and the name that the lender's other systems know it by.

Next: `servicing/commands/boarding.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from servicing.errors import TermsInvalid
from servicing.events import Event, Kind
from servicing.terms import Terms

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class LoanDraft:
    """A loan to board and fund.

    Raises: TermsInvalid without an external id that can be read.
    """

    external_id: str
    terms: Terms

    def __post_init__(self) -> None:
        if not self.external_id.strip():
            raise TermsInvalid(field="external_id", reason="it is empty")
        if not self.external_id.isprintable() or len(self.external_id) > LONGEST_ID:
            reason = f"it must be up to {LONGEST_ID} characters that can be printed"
            raise TermsInvalid(field="external_id", reason=reason)

    def first_event(self, entered_on: date) -> Event:
        """Return what puts the loan on the books: its funding."""
        return Event(
            no=1,
            kind=Kind.FUNDED,
            effective_date=self.terms.funded_on,
            entered_on=entered_on,
            amount=self.terms.principal.minor,
            method="ach",
        )
