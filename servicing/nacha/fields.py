"""The table of fields behind every record: position, width and kind, from which a line is both written and read.

A record is 94 characters; a layout whose fields leave a gap cannot be made. Never: what the values mean together
(`servicing/nacha/rules.py`). Next: `servicing/nacha/entry_detail.py`, a layout with all kinds of fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from servicing.nacha.errors import AchFieldInvalid

WIDTH = 94
SECRET = frozenset({"account", "corrected"})


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read from its characters and written into them; both raise ValueError with the reason."""

    read: Callable[[str], Any]
    write: Callable[[Any, int], str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: where it starts (from 1), how wide it is, and what it holds. Nameless ones are constant."""

    name: str
    start: int
    width: int
    kind: Kind

    @property
    def positions(self) -> str:
        """Return the positions as the rule book writes them: `13-29`."""
        last = self.start + self.width - 1
        return str(last) if self.width == 1 else f"{self.start}-{last}"

    @property
    def label(self) -> str:
        """Return the name for a person."""
        return self.name.replace("_", " ") or "reserved"

    def shown(self, value: str) -> str:
        """Return a value for an error message; of what may be an account number only its end."""
        return repr(masked(value.strip()) if self.name in SECRET else value)


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a kind of record, one after the other from position 1 to 94."""

    title: str
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        """Refuse a table with a gap or an overlap; that is a slip of ours."""
        position = 1
        for field in self.fields:
            assert field.start == position, f"{self.title}: {field.label} starts at {field.start}, not {position}"
            position += field.width
        assert position == WIDTH + 1, f"{self.title} ends at {position - 1}"

    def read(self, text: str, line: int) -> dict[str, Any]:
        """Return the values of a line by name.

        Raises: AchFieldInvalid.
        """
        found: dict[str, Any] = {}
        for field in self.fields:
            written = text[field.start - 1 : field.start - 1 + field.width]
            try:
                found[field.name] = field.kind.read(written)
            except ValueError as reason:
                raise _invalid(field, written, line, reason) from None
        found.pop("", None)
        return found

    def write(self, record: object, line: int) -> str:
        """Return the line of a record, whose attributes have the names of the fields.

        Raises: AchFieldInvalid.
        """
        written = []
        for field in self.fields:
            value = getattr(record, field.name) if field.name else None
            try:
                written.append(field.kind.write(value, field.width))
            except ValueError as reason:
                raise _invalid(field, "" if value is None else str(value), line, reason) from None
        return "".join(written)


def masked(account: str) -> str:
    """Return an account number as people see it: its last four characters, or fewer of a short one."""
    seen = min(4, len(account) // 2)
    return "*" * (len(account) - seen) + account[len(account) - seen :]


def constant(text: str) -> Kind:
    """Return the kind of a field that always holds the same characters."""

    def read(written: str) -> None:
        if written != text:
            raise ValueError(f"should be {text!r}")

    return Kind(read, lambda value, width: text)


def one_of(*texts: str) -> Kind:
    """Return the kind of a field that holds one of a few codes, all as wide as the field."""

    def check(written: str) -> str:
        if written not in texts:
            raise ValueError(f"is none of {', '.join(texts)}")
        return written

    return Kind(check, lambda value, width: check(value))


def reserved(width: int) -> Kind:
    """Return the kind of a field that is left blank."""
    return constant(" " * width)


def _read_number(written: str) -> int:
    if not (written.isascii() and written.isdigit()):
        raise ValueError("should be digits")
    return int(written)


def _write_number(value: int, width: int) -> str:
    if not 0 <= value < 10**width:
        raise ValueError(f"has not {width} digits")
    return f"{value:0{width}d}"


def _read_digits(written: str) -> str:
    _read_number(written)
    return written


def _write_digits(value: str, width: int) -> str:
    if len(value) != width:
        raise ValueError(f"has not {width} digits")
    return _read_digits(value)


def _write_text(value: str, width: int) -> str:
    if len(value) > width:
        raise ValueError(f"is longer than {width} characters")
    if value != value.rstrip(" "):
        raise ValueError("ends with a space, which would be lost")
    _check_printable(value)
    return value.ljust(width)


def _check_printable(value: str) -> None:
    strange = next((each for each in value if not " " <= each <= "~"), None)
    if strange is not None:
        raise ValueError(f"has {strange!r}, which is not printable ASCII")


def _read_needed(written: str) -> str:
    if not written.strip():
        raise ValueError("is blank")
    return written.rstrip(" ")


def _write_needed(value: str, width: int) -> str:
    if not value.strip():
        raise ValueError("is blank")
    return _write_text(value, width)


def _read_date(written: str) -> date | None:
    if written.strip(" 0") == "":
        return None
    _read_number(written)
    return date(2000 + int(written[:2]), int(written[2:4]), int(written[4:]))


def _write_date(value: date | None, width: int) -> str:
    if value is None:
        return " " * width
    if not 2000 <= value.year < 2100:
        raise ValueError("is in a century that two digits cannot tell")
    return f"{value:%y%m%d}"


def _read_time(written: str) -> str:
    if written.strip() == "":
        return ""
    _read_number(written)
    if int(written[:2]) > 23 or int(written[2:]) > 59:
        raise ValueError("is no time of day")
    return written


TEXT = Kind(lambda written: written.rstrip(" "), _write_text)
"""Alphameric, at the left, filled with spaces."""
NEEDED = Kind(_read_needed, _write_needed)
"""The same, never blank."""
NUMBER = Kind(_read_number, _write_number)
"""Digits as a number, filled with zeros; money in cents."""
DIGITS = Kind(_read_digits, _write_digits)
"""Digits as text, exactly as many as the field is wide."""
DATE = Kind(_read_date, _write_date)
"""YYMMDD of this century; blank, or six zeros when read, for none."""
TIME = Kind(_read_time, lambda value, width: _read_time(value.ljust(width)).ljust(width))
"""HHMM, or blank."""


def _invalid(field: Field, written: str, line: int, reason: ValueError) -> AchFieldInvalid:
    return AchFieldInvalid(
        line=line,
        field=field.label,
        positions=field.positions,
        value=field.shown(written),
        reason=str(reason),
    )
