"""The close is a list: its order, what is left of it, and where a run stands."""

from __future__ import annotations

import pytest

from gl_export.close import STEPS, StepEvidence, StepState, remaining, status, step_names
from gl_export.errors import CloseStepUnknown
from ledger.dates import Month

NOVEMBER = Month(2026, 11)


def left(*names: str) -> dict[str, StepEvidence]:
    return {name: StepEvidence(name, {"n": 1}, "ops") for name in names}


def test_every_step_has_a_name_a_purpose_and_a_gate_of_its_own() -> None:
    assert len(set(step_names())) == len(STEPS)
    assert all(step.purpose.endswith(".") and step.gate.endswith(".") for step in STEPS)


def test_accrual_comes_before_the_month_is_over_and_the_batch_before_it_is_closed() -> None:
    order = step_names()

    assert order.index("accrue") < order.index("roll_business_date") < order.index("seal")
    assert order.index("soft_close") < order.index("export") < order.index("close_period")


def test_a_run_goes_on_at_the_first_step_without_evidence() -> None:
    found = status(book_code="MAIN", month=NOVEMBER, run_no=1, evidence=left(*step_names()[:3]))

    states = [state for _, state, _ in found.steps]
    assert states == [StepState.DONE] * 3 + [StepState.NEXT] + [StepState.WAITING] * (len(STEPS) - 4)
    assert not found.is_complete
    assert found.evidence_of("accrue") == {"n": 1}


def test_a_run_with_all_evidence_is_complete() -> None:
    found = status(book_code="MAIN", month=NOVEMBER, run_no=1, evidence=left(*step_names()))

    assert found.is_complete


def test_a_run_may_stop_at_a_step() -> None:
    todo = remaining(["reach_month_end"], until="seal")

    assert [step.name for step in todo] == ["accrue", "provide", "roll_business_date", "seal"]


def test_an_unknown_step_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(CloseStepUnknown) as refusal:
        remaining([], until="coffee")

    assert refusal.value.known == step_names()


def test_evidence_of_a_step_that_is_not_done_is_refused() -> None:
    with pytest.raises(CloseStepUnknown):
        status(book_code="MAIN", month=NOVEMBER, run_no=1, evidence={}).evidence_of("seal")
