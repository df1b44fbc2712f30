"""Which installments of a loan are past due when it is taken over, and how much each of them asks for.

The balances are given; here they are laid on the contract's installments. Interest before the cut-over is divided by
days and never computed again. Amounts are minor units. Never: a fold (`servicing/effects/boarding.py`).
Next: `docs/spec/boarding.md`, which works the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ledger.currencies import amount_text
from servicing.contract import Contract, Installment
from servicing.opening import Behind
from servicing.schedule import contract_of, dues_of
from servicing.terms import Terms

Wrong = tuple[str, str]
"""A field and why it cannot be."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a loan stands in its contract: the numbers of the installments that are past due, and of those paid ahead.

    The first coming one that is to be paid is `next_no`; after the last due date there is none.
    """

    past_due: tuple[int, ...]
    paid_ahead: tuple[int, ...]
    next_no: int | None


def place_of(contract: Contract, behind: Behind, cut_over: date) -> Place:
    """Return where a loan stands; what `objections` objects to is not asked for."""
    dues = [row.due for row in contract.rows]
    first_coming = sum(due < cut_over for due in dues)
    oldest = dues.index(cut_over - timedelta(days=behind.days_past_due)) if behind.days_past_due else first_coming
    next_ = first_coming if behind.next_due_on is None else dues.index(behind.next_due_on)
    return Place(
        past_due=tuple(range(oldest + 1, first_coming + 1)),
        paid_ahead=tuple(range(first_coming + 1, next_ + 1)),
        next_no=next_ + 1 if next_ < len(dues) else None,
    )


def asks_of(
    terms: Terms, contract: Contract, behind: Behind, cut_over: date, place: Place
) -> Mapping[int, tuple[int, int]]:
    """Return what each installment that is past due asks for: interest and principal.

    Simple interest has grown evenly since the period of the oldest one began, and each has what grew until its due
    date; other interest is the contract's. Principal is the rest of the total, or the contract's. Where less is missing
    than all of it, the oldest one was paid in part; the last installment of a loan asks for everything that is left.
    """
    if not place.past_due:
        return {}
    rows = [contract.rows[no - 1] for no in place.past_due]
    begun = contract.periods[place.past_due[0] - 1].start
    is_simple = terms.product.interest == "simple"
    interest = list(
        _by_days(behind.interest, begun, cut_over, rows) if is_simple else _by_contract(behind.interest, rows)
    )
    principal = list(_principal(behind.principal, rows, interest))
    if place.next_no is None and not place.paid_ahead:
        interest[-1], principal[-1] = behind.interest - sum(interest[:-1]), behind.principal - sum(principal[:-1])
    if behind.past_due is not None:
        _take_off(sum(interest) + sum(principal) - behind.past_due, interest, principal)
    return {row.no: parts for row, parts in zip(rows, zip(interest, principal, strict=True), strict=True)}


def objections(terms: Terms, behind: Behind, cut_over: date) -> Iterator[Wrong]:
    """Yield what an opening says that no installment of the contract bears out.

    The contract is drawn up only where its amounts matter: a tape has many loans.
    """
    dues = dues_of(terms)
    oldest = cut_over - timedelta(days=behind.days_past_due)
    coming = [due for due in dues if due >= cut_over]
    if behind.days_past_due and oldest not in dues:
        near = sorted(sorted(dues, key=lambda due: abs((due - oldest).days))[:2])
        yield (
            "days_past_due",
            f"no installment was due on {oldest}; the nearest are due on {' and '.join(map(str, near))}",
        )
        return
    if not behind.days_past_due and not coming:
        yield "days_past_due", f"the last installment was due on {dues[-1]}, and there is a balance"
        return
    if behind.next_due_on is not None:
        reason = _wrong_next(behind, coming)
        if reason is not None:
            yield "next_due_on", reason
            return
    if behind.past_due is not None:
        yield from _wrong_past_due(terms, contract_of(terms), behind, behind.past_due, cut_over)


def _wrong_next(behind: Behind, coming: Sequence[date]) -> str | None:
    if behind.next_due_on not in coming:
        known = f"the first is due on {coming[0]}" if coming else "all were due before"
        return f"no installment from the cut-over on is due on {behind.next_due_on}; {known}"
    if behind.days_past_due and behind.next_due_on != coming[0]:
        return f"it is past due, and so the next one is due on {coming[0]}"
    return None


def _wrong_past_due(terms: Terms, contract: Contract, behind: Behind, past_due: int, cut_over: date) -> Iterator[Wrong]:
    whole = replace(behind, past_due=None)
    asks = list(asks_of(terms, contract, whole, cut_over, place_of(contract, whole, cut_over)).values())
    most, paid = sum(map(sum, asks)), sum(map(sum, asks[:1]))
    if not most - paid < past_due <= most:
        bounds = " to ".join(amount_text(minor, terms.currency) for minor in (most - paid + 1, most))
        yield "past_due", f"the {len(asks)} installments that are past due ask for {bounds if asks else 'nothing'}"


def _by_days(interest: int, begun: date, cut_over: date, rows: Sequence[Installment]) -> Iterator[int]:
    """Yield what has grown until each due date and no row before it asks for, half a unit up."""
    days, claimed = (cut_over - begun).days, 0
    for row in rows:
        grown = (2 * interest * (row.due - begun).days + days) // (2 * days)
        part = grown - claimed if row.asks_interest else 0
        claimed += part
        yield part


def _by_contract(interest: int, rows: Sequence[Installment]) -> Iterator[int]:
    """Yield the contract's interest of each row, as far as there is any."""
    left = interest
    for row in rows:
        left -= (asked := min(row.interest, left))
        yield asked


def _principal(principal: int, rows: Sequence[Installment], interest: Sequence[int]) -> Iterator[int]:
    """Yield the rest of each row's total, or its own principal, as far as there is any."""
    left = principal
    for row, part in zip(rows, interest, strict=True):
        own = max(0, row.total - part) if row.keeps_total else row.principal
        left -= (asked := min(own, left))
        yield asked


def _take_off(paid: int, interest: list[int], principal: list[int]) -> None:
    """Take what was paid off the oldest row: its principal first, for its interest is owed as the balance says."""
    taken = min(paid, principal[0])
    principal[0] -= taken
    interest[0] -= paid - taken
