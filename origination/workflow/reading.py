"""Reading a workflow from TOML: everything that is wrong with it is said at once, each mistake by its place.

Never: a workflow that is half right. Next: `origination/workflow/checks.py` for what its steps must be together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from origination.workflow.checks import problems_of_steps
from origination.workflow.definition import STEP_KINDS, Definition, Head, Step
from origination.workflow.errors import WorkflowInvalid, WorkflowUnknown
from servicing.calendars import is_calendar

LARGEST = 200_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_workflow(text: str) -> Definition:
    """Return the workflow that a TOML text says.

    Raises: WorkflowInvalid with everything that is wrong.
    """
    if len(text) > LARGEST:
        raise WorkflowInvalid(problems=(f"workflow: it is longer than {LARGEST} characters",))
    try:
        keys = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as mistake:
        raise WorkflowInvalid(problems=(f"workflow: it is no TOML: {mistake}",)) from None
    steps = keys.pop("steps", {})
    head, problems = _head(keys)
    if not isinstance(steps, dict) or not steps:
        raise WorkflowInvalid(problems=(*problems, "steps: there are none"))
    read: dict[str, Step] = {}
    for name, given in steps.items():
        step, wrong = _step(name, given)
        problems.extend(wrong)
        if step is not None:
            read[name] = step
    problems.extend(problems_of_steps(keys, read, known=frozenset(steps)))
    if problems or head is None:
        raise WorkflowInvalid(problems=tuple(problems))
    return Definition.model_validate({**keys, "steps": steps})


def shipped_codes() -> tuple[str, ...]:
    """Return the codes of the workflows of `origination/workflows`."""
    folder = files("origination") / "workflows"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def shipped_source(code: str) -> str:
    """Return the text of a workflow of `origination/workflows`.

    Raises: WorkflowUnknown.
    """
    if code not in shipped_codes():
        raise WorkflowUnknown(name=code, known=shipped_codes())
    return (files("origination") / "workflows" / f"{code}.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def stored_workflow(source: str) -> Definition:
    """Return the workflow of a text that was read before, and is kept."""
    return read_workflow(source)


def _head(keys: Mapping[str, Any]) -> tuple[Head | None, list[str]]:
    try:
        head = Head.model_validate(keys)
    except ValidationError as invalid:
        return None, list(_mistakes("", invalid))
    problems = []
    if not is_calendar(head.calendar):
        problems.append("calendar: it is US, a country's two letters, or a code such as XFED or XNYS")
    try:
        ZoneInfo(head.time_zone)
    except (OSError, ValueError, KeyError):
        problems.append("time_zone: it is a name such as America/New_York")
    return head, problems


def _step(name: str, given: Any) -> tuple[Step | None, list[str]]:
    place = f"steps.{name}"
    if not _NAME.fullmatch(name):
        return None, [f"{place}: a name is small letters, digits and _"]
    kind = given.get("kind") if isinstance(given, dict) else None
    model = STEP_KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return None, [f"{place}.kind: it is one of {', '.join(STEP_KINDS)}"]
    try:
        return model.model_validate(given), []
    except ValidationError as invalid:
        return None, list(_mistakes(f"{place}.", invalid))


def _mistakes(before: str, invalid: ValidationError) -> Iterator[str]:
    for error in invalid.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in error["loc"])
        yield f"{before}{place}: {error['msg'].removeprefix('Value error, ')}".replace(".: ", ": ")
