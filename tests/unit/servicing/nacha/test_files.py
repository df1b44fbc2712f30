"""Files as bytes: written to the letter, read back, and the same whether lines end one way or the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from servicing.nacha.addenda_98 import Change
from servicing.nacha.addenda_98_refused import RefusedChange
from servicing.nacha.addenda_99 import Returned
from servicing.nacha.addenda_99_contested import Contested
from servicing.nacha.addenda_99_dishonored import Dishonored
from servicing.nacha.banking_days import effective_date
from servicing.nacha.batch_header import BatchHeader
from servicing.nacha.building import as_prenote, as_retry, as_reversal, build
from servicing.nacha.documents import file_document
from servicing.nacha.entry_detail import Entry
from servicing.nacha.file import Batch, File
from servicing.nacha.reading import read
from servicing.nacha.rendering import render
from servicing.nacha.rules import Held
from servicing.nacha.totals import batch_control, check_digit, entry_hash
from tests.support.ach_files import MADE, ORIGINATOR, PAYMENTS, PAYMENTS_FILE, RECORDS, as_file


def test_payments_are_written_to_the_byte() -> None:
    written = render(build(ORIGINATOR, PAYMENTS, MADE))

    assert written.decode() == PAYMENTS_FILE.decode()


def test_what_was_written_is_read_back() -> None:
    file = build(ORIGINATOR, PAYMENTS, MADE)

    assert read(PAYMENTS_FILE, Held.SENT) == file


@pytest.mark.parametrize("end", ["\r\n", ""])
def test_the_ends_of_lines_do_not_matter(end: str) -> None:
    data = PAYMENTS_FILE.replace(b"\n", end.encode())

    assert read(data) == read(PAYMENTS_FILE)
    assert read(PAYMENTS_FILE.rstrip(b"\n")) == read(PAYMENTS_FILE)


def test_a_hash_keeps_its_last_ten_digits() -> None:
    # 399 x 99999999 = 39899999601, of which 9899999601 is kept.
    entries = [Entry("27", "999999992", "1", 1, f"1210428{number:08d}") for number in range(399)]

    assert entry_hash(entries) == "9899999601"


@pytest.mark.parametrize(("routing", "digit"), [("09100001", 9), ("02100002", 1), ("12104288", 2), ("07640125", 1)])
def test_a_check_digit_follows_from_the_eight_before_it(routing: str, digit: int) -> None:
    # 091000019 by hand: 0x3 + 9x7 + 1x1 + 0x3 + 0x7 + 0x1 + 0x3 + 1x7 = 71; 9 more make 80.
    assert check_digit(routing) == digit


def test_purposes_have_batches_and_descriptions_of_their_own() -> None:
    first, second = PAYMENTS[:2]
    payments = (first, as_retry(second), as_prenote(second))

    file = read(render(build(ORIGINATOR, payments, MADE)), Held.SENT)

    found = {batch.header.description: [entry.transaction_code for entry in batch.entries] for batch in file.batches}
    assert len(file.batches) == 3
    assert found["RETRY PYMT"] == ["37"]
    assert [batch.entries[0].transaction_code for batch in file.batches] == ["27", "38", "37"]
    assert {batch.header.company_id for batch in file.batches} == {"1234567890"}
    assert {batch.header.company_name for batch in file.batches} == {"LOANBOOK LENDING"}


def test_a_reversal_goes_the_other_way_under_its_own_description() -> None:
    call = replace(PAYMENTS[0], sec="TEL", payment_type="S")

    (batch,) = read(render(build(ORIGINATOR, [as_reversal(call)], MADE)), Held.SENT).batches

    # A credit under TEL, which is taken as a reversal only.
    assert (batch.header.description, batch.header.service_class) == ("REVERSAL", "220")
    assert (batch.entries[0].transaction_code, batch.entries[0].amount) == ("22", 88849)


def test_a_same_day_batch_is_flagged_with_its_window() -> None:
    day = date(2026, 3, 13)
    made = replace(MADE, effective=effective_date(day, time(10, 31), same_day=True, cut_off=time(16)))

    header = read(render(build(ORIGINATOR, PAYMENTS, made)), Held.SENT).batches[0].header

    # Too late for the window of 10:30; that of 14:45 settles at 17:00.
    assert (header.descriptive_date, header.effective_on) == ("SD1700", day)


def returned(*addenda: Returned | Dishonored | Contested, sec: str = "PPD") -> File:
    """Return a file with one entry that came back."""
    header = BatchHeader("225", "LOANBOOK LENDING", "1234567890", sec, "LOAN PMT", None, "09100001", 1)
    entry = Entry("26", "121042882", "744-5678-99", 88849, "091000017611242", addenda=addenda)
    return File(build(ORIGINATOR, (), MADE).header, (Batch(header, (entry,)),))


def test_a_returned_debit_counts_as_a_debit() -> None:
    file = returned(Returned("R01", "121042880000001", "09100001", "091000017611242"))

    control = batch_control(file.batches[0])

    assert (control.debit_total, control.credit_total, control.entry_count) == (88849, 0, 2)


def test_a_return_a_dishonored_return_and_a_contested_one_are_told_apart() -> None:
    traces = ("121042880000001", "09100001")
    addenda = (
        Returned("R15", *traces, "091000017611242", date(2026, 3, 1), "ESTATE"),
        Dishonored("R68", *traces, "091000017611242", "121042880000009", "079", "15", "UNTIMELY"),
        Contested("R73", *traces, "091000017611242", "121042880000009", "091000017611243", original_day="075"),
    )
    file = returned(*addenda)

    again = read(render(file, Held.RECEIVED))

    assert again == file
    assert [type(each) for each in again.batches[0].entries[0].returns] == [Returned, Dishonored, Contested]


def test_changes_and_refused_changes_are_told_apart() -> None:
    header = BatchHeader("220", "LOANBOOK LENDING", "1234567890", "COR", "LOAN PMT", None, "09100001", 1)
    change = Change("C01", "121042880000001", "09100001", "918171614", "091000017611242")
    refused = RefusedChange("C65", "121042880000002", "09100001", "X", "C01", "7611242", "091000017611243")
    entries = (
        Entry("21", "121042882", "744-5678-99", 0, "091000017611242", addenda=(change,)),
        Entry("21", "121042882", "744-5678-99", 0, "091000017611243", addenda=(refused,)),
    )
    file = File(build(ORIGINATOR, (), MADE).header, (Batch(header, entries),))

    again = read(render(file, Held.RECEIVED))

    assert again == file
    assert [type(entry.changes[0]) for entry in again.batches[0].entries] == [Change, RefusedChange]


def test_a_document_masks_account_numbers() -> None:
    document = file_document(read(PAYMENTS_FILE))

    entries = [entry for batch in document["batches"] for entry in batch["entries"]]
    assert [entry["account"] for entry in entries] == ["*******8-99", "*****6789", "*****4321", "****2345"]
    assert (document["debits"], document["credits"]) == ("1240.00", "0.00")


def test_a_text_in_lower_case_is_read_from_others() -> None:
    records = tuple(line.replace("LOAN PMT", "Loan Pmt") for line in RECORDS)

    assert read(as_file(records)).batches[0].header.description == "Loan Pmt"
