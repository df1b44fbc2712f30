"""Whole lives of applications: any step by anybody at any time, on PostgreSQL and beside it in plain Python.

Next: `application_steps.py` for the steps, `application_reference.py` for what may be done, `application_laws.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.origination.application_attempts import ApplicationMachine
from tests.support.machine_books import Books

pytestmark = pytest.mark.once


@pytest.fixture
def books(server_url: str) -> Iterator[Books]:
    """Yield what hands out books to the machine."""
    ApplicationMachine.books = Books(server_url)
    yield ApplicationMachine.books
    ApplicationMachine.books.close()


@pytest.mark.timeout(3600)  # `make test-deep` goes through some hundred lives
def test_applications_do_what_applications_in_plain_python_do(books: Books) -> None:
    examples = max(settings.default.max_examples // 6, 8) if settings.default else 8
    run_state_machine_as_test(ApplicationMachine, settings=settings(max_examples=examples, stateful_step_count=30))
