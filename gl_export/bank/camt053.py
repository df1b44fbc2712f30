"""camt.053, the statement of ISO 20022, in any version: XML, read without regard to its namespace.

Only what is booked is a line. Amounts are positive in the file; `CdtDbtInd` says which way they go, and for a reversal
(`RvslInd`) it says so already. Never: entities or anything outside the file. Next: `gl_export/bank/statement.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from gl_export.bank.statement import BankLine, BankStatement
from gl_export.errors import BankStatementWrong
from ledger.domain_error import DomainError
from ledger.money import Money

OPENINGS, CLOSINGS = ("OPBD", "PRCD"), ("CLBD",)
REFERENCES = ("EndToEndId", "InstrId", "TxId", "MndtId", "PmtInfId", "ChqNb")
NOT_PROVIDED = "NOTPROVIDED"


def read_camt053(content: bytes, file: str) -> tuple[BankStatement, ...]:
    """Read every statement of a file.

    Raises: BankStatementWrong naming the element.
    """
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as mistake:
        raise BankStatementWrong(file=file, place="the file", reason=f"it is no XML that is taken: {mistake}") from None
    found = tuple(_statement(file, place, each) for place, each in enumerate(_all(root, "Stmt"), start=1))
    if not found:
        raise BankStatementWrong(file=file, place="the file", reason="it has no statement (Stmt)")
    return found


def _statement(file: str, number: int, statement: Element) -> BankStatement:
    reader = _Reader(file, number)
    balances = [reader.balance(each) for each in _children(statement, "Bal")]
    lines = tuple(reader.lines(statement))
    currency = _currency(reader, statement, balances, lines)
    return BankStatement(
        file=file,
        account=reader.text(statement, "Acct", "Id", "IBAN") or reader.text(statement, "Acct", "Id", "Othr", "Id"),
        statement_id=reader.text(statement, "Id") or f"{number}",
        currency=currency,
        as_of=reader.as_of(statement, lines),
        lines=lines,
        opening=_balance(balances, OPENINGS, currency),
        closing=_balance(balances, CLOSINGS, currency),
    )


def _currency(
    reader: _Reader, statement: Element, balances: list[tuple[str, Money]], lines: tuple[BankLine, ...]
) -> str:
    told = reader.text(statement, "Acct", "Ccy")
    known = [told] if told else [*(money.currency for _, money in balances), *(line.amount.currency for line in lines)]
    if not known:
        raise reader.wrong("Acct/Ccy", "the statement has no currency")
    return known[0]


def _balance(balances: list[tuple[str, Money]], kinds: tuple[str, ...], currency: str) -> Money | None:
    return next(
        (money for kind in kinds for found, money in balances if (found, money.currency) == (kind, currency)), None
    )


class _Reader:
    """One statement of a file."""

    def __init__(self, file: str, number: int) -> None:
        self.file, self.number = file, number

    def lines(self, statement: Element) -> Iterator[BankLine]:
        for place, entry in enumerate(_children(statement, "Ntry"), start=1):
            status = self.text(entry, "Sts", "Cd") or self.text(entry, "Sts")
            if status not in ("BOOK", ""):
                continue
            where = f"Ntry {place}"
            booked = self.day(entry, "BookgDt", where) or self.day(entry, "ValDt", where)
            if booked is None:
                raise self.wrong(where, "it has no day of booking (BookgDt)")
            yield BankLine(
                f"statement {self.number}, {where}",
                booked,
                self.amount(entry, where),
                self.day(entry, "ValDt", where),
                self.text(entry, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") or self.text(entry, "BkTxCd", "Prtry", "Cd"),
                self.text(entry, "AcctSvcrRef") or None,
                tuple(dict.fromkeys(self.references(entry))),
                self.told(entry),
            )

    def references(self, entry: Element) -> Iterator[str]:
        for name in REFERENCES:
            for each in _all(entry, name):
                text = (each.text or "").strip()
                if text and text != NOT_PROVIDED:
                    yield text

    def told(self, entry: Element) -> str:
        """Return what is said of an entry for people."""
        texts = [*(_all(entry, "Ustrd")), *(_children(entry, "AddtlNtryInf"))]
        return " ".join(" ".join((each.text or "").split()) for each in texts).strip()

    def balance(self, balance: Element) -> tuple[str, Money]:
        return self.text(balance, "Tp", "CdOrPrtry", "Cd"), self.amount(balance, "Bal")

    def amount(self, parent: Element, where: str) -> Money:
        amount = next(iter(_children(parent, "Amt")), None)
        way = self.text(parent, "CdtDbtInd")
        if amount is None or way not in ("CRDT", "DBIT"):
            raise self.wrong(where, "it has no amount, or does not say which way it goes (CdtDbtInd)")
        text = (amount.text or "").strip()
        try:
            if text.startswith(("-", "+")):
                raise self.wrong(f"{where}, Amt", f"{text} has a sign: CdtDbtInd says which way it goes")
            found = Money.parse(_without_idle_decimals(text), amount.get("Ccy", ""))
        except BankStatementWrong:
            raise
        except DomainError as mistake:
            raise self.wrong(f"{where}, Amt", str(mistake)) from None
        return found if way == "CRDT" else -found

    def as_of(self, statement: Element, lines: tuple[BankLine, ...]) -> date:
        days = [self.day(each, "Dt", "Bal") for each in _children(statement, "Bal")]
        known = [day for day in days if day is not None] or [line.booking_date for line in lines]
        if not known:
            raise self.wrong("Bal", "the statement has no day")
        return max(known)

    def day(self, parent: Element, name: str, where: str) -> date | None:
        text = self.text(parent, name, "Dt") or self.text(parent, name, "DtTm")
        if not text:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise self.wrong(f"{where}, {name}", f"{text!r} is no day") from None

    def text(self, parent: Element, *names: str) -> str:
        at: Element | None = parent
        for name in names:
            at = None if at is None else next(iter(_children(at, name)), None)
        return "" if at is None else (at.text or "").strip()

    def wrong(self, place: str, reason: str) -> BankStatementWrong:
        return BankStatementWrong(file=self.file, place=f"statement {self.number}, {place}", reason=reason)


def _without_idle_decimals(text: str) -> str:
    """Leave out zeros at the end of the decimals: the format allows five places where a currency has two."""
    whole, point, decimals = text.partition(".")
    kept = decimals[:2] + decimals[2:].rstrip("0")
    return f"{whole}.{kept}" if point and kept else whole


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(parent: Element, name: str) -> list[Element]:
    return [each for each in parent if _name(each) == name]


def _all(parent: Element, name: str) -> list[Element]:
    return [each for each in parent.iter() if _name(each) == name]
