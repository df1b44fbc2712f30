"""Which loans the demonstration lives with: invented from a seed, or read from a tape.

Next: `api/demo/story.py`.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from api.boarding import require_days_of_tape
from api.cli.files import read_text
from api.demo.story import Plan
from api.errors import FileUnusable
from servicing.boarding import read_tape
from servicing.portfolio import make_portfolio
from servicing.product import shipped

OPENING = date(2026, 1, 1)
CURRENCY = "USD"
PRODUCT = "installment"


def plan_from_seed(loans: int, seed: int) -> Plan:
    """Return the plan of an invented portfolio, whose first month is January 2026."""
    drafts = make_portfolio(seed, loans, OPENING, CURRENCY)
    return Plan(f"demo-{loans}-{seed}", OPENING, CURRENCY, drafts, seed)


def plan_from_tape(tape: Path, seed: int) -> Plan:
    """Return the plan of a tape's loans, whose first month is that of the earliest funding.

    Raises: FileUnusable; TapeInvalid with every mistake by row and column.
    """
    text = read_text(tape)
    found = read_tape(text, shipped(PRODUCT), CURRENCY)
    require_days_of_tape(text, found)
    drafts = found.drafts
    if not drafts:
        raise FileUnusable(path=str(tape), reason="there is no loan in it")
    opening = min(draft.terms.funded_on for draft in drafts).replace(day=1)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Plan(f"demo-{digest}-{seed}", opening, CURRENCY, drafts, seed)
