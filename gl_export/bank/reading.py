"""A bank's file, whichever it is: told by how it begins, and read whole or refused.

Next: `gl_export/bank/bai2.py`, `camt053.py`, `ofx.py`, `csv_file.py`.
"""

from __future__ import annotations

from gl_export.bank.bai2 import read_bai2
from gl_export.bank.camt053 import read_camt053
from gl_export.bank.csv_file import BankCsvMap, read_bank_csv
from gl_export.bank.ofx import read_ofx
from gl_export.bank.statement import BankStatement
from gl_export.errors import BankStatementWrong

FORMATS = ("bai2", "camt053", "ofx", "csv")


def format_of(content: bytes) -> str | None:
    """Return the format that a file is in by how it begins; None for one that only a map explains."""
    head = content[:2_000].decode("latin-1").lstrip("\xef\xbb\xbf \r\n\t")
    if head.startswith("01,"):
        return "bai2"
    if head.upper().startswith("OFXHEADER") or "<OFX>" in head.upper():
        return "ofx"
    return "camt053" if head.startswith("<") else None


def read_bank_file(
    content: bytes, file: str, *, currency: str, columns: BankCsvMap | None = None
) -> tuple[BankStatement, ...]:
    """Read every statement of a file; a CSV needs a map, and a map makes a file a CSV.

    Raises: BankStatementWrong with the place.
    """
    found = "csv" if columns is not None else format_of(content)
    if found == "camt053":
        return read_camt053(content, file)
    text = _text(content, file)
    if found == "bai2":
        return read_bai2(text, file, currency=currency)
    if found == "ofx":
        return read_ofx(text, file)
    if columns is None:
        reason = "it is neither BAI2 nor camt.053 nor OFX; a CSV needs a map"
        raise BankStatementWrong(file=file, place="the file", reason=reason)
    return read_bank_csv(text, file, columns)


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as mistake:
        reason = f"byte {mistake.start + 1} is neither UTF-8 nor Windows-1252"
        raise BankStatementWrong(file=file, place="the file", reason=reason) from None
