"""`loanbook bank-account`, `mandate`, `instruction` and `autopay`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids
from tests.support.card_processor import KEY, process, token_of

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NUMBER = "55123498765"
Lender = Callable[..., Any]


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Lender:
    """Return a book with a loan of 10,000.00 on 15 January and a key, and a bank account and a mandate on it."""
    tape, number = tmp_path / "tape.csv", tmp_path / "number"
    tape.write_text(TAPE)
    number.write_text(f"{NUMBER}\n")
    book("day", "advance", "2026-01-15")
    book("board", str(tape))
    first = ids(book)[0]

    def run(*arguments: str, **more: Any) -> Any:
        given = [first if each == "LOAN" else each for each in arguments]
        return book(*given, **{"LOANBOOK_BANK_ACCOUNT_KEYS": OLD, **more})

    account = ("--routing", "021000021", "--kind", "checking", "--holder", "Ada Borrower", "--number-file", str(number))
    assert "****8765" in run("bank-account", "add", "LOAN", *account).out
    terms = ("--class", "WEB", "--authorized-on", "2026-01-15", "--text", "autopay-3", "--how", "on the portal")
    run("mandate", "give", "LOAN", "--account", "1", *terms)
    return run


def test_a_number_is_shown_by_its_last_four_and_kept_under_the_key_in_use(lender: Lender) -> None:
    lender("bank-account", "correct", "LOAN", "1", "--routing", "011000015", "--reason", "C02")

    listed = lender("bank-account", "list", "LOAN", "--json")
    both = f"{NEW},{OLD}"
    tried = lender("bank-account", "rotate", "--dry-run", "--json", LOANBOOK_BANK_ACCOUNT_KEYS=both).json
    done = lender("bank-account", "rotate", "--json", LOANBOOK_BANK_ACCOUNT_KEYS=both)
    again = lender("bank-account", "rotate", LOANBOOK_BANK_ACCOUNT_KEYS=NEW).out

    assert [(each["version"], each["account_number"]) for each in listed.json["bank_accounts"]] == [
        (1, "****8765"),
        (2, "****8765"),
    ]
    assert (tried["rotated"], done.json["rotated"], again[:2]) == (2, 2, "0 ")
    assert NUMBER not in listed.out + done.out
    refused = lender("bank-account", "rotate", "--json", expect=1)
    assert (refused.refusal["code"], NUMBER in refused.err) == ("vault-key-unknown", False)


def test_autopay_schedules_what_settles_when_its_day_has_come(lender: Lender) -> None:
    # The first installment of 888.49 is due on Sunday 15 February; Monday is a holiday. It settles on the 17th, is sent
    # on the 13th, and is scheduled on the 12th.
    lender("day", "advance", "2026-02-12")
    tried = lender("autopay", "--dry-run").out
    done = lender("autopay", "--json").json
    assert "888.49" in tried
    assert [(each["amount"], each["due_on"]) for each in done["instructions"]] == [("888.49", "2026-02-15")]
    assert "0 scheduled" in lender("autopay").out

    lender("day", "advance", "2026-02-13")
    lender("instruction", "batch", "LOAN", "1", "--reason", "file 1")
    sent = lender("instruction", "send", "LOAN", "1", "--trace", "091000010000001", "--json").json
    assert sent["settles_on"] == "2026-02-17"
    lender("day", "advance", "2026-02-17")
    assert "1 settled" in lender("instruction", "settle-due").out
    assert "may not be spent yet, the last of it until 2026-02-19" in lender("instruction", "list", "LOAN").out
    back = lender("instruction", "return", "LOAN", "1", "--code", "R01").out
    assert "Returned payment fees receivable" in back
    found = lender("instruction", "find", "091000010000001", "--json").json
    assert [move["status"] for move in found["moves"]] == ["scheduled", "batched", "sent", "settled", "returned"]
    assert lender("instruction", "show", "LOAN", "1", "--json").json == found


def test_a_mandate_ends_with_what_waits_under_it(lender: Lender) -> None:
    lender("day", "advance", "2026-02-12")
    lender("autopay")

    lender("mandate", "end", "LOAN", "1", "--cause", "revoked", "--reason", "by telephone")

    assert lender("mandate", "list", "LOAN", "--json").json["mandates"][0]["status"] == "revoked"
    (canceled,) = lender("instruction", "list", "LOAN", "--json").json["instructions"]
    assert (canceled["status"], canceled["moves"][-1]["reason"]) == ("canceled", "mandate 1 was revoked")


def test_cash_over_the_counter_is_there_at_once(lender: Lender) -> None:
    cash = ("instruction", "schedule", "LOAN", "20.00", "--method", "cash", "--due-on", "2026-01-15")
    lender(*cash)
    done = lender("instruction", "send", "LOAN", "1", "--json").json

    assert (done["status"], done["after"]["entries"] != []) == ("settled", True)
    gone = lender("instruction", "cancel", "LOAN", "1", "--reason", "late", "--json", expect=2).refusal
    assert gone["code"] == "instruction-move-refused"
    assert lender("instruction", "settle", "LOAN", "1", "--json", expect=2).refusal["status"] == "settled"


def test_a_card_is_charged_by_a_processor_of_its_own_process(lender: Lender) -> None:
    with process("card-processor") as url:
        token = token_of(url, "4242424242424242")
        poor = token_of(url, "4000000000009995")
        for card in (token, poor):
            debit = ("--method", "debit_card", "--card", card, "--due-on", "2026-01-15")
            lender("instruction", "schedule", "LOAN", "50.00", *debit)
        settings = {"LOANBOOK_CARD_PROCESSOR_URL": url, "LOANBOOK_CARD_PROCESSOR_KEY": KEY}

        tried = lender("instruction", "charge-due", "--dry-run", **settings).out
        unset = lender("instruction", "charge-due", "--json", expect=1).json
        done = lender("instruction", "charge-due", "--json", **settings).json
        again = lender("instruction", "charge-due", **settings).out

    assert "2 due" in tried
    assert [each["code"] for each in unset["failures"]] == ["processor-failed", "processor-failed"]
    assert [(each["status"], each["moves"][-1]["reason"]) for each in done["instructions"]] == [
        ("sent", ""),
        ("returned", "insufficient_funds"),
    ]
    assert "0 charged" in again


def test_a_processor_without_its_secrets_does_not_start(lender: Lender) -> None:
    refused = lender("card-processor", "--json", expect=2).refusal
    assert (refused["code"], refused["setting"]) == ("setting-invalid", "LOANBOOK_CARD_PROCESSOR_KEY")
