"""Whatever a batch holds, each receiver reads back journals that balance and the batch's own totals, to the cent."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gl_export.batch import BlockRange, DayTotal, GLBatch, build
from gl_export.formats.declared import FORMATS, format_named
from gl_export.mapping import GLAccount, GLMapping
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.money import Money
from tests.unit.gl_export.test_gl_formats import RECEIVERS

Lines = Iterator[tuple[str, str, Decimal]]
"""The journal, the account and the amount of each line, a credit as negative."""

CODES = ("1020", "1210", "4010")
# A spreadsheet's and a file's own letters, within what the mapping takes.
NAMES = st.text(st.sampled_from("aZ 9,;\"'&<>|\\/"), min_size=1, max_size=30).filter(str.strip)
JOURNAL = st.tuples(st.integers(0, 400), st.lists(st.integers(1, 10**11), min_size=1, max_size=3))


@st.composite
def batches(draw: st.DrawFn) -> GLBatch:
    """Return a batch of up to 200 days, whose names are what people write."""
    names = [draw(NAMES) for _ in CODES]
    accounts = [AccountDefinition(AccountCode(code), f"a{code}", code, AccountType.ASSET, Side.DEBIT) for code in CODES]
    totals, none = [], Money.zero("USD")
    for day, amounts in draw(st.lists(JOURNAL, min_size=1, max_size=200)):
        for place, minor in enumerate(amounts):
            money, booked = Money(minor, "USD"), date(2026, 1, 1) + timedelta(days=day)
            totals.append(DayTotal(booked, accounts[place % 3], money, none))
            totals.append(DayTotal(booked, accounts[(place + 1) % 3], none, money))
    mapping = GLMapping(1, {code: GLAccount(code, name) for code, name in zip(CODES, names, strict=True)})
    return build(book_code="MAIN", batch_no=3, blocks=BlockRange(1, 9), totals=totals, mapping=mapping)


def read_csv(content: bytes, journal: str, account: str, *amount: str) -> Lines:
    found = ""
    for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
        found = row[journal] or found
        debit, credit = Decimal(row[amount[0]] or 0), Decimal(row[amount[1]] or 0) if len(amount) > 1 else Decimal(0)
        yield found, row[account], debit - credit


def read_iif(content: bytes) -> Lines:
    headings, *lines = [line.split("\t") for line in content.decode().split("\r\n")]
    for line in lines:
        if line[0] in ("TRNS", "SPL"):
            row = dict(zip(headings, line, strict=True))
            yield row["DOCNUM"], row["ACCNT"], Decimal(row["AMOUNT"])


def read_fbdi(content: bytes) -> Lines:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = csv.reader(io.StringIO(archive.read("GlInterface.csv").decode(), newline=""))
        for row in rows:
            yield row[45], row[8], Decimal(row[38] or 0) - Decimal(row[39] or 0)


def read(name: str, content: bytes) -> Lines:
    match name:
        case "quickbooks_desktop":
            return read_iif(content)
        case "quickbooks_online":
            return read_csv(content, "Journal No", "Account Name", "Debits", "Credits")
        case "netsuite":
            return read_csv(content, "External ID", "Account", "Debit", "Credit")
        case "xero":
            return read_csv(content, "*Narration", "*AccountCode", "*Amount")
        case "sage_intacct":
            return read_csv(content, "REFERENCE_NO", "ACCT_NO", "DEBIT", "CREDIT")
        case "sap":
            return read_csv(content, "Batch ID", "G/L Account", "Debit", "Credit")
    return read_fbdi(content)


@pytest.mark.parametrize("name", [each.name for each in FORMATS[4:]])
@given(given_batch=batches())
def test_what_is_read_back_balances_and_is_the_batch(name: str, given_batch: GLBatch) -> None:
    by_account: Counter[str] = Counter()
    by_name = name.startswith("quickbooks")
    for line in given_batch.lines:
        by_account[line.gl_account.name if by_name else line.gl_account.code] += line.signed.minor

    read_back: Counter[str] = Counter()
    journals: Counter[str] = Counter()
    count = 0
    for _, content in format_named(name).files(given_batch, RECEIVERS):
        of_file: Counter[str] = Counter()
        for journal, account, amount in read(name, content):
            minor = int(amount * 100)
            assert Decimal(minor) == amount * 100
            read_back[account] += minor
            of_file[journal] += minor
            count += 1
        # No journal is parted among files, and each balances.
        assert not set(of_file) & set(journals)
        assert set(of_file.values()) == {0}
        journals.update(dict.fromkeys(of_file, 1))

    assert read_back == by_account
    assert count == len(given_batch.lines)
    assert len(journals) == len(given_batch.journals)
