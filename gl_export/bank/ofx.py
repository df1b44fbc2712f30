"""OFX, as banks let it be downloaded: version 1, whose tags need not be closed, and version 2, which is XML.

Never: a bank's server. Next: `gl_export/bank/statement.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from html import unescape

from gl_export.bank.statement import BankLine, BankStatement
from gl_export.errors import BankStatementWrong
from ledger.domain_error import DomainError
from ledger.money import Money

_STATEMENT = re.compile(r"<(STMTRS|CCSTMTRS)>(.*?)(?=<STMTRS>|<CCSTMTRS>|</OFX>|\Z)", re.DOTALL | re.IGNORECASE)
_LINE = re.compile(r"<STMTTRN>(.*?)(?=<STMTTRN>|</STMTTRN>|</BANKTRANLIST>|\Z)", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<([A-Z0-9.]+)>([^<\r\n]*)", re.IGNORECASE)
_REFERENCES = ("CHECKNUM", "REFNUM", "SRVRTID")


def read_ofx(text: str, file: str) -> tuple[BankStatement, ...]:
    """Read every account of a file.

    Raises: BankStatementWrong naming the line of the statement.
    """
    found = tuple(_statement(file, number, each[2]) for number, each in enumerate(_STATEMENT.finditer(text), start=1))
    if not found:
        raise BankStatementWrong(file=file, place="the file", reason="it has no statement (STMTRS)")
    return found


def _statement(file: str, number: int, text: str) -> BankStatement:
    begins = text.upper().find("<STMTTRN>")
    head = _fields(text if begins < 0 else text[:begins])
    foot = _fields(text[text.upper().rfind("<LEDGERBAL>") :]) if "<LEDGERBAL>" in text.upper() else {}
    currency = head.get("CURDEF", "")
    where = f"statement {number}"
    lines = tuple(_lines(file, where, text, currency))
    closing = _money(file, f"{where}, LEDGERBAL", foot.get("BALAMT", ""), currency) if foot else None
    account = head.get("ACCTID", "")
    period = "-".join(head.get(name, "")[:8] for name in ("DTSTART", "DTEND"))
    if foot:
        as_of = _day(file, f"{where}, LEDGERBAL", foot.get("DTASOF", ""))
    elif lines:
        as_of = max(line.booking_date for line in lines)
    else:
        raise BankStatementWrong(file=file, place=where, reason="it has neither a line nor a balance")
    return BankStatement(
        file=file,
        account=account,
        statement_id=f"{account}-{period}-{as_of:%Y%m%d}",
        currency=currency,
        as_of=as_of,
        lines=lines,
        closing=closing,
    )


def _lines(file: str, where: str, text: str, currency: str) -> Iterator[BankLine]:
    for number, each in enumerate(_LINE.finditer(text), start=1):
        place = f"{where}, STMTTRN {number}"
        fields = _fields(each[1])
        told = " ".join(fields[name] for name in ("NAME", "MEMO") if fields.get(name))
        yield BankLine(
            place,
            _day(file, place, fields.get("DTPOSTED", "")),
            _money(file, place, fields.get("TRNAMT", ""), currency),
            None,
            fields.get("TRNTYPE", ""),
            fields.get("FITID") or None,
            tuple(fields[name] for name in _REFERENCES if fields.get(name)),
            told,
        )


def _fields(text: str) -> Mapping[str, str]:
    return {name.upper(): unescape(value).strip() for name, value in _FIELD.findall(text)}


def _day(file: str, place: str, text: str) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise BankStatementWrong(file=file, place=place, reason=f"{text!r} is no day as YYYYMMDD") from None


def _money(file: str, place: str, text: str, currency: str) -> Money:
    bare = text.removeprefix("+")
    if bare.count(",") == 1 and "." not in bare:
        bare = bare.replace(",", ".")
    try:
        return -Money.parse(bare[1:], currency) if bare.startswith("-") else Money.parse(bare, currency)
    except DomainError as mistake:
        raise BankStatementWrong(file=file, place=place, reason=str(mistake)) from None
