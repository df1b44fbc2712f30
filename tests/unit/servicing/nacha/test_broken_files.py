"""One fault each, everything else consistent: every such file is refused whole, with line and figures.

The seven that a public reader of such files lets through come first.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ledger.domain_error import DomainError
from servicing.nacha.reading import read
from servicing.nacha.rules import Held
from tests.support.ach_files import NINES, PAYMENTS_FILE, RECORDS, as_file, changed


class Fault(NamedTuple):
    """A damaged file, the code of its refusal and what the message says."""

    data: bytes
    code: str
    says: str
    held: Held = Held.RECEIVED


def without(line: int) -> tuple[str, ...]:
    """Return the records less one."""
    return (*RECORDS[: line - 1], *RECORDS[line:])


# The hash of a batch whose first entry goes to 09100002: 09100002 + 02100002 = 11200004, the file's 22400007.
OTHER_BANK = ((3, 4, "09100002"), (6, 11, "0011200004"), (11, 22, "0022400007"))
# The first amount is zero: 10000 in the batch, 35151 in the file.
NO_AMOUNT = ((3, 30, "0000000000"), (6, 21, "000000010000"), (11, 32, "000000035151"))
# The first entry as a credit, in totals as well.
A_CREDIT = (
    (3, 1, "622"),
    (6, 21, "000000010000000000088849"),
    (11, 32, "000000035151000000088849"),
)
# Both entries of WEB as TEL, the first one a credit.
TEL_CREDIT = (
    (7, 1, "5200"),
    (7, 51, "TEL"),
    (8, 1, "622"),
    (10, 1, "8200"),
    (10, 21, "000000000101000000025050"),
    (11, 32, "000000098950000000025050"),
)
SECOND_NOTE = (
    *RECORDS[:4],
    RECORDS[3].replace("00010000001", "00020000001"),
    RECORDS[4],
    *changed((6, 5, "000004"), (11, 8, "000002"), (11, 14, "00000006"))[5:],
)

FAULTS = {
    # --- The seven
    "the block count is 3, not 2": Fault(
        as_file(changed((11, 8, "000003"))), "ach-count-differs", "line 11, block count: 3 is stated, counted are 2"
    ),
    "the padding is missing": Fault(
        as_file(RECORDS, padding=0), "ach-padding-differs", "come 0 lines of nines; 11 records need 9"
    ),
    "the effective date is a Saturday": Fault(
        as_file(changed((2, 70, "260314"))), "ach-not-banking-day", "line 2, effective entry date: 2026-03-14"
    ),
    "a trace number stands in two batches": Fault(
        as_file(changed((8, 88, "0000002"))),
        "ach-trace-repeated",
        "line 8: trace number 121042880000002 stands on line 5 already",
    ),
    "the description is in lower case": Fault(
        as_file(changed((2, 54, "Loan Pmt"))),
        "ach-not-upper-case",
        "line 2, description: 'Loan Pmt' has lower-case letters",
        Held.SENT,
    ),
    "a name is not ASCII": Fault(
        as_file(changed((3, 55, "JOSÉ")), encoding="latin-1"), "ach-byte-refused", "line 3, position 58: the byte 0xC9"
    ),
    "a name is not ASCII, in two bytes": Fault(
        as_file(changed((3, 55, "JOSÉ")), encoding="utf-8"), "ach-byte-refused", "line 3, position 58: the byte 0xC3"
    ),
    "the payment type of WEB is blank": Fault(
        as_file(changed((8, 77, " "))), "ach-payment-type-missing", "line 8, payment type (positions 77-78): ''"
    ),
    # --- Lines
    "the file is empty": Fault(b"", "ach-record-unexpected", "line 1: the end of the file"),
    "a line is short": Fault(
        PAYMENTS_FILE.replace(b"BOB   ", b"BOB  "), "ach-record-length", "line 9 has 93 characters; a record has 94"
    ),
    "a line is long": Fault(
        PAYMENTS_FILE.replace(b"BOB   ", b"BOB    "), "ach-record-length", "line 9 has 95 characters; a record has 94"
    ),
    "trailing spaces are cut": Fault(
        b"\n".join(line.rstrip() for line in PAYMENTS_FILE.split(b"\n")), "ach-record-length", "line 1 has 83"
    ),
    "a line is empty": Fault(
        PAYMENTS_FILE.replace(b"\n705", b"\n\n705"), "ach-record-length", "line 4 has 0 characters; a record has 94"
    ),
    "a tab stands in a name": Fault(
        PAYMENTS_FILE.replace(b"BOB ", b"BOB\t"), "ach-byte-refused", "line 9, position 58: the byte 0x09"
    ),
    "a block of nines too many": Fault(
        as_file(RECORDS, padding=19), "ach-padding-differs", "come 19 lines of nines; 11 records need 9"
    ),
    "a record stands among the padding": Fault(
        as_file((*RECORDS, NINES, RECORDS[10]), padding=7), "ach-record-unexpected", "line 13: a file control (9)"
    ),
    # --- Order
    "the file header is missing": Fault(
        as_file(without(1), padding=10), "ach-record-unexpected", "line 1: a batch header (5), where a file header (1)"
    ),
    "a batch header is missing": Fault(
        as_file(without(7), padding=10), "ach-record-unexpected", "line 7: an entry (6), where a file control (9)"
    ),
    "a batch control is missing": Fault(
        as_file(without(6), padding=10), "ach-record-unexpected", "line 6: a batch header (5), where a batch control"
    ),
    "the file control is missing": Fault(
        as_file(without(11), padding=10), "ach-record-unexpected", "line 11: a line of nines, where a file control (9)"
    ),
    "the file ends early": Fault(
        as_file(RECORDS[:5], padding=0), "ach-record-unexpected", "line 6: the end of the file, where a batch control"
    ),
    "a batch is empty": Fault(
        as_file((*RECORDS[:2], *RECORDS[5:]), padding=2), "ach-record-unexpected", "line 3: a batch control (8)"
    ),
    "a record of no kind": Fault(
        as_file(changed((5, 1, "4"))), "ach-record-unexpected", "line 5: a record of kind '4', where a batch control"
    ),
    # --- Fields
    "an amount is not digits": Fault(
        as_file(changed((3, 30, "00000888.9"))),
        "ach-field-invalid",
        "line 3, amount (positions 30-39): '00000888.9' should be digits",
    ),
    "an amount is blank": Fault(as_file(changed((3, 30, " " * 10))), "ach-field-invalid", "line 3, amount"),
    "an account number is blank": Fault(
        as_file(changed((5, 13, " " * 17))), "ach-field-invalid", "line 5, account (positions 13-29): '' is blank"
    ),
    "the date of the file is no date": Fault(
        as_file(changed((1, 24, "260231"))), "ach-field-invalid", "line 1, created on (positions 24-29): '260231'"
    ),
    "the hour of the file is no hour": Fault(
        as_file(changed((1, 30, "2460"))), "ach-field-invalid", "line 1, created at (positions 30-33): '2460'"
    ),
    "the record size is 095": Fault(
        as_file(changed((1, 35, "095"))),
        "ach-field-invalid",
        "line 1, reserved (positions 35-37): '095' should be '094'",
    ),
    "a reserved field holds something": Fault(
        as_file(changed((11, 94, "0"))), "ach-field-invalid", "line 11, reserved (positions 56-94)"
    ),
    "the service class is 210": Fault(
        as_file(changed((2, 2, "210"))), "ach-field-invalid", "line 2, service class (positions 2-4): '210'"
    ),
    # --- Controls
    "the hash of a batch is wrong": Fault(
        as_file(changed((6, 20, "4"))),
        "ach-hash-differs",
        "line 6, entry hash: 0011200004 is stated, the entries give 0011200003",
    ),
    "the hash of the file is wrong": Fault(
        as_file(changed((11, 31, "7"))), "ach-hash-differs", "line 11, entry hash: 0022400007 is stated"
    ),
    "the debits of a batch are wrong": Fault(
        as_file(changed((6, 32, "8"))),
        "ach-total-differs",
        "line 6, debit total: 988.48 USD is stated, the entries sum to 988.49",
    ),
    "the credits of a batch are wrong": Fault(
        as_file(changed((10, 44, "1"))), "ach-total-differs", "line 10, credit total: 0.01 USD is stated"
    ),
    "the debits of the file are wrong": Fault(
        as_file(changed((11, 43, "1"))),
        "ach-total-differs",
        "line 11, debit total: 1240.01 USD is stated, the entries sum to 1240.00",
    ),
    "the count of a batch leaves the addenda out": Fault(
        as_file(changed((6, 5, "000002"))), "ach-count-differs", "line 6, entry count: 2 is stated, counted are 3"
    ),
    "the count of the file is wrong": Fault(
        as_file(changed((11, 14, "00000004"))), "ach-count-differs", "line 11, entry count: 4 is stated, counted are 5"
    ),
    "the number of batches is wrong": Fault(
        as_file(changed((11, 2, "000001"))), "ach-count-differs", "line 11, batch count: 1 is stated, counted are 2"
    ),
    "the batch number differs below": Fault(
        as_file(changed((6, 94, "7"))),
        "ach-control-differs",
        "line 6, number: the batch control says 7, the batch header 1",
    ),
    "the company differs below": Fault(
        as_file(changed((6, 54, "1"))), "ach-control-differs", "line 6, company id: the batch control says 1234567891"
    ),
    "the service class differs below": Fault(
        as_file(changed((6, 2, "220"))), "ach-control-differs", "line 6, service class"
    ),
    # --- Entries
    "a check digit is wrong": Fault(
        as_file(changed((3, 12, "8"))),
        "ach-check-digit-differs",
        "line 3, routing (positions 4-12): the check digit of routing number 091000018 should be 9",
    ),
    "a digit of the bank is wrong, and the hash is right": Fault(
        as_file(changed(*OTHER_BANK)), "ach-check-digit-differs", "091000029 should be 2"
    ),
    "there is no such transaction code": Fault(
        as_file(changed((3, 2, "25"))), "ach-code-unknown", "line 3: there is no transaction code 25"
    ),
    "there is no such class": Fault(
        as_file(changed((2, 51, "PPX"))), "ach-code-unknown", "line 2: there is no entry class PPX"
    ),
    "the class has another layout": Fault(as_file(changed((2, 51, "IAT"))), "ach-code-unknown", "IAT"),
    "a batch of debits holds a credit": Fault(
        as_file(changed(*A_CREDIT)),
        "ach-entry-refused",
        "line 3: transaction code 22 in a PPD batch of service class 225",
    ),
    "a TEL credit that reverses nothing": Fault(
        as_file(changed(*TEL_CREDIT)), "ach-entry-refused", "the class takes a credit only as a reversal"
    ),
    "a live entry of nothing": Fault(
        as_file(changed(*NO_AMOUNT)), "ach-amount-refused", "line 3: 0.00 USD under transaction code 27"
    ),
    "a prenote with an amount": Fault(
        as_file(changed((3, 2, "28"))),
        "ach-amount-refused",
        "line 3: 888.49 USD under transaction code 28 is refused: a prenote",
    ),
    "a code of returns without a return": Fault(
        as_file(changed((3, 2, "26"))), "ach-entry-refused", "the code is for returns and changes"
    ),
    "trace numbers descend": Fault(
        as_file(changed((8, 88, "0000009"))),
        "ach-trace-not-ascending",
        "line 9: trace number 121042880000004 does not follow 121042880000009",
    ),
    "the effective date is a holiday": Fault(
        # Juneteenth.
        as_file(changed((2, 70, "260619"))),
        "ach-not-banking-day",
        "2026-06-19",
    ),
    # --- Addenda
    "a second text in PPD": Fault(as_file(SECOND_NOTE, padding=8), "ach-addenda-refused", "line 3: the entry has 2"),
    "the indicator of addenda is wrong": Fault(
        as_file(changed((3, 79, "0"))), "ach-addenda-refused", "line 3: the entry has 1 addenda records; its indicator"
    ),
    "a text is numbered 2": Fault(
        as_file(changed((4, 84, "0002"))), "ach-addenda-refused", "text 1 is numbered 0002 0000001, not 0001 0000001"
    ),
    "a text belongs to another entry": Fault(as_file(changed((4, 94, "2"))), "ach-addenda-refused", "0001 0000002"),
    "addenda of no kind": Fault(as_file(changed((4, 2, "06"))), "ach-code-unknown", "there is no addenda type code 06"),
    "there is no such return reason": Fault(
        as_file(changed((4, 1, "799R99" + "121042880000001".ljust(21) + "09100001" + " " * 44 + "091000017611242"))),
        "ach-code-unknown",
        "line 4: there is no return reason code R99",
    ),
    "there is no such change code": Fault(
        as_file(changed((4, 1, "798C15"))), "ach-code-unknown", "line 4: there is no change code C15"
    ),
    # --- Ours
    "ours: the payment type of TEL is blank": Fault(
        as_file(changed((7, 51, "TEL"), (9, 77, " "))), "ach-payment-type-missing", "line 9", Held.SENT
    ),
    "ours: no effective date": Fault(
        as_file(changed((2, 70, " " * 6))), "ach-effective-date-missing", "line 2", Held.SENT
    ),
    "ours: an effective date that has passed": Fault(
        as_file(changed((2, 70, "260312"))), "ach-not-ours", "line 2, effective on: 2026-03-12", Held.SENT
    ),
    "ours: a description that is reserved": Fault(
        as_file(changed((2, 54, "PAYROLL   "))), "ach-not-ours", "line 2, description: PAYROLL", Held.SENT
    ),
    "ours: a class of others": Fault(as_file(changed((7, 51, "ARC"))), "ach-not-ours", "line 7, class: ARC", Held.SENT),
    "ours: a trace number of another bank": Fault(
        as_file(changed((3, 80, "11"))), "ach-not-ours", "line 3, trace: 111042880000001", Held.SENT
    ),
    "ours: batches are not numbered from one": Fault(
        as_file(changed((7, 94, "3"), (10, 94, "3"))), "ach-not-ours", "line 7, number: 3", Held.SENT
    ),
    "ours: a same-day flag without an hour": Fault(
        as_file(changed((2, 64, "SD2500"))), "ach-not-ours", "line 2, descriptive date: SD2500", Held.SENT
    ),
    "ours: the file goes to no bank": Fault(
        as_file(changed((1, 13, "3"))), "ach-check-digit-differs", "line 1, destination", Held.SENT
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_file_with_one_fault_is_refused(fault: Fault) -> None:
    with pytest.raises(DomainError) as refused:
        read(fault.data, fault.held)

    assert refused.value.code == fault.code
    assert fault.says in refused.value.message


def test_the_file_before_it_was_damaged_is_read() -> None:
    assert len(read(PAYMENTS_FILE, Held.SENT).batches) == 2


def test_an_account_number_in_a_message_is_masked() -> None:
    data = as_file(changed((5, 13, "12345678901234567"), (5, 30, "x")))
    with pytest.raises(DomainError) as refused:
        read(data)

    assert "1234567890" not in refused.value.message
