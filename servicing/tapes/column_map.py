"""A column map: from which column of a tape each field of a loan comes, and how its text is written.

Written in TOML, checked whole when it is read; a key that nobody knows is a mistake. Without a map the columns of a
tape are the fields themselves. Never: a row (`servicing/tapes/tape.py`).
Next: `servicing/tapes/maps/lendingclub.toml`; `docs/how-to/boarding.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from servicing.drafting import ALWAYS
from servicing.errors import ColumnMapInvalid
from servicing.tapes.fields import READERS
from servicing.tapes.table import Layout
from servicing.tapes.texts import ISO, Forms, day_form

SOURCES = "a field has a column, a value or a day that it comes after"
_NAME = re.compile(r"[a-z0-9_-]+", re.ASCII)
OtherColumns = Literal["refuse", "pass_over"]


def _checked_form(form: str) -> str:
    day_form(form)
    return form


def _checked_pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as mistake:
        raise ValueError(f"it is no pattern: {mistake}") from None
    if groups != 1:
        raise ValueError(f"it has {groups} groups; the one group is what is read")
    return text


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


DayForm = Annotated[str, AfterValidator(_checked_form)]
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRules(_Part):
    """How the file is cut into rows; `pass_over` leaves out rows of another width, such as a publisher's notes."""

    format: Literal["csv", "xlsx", "jsonl"] | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    sheet: str | None = None
    header_within: int = Field(default=1, ge=1, le=100)
    other_columns: OtherColumns = "refuse"
    other_widths: OtherColumns = "refuse"


class TextRules(_Part):
    """How values are written, unless a field says otherwise; texts of `empty` are no value."""

    days: tuple[DayForm, ...] = Field(default=(ISO,), min_length=1)
    money_signs: tuple[str, ...] = ()
    thousands: bool = False
    rates: Literal["percent", "fraction"] = "percent"
    empty: tuple[str, ...] = ()


class After(_Part):
    """A day so many days or months after that of another field."""

    field: str
    months: int = Field(default=0, ge=0, le=120)
    days: int = Field(default=0, ge=0, le=3660)


class FieldRule(_Part):
    """Where the text of a field comes from: the first of these columns that the tape has, a value, or another day."""

    column: OneOrMore | None = None
    value: str | None = None
    after: After | None = None
    pattern: Annotated[str, AfterValidator(_checked_pattern)] | None = None
    values: Mapping[str, str] = Field(default_factory=dict)


class ColumnMap(_Part):
    """Where each field comes from, and which rows are taken: those that have one of the values in each column."""

    about: str = ""
    product: str | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    file: FileRules = FileRules()
    text: TextRules = TextRules()
    take: Mapping[str, OneOrMore] = Field(default_factory=dict)
    fields: Mapping[str, FieldRule] = Field(
        default_factory=lambda: {name: FieldRule(column=(name,)) for name in READERS}
    )

    @property
    def forms(self) -> Forms:
        """Return how values are written."""
        own = self.text
        return Forms(own.days, own.money_signs, own.thousands, own.rates)

    def layout(self) -> Layout:
        """Return what tells the header of a tape."""
        needed = (rule.column for name, rule in self.fields.items() if name in ALWAYS and rule.column)
        alone = frozenset(columns[0] for columns in needed if len(columns) == 1)
        over = self.file.other_widths == "pass_over"
        return Layout(self.file.header_within, alone | frozenset(self.take), passes_over_other_widths=over)

    def sources(self) -> Iterator[str]:
        """Yield every column that is read."""
        yield from self.take
        yield from (column for rule in self.fields.values() for column in rule.column or ())


OWN_COLUMNS = ColumnMap()
"""The map of a tape whose columns are the fields."""


def parse_map(text: str) -> ColumnMap:
    """Read a column map.

    Raises: ColumnMapInvalid naming the first mistake.
    """
    try:
        found = ColumnMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as mistake:
        raise ColumnMapInvalid(place="map", reason=f"it is no TOML: {mistake}") from None
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise ColumnMapInvalid(place=".".join(map(str, first["loc"])), reason=reason) from None
    for place, wrong, reason in _contradictions(found):
        if wrong:
            raise ColumnMapInvalid(place=place, reason=reason)
    return found


def shipped_maps() -> tuple[str, ...]:
    """Return the names of the maps of `servicing/tapes/maps`."""
    folder = files("servicing.tapes") / "maps"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def shipped_map(name: str) -> ColumnMap:
    """Return a map of `servicing/tapes/maps`.

    Raises: ColumnMapInvalid if there is none of this name.
    """
    if not _NAME.fullmatch(name) or name not in shipped_maps():
        raise ColumnMapInvalid(
            place=name, reason=f"no map of this name is shipped; there are {', '.join(shipped_maps())}"
        )
    return parse_map((files("servicing.tapes") / "maps" / f"{name}.toml").read_text(encoding="utf-8"))


def _contradictions(found: ColumnMap) -> Iterator[tuple[str, bool, str]]:
    for name in ALWAYS:
        yield f"fields.{name}", name not in found.fields, "every loan has it: say where it comes from"
    for name, rule in found.fields.items():
        place = f"fields.{name}"
        yield place, name not in READERS, f"there is no such field; known are {', '.join(READERS)}"
        given = [rule.column, rule.value, rule.after]
        yield place, sum(source is not None for source in given) != 1, SOURCES
        if rule.after is not None:
            of = found.fields.get(rule.after.field)
            yield f"{place}.after", of is None or of.after is not None, "it names a field that comes from the tape"
