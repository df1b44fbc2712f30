"""From the fields of a row or a request to the loan that they make, every field that is missing or wrong named.

A loan with a cut-over is in mid-life: it has its balances, and its original terms or what is left of them.
Never: texts (`servicing/tapes/fields.py`). Next: `servicing/drafts.py`; `servicing/continued.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ledger.money import Money
from servicing.continued import continued_terms
from servicing.drafts import FIELD_OF, LoanDraft, opening_objections
from servicing.errors import TermsInvalid
from servicing.opening import BALANCES, Opening
from servicing.schedule import dues_of
from servicing.terms import Terms

Wrong = tuple[str, str]
"""A field and the reason why it is refused."""

ALWAYS = ("external_id", "rate", "frequency")
ORIGINAL = ("principal", "installments", "funded_on", "first_due_on")
LEFT = ("next_due_on", "installments_left")
OPTIONAL_TERMS = ("installment_amount", "balloon", "steps", "rows")
BALANCE_FIELDS = tuple(FIELD_OF.get(name, name) for name in BALANCES)
OPENING_ONLY = ("cut_over_on", *BALANCE_FIELDS, "days_past_due", "past_due", *LEFT)
CLEARING = "conversion_clearing"
TOTALS = (*BALANCES, CLEARING)
"""The control totals that a tape can have; of new loans, the principal alone."""


def required(has: Collection[str], *, is_mid_life: bool) -> tuple[str, ...]:
    """Return the fields that a loan must have, by those that there are."""
    if not is_mid_life:
        return (*ALWAYS, *ORIGINAL)
    knows_original = any(name in has for name in ORIGINAL if name != "installments") or not any(n in has for n in LEFT)
    return (*ALWAYS, "principal_balance", *(ORIGINAL if knows_original else LEFT))


def draft_of(values: Mapping[str, Any], wrong: list[Wrong]) -> LoanDraft | None:
    """Return the loan that fields make; where they do not make one, the reasons go to `wrong`."""
    named = {field for field, _ in wrong}
    is_mid_life = "cut_over_on" in values or "cut_over_on" in named
    needs = required({*values, *named}, is_mid_life=is_mid_life)
    absent = [name for name in needs if name not in values and name not in named and name != "next_due_on"]
    wrong.extend((name, "it is missing") for name in absent)
    if not is_mid_life:
        wrong.extend((name, "only a loan with a cut-over has it") for name in OPENING_ONLY if name in values)
    if wrong:
        return None
    try:
        return _mid_life(values, wrong) if is_mid_life else LoanDraft(values["external_id"], _terms(values))
    except TermsInvalid as mistake:
        wrong.append((mistake.field, mistake.reason))
        return None


def drafted(values: Mapping[str, Any]) -> LoanDraft:
    """Return the loan that fields make.

    Raises: TermsInvalid for the first field that is missing or wrong.
    """
    wrong: list[Wrong] = []
    draft = draft_of(values, wrong)
    if draft is None:
        field, reason = wrong[0]
        raise TermsInvalid(field=field, reason=reason)
    return draft


def sums_of(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield what a loan adds to each control total, in minor units: the amount lent, or every balance taken over."""
    if "cut_over_on" not in values:
        if "principal" in values:
            yield "principal", values["principal"].minor
        return
    held = {name: values[field].minor for name, field in zip(BALANCES, BALANCE_FIELDS, strict=True) if field in values}
    yield from held.items()
    yield CLEARING, sum(held.values()) - 2 * held.get("unapplied", 0)


def _mid_life(values: Mapping[str, Any], wrong: list[Wrong]) -> LoanDraft | None:
    zero = Money.zero(values["principal_balance"].currency)
    knows_original = all(name in values for name in ORIGINAL)
    balances = dict(zip(BALANCES, (values.get(field, zero) for field in BALANCE_FIELDS), strict=True))
    opening = Opening(
        **balances,
        cut_over_on=values["cut_over_on"],
        days_past_due=values.get("days_past_due", 0),
        past_due=values.get("past_due"),
        next_due_on=values.get("next_due_on") if knows_original else None,
    )
    if knows_original:
        terms = _terms(values)
    else:
        own = {name: values[name] for name in ("product", "rate", "frequency", *OPTIONAL_TERMS) if name in values}
        left = values["installments_left"]
        terms = continued_terms(own, opening, next_due_on=values.get("next_due_on"), installments_left=left)
    if knows_original and "installments_left" in values:
        wrong.extend(_wrong_count(terms, opening, values["installments_left"]))
    try:
        draft: LoanDraft | None = LoanDraft(values["external_id"], terms, opening)
    except TermsInvalid:
        draft, found = None, list(opening_objections(terms, opening))
        if not found:
            raise
        wrong[:0] = found
    return None if wrong else draft


def _wrong_count(terms: Terms, opening: Opening, left: int) -> Iterator[Wrong]:
    found = sum(due >= (opening.next_due_on or opening.cut_over_on) for due in dues_of(terms))
    if left != found:
        yield "installments_left", f"{found} are due from the cut-over on, not {left}"


def _terms(values: Mapping[str, Any]) -> Terms:
    names = ("product", "rate", "frequency", *ORIGINAL, *OPTIONAL_TERMS)
    return Terms(**{name: values[name] for name in names if name in values})
