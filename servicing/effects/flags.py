"""Flags: a bankruptcy or a death is noted on a loan, and lifted again; what each holds is declared.

Never: what is held (`servicing/flags.py`). Next: `docs/spec/flags.md`.
"""

from __future__ import annotations

from servicing.events import Event
from servicing.folding import Folding


def flag(folding: Folding, event: Event) -> None:
    """Set a flag on a loan, or lift it."""
    name = event.details["flag"]
    if event.details.get("lifted"):
        folding.flags.discard(name)
    else:
        folding.flags.add(name)
