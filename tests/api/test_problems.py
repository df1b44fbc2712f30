"""Every error of every package has its place outside: one status, one exit code, one page."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from api import problems, statuses
from ledger.domain_error import DomainError
from ledger.errors import EntryUnbalanced, PeriodIsClosed, TrialBalanceUnequal

PACKAGES = ("ledger", "servicing", "origination", "gl_export", "api")


def declared_errors() -> set[type[DomainError]]:
    """Import every module called errors and return the classes that our packages declare."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.rpartition(".")[2] == "errors":
                importlib.import_module(module.name)
    return {cls for cls in _subclasses(DomainError) if cls.__module__.split(".")[0] in PACKAGES}


def _subclasses(cls: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def test_every_error_class_of_every_package_has_one_status() -> None:
    listed = [cls for classes in statuses.ERRORS_BY_STATUS.values() for cls in classes]

    missing = sorted(cls.__qualname__ for cls in declared_errors() - set(listed))

    assert missing == []
    assert len(listed) == len(set(listed))


def test_codes_are_unique_among_all_problems() -> None:
    codes = [problem.code for problem in problems.problem_types()]

    assert len(codes) == len(set(codes))


def test_every_status_is_one_of_refusal_fault_or_unavailability() -> None:
    assert {int(status) for status in statuses.ERRORS_BY_STATUS} == {400, 403, 404, 409, 422, 500, 503}


def test_figures_of_a_problem_are_minor_units_and_iso_dates() -> None:
    error = EntryUnbalanced(currency="USD", debits=12000, credits=12100, difference=-100)

    assert problems.figures(error) == {
        "currency": "USD",
        "debits": 12000,
        "credits": 12100,
        "difference": -100,
    }


def test_a_document_has_the_members_of_rfc_9457_and_the_code() -> None:
    error = EntryUnbalanced(currency="USD", debits=12000, credits=12100, difference=-100)

    document = problems.document(error, "r1")

    assert document["type"] == "/problems/entry-unbalanced"
    assert document["title"] == "Entry unbalanced"
    assert document["status"] == 422
    assert document["detail"] == error.message
    assert document["code"] == "entry-unbalanced"
    assert document["request_id"] == "r1"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (PeriodIsClosed.from_detail({}), 2),
        (TrialBalanceUnequal(currency="USD", debits=2, credits=1, difference=1), 1),
    ],
)
def test_a_refusal_exits_with_2_and_damage_with_1(error: DomainError, exit_code: int) -> None:
    assert problems.exit_code_of(error) == exit_code


def test_the_reference_page_has_a_row_for_every_problem() -> None:
    rows = problems.as_markdown().splitlines()[2:]

    assert len(rows) == len(list(problems.problem_types()))
