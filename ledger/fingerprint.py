"""When two requests under one key ask for the same entry, and in which field they differ if they do not.

The fingerprint covers the input: what is to be booked. It leaves out who asks and who approves (a colleague
may resume a run that was killed), the group number (handed out anew at each attempt) and the key itself.
Never: dates or numbers that the database gives. Next: `ledger/journal.py`, the drafts that are compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.errors import RequestKeyReused, TextRefused
from ledger.journal import EntryDraft, refuse_unstorable

# In the order in which a difference is reported. The booking date comes last: an entry read back from the
# journal always has one, while the request may have left it to the book.
INPUT_FIELDS = (
    "subledger_id",
    "template",
    "template_version",
    "effective_date",
    "postings",
    "reverses_no",
    "corrects_no",
    "source_ref",
    "narration",
    "details",
    "booking_date",
)


def fingerprint(draft: EntryDraft) -> bytes:
    """Return the SHA-256 of the draft's input in canonical form.

    The order of keys in `details` does not matter, nor does 1.0 against 1.00.

    Raises: TextRefused naming the place of a value in `details` that is not a JSON value.
    """
    return hashlib.sha256(canonical_text(_input_of(draft)).encode()).digest()


def difference(stored: EntryDraft, given: EntryDraft) -> str | None:
    """Return the name of the first input field in which two drafts differ, or None if there is none."""
    stored_input, given_input = _input_of(stored), _input_of(given)
    for name in INPUT_FIELDS:
        if _canonical(stored_input[name], name) != _canonical(given_input[name], name):
            return name
    return None


def key_reused(stored: EntryDraft, given: EntryDraft) -> RequestKeyReused:
    """Return the error for a key that came back with another input, naming the first field that differs."""
    field = difference(stored, given) or "input"
    return RequestKeyReused(
        request_key=given.request_key,
        field=field,
        stored=_shown(getattr(stored, field, None)),
        given=_shown(getattr(given, field, None)),
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{posting.debit}/{posting.credit} {posting.money}" for posting in value)
    return "(none)" if value is None else str(value)


def canonical_text(value: Any) -> str:
    """Return the one text of a value, in ASCII; two values have the same text only if they are equal.

    Takes None, bool, int, Decimal, str, date (as its ISO text), and sequences and mappings of these.

    Raises: TextRefused for anything else, a float among it, and for numbers that are not finite.
    """
    return json.dumps(_canonical(value, "value"), separators=(",", ":"))


def _input_of(draft: EntryDraft) -> dict[str, Any]:
    values = {name: getattr(draft, name) for name in INPUT_FIELDS}
    values["postings"] = [
        [posting.debit, posting.credit, posting.money.minor, posting.money.currency] for posting in draft.postings
    ]
    return values


def _canonical(value: Any, place: str) -> list[Any]:
    """Tag every value with its kind, so that no two kinds can be taken for each other."""
    match value:
        case None:
            return ["null"]
        case bool():
            return ["bool", value]
        case int() | Decimal():
            return ["number", _number_text(value, place)]
        case str():
            refuse_unstorable(place, value)
            return ["text", value]
        case date():
            return ["text", value.isoformat()]
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise TextRefused(field=place, reason="a key is not a text")
            for key in value:
                refuse_unstorable(place, key)
            return ["table", [[key, _canonical(value[key], f"{place}.{key}")] for key in sorted(value)]]
        case list() | tuple():
            return ["list", [_canonical(item, f"{place}[{i}]") for i, item in enumerate(value)]]
        case _:
            raise TextRefused(field=place, reason=f"a {type(value).__name__} has no exact canonical form")


def _number_text(number: int | Decimal, place: str) -> str:
    """Write a number as digits and a power of ten: 1500 and 1500.00 are both `15e2`."""
    sign, digits, exponent = Decimal(number).as_tuple()
    if not isinstance(exponent, int):
        raise TextRefused(field=place, reason=f"{number} is not a number")
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return "0"
    return f"{'-' if sign else ''}{significant}e{exponent + len(text) - len(significant)}"
