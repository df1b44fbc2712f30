"""Which loans the demonstration lives with: invented from a seed, or read from a tape.

Next: `api/demo/story.py`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from api.demo.story import MONTHS, Plan
from api.errors import FileUnusable
from ledger.dates import Month
from servicing.drafts import LoanDraft
from servicing.errors import TapeInvalid
from servicing.portfolio import make_portfolio
from servicing.product import shipped
from servicing.tapes.column_map import OWN_COLUMNS
from servicing.tapes.fields import Reading
from servicing.tapes.tape import Tape, drafts_of, open_tape

OPENING = date(2026, 1, 1)
CURRENCY = "USD"
PRODUCT = "installment"


def plan_from_seed(loans: int, seed: int) -> Plan:
    """Return the plan of an invented portfolio, whose first month is January 2026."""
    drafts = make_portfolio(seed, loans, OPENING, CURRENCY)
    return Plan(f"demo-{loans}-{seed}", OPENING, CURRENCY, drafts, seed, front_door=min(24, 3 + loans // 40))


def plan_from_tape(tape: Path, seed: int, first: Month | None = None) -> Plan:
    """Return the plan of the loans of a tape that were funded in three months: those from `first` on, or the busiest.

    A loan is funded while its book is open, and the demonstration lives three months; the others are left out, and
    counted.

    Raises: FileUnusable; TapeUnreadable; TapeInvalid with every mistake by row and column, and a note of the file.
    """
    drafts = _read(tape)
    opening = first or busiest([Month.of(draft.terms.funded_on) for draft in drafts])
    months = {opening.plus(n) for n in range(MONTHS)}
    chosen = tuple(draft for draft in drafts if Month.of(draft.terms.funded_on) in months)
    if not chosen:
        reason = (
            f"no loan in it was funded from {opening} to {opening.plus(MONTHS - 1)}"
            if drafts
            else "there is no loan in it"
        )
        raise FileUnusable(path=str(tape), reason=reason)
    digest = hashlib.sha256(tape.read_bytes()).hexdigest()[:12]
    code = f"demo-{digest}-{opening}-{seed}"
    return Plan(code, opening.first_day, CURRENCY, chosen, seed, left_out=len(drafts) - len(chosen))


def busiest(months: Sequence[Month]) -> Month:
    """Return the month that begins the three in which most of these lie, the earliest of several; of none, January."""
    counts = Counter(months)

    def fundings(first: Month) -> int:
        return sum(counts[first.plus(n)] for n in range(MONTHS))

    return max(sorted(counts), key=fundings, default=Month.of(OPENING))


def _read(tape: Path) -> tuple[LoanDraft, ...]:
    reading = Reading(CURRENCY, OWN_COLUMNS.forms, shipped)
    try:
        return drafts_of(Tape(open_tape(tape, OWN_COLUMNS), OWN_COLUMNS, reading, PRODUCT))
    except TapeInvalid as mistakes:
        mistakes.add_note(tape.name)
        raise
