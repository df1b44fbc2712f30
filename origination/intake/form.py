"""A form: what one product asks of its applicants, declared in TOML, and checked whole when it is read.

It names fields of the catalogue or declares its own, says which are required and when, their bounds, the consents with
their texts, what makes a duplicate, how long data are kept, what is verified. Versions are named by content hash.
Next: `origination/intake/models.py`; `origination/intake/forms/personal.toml`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ledger.fingerprint import canonical_text
from origination.intake.catalogue import CONSENT_FIELDS, FIELDS, FieldDef
from origination.intake.errors import FormInvalid
from origination.intake.values import KINDS

PATH = r"^[a-z][a-z_]*\.[a-z][a-z0-9_]*$"
ALWAYS = ("application.amount", "application.term_months", "application.state")
"""What every form asks for: without them there are no terms and no route."""

Path = Annotated[str, Field(pattern=PATH)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
OTHERS = frozenset({"consents"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class From(_Part):
    """A number from which on a field is asked for."""

    start: int = Field(alias="from")


class FieldRule(_Part):
    """How a form asks for a field; a field that is none of the catalogue's has a type of its own."""

    type: str | None = None
    title: str | None = None
    required: bool = False
    required_when: Mapping[Path, tuple[str | bool, ...] | From] = Field(default_factory=dict)
    min: int | None = None
    max: int | None = None
    min_age: int | None = None
    max_age: int | None = None
    choices: tuple[str | int, ...] | None = None
    max_length: Annotated[int, Field(ge=1, le=2000)] | None = None
    personal: bool = False

    def bounds(self) -> dict[str, Any]:
        """Return the bounds that are set."""
        named = ("min", "max", "min_age", "max_age", "choices", "max_length")
        return {name: value for name in named if (value := getattr(self, name)) is not None}


class ConsentRule(_Part):
    """A consent that is asked for: the text in its version, and how many days ago it may have been given.

    What was agreed to is kept with the text's hash.
    """

    kind: Word
    version: Annotated[str, Field(min_length=1, max_length=50)]
    text: Annotated[str, Field(min_length=1)]
    required: bool = True
    valid_days: Annotated[int, Field(ge=0, le=3650)] = 365

    @property
    def text_hash(self) -> str:
        """Return the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Duplicates(_Part):
    """What makes two applications one person's: any of these lists of fields being equal, within so many days."""

    match: tuple[tuple[Path, ...], ...] = (("applicant.ssn",),)
    window_days: Annotated[int, Field(ge=1, le=3650)] = 30
    then: Literal["refuse", "flag"] = "refuse"


class Retention(_Part):
    """How many months after it was submitted the data of an application are kept, whoever asks.

    Source: 12 CFR 1002.12(b)(1), 25 months after the applicant was notified of the action taken.
    """

    months: Annotated[int, Field(ge=0, le=1200)] = 25


class Form(_Part):
    """A form. Raises on reading: FormInvalid naming the first mistake."""

    name: Word
    title: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    servicing_product: str = "installment"
    rate: Decimal
    workflow: Word = "standard"
    verify: tuple[Word, ...] = ()
    fields: Mapping[Path, FieldRule]
    consents: tuple[ConsentRule, ...] = ()
    duplicates: Duplicates = Duplicates()
    retention: Retention = Retention()

    @field_validator("rate", mode="before")
    @classmethod
    def _no_float(cls, value: Any) -> Any:
        if isinstance(value, float):
            raise ValueError("write the number as text: a float is not exact")
        return value

    @field_validator("fields")
    @classmethod
    def _in_order(cls, fields: Mapping[str, FieldRule]) -> Mapping[str, FieldRule]:
        """Put the fields in the catalogue's order, those of its own behind them: storing them keeps no order."""
        known = [path for path in FIELDS if path in fields]
        return {path: fields[path] for path in (*known, *sorted(set(fields) - set(known)))}

    def definition(self, path: str) -> FieldDef:
        """Return what a field of the form is.

        Raises: KeyError for one that it does not have.
        """
        own = self.fields[path]
        if own.type is None:
            return FIELDS[path]
        return FieldDef(own.type, "contact" if own.personal else None)

    @cached_property
    def definitions(self) -> Mapping[str, FieldDef]:
        """Return every field of the form by its path, those of consents too."""
        found = {path: self.definition(path) for path in self.fields}
        for consent in self.consents:
            found |= {f"consents.{consent.kind}.{name}": field for name, field in CONSENT_FIELDS.items()}
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the declaration as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def content_hash(self) -> str:
        """Return the SHA-256 of the declaration, which names this version of the form."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()


def parse_form(keys: Mapping[str, Any]) -> Form:
    """Read a form from its keys.

    Raises: FormInvalid naming the first mistake.
    """
    try:
        form = Form.model_validate(keys)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        place = ".".join(("form", *map(str, first["loc"])))
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise FormInvalid(place=place, reason=reason) from None
    for place, wrong, reason in _contradictions(form):
        if wrong:
            raise FormInvalid(place=f"form.{place}", reason=reason)
    return form


def read_form(text: str) -> Form:
    """Read a form from the text of a TOML file.

    Raises: FormInvalid.
    """
    try:
        return parse_form(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as mistake:
        raise FormInvalid(place="form", reason=f"it is no TOML: {mistake}") from None


def shipped_forms() -> tuple[str, ...]:
    """Return the names of the forms of `origination/intake/forms`."""
    folder = files("origination.intake") / "forms"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def shipped_form(name: str) -> Form | None:
    """Return a form of `origination/intake/forms`; None if there is none of this name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name, re.ASCII) or name not in shipped_forms():
        return None
    return read_form((files("origination.intake") / "forms" / f"{name}.toml").read_text(encoding="utf-8"))


def _contradictions(form: Form) -> Iterator[tuple[str, bool, str]]:
    for path in ALWAYS:
        wrong = path not in form.fields or not form.fields[path].required
        yield f"fields.{path}", wrong, "every form asks for it, and requires it"
    for path, rule in form.fields.items():
        place = f"fields.{path}"
        yield place, path.partition(".")[0] in OTHERS, "consents are declared under consents"
        yield place, path in FIELDS and rule.type is not None, "it is a field of the catalogue, which has its type"
        unknown = f"it is no field of the catalogue, so it needs a type: {', '.join(KINDS)}"
        yield place, path not in FIELDS and rule.type not in KINDS, unknown
        yield place, path in FIELDS and rule.personal, "the catalogue says whether it is personal"
        yield from _bounds(place, form, path, rule)
        for other in rule.required_when:
            yield f"{place}.required_when", other not in form.fields, f"the form does not ask for {other}"
    kinds = [consent.kind for consent in form.consents]
    yield "consents", len(set(kinds)) < len(kinds), "a kind stands there twice"
    for match in form.duplicates.match:
        for path in match:
            yield "duplicates.match", path not in form.fields, f"the form does not ask for {path}"
    yield "rate", not form.rate.is_finite() or not 0 <= form.rate <= 1000, "it must be 0 to 1000 percent"


def _bounds(place: str, form: Form, path: str, rule: FieldRule) -> Iterator[tuple[str, bool, str]]:
    kind = KINDS[form.definition(path).kind]
    for bound in rule.bounds():
        yield f"{place}.{bound}", bound not in kind.bounds, f"a {form.definition(path).kind} has no such bound"
    for low, high in (("min", "max"), ("min_age", "max_age")):
        least, most = getattr(rule, low), getattr(rule, high)
        yield f"{place}.{low}", least is not None and most is not None and least > most, f"it lies above {high}"
