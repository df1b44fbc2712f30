"""The FEC: every entry of a fiscal year in the 18 columns that French law asks for (art. A47 A-1 LPF), as text.

Balances brought forward come first; the entry that closes income and expenses is left out, as the law says. Entries are
numbered without a gap in the order of the journal. Parted by tabs, days as YYYYMMDD, a comma before the decimals.
Never: the database. Next: `gl_export/queries/fec.py`; `docs/spec/gl_formats.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from gl_export.errors import FecRefused
from ledger.money import Money

COLUMNS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)
OPENING_JOURNAL, JOURNAL = ("AN", "A nouveaux"), ("LB", "Loanbook")
SIREN_DIGITS = 9


@dataclass(frozen=True, slots=True)
class FecLine:
    """One side of a posting, or of a balance brought forward: debits positive; `entry` tells entries apart."""

    entry: str
    booking_date: date
    account: str
    subledger: str
    piece: str
    piece_date: date
    label: str
    amount: Money
    valid_on: date


def file_name(siren: str, closing: date) -> str:
    """Return the name that the law asks for.

    Raises: FecRefused.
    """
    if not (siren.isascii() and siren.isdigit() and len(siren) == SIREN_DIGITS):
        raise FecRefused(place="siren", reason=f"{siren!r} is not a number of nine digits")
    return f"{siren}FEC{closing:%Y%m%d}.txt"


def rows(openings: Iterable[FecLine], lines: Iterable[FecLine], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the file, the heading first; lines of one entry follow one another.

    Raises: FecRefused for an account whose first three characters are not digits.
    """
    yield "\t".join(COLUMNS) + "\r\n"
    number = 0
    for journal, part in ((OPENING_JOURNAL, openings), (JOURNAL, lines)):
        before = None
        for line in part:
            if line.entry != before:
                number, before = number + 1, line.entry
            yield "\t".join(_cells(journal, number, line, names)) + "\r\n"


def _cells(journal: tuple[str, str], number: int, line: FecLine, names: Mapping[str, str]) -> tuple[str, ...]:
    if not (line.account[:3].isascii() and line.account[:3].isdigit() and len(line.account) >= 3):
        raise FecRefused(place=f"account {line.account}", reason="it does not begin with three digits")
    debit = line.amount if line.amount.minor > 0 else Money.zero(line.amount.currency)
    credit = -line.amount if line.amount.minor < 0 else Money.zero(line.amount.currency)
    return (
        *journal,
        str(number),
        _day(line.booking_date),
        line.account,
        _text(names[line.account]),
        line.subledger,
        line.subledger and f"Loan {line.subledger}",
        line.piece,
        _day(line.piece_date),
        _text(line.label),
        _amount(debit),
        _amount(credit),
        "",
        "",
        _day(line.valid_on),
        "",
        "",
    )


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(money: Money) -> str:
    return money.format().replace(".", ",")


def _text(text: str) -> str:
    return " ".join(text.split())
