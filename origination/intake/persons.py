"""Who an applicant is, for finding the same person again without keeping the name in the clear.

A match is a list of fields that must all be equal; its text goes into a blind index, never into a table. Case, accents
and spaces of a name make no other person. Next: `servicing/vault.py`, `origination/intake_commands.py`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from origination.intake.checking import age_on
from origination.intake.documents import flat
from origination.intake.form import Form


def matches_of(form: Form, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each match that an application has all fields of, by the match's name."""
    kinds = ("+".join(match) for match in form.duplicates.match)
    return {kind: text for kind in kinds if (text := match_text(kind, data)) is not None}


def match_text(kind: str, data: Mapping[str, Any]) -> str | None:
    """Return the text of a match by its name, which is its paths with a plus between; None if a field is missing."""
    values, paths = flat(data), kind.split("+")
    if not all(path in values for path in paths):
        return None
    return "\x1f".join(normal(str(values[path])) for path in paths)


def normal(text: str) -> str:
    """Return a text without case, accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if each.isalnum())


def derived(data: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return what decisions may know of personal data without reading them: the age on a day, and the state."""
    values = flat(data)
    found: dict[str, Any] = {}
    born = values.get("applicant.date_of_birth")
    if isinstance(born, str):
        found["age"] = age_on(date.fromisoformat(born), today)
    if "application.state" in values:
        found["state"] = values["application.state"]
    return found
