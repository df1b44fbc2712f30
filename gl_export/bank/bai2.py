"""BAI2, the cash reporting format of banks in the United States: records of fields parted by commas.

Every total and count that the file gives of itself is checked. Amounts stand in minor units; the type code says which
way they go. Never: a summary as a line. Next: `gl_export/bank/statement.py`; `docs/spec/bank.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from gl_export.bank.statement import BankLine, BankStatement
from gl_export.errors import BankStatementWrong
from ledger.money import Money

OPENING_LEDGER, CLOSING_LEDGER = "010", "015"
CREDITS, DEBITS = range(100, 400), range(400, 700)
FUNDS_FIELDS = {"S": 3, "V": 2}
"""How many fields follow a funds type; `D` says how many pairs, all others have none."""
BOOKS = {"01": "99", "02": "98", "03": "49"}
"""Which record ends what which begins."""

_NEXT = re.compile(r"(?<=/)\s+(?=(?:0[123]|16|49|88|9[89]),)", re.ASCII)


@dataclass(slots=True)
class _Record:
    """A logical record: its code, its fields, the line on which it begins, and how many lines it takes."""

    code: str
    fields: list[str]
    place: int
    lines: int = 1


@dataclass(slots=True)
class _Part:
    """A file, a group or an account: what begins it, what it holds, and what it came to."""

    head: _Record
    total: int = 0
    children: int = 0
    lines: int = 0
    details: list[_Record] = field(default_factory=list)


def read_bai2(text: str, file: str, *, currency: str) -> tuple[BankStatement, ...]:
    """Read every account of a file; one that names no currency is in the group's, or in this one.

    Raises: BankStatementWrong with the line.
    """
    return tuple(_Reader(file, currency).read(text))


@dataclass(slots=True)
class _Reader:
    file: str
    currency: str
    open: list[_Part] = field(default_factory=list)

    def read(self, text: str) -> Iterator[BankStatement]:
        for record in self._records(text):
            for part in self.open:
                part.lines += record.lines
            match record.code:
                case "01" | "02" | "03":
                    self._begin(record)
                case "16":
                    self._within(record, "03")
                    self.open[-1].details.append(record)
                    self.open[-1].total += self._amount(record, 1)
                case "49" | "98" | "99":
                    part = self._end(record)
                    if record.code == "49":
                        yield self._statement(part)
                case _:
                    raise self.wrong(record.place, f"there is no record {record.code!r}")
        if self.open:
            head = self.open[-1].head
            raise self.wrong(head.place, f"what begins with {head.code} here has no end ({BOOKS[head.code]})")

    def _records(self, text: str) -> Iterator[_Record]:
        """Yield logical records, continuations joined."""
        current: _Record | None = None
        for place, bare in _physical(text):
            code, comma, rest = bare.removesuffix("/").partition(",")
            if code == "88":
                if current is None or not comma:
                    raise self.wrong(place, "a continuation (88) of nothing")
                current.lines += 1
                current.fields += rest.split(",")
                continue
            if current is not None:
                yield current
            if not comma:
                raise self.wrong(place, f"{bare[:40]!r} is no record of fields")
            current = _Record(code, rest.split(","), place)
        if current is None:
            raise self.wrong(1, "the file is empty")
        yield current

    def _begin(self, record: _Record) -> None:
        wanted = {"01": None, "02": "01", "03": "02"}[record.code]
        if wanted is None and self.open:
            raise self.wrong(record.place, "a file begins within a file")
        if wanted is not None:
            self._within(record, wanted)
        part = _Part(record, lines=record.lines)
        self.open.append(part)
        if record.code == "03":
            part.total += sum(amount for _, amount in self._summaries(record))

    def _within(self, record: _Record, wanted: str) -> None:
        if not self.open or self.open[-1].head.code != wanted:
            raise self.wrong(record.place, f"record {record.code} stands outside of {wanted} to {BOOKS[wanted]}")

    def _end(self, record: _Record) -> _Part:
        wanted = next(code for code, end in BOOKS.items() if end == record.code)
        self._within(record, wanted)
        part = self.open.pop()
        counted = {"control total": part.total, "number of parts": part.children, "number of records": part.lines}
        if wanted == "03":
            del counted["number of parts"]
        for place, (name, is_so) in enumerate(counted.items()):
            says = self._amount(record, place)
            if _field(record, place) and says != is_so:
                raise self.wrong(record.place, f"the {name} of record {record.code} is {says}, but comes to {is_so}")
        if self.open:
            self.open[-1].total += part.total
            self.open[-1].children += 1
        return part

    def _summaries(self, record: _Record) -> Iterator[tuple[str, int]]:
        """Yield the type codes of an account's record with their amounts; without an amount they say nothing."""
        place = 2
        while place < len(record.fields):
            code = record.fields[place]
            if not code and not "".join(record.fields[place:]).strip():
                return
            amount = self._amount(record, place + 1)
            if record.fields[place + 1 : place + 2] != [""]:
                yield code, amount
            place = self._after_funds(record, place + 3)

    def _after_funds(self, record: _Record, place: int) -> int:
        """Return the place after a funds type and what belongs to it."""
        kind = record.fields[place].strip() if place < len(record.fields) else ""
        if kind == "D":
            return place + 2 + 2 * self._amount(record, place + 1)
        return place + 1 + FUNDS_FIELDS.get(kind, 0)

    def _amount(self, record: _Record, place: int) -> int:
        text = record.fields[place].strip() if place < len(record.fields) else ""
        digits = text.removeprefix("+").removeprefix("-")
        if text == "":
            return 0
        if not (digits.isascii() and digits.isdigit()):
            raise self.wrong(record.place, f"{text!r} is no whole number, in field {place + 2}")
        return -int(digits) if text.startswith("-") else int(digits)

    def _statement(self, part: _Part) -> BankStatement:
        group = self.open[-1].head
        currency = _field(part.head, 1) or _field(group, 5) or self.currency
        as_of = self._day(group, 3)
        summaries = dict(self._summaries(part.head))
        account = _field(part.head, 0)
        opening, closing = (
            Money(summaries[code], currency) if code in summaries else None for code in (OPENING_LEDGER, CLOSING_LEDGER)
        )
        name = "-".join((_field(self.open[0].head, 0), _field(self.open[0].head, 2), _field(self.open[0].head, 4)))
        return BankStatement(
            file=self.file,
            account=account,
            statement_id=f"{name}-{group.place}-{part.head.place}",
            currency=currency,
            as_of=as_of,
            lines=tuple(self._lines(part.details, currency, as_of)),
            opening=opening,
            closing=closing,
        )

    def _lines(self, details: Sequence[_Record], currency: str, as_of: date) -> Iterator[BankLine]:
        for record in details:
            code, amount = _field(record, 0), self._amount(record, 1)
            way = self._way(record, code)
            if not way or not amount:
                continue
            rest = self._after_funds(record, 2)
            value_date = self._day(record, 3) if _field(record, 2) == "V" else None
            names = tuple(name for name in (_field(record, rest), _field(record, rest + 1)) if name)
            text = " ".join(",".join(record.fields[rest + 2 :]).split())
            yield BankLine(
                f"line {record.place}", as_of, Money(way * amount, currency), value_date, code, None, names, text
            )

    def _way(self, record: _Record, code: str) -> int:
        if not (code.isascii() and code.isdigit() and len(code) == 3):
            raise self.wrong(record.place, f"{code!r} is no type code of three digits")
        return 1 if int(code) in CREDITS else -1 if int(code) in DEBITS else 0

    def _day(self, record: _Record, place: int) -> date:
        text = _field(record, place)
        try:
            if len(text) != 6 or not text.isascii():
                raise ValueError
            return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            raise self.wrong(record.place, f"{text!r} is no day as YYMMDD, in field {place + 2}") from None

    def wrong(self, place: int, reason: str) -> BankStatementWrong:
        return BankStatementWrong(file=self.file, place=f"line {place}", reason=reason)


def _physical(text: str) -> Iterator[tuple[int, str]]:
    """Yield records as they were written, with their lines; some banks write several on one."""
    for place, line in enumerate(text.splitlines(), start=1):
        for each in _NEXT.split(line):
            if each.strip():
                yield place, each.strip()


def _field(record: _Record, place: int) -> str:
    return record.fields[place].strip() if place < len(record.fields) else ""
