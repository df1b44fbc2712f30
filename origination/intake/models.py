"""The pydantic models of a form, composed from its declaration, and the JSON schema that they publish.

One model for a whole application, and one in which everything may be missing, for what is saved on the way.
Never: rules over several fields but for their place in the schema (`origination/intake/checking.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Optional

from pydantic import BaseModel, ConfigDict, Field, create_model

from origination.intake.catalogue import CONSENT_FIELDS, CONSENT_NEEDS
from origination.intake.form import FieldRule, Form, From
from origination.intake.values import KINDS

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@lru_cache(maxsize=64)
def _model_of(content_hash: str, whole: bool, form: _Hashed) -> type[BaseModel]:
    assert content_hash == form.content_hash
    return _composed(form.form, whole=whole)


class _Hashed:
    """A form that is known by its content, so that its models are composed once."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.content_hash = form.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.content_hash == self.content_hash


def model_of(form: Form, *, whole: bool) -> type[BaseModel]:
    """Return the model of applications; if not whole, of those in which anything may be missing."""
    hashed = _Hashed(form)
    return _model_of(hashed.content_hash, whole, hashed)


def sections_of(form: Form) -> dict[str, list[str]]:
    """Return the names of the fields of each section, in the order of the form."""
    found: dict[str, list[str]] = {}
    for path in form.fields:
        section, _, name = path.partition(".")
        found.setdefault(section, []).append(name)
    return found


def needed_sections(form: Form) -> frozenset[str]:
    """Return the sections in which something is always required."""
    needed = {path.partition(".")[0] for path, rule in form.fields.items() if rule.required}
    return frozenset(needed | ({"consents"} if any(each.required for each in form.consents) else set()))


def json_schema(form: Form) -> dict[str, Any]:
    """Return the JSON schema of a whole application, conditions and ages included."""
    found = model_of(form, whole=True).model_json_schema()
    rules = [_condition(path, other, wanted) for path, other, wanted in _conditions(form)]
    return {
        "$schema": JSON_SCHEMA,
        "$id": f"/v1/products/{form.name}/application-schema",
        **found,
        "title": form.title,
        **({"allOf": rules} if rules else {}),
        "x-form-hash": form.content_hash,
        "x-consents": [
            {
                "kind": each.kind,
                "version": each.version,
                "text": each.text,
                "text_hash": each.text_hash,
                "required": each.required,
            }
            for each in form.consents
        ],
    }


def _composed(form: Form, *, whole: bool) -> type[BaseModel]:
    needed = needed_sections(form) if whole else frozenset()
    parts: dict[str, Any] = {}
    for section, names in sections_of(form).items():
        fields = {name: _field(form, f"{section}.{name}", whole=whole) for name in names}
        parts[section] = _made(section, fields)
    if form.consents:
        parts["consents"] = _consents(form, whole=whole)
    optional = {name: (part, ...) if name in needed else (Optional[part], None) for name, part in parts.items()}  # noqa: UP045 - made at run time
    return _made(form.name, optional)


def _field(form: Form, path: str, *, whole: bool) -> Any:
    rule = form.fields[path]
    bounded = _bounded(form.definition(path).of.type, rule)
    definition = form.definition(path)
    more = {**definition.of.schema, **({"x-personal": True} if definition.is_personal else {})}
    described = Field(title=rule.title, description=_description(form, path, rule), json_schema_extra=more)
    if whole and rule.required:
        return (Annotated[bounded, described], ...)
    return (Annotated[Optional[bounded], described], None)  # noqa: UP045 - made at run time


def _bounded(kind: Any, rule: FieldRule) -> Any:
    if rule.choices is not None:
        return Literal[rule.choices]
    limits = {"ge": rule.min, "le": rule.max, "max_length": rule.max_length}
    given = {name: value for name, value in limits.items() if value is not None}
    bound: Any = Field
    return Annotated[kind, bound(**given)] if given else kind


def _description(form: Form, path: str, rule: FieldRule) -> str | None:
    said = []
    if form.definition(path).kind == "amount":
        said.append(f"Whole minor units of {form.currency}.")
    if rule.min_age is not None:
        said.append(f"At least {rule.min_age} years ago.")
    if rule.max_age is not None:
        said.append(f"At most {rule.max_age} years ago.")
    return " ".join(said) or None


def _consents(form: Form, *, whole: bool) -> type[BaseModel]:
    found: dict[str, Any] = {}
    for consent in form.consents:
        fields = {
            name: (KINDS[each.kind].type, ...)
            if name in CONSENT_NEEDS and whole
            else (Optional[KINDS[each.kind].type], None)  # noqa: UP045 - made at run time
            for name, each in CONSENT_FIELDS.items()
        }
        part = _made(consent.kind, fields)
        found[consent.kind] = (part, ...) if consent.required and whole else (Optional[part], None)  # noqa: UP045 - made at run time
    return _made("consents", found)


def _made(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    compose: Any = create_model  # its types know only fields that are written out
    model: type[BaseModel] = compose(name, __base__=_Closed, **fields)
    return model


def _conditions(form: Form) -> Iterator[tuple[str, str, tuple[str | bool, ...] | From]]:
    for path, rule in form.fields.items():
        for other, wanted in rule.required_when.items():
            yield path, other, wanted


def _condition(path: str, other: str, wanted: tuple[str | bool, ...] | From) -> dict[str, Any]:
    value = {"minimum": wanted.start} if isinstance(wanted, From) else {"enum": list(wanted)}
    (section, _, name), (its_section, _, its_name) = path.partition("."), other.partition(".")
    return {
        "if": _having(its_section, {"properties": {its_name: value}, "required": [its_name]}),
        "then": _having(section, {"required": [name], "properties": {name: {"not": {"type": "null"}}}}),
    }


def _having(section: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {section: {"type": "object", **rule}}, "required": [section]}
