"""A loan that is about to be boarded: its terms, and the name that the lender's other systems know it by.

One that is taken over in mid-life has an opening besides: what is owed of it, and how far it is behind.
Next: `servicing/drafting.py`, which makes one of the fields of a row or a request; `servicing/commands/boarding.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from servicing.errors import TermsInvalid
from servicing.events import Event, Kind
from servicing.opening import Behind, Opening
from servicing.past_due import objections
from servicing.schedule import contract_of
from servicing.terms import Terms

LONGEST_ID = 200
FIELD_OF = {"principal": "principal_balance", "interest": "interest_balance"}
"""What a balance is called where it is a field beside the terms, whose principal is the amount lent."""


@dataclass(frozen=True, slots=True)
class Refinances:
    """The loan that a new one pays off out of its proceeds, and with how much, in minor units."""

    loan_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class LoanDraft:
    """A loan to board: a new one, which is funded, or one in mid-life with its opening.

    Raises: TermsInvalid without an external id that can be read, or with an opening that the terms do not bear out.
    """

    external_id: str
    terms: Terms
    opening: Opening | None = None
    refinances: Refinances | None = None
    by_instruction: bool = False
    """Whether its proceeds are sent by payment instructions, and not with the funding itself."""

    def __post_init__(self) -> None:
        if not self.external_id.strip():
            raise TermsInvalid(field="external_id", reason="it is empty")
        if not self.external_id.isprintable() or len(self.external_id) > LONGEST_ID:
            reason = f"it must be up to {LONGEST_ID} characters that can be printed"
            raise TermsInvalid(field="external_id", reason=reason)
        if self.opening is not None:
            for field, reason in opening_objections(self.terms, self.opening):
                raise TermsInvalid(field=field, reason=reason)

    @property
    def begins_on(self) -> date:
        """Return the day on which the loan comes on the books: its funding, or its cut-over."""
        return self.terms.funded_on if self.opening is None else self.opening.cut_over_on

    def first_event(self, entered_on: date) -> Event:
        """Return what puts the loan on the books."""
        if self.opening is not None:
            day, details = self.opening.cut_over_on, self.opening.as_details()
            return Event(no=1, kind=Kind.BOARDED, effective_date=day, entered_on=entered_on, details=details)
        return Event(
            no=1,
            kind=Kind.FUNDED,
            effective_date=self.terms.funded_on,
            entered_on=entered_on,
            amount=self.terms.principal.minor,
            method="ach",
            details={
                **({"by_instruction": True} if self.by_instruction else {}),
                **(
                    {}
                    if self.refinances is None
                    else {"refinances": self.refinances.loan_id, "refinanced": self.refinances.amount}
                ),
            },
        )


def opening_objections(terms: Terms, opening: Opening) -> Iterator[tuple[str, str]]:
    """Yield what an opening cannot be for these terms: a field and the reason.

    Raises: TermsInvalid if the due dates run past the end of the calendar.
    """
    wrong = list(_amount_objections(terms, opening))
    if opening.cut_over_on < terms.funded_on:
        wrong.append(("cut_over_on", f"it lies before the loan was funded on {terms.funded_on}"))
    yield from wrong
    if wrong:
        return
    kept_until = _interest_kept_until(terms)
    if kept_until is not None and opening.cut_over_on < kept_until:
        yield "cut_over_on", f"the interest until {kept_until} was kept from the proceeds: take it over then or later"
    yield from objections(terms, Behind.of(opening.as_details()), opening.cut_over_on)


def _interest_kept_until(terms: Terms) -> date | None:
    if terms.product.odd_days != "at_funding":
        return None
    contract = contract_of(terms)
    return contract.periods[0].regular_from if contract.withheld else None


def _amount_objections(terms: Terms, opening: Opening) -> Iterator[tuple[str, str]]:
    given = [*opening.balances(), *([("past_due", opening.past_due)] if opening.past_due is not None else [])]
    for name, money in given:
        if money.currency != terms.currency:
            yield FIELD_OF.get(name, name), "its currency is another"
        if money.minor < 0:
            yield FIELD_OF.get(name, name), "it must not be below zero"
    if not any(money.minor for name, money in opening.balances() if name != "unapplied"):
        yield "principal_balance", "nothing is owed"
