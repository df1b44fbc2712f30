"""A workflow that cannot be used is refused with everything that is wrong, each mistake by its place."""

from __future__ import annotations

import pytest

from origination.workflow.errors import WorkflowInvalid, WorkflowUnknown
from origination.workflow.reading import read_workflow, shipped_codes, shipped_source
from tests.support.workflows import SIDE_BY_SIDE


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(WorkflowInvalid) as refusal:
        read_workflow(text)
    return refusal.value.problems


def changed(old: str, new: str) -> str:
    assert SIDE_BY_SIDE.count(old) == 1, old
    return SIDE_BY_SIDE.replace(old, new)


@pytest.mark.parametrize("code", shipped_codes())
def test_every_workflow_that_is_shipped_can_be_used_under_its_own_name(code: str) -> None:
    assert read_workflow(shipped_source(code)).code == code


def test_two_workflows_are_shipped() -> None:
    assert shipped_codes() == ("instant", "standard")
    with pytest.raises(WorkflowUnknown):
        shipped_source("none")


def test_a_version_is_called_by_what_it_says_and_not_by_how_it_is_written() -> None:
    plain = read_workflow(SIDE_BY_SIDE)

    assert read_workflow("# a remark\n" + SIDE_BY_SIDE).content_hash() == plain.content_hash()
    # What stands there by default may be said or left out.
    said = changed('kind = "human"\nrole = "funder"', 'kind = "human"\nnot_by_enterer = false\nrole = "funder"')
    assert read_workflow(said).content_hash() == plain.content_hash()
    assert read_workflow(changed("48 hours", "47 hours")).content_hash() != plain.content_hash()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('start = "verify"', 'start = "begin"', "start: unknown step begin"),
        ('to = "expired" }', 'to = "gone" }', "steps.answer (after 48 hours): unknown step gone"),
        ('role = "funder"', 'role = "king"', "steps.release: unknown role king"),
        ('by_hand = "boss"', 'by_hand = "king"', "steps.identity: unknown role king"),
        ('role = "boss" }]', 'role = "king" }]', "steps.papers: unknown role king"),
        ('queue = "upstairs"\ndue', 'queue = "attic"\ndue', "steps.release: unknown queue attic"),
        ('"verify:identity"', '"verify"', "steps.identity.task: unknown automatic task verify; known are"),
        ('"verify:identity"', '"guess:identity"', "steps.identity.task: unknown automatic task guess:identity"),
        ('default = "answer"\n', "", "steps.enough: a decision point without a default"),
        ('fact = "identity", equals', 'fact = "identy", equals', "steps.enough, branch 1: unknown fact identy"),
        ('equals = "failed"', "equals = 3", "steps.enough, branch 1: identity is a text, and 3 is none"),
        ("at_least = 1000", 'at_least = "much"', "steps.enough, branch 1: amount is a number, and much is none"),
        ('equals = "failed"', "at_most = 3", "steps.enough, branch 1: identity is a text: it has no order"),
        ('gives = ["checked", "amount"]', 'gives = ["cheked"]', "steps.papers.gives: unknown fact cheked"),
        ('fact = "identity"\nevidence', 'fact = "checked"\nevidence', "steps.by_documents.fact: checked is a flag"),
        ('["papers"]', '["identity"]', "steps.release.not_by_who_did: identity is no human step"),
        ('due = "1 business day"', 'due = "soon"', "steps.papers.due: it is written as `4 hours`"),
        ('kind = "wait"', 'kind = "weight"', "steps.answer.kind: it is one of automatic, human"),
        ('result = "expired"', 'result = "expired"\nnext = "x"', "steps.expired.next: Extra inputs"),
        ('fork = "verify"', 'fork = "answer"', "steps.met: a join without a fork: answer is none"),
        ('fork = "verify"', 'fork = "answer"', "steps.verify: a fork has one join, and none names it"),
        ('{ complete = "met" }', '{ complete = "funded" }', "steps.verify, branch 2: it ends in funded and not in"),
        ('{ complete = "met" }', '{ complete = "by_documents" }', "branch 2: it shares the step by_documents"),
        ('{ complete = "met" }', '{ complete = "verify" }', "branch 2: it comes back to its own fork"),
        ('sent_back = "answer"', 'sent_back = "papers"', "steps.release: it leads to papers, into the branches of"),
        ('sent_back = "answer"', 'sent_back = "met"', "steps.release: it leads to met, into the branches of"),
        ('start = "verify"', 'start = "papers"', "start: papers lies in the branches of verify"),
        ('start = "verify"', 'start = "met"', "start: met lies in the branches of verify"),
        ('next = "enough"', 'next = "release"', "steps.enough: unreachable step"),
        ('code = "small"', 'code = "Small one"', "code: "),
        ('code = "small"', 'code = "small"\ncalendar = "MOON"', "calendar: it is US"),
        ('code = "small"', 'code = "small"\ntime_zone = "Moon/Base"', "time_zone: it is a name such as"),
        ('code = "small"', 'code = "small"\ncolor = "red"', "color: Extra inputs are not permitted"),
        ('code = "small"', "code = small", "workflow: it is no TOML"),
    ],
)
def test_each_mistake_is_named_by_its_place(old: str, new: str, problem: str) -> None:
    assert any(problem in each for each in problems(changed(old, new))), problems(changed(old, new))


LOOP = """
code = "loop"
start = "one"
[facts]
[steps.one]
kind = "automatic"
task = "noop"
next = "two"
[steps.two]
kind = "automatic"
task = "noop"
next = "one"
[steps.alone]
kind = "end"
result = "never"
"""


def test_a_circle_in_which_nobody_acts_has_no_end() -> None:
    assert problems(LOOP) == (
        "steps.one: no way to an end",
        "steps.two: no way to an end",
        "steps.alone: unreachable step",
        "steps.one: a cycle without a human or wait step: one -> two -> one",
    )


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = changed('default = "answer"\n', "").replace('role = "funder"', 'role = "king"').replace("48 hours", "2 days")

    found = problems(text)

    places = ("steps.enough: a decision", "steps.release: unknown role", "steps.answer.time_out.after: it is written")
    assert all(any(place in each for each in found) for place in places)


def test_a_text_that_is_too_long_is_refused_whole() -> None:
    assert problems(SIDE_BY_SIDE + "#" * 200_000) == ("workflow: it is longer than 200000 characters",)


def test_no_steps_are_no_workflow() -> None:
    assert "steps: there are none" in problems('code = "empty"\nstart = "a"')
