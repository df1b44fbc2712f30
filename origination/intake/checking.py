"""Whether an application may be: every field that is wrong, by its path, and all of them together.

The same for every channel, for a whole application and for one that is saved on the way. A value that is refused is
never repeated. Never: a clock; ages are counted to a day that is given. Next: `origination/intake/models.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from pydantic import ValidationError

from ledger.currencies import amount_text
from origination.intake.catalogue import ORIGINS
from origination.intake.documents import flat, without_empty
from origination.intake.errors import ApplicationFieldsInvalid
from origination.intake.form import FieldRule, Form, From
from origination.intake.models import model_of, needed_sections

SHOWN = 20
MISSING = "it is missing"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a field."""

    path: str
    reason: str

    def __str__(self) -> str:
        """Say where it is and what it is."""
        return f"{self.path}: {self.reason}"

    def as_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"path": self.path, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Checked:
    """An application as it is kept, and what is wrong with it; `data` has only what is right."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...]


def check(form: Form, data: Mapping[str, Any], *, whole: bool, today: date) -> Checked:
    """Check an application against a form; if not whole, what is missing is no problem.

    Returned data are normal: empty fields left out, numbers without their dashes, moments with their zone.
    """
    given = without_empty(data)
    for section in needed_sections(form) if whole else ():
        given.setdefault(section, {})
    try:
        model = model_of(form, whole=whole).model_validate(given)
    except ValidationError as mistakes:
        found = [*_problems(form, mistakes)]
        wrong = {problem.path for problem in found}
        rest = {path: value for path, value in flat(given).items() if path not in wrong}
        found += _rules(form, rest, whole=whole, today=today, given=frozenset(flat(given)))
        return Checked({}, _once(found))
    kept = without_empty(model.model_dump(mode="json"))
    return Checked(kept, _once(_rules(form, flat(kept), whole=whole, today=today)))


def require(problems: Sequence[Problem]) -> None:
    """Refuse an application that has problems.

    Raises: ApplicationFieldsInvalid with all of them, the first few in its message.
    """
    if problems:
        more = (f"and {len(problems) - SHOWN} more",) if len(problems) > SHOWN else ()
        raise ApplicationFieldsInvalid(
            count=len(problems),
            problems=(*map(str, problems[:SHOWN]), *more),
            fields=tuple(each.as_json() for each in problems),
        )


def age_on(born: date, day: date) -> int:
    """Return whole years; who was born on 29 February is a year older on 28 February of other years.

    Source: `relativedelta` keeps to the last day of a month, as most states count.
    """
    return relativedelta(day, born).years


def _problems(form: Form, mistakes: ValidationError) -> Iterator[Problem]:
    for each in mistakes.errors(include_url=False, include_input=False):
        path = ".".join(_plain(str(part)[:64]) for part in each["loc"])
        match each["type"]:
            case "greater_than_equal":
                yield Problem(path, f"it must be at least {_bound(form, path, each['ctx']['ge'])}")
            case "less_than_equal":
                yield Problem(path, f"it must be at most {_bound(form, path, each['ctx']['le'])}")
            case "missing":
                yield Problem(path, MISSING)
            case "extra_forbidden":
                yield Problem(path, "there is no such field")
            case "model_type":
                yield Problem(path, "it is no object with fields")
            case _:
                yield Problem(path, _in_words(each["msg"]))


def _plain(name: str) -> str:
    """Return a stranger's name of a field without characters that would move a cursor."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)


def _bound(form: Form, path: str, value: int) -> str:
    """Return a bound as people read it: of an amount in the major unit."""
    field = form.definitions.get(path)
    if field is not None and field.kind == "amount":
        return f"{amount_text(value, form.currency)} {form.currency}"
    return str(value)


def _in_words(message: str) -> str:
    said = message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    return f"it {said}" if said.startswith("should ") else said


def _rules(
    form: Form, values: Mapping[str, Any], *, whole: bool, today: date, given: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """Yield what rules over fields find in the values that are right; one that is `given` is not missing, if wrong."""
    for path, rule in form.fields.items():
        if path in values:
            yield from _age(path, rule, values[path], today)
        elif whole and not _has(given, path):
            yield from _missing(form, path, rule, values)
    yield from _consents(form, values, whole=whole, today=today, paths=given | values.keys())


def _has(given: frozenset[str], path: str) -> bool:
    return path in given or any(each.startswith(f"{path}.") for each in given)


def _missing(form: Form, path: str, rule: FieldRule, values: Mapping[str, Any]) -> Iterator[Problem]:
    for other, wanted in rule.required_when.items():
        value = values.get(other)
        if isinstance(wanted, From):
            if isinstance(value, int) and not isinstance(value, bool) and value >= wanted.start:
                yield Problem(path, f"it is missing, and {other} is {_bound(form, other, wanted.start)} or more")
        elif value in wanted and value is not None:
            yield Problem(path, f"it is missing, and {other} is {value}")


def _age(path: str, rule: FieldRule, value: Any, today: date) -> Iterator[Problem]:
    if (rule.min_age, rule.max_age) == (None, None):
        return
    try:
        age = age_on(date.fromisoformat(value), today)
    except (TypeError, ValueError):
        return
    if rule.min_age is not None and age < rule.min_age:
        yield Problem(path, f"it must be at least {rule.min_age} years ago")
    if rule.max_age is not None and age > rule.max_age:
        yield Problem(path, f"it must be at most {rule.max_age} years ago")


def _consents(
    form: Form, values: Mapping[str, Any], *, whole: bool, today: date, paths: frozenset[str]
) -> Iterator[Problem]:
    for consent in form.consents:
        place = f"consents.{consent.kind}"
        found = {name.rpartition(".")[2]: value for name, value in values.items() if name.startswith(f"{place}.")}
        if not found:
            continue
        if found.get("text_version", consent.version) != consent.version:
            yield Problem(f"{place}.text_version", f"the text that is asked for is version {consent.version}")
        if found.get("text_hash", consent.text_hash) != consent.text_hash:
            yield Problem(f"{place}.text_hash", f"it is not the hash of the text in version {consent.version}")
        given = str(found.get("given_at", ""))[:10]
        # A day more, for whoever is ahead of the book's time zone.
        if given > (today + relativedelta(days=1)).isoformat():
            yield Problem(f"{place}.given_at", "it lies in the future")
        if "given_at" in found and given < (today - relativedelta(days=consent.valid_days)).isoformat():
            yield Problem(f"{place}.given_at", f"it lies more than {consent.valid_days} days back")
        if whole and not any(_has(paths, f"{place}.{origin}") for origin in ORIGINS):
            yield Problem(place, f"it does not say where it came from: one of {', '.join(ORIGINS)}")


def _once(problems: Sequence[Problem] | Iterator[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems)))
