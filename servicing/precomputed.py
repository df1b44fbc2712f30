"""Precomputed interest by the Rule of 78: a finance charge fixed at first, earned by the digits of the periods.

Of n periods the first earns n parts of n (n + 1) / 2, the next n - 1, the last one. By the actuarial method it is
earned as the contract's balance says, which is the schedule itself and needs nothing here. Never: what is paid.
Next: `servicing/schedule.py`; `docs/spec/precomputed.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from servicing.accrual import rounded
from servicing.contract import Contract, Installment
from servicing.terms import Terms


def by_digits(terms: Terms, contract: Contract) -> Contract:
    """Return a contract whose installments, of the same totals, have their interest by the Rule of 78.

    Interest that an installment has no room for waits for the next one.
    """
    charge = contract.withheld + sum(row.interest for row in contract.rows)
    charges = tuple(charge * share for share in shares(len(contract.rows)))
    rows = tuple(_split_again(terms, contract, charges))
    openings = (contract.original, *(row.balance for row in rows[:-1]))
    return replace(contract, rows=rows, charges=charges, openings=openings, earned=charges)


def shares(count: int) -> tuple[Fraction, ...]:
    """Return what each of so many periods earns of the whole: of 12, 12/78, 11/78, ... 1/78."""
    digits = count * (count + 1) // 2
    return tuple(Fraction(count - n, digits) for n in range(count))


def _split_again(terms: Terms, contract: Contract, charges: Sequence[Fraction]) -> Iterator[Installment]:
    balance, asked, earned = contract.original, contract.withheld, Fraction(0)
    for row, charge in zip(contract.rows, charges, strict=True):
        earned += charge
        interest = min(rounded(earned, terms.product.rounding) - asked, row.total)
        asked += interest
        balance -= row.total - interest
        yield replace(row, interest=interest, principal=row.total - interest, balance=balance)
