"""Whole lives of a book, by chance: on PostgreSQL and beside it in plain Python, step by step.

Next: `machine_rules.py` for the steps, `machine_sides.py` for what is compared; `test_written_life.py`.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.ledger.machine_rules import LedgerMachine
from tests.support.machine_books import Books


@pytest.mark.timeout(3600)  # `make test-deep` goes through some hundred lives
def test_the_ledger_does_what_a_ledger_in_plain_python_does(books: Books) -> None:
    examples = max(settings.default.max_examples // 12, 8) if settings.default else 8
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=examples, stateful_step_count=40))
