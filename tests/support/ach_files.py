"""A file of the clearing house written out by hand, and ways to damage it one fault at a time.

Two batches of debits: 888.49 and 100.00 under PPD, 250.50 and 1.01 under WEB. Worked by hand, each control:
09100001 + 02100002 = 11200003 is the hash of either batch, 22400006 that of the file; 88849 + 10000 = 98849,
25050 + 101 = 25151, together 124000; 2 entries and 1 addenda, 2 entries; 11 records take 2 blocks and 9 lines of nines.
Next: `tests/unit/servicing/nacha/test_broken_files.py`.
"""

from __future__ import annotations

from datetime import date, time

from servicing.nacha.banking_days import effective_date
from servicing.nacha.building import Made, Originator, Payment
from servicing.nacha.transaction_codes import AccountKind, Side

NINES = "9" * 94
RECORDS = (
    "101 12104288212345678902603131500A094101FIRST BANK             LOANBOOK LENDING LLC           ",
    "5225LOANBOOK LENDING                    1234567890PPDLOAN PMT        260316   1121042880000001",
    "627091000019744-5678-99      0000088849L-1001         JOSE NUNEZ              1121042880000001",
    "705INSTALLMENT OF MARCH                                                            00010000001",
    "637021000021123456789        0000010000L-1002         WEISS, ASA              0121042880000002",
    "822500000300112000030000000988490000000000001234567890                         121042880000001",
    "5225LOANBOOK LENDING                    1234567890WEBLOAN PMT        260316   1121042880000002",
    "627021000021987654321        0000025050L-1003         ANN O'NEIL            R 0121042880000003",
    "62709100001955512345         0000000101L-1004         BOB                   S 0121042880000004",
    "822500000200112000030000000251510000000000001234567890                         121042880000002",
    "9000002000002000000050022400006000000124000000000000000                                       ",
)
PAYMENTS_FILE = "".join(f"{line}\n" for line in (*RECORDS, *[NINES] * 9)).encode("ascii")

ORIGINATOR = Originator("121042882", "First Bank", "Loanbook Lending LLC", "1234567890", "1234567890")
CHECKING, SAVINGS = AccountKind.CHECKING, AccountKind.SAVINGS
PAYMENTS = (
    Payment(
        *("PPD", Side.DEBIT, CHECKING, "091000019", "744-5678-99", 88849, "José Núñez", "L-1001"),
        memo="Installment of March",
    ),
    Payment("PPD", Side.DEBIT, SAVINGS, "021000021", "123456789", 10000, "Weiß, Åsa", "L-1002"),
    Payment("WEB", Side.DEBIT, CHECKING, "021000021", "987654321", 25050, "Ann O’Neil", "L-1003", "R"),  # noqa: RUF001 - as people type it
    Payment("WEB", Side.DEBIT, CHECKING, "091000019", "55512345", 101, "Bob", "L-1004", "S"),
)
# Friday afternoon, in time for the bank's cut-off: it settles on Monday.
MADE = Made(
    date(2026, 3, 13),
    time(15, 0),
    effective_date(date(2026, 3, 13), time(15, 0), same_day=False, cut_off=time(16, 0)),
)


def changed(*changes: tuple[int, int, str], records: tuple[str, ...] = RECORDS) -> tuple[str, ...]:
    """Return the records with characters written over: line, position (both from 1) and text, each."""
    lines = list(records)
    for line, position, text in changes:
        before = lines[line - 1]
        lines[line - 1] = before[: position - 1] + text + before[position - 1 + len(text) :]
    return tuple(lines)


def as_file(records: tuple[str, ...], padding: int = 9, encoding: str = "ascii") -> bytes:
    """Return records as a file."""
    return "".join(f"{line}\n" for line in (*records, *[NINES] * padding)).encode(encoding)
