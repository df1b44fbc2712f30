"""A batch is its blocks' totals, line by line, balanced by day; the same blocks give the same bytes."""

from __future__ import annotations

from datetime import date

import pytest

from gl_export.batch import BlockRange, DayTotal, GLBatch, build
from gl_export.errors import BatchEmpty, BatchLineUnknown, BatchUnbalanced, MappingIncomplete
from gl_export.mapping import GLAccount, GLMapping, identity_mapping
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.money import Money

CASH = AccountDefinition(AccountCode("1020"), "cash", "Cash in bank", AccountType.ASSET, Side.DEBIT)
PRINCIPAL = AccountDefinition(AccountCode("1210"), "principal", "Principal", AccountType.ASSET, Side.DEBIT)
INCOME = AccountDefinition(AccountCode("4010"), "income", "Interest", AccountType.INCOME, Side.CREDIT)
MAPPING = identity_mapping([CASH, PRINCIPAL, INCOME])
DAY, NEXT_DAY = date(2026, 11, 30), date(2026, 12, 1)


def total(day: date, account: AccountDefinition, debits: str, credits: str, currency: str = "USD") -> DayTotal:
    return DayTotal(day, account, Money.parse(debits, currency), Money.parse(credits, currency))


def batch_of(*totals: DayTotal, mapping: GLMapping = MAPPING) -> GLBatch:
    return build(book_code="MAIN", batch_no=2, blocks=BlockRange(4, 9), totals=totals, mapping=mapping)


def drawn(batch: GLBatch) -> list[str]:
    return [f"{line.line_no} {line.booking_date} {line.account} {line.side} {line.money}" for line in batch.lines]


def test_totals_become_lines_by_day_account_and_side_whatever_order_they_come_in() -> None:
    totals = [
        total(NEXT_DAY, CASH, "0.01", "0"),
        total(NEXT_DAY, INCOME, "0", "0.01"),
        total(DAY, PRINCIPAL, "100.00", "40.00"),
        total(DAY, CASH, "40.00", "100.00"),
    ]

    batch = batch_of(*totals)

    assert drawn(batch) == [
        "1 2026-11-30 1020 debit 40.00 USD",
        "2 2026-11-30 1020 credit 100.00 USD",
        "3 2026-11-30 1210 debit 100.00 USD",
        "4 2026-11-30 1210 credit 40.00 USD",
        "5 2026-12-01 1020 debit 0.01 USD",
        "6 2026-12-01 4010 credit 0.01 USD",
    ]
    assert batch_of(*reversed(totals)) == batch


def test_totals_of_one_day_and_account_are_added_up() -> None:
    batch = batch_of(total(DAY, CASH, "1.00", "0"), total(DAY, CASH, "2.00", "0"), total(DAY, INCOME, "0", "3.00"))

    assert drawn(batch) == ["1 2026-11-30 1020 debit 3.00 USD", "2 2026-11-30 4010 credit 3.00 USD"]


def test_a_day_that_is_off_by_one_cent_is_refused_with_both_totals_and_the_difference() -> None:
    with pytest.raises(BatchUnbalanced) as refusal:
        batch_of(total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "4.99"))

    assert refusal.value.booking_date == DAY
    assert "debits are 5.00 USD and credits 4.99; the difference of 0.01 should be 0.00" in refusal.value.message


def test_two_days_that_are_wrong_the_opposite_way_do_not_balance_each_other() -> None:
    with pytest.raises(BatchUnbalanced):
        batch_of(total(DAY, CASH, "5.00", "0"), total(NEXT_DAY, INCOME, "0", "5.00"))


def test_currencies_balance_each_by_itself() -> None:
    with pytest.raises(BatchUnbalanced):
        batch_of(total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "5.00", "CAD"))


def test_the_control_totals_count_and_add_each_currency() -> None:
    batch = batch_of(
        total(DAY, CASH, "5.00", "1.00"),
        total(DAY, INCOME, "1.00", "5.00"),
        total(DAY, CASH, "700", "0", "JPY"),
        total(DAY, INCOME, "0", "700", "JPY"),
    )

    figures = [(each.currency, each.line_count, str(each.debits)) for each in batch.control_totals]
    assert figures == [("JPY", 2, "700 JPY"), ("USD", 4, "6.00 USD")]


def test_the_id_follows_from_book_blocks_and_format() -> None:
    batch = batch_of(total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "5.00"))

    assert batch.batch_id == "MAIN-000004-000009-v1"
    assert [journal.journal_id for journal in batch.journals] == ["MAIN-000004-000009-v1-20261130-USD"]


def test_the_digest_covers_every_cell() -> None:
    totals = (total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "5.00"))
    other_name = {**MAPPING.gl_accounts, "1020": GLAccount("1020", "Cash at bank")}

    one, same = batch_of(*totals), batch_of(*totals)
    other = batch_of(*totals, mapping=GLMapping(0, other_name))

    assert one.digest() == same.digest() != other.digest()
    assert one.canonical_text().splitlines()[:3] == [
        "gl batch 1",
        "MAIN-000004-000009-v1\t0",
        "1\t2026-11-30\t1020\t1020\tCash in bank\tUSD\tdebit\t500",
    ]


def test_an_unmapped_account_refuses_the_whole_batch() -> None:
    totals = (total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "5.00"))

    with pytest.raises(MappingIncomplete) as refusal:
        batch_of(*totals, mapping=GLMapping(1, {"1020": GLAccount("1", "Cash")}))

    assert refusal.value.missing == ("4010",)


def test_a_batch_without_lines_cannot_be_made() -> None:
    with pytest.raises(BatchEmpty):
        batch_of(total(DAY, CASH, "0", "0"))


def test_a_line_is_found_by_its_number_or_refused() -> None:
    batch = batch_of(total(DAY, CASH, "5.00", "0"), total(DAY, INCOME, "0", "5.00"))

    assert batch.line(2).account == "4010"
    for number in (0, 3):
        with pytest.raises(BatchLineUnknown):
            batch.line(number)
