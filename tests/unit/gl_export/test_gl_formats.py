"""Each format, as its receiver sees it; beancount, in a process of its own, judges what we send."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gl_export.batch import BlockRange, DayTotal, GLBatch, build
from gl_export.errors import FormatUnknown
from gl_export.formats import beancount, generic_csv, hledger, json_lines
from gl_export.formats.declared import FORMATS, format_named
from gl_export.formats.plain_text import account_name
from gl_export.mapping import GLAccount, GLMapping
from ledger.chart import AccountCode, AccountDefinition, AccountType
from ledger.money import Money

DAY = date(2026, 11, 30)
RECEIVERS = {
    "xero": {"tax_rate": "Tax Exempt"},
    "sage_intacct": {"journal": "GJ"},
    "oracle_fusion": {"ledger_id": "300000001"},
    "sap": {"company_code": "1000"},
}


def account(code: str, account_type: AccountType) -> AccountDefinition:
    return AccountDefinition(AccountCode(code), f"a{code}", f"Account {code}", account_type, account_type.normal_side)


ACCOUNTS = (
    account("1020", AccountType.ASSET),
    account("2010", AccountType.LIABILITY),
    account("3900", AccountType.EQUITY),
    account("4010", AccountType.INCOME),
    account("5010", AccountType.EXPENSE),
    account("9010", AccountType.OFF_BALANCE),
    account("9015", AccountType.OFF_BALANCE),
)
AMOUNTS = ("1000.07", "-250.00", "-500.05", "-300.04", "50.02", "7.00", "-7.00")


def batch(*, day: date = DAY, first: int = 1, names: str = 'Say "{}" \\ Cie', currency: str = "USD") -> GLBatch:
    totals = []
    for each, text in zip(ACCOUNTS, AMOUNTS, strict=True):
        amount = Money.parse(text.replace(".", "") if currency == "JPY" else text, currency)
        zero = Money.zero(currency)
        totals.append(DayTotal(day, each, max(amount, zero), max(-amount, zero)))
    mapping = GLMapping(1, {each.code: GLAccount(f"gl.{each.code}", names.format(each.code)) for each in ACCOUNTS})
    return build(book_code="MAIN", batch_no=first, blocks=BlockRange(first, first), totals=totals, mapping=mapping)


def bean_check(folder: Path, text: bytes) -> subprocess.CompletedProcess[str]:
    file = folder / "books.beancount"
    file.write_bytes(text)
    command = [sys.executable, "-m", "beancount.scripts.check", "--no-cache", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_csv_has_a_header_and_one_row_per_line_with_one_side_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(generic_csv.render(batch()).decode())))

    assert len(rows) == len(ACCOUNTS)
    assert sum(Decimal(row["debit"] or 0) for row in rows) == Decimal("1057.09")
    assert sum(Decimal(row["credit"] or 0) for row in rows) == Decimal("1057.09")
    assert all((row["debit"] == "") != (row["credit"] == "") for row in rows)
    assert rows[0]["gl_account"] == "gl.1020"
    assert rows[0]["gl_name"] == 'Say "1020" \\ Cie'


def test_json_lines_write_amounts_as_text() -> None:
    lines = [json.loads(line) for line in json_lines.render(batch(currency="JPY")).decode().splitlines()]

    assert lines[0]["amount"] == "100007"
    assert {line["side"] for line in lines} == {"debit", "credit"}


@pytest.mark.parametrize("currency", ["USD", "JPY", "BHD"])
def test_bean_check_accepts_a_batch_in_any_number_of_decimals(tmp_path: Path, currency: str) -> None:
    judged = bean_check(tmp_path, beancount.render(batch(currency=currency)))

    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


@pytest.mark.parametrize(("currency", "was", "becomes"), [("USD", "50.02 ", "50.03 "), ("JPY", " 5002 ", " 5003 ")])
def test_bean_check_refuses_a_batch_after_a_change_of_one_unit(
    tmp_path: Path, currency: str, was: str, becomes: str
) -> None:
    text = beancount.render(batch(currency=currency))
    assert text.count(was.encode()) == 2  # the posting, and the balance at the end

    judged = bean_check(tmp_path, text.replace(was.encode(), becomes.encode()))

    assert judged.returncode == 1
    assert "Transaction does not balance" in judged.stderr


def test_bean_check_refuses_a_balance_that_is_off_by_one_unit(tmp_path: Path) -> None:
    text = beancount.render(batch()).decode()
    position = text.rindex("50.02")

    judged = bean_check(tmp_path, (text[:position] + "50.03" + text[position + 5 :]).encode())

    assert judged.returncode == 1
    assert "Balance failed" in judged.stderr


def test_several_batches_are_one_ledger_for_beancount(tmp_path: Path) -> None:
    batches = (batch(), batch(day=date(2026, 12, 31), first=2))

    text = beancount.render_all(batches, title='MAIN "all"')

    assert bean_check(tmp_path, text).returncode == 0
    assert "2027-01-01 balance Assets:X-gl-2e-1020  2000.14 USD" in text.decode()


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_accepts_a_batch_and_refuses_it_after_a_change_of_one_unit(tmp_path: Path) -> None:
    text = hledger.render(batch())
    results = []
    for name, content in (("good", text), ("bad", text.replace(b"50.02", b"50.03"))):
        file = tmp_path / f"{name}.journal"
        file.write_bytes(content)
        command = ["hledger", "-f", str(file), "check", "-s", "ordereddates"]
        results.append(subprocess.run(command, capture_output=True, check=False).returncode)

    assert results == [0, 1]


def test_hledger_declares_every_account_and_the_decimals_of_every_currency() -> None:
    text = hledger.render_all((batch(), batch(currency="JPY", first=2)), title="MAIN").decode()

    assert "commodity 1000. JPY\ncommodity 10.00 USD\n" in text
    assert text.count("\naccount ") == len(ACCOUNTS)
    assert "account Equity:Memoranda:X-gl-2e-9010  ; type:E" in text


def test_distinct_codes_have_distinct_names_in_plain_text() -> None:
    codes = ("1.2", "1-2", "1_2", "12", "1-2e-2", "a", "A", "X-a", "É1", "É")
    one = batch().lines[0]

    names = {account_name(replace(one, gl_account=GLAccount(code, "n"))) for code in codes}

    assert len(names) == len(codes)


def test_every_format_is_deterministic_and_known_by_its_name() -> None:
    for each in FORMATS:
        if each.name != "sap":  # It takes no code of more than ten characters.
            assert each.files(batch(), RECEIVERS) == each.files(batch(), RECEIVERS)
        assert format_named(each.name) is each
    assert len({each.ending for each in FORMATS}) == len(FORMATS)

    with pytest.raises(FormatUnknown):
        format_named("xls")
