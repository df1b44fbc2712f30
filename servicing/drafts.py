"""A loan that is about to be boarded: its terms, and the name that the lender's other systems know it by.

Next: `servicing/commands/boarding.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.errors import TermsInvalid
from servicing.terms import Terms


@dataclass(frozen=True, slots=True)
class LoanDraft:
    """A loan to board and fund.

    Raises: TermsInvalid without an external id.
    """

    external_id: str
    terms: Terms

    def __post_init__(self) -> None:
        if not self.external_id.strip():
            raise TermsInvalid(field="external_id", reason="it is empty")
