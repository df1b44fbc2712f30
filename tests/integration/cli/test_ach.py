"""`loanbook ach`: files read without a database, and returns taken in with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ledger.commands import books
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.bank_accounts import AccountIn, add_bank_account
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.instructions import InstructionIn, schedule_instruction, settle_instruction
from servicing.drafts import LoanDraft
from servicing.rails.accounts import AccountNumber
from servicing.rails.instruction import Direction
from servicing.vault import Vault
from tests.integration.cli.conftest import Loanbook, Ran
from tests.support.ach_answers import Answered, answer_file
from tests.support.ach_files import PAYMENTS_FILE, RECORDS, as_file, changed
from tests.support.database import Database
from tests.unit.servicing.examples import TERMS


@pytest.fixture
def payments(tmp_path: Path) -> str:
    """Return the path of a file of payments."""
    file = tmp_path / "payments.ach"
    file.write_bytes(PAYMENTS_FILE)
    return str(file)


def test_a_file_is_shown_with_batches_and_entries(pricing: Loanbook, payments: str) -> None:
    printed = pricing("ach", "read", payments, "--sent").out

    assert "2 batches, 5 entries and addenda, 2 blocks" in printed
    assert "1,240.00" in printed
    assert "JOSE NUNEZ" in printed
    assert "INSTALLMENT OF MARCH" in printed
    assert "744-5678-99" not in printed


def test_a_program_gets_the_same_as_a_document(pricing: Loanbook, payments: str) -> None:
    document = pricing("ach", "read", payments, "--json").json

    assert (document["entry_hash"], document["debits"]) == ("0022400006", "1240.00")
    assert [batch["class"] for batch in document["batches"]] == ["PPD", "WEB"]
    assert document["batches"][1]["entries"][0]["payment_type"] == "R"


def test_a_broken_file_is_refused_in_one_line(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "broken.ach"
    file.write_bytes(as_file(changed((6, 20, "4"))))

    ran = pricing("ach", "read", str(file), expect=2)
    refusal = pricing("ach", "read", str(file), "--json", expect=2).refusal

    assert ran.out == ""
    assert ran.err == "error: line 6, entry hash: 0011200004 is stated, the entries give 0011200003\n"
    assert (refusal["code"], refusal["line"], refusal["counted"]) == ("ach-hash-differs", 6, "0011200003")


def test_what_is_sent_is_held_to_more(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "lower.ach"
    file.write_bytes(as_file(tuple(line.replace("LOAN PMT", "Loan Pmt") for line in RECORDS)))

    assert pricing("ach", "read", str(file)).out
    assert "lower-case" in pricing("ach", "read", str(file), "--sent", expect=2).err


def test_a_file_that_is_not_there_is_told(pricing: Loanbook, tmp_path: Path) -> None:
    assert "missing.ach" in pricing("ach", "read", str(tmp_path / "missing.ach"), expect=2).err


def test_codes_are_listed_with_what_follows(pricing: Loanbook) -> None:
    (one,) = pricing("ach", "codes", "r09", "--json").json

    assert (one["name"], one["policy"], one["represent"]) == ("Uncollected funds", "send again", True)
    assert "stop until authorized anew" in pricing("ach", "codes").out
    assert "R99" in pricing("ach", "codes", "R99", expect=2).err


def test_a_file_of_returns_is_taken_and_settled(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "returns.ach"
    file.write_bytes(
        answer_file(
            [Answered("R03", "121042880000001", 12_345), Answered("C02", "121042880000001", corrected="021000021")]
        )
    )

    tried = book("ach", "take", str(file), "--dry-run").out
    taken = book("ach", "take", str(file), "--json").json
    again = book("ach", "take", str(file)).out
    work = book("ach", "work").out
    book("ach", "resolve", "1", "1", "--recovered", "--note", "dishonored as R68")
    refused = book("ach", "resolve", "1", "2", expect=2).err
    book("ach", "resolve", "1", "2", "--note", "corrected by hand")

    assert "nothing was kept" in tried
    assert [item["outcome"] for item in taken["items"]] == ["unmatched", "unmatched"]
    assert "taken before: nothing has changed" in again
    assert "123.45" in work
    assert "--payment" in refused
    assert book("ach", "work", "--json").json == {"items": []}


def test_rates_of_no_debits_are_not_too_high(book: Loanbook) -> None:
    printed = book("ach", "rates").out

    assert "unauthorized" in printed
    assert book("ach", "retries", "--json").json["debits"] == []


PROGRAM = """bank_routing = "121042882"
bank_name = "First Bank"
company_name = "Loanbook Lending LLC"
company_id = "1234567890"
origin = "1234567890"
cut_off = 16:00:00

[retries]
waits = [2]
"""


@pytest.fixture
def due(book: Loanbook, database: Database, tmp_path: Path) -> Callable[..., Ran]:
    """Return `loanbook` with a program and keys, on a book where a debit of 888.49 is due on Monday 16 March 2026."""
    keys = Fernet.generate_key().decode()
    vault, engine = Vault.of_keys(keys), database.engine()
    number = AccountIn(routing="091000019", number=AccountNumber("7445678990"), kind="checking", holder="Ann")

    def work(uow: UnitOfWork) -> None:
        books.advance_business_date(uow, "main", date(2026, 1, 15))
        (loan_id,) = board_and_fund_loans(uow, "main", [LoanDraft("A", TERMS)])
        books.advance_business_date(uow, "main", date(2026, 3, 13))
        add_bank_account(uow, vault, loan_id, number, request_key="account")
        given = InstructionIn(
            direction=Direction.DEBIT,
            method="ach_debit",
            amount=Money(88_849, "USD"),
            due_on=date(2026, 3, 16),
            account_no=1,
        )
        schedule_instruction(uow, loan_id, given, request_key="due")

    run(engine, work, actor="bob")
    program = tmp_path / "program.toml"
    program.write_text(PROGRAM)
    variables = {"LOANBOOK_BANK_ACCOUNT_KEYS": keys, "LOANBOOK_ACH_PROGRAM": str(program)}
    return lambda *arguments, **more: book(*arguments, **{**variables, **more})


def test_a_file_is_made_of_what_is_due_and_its_return_taken(due: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "files" / "payments.ach"

    tried = due("ach", "build", "--out", str(out), "--dry-run").out
    assert "nothing was kept" in tried
    assert list(out.parent.iterdir()) == []

    built = due("ach", "build", "--out", str(out), "--at", "15:00", "--json").json
    again = due("ach", "build", "--out", str(tmp_path / "again.ach"), expect=2)
    there = due("ach", "build", "--out", str(out), expect=2)

    (sent,) = built["sent"]
    assert (sent["settles_on"], sent["amount"], built["left_behind"]) == ("2026-03-16", "888.49", [])
    assert "nothing of book main" in again.err
    assert "it is there already" in there.err
    assert oct(out.stat().st_mode)[-3:] == "600"
    assert [each.name for each in out.parent.iterdir()] == ["payments.ach"]
    assert due("ach", "read", str(out), "--sent", "--json").json["debits"] == "888.49"

    returns = tmp_path / "returns.ach"
    returns.write_bytes(answer_file([Answered("R01", sent["trace"], 88_849)]))
    (item,) = due("ach", "take", str(returns), "--json").json["items"]

    # Two banking days after Friday 13 March, by the program.
    assert (item["outcome"], item["reason"]) == ("returned", "sent again on 2026-03-17 as instruction 2")
    assert "R01" in due("ach", "retries").out
    assert [each["way"] for each in due("ach", "files", "--json").json["files"]] == ["taken", "sent"]
    (entry,) = due("ach", "files", "1", "--json").json["entries"]
    # Under PPD, settled on Monday 16 March: Wednesday; 60 days on is Friday 15 May, the banking day after it Monday.
    assert (entry["returnable_until"], entry["unauthorized_until"]) == ("2026-03-18", "2026-05-18")
    assert (entry["code"], entry["trace"]) == ("R01", sent["trace"])
    assert sent["trace"] in due("ach", "files", "1").out
    assert "no file 9 was sent" in due("ach", "files", "9", expect=2).err
    assert "100.00" in due("ach", "rates", expect=1).out


def test_what_was_sent_in_error_is_taken_back_in_a_file(
    due: Callable[..., Ran], database: Database, tmp_path: Path
) -> None:
    (sent,) = due("ach", "build", "--out", str(tmp_path / "payments.ach"), "--at", "15:00", "--json").json["sent"]
    refused = due("ach", "reverse", sent["trace"], "--reason", "twice", "--out", str(tmp_path / "b.ach"), expect=2)

    def settle(uow: UnitOfWork) -> None:
        books.advance_business_date(uow, "main", date(2026, 3, 16))
        settle_instruction(uow, sent["loan_id"], sent["instruction_no"], request_key="settle")

    run(database.engine(), settle, actor="bob")
    out = tmp_path / "reversal.ach"
    due("ach", "reverse", sent["trace"], "--reason", "twice", "--out", str(out))

    assert "only what has settled is taken back" in refused.err
    (batch,) = due("ach", "read", str(out), "--sent", "--json").json["batches"]
    assert (batch["description"], batch["credits"]) == ("REVERSAL", "888.49")


def test_a_file_cannot_be_made_without_keys_or_a_program(due: Callable[..., Ran], tmp_path: Path) -> None:
    out = str(tmp_path / "payments.ach")

    no_keys = due("ach", "build", "--out", out, expect=1, LOANBOOK_BANK_ACCOUNT_KEYS="").err
    no_program = due("ach", "build", "--out", out, expect=2, LOANBOOK_ACH_PROGRAM="").err
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(PROGRAM.replace("121042882", "121042883"))
    refused = due("ach", "build", "--out", out, "--program", str(wrong), expect=2).err
    no_hour = due("ach", "build", "--out", out, "--at", "25:00", expect=2).err

    assert "LOANBOOK_BANK_ACCOUNT_KEYS" in no_keys
    assert "LOANBOOK_ACH_PROGRAM" in no_program
    assert "bank_routing: its check digit should be 2" in refused
    assert "no hour" in no_hour
