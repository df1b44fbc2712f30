"""The files of receivers with rules of their own, as an accountant reads them, and what they would not take."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import pytest

from gl_export.batch import BlockRange, DayTotal, GLBatch, build
from gl_export.errors import FormatRefused, FormatUnknown, ReceiversInvalid
from gl_export.formats.declared import format_named, read_receivers
from gl_export.mapping import GLAccount, GLMapping
from ledger.chart import AccountCode, AccountDefinition, AccountType
from ledger.money import Money
from tests.unit.gl_export.test_gl_formats import RECEIVERS

CASH = AccountDefinition(AccountCode("1020"), "cash", "Cash in bank", AccountType.ASSET, AccountType.ASSET.normal_side)
LOANS = AccountDefinition(AccountCode("1210"), "loans", "Loans", AccountType.ASSET, AccountType.ASSET.normal_side)
MAPPING = {"1020": GLAccount("01-1020-000", "Cash, operating"), "1210": GLAccount("01-1210-310", 'Loans "held"')}
SHORT = {"1020": GLAccount("1020", "Cash"), "1210": GLAccount("1210", "Loans")}


def batch(
    *,
    amounts: tuple[str, ...] = ("1234.50",),
    currencies: tuple[str, ...] = ("USD",),
    mapping: dict[str, GLAccount] | None = None,
    batch_no: int = 7,
) -> GLBatch:
    """Return a batch of one journal a day and currency: loans against cash."""
    totals = []
    for currency in currencies:
        for place, amount in enumerate(amounts):
            day = date(2026, 11, 1) + timedelta(days=place)
            money, none = Money.parse(amount, currency), Money.zero(currency)
            totals += [DayTotal(day, CASH, none, money), DayTotal(day, LOANS, money, none)]
    return build(
        book_code="MAIN",
        batch_no=batch_no,
        blocks=BlockRange(12, 14),
        totals=totals,
        mapping=GLMapping(1, mapping or MAPPING),
    )


def text_of(name: str, given: GLBatch) -> str:
    ((_, content),) = format_named(name).files(given, RECEIVERS)
    return content.decode().replace("\r\n", "\n")


def test_quickbooks_desktop_takes_signed_amounts_between_tabs() -> None:
    assert text_of("quickbooks_desktop", batch()) == (
        "!TRNS\tTRNSTYPE\tDATE\tACCNT\tAMOUNT\tDOCNUM\tMEMO\n"
        "!SPL\tTRNSTYPE\tDATE\tACCNT\tAMOUNT\tDOCNUM\tMEMO\n"
        "!ENDTRNS\n"
        "TRNS\tGENERAL JOURNAL\t11/01/2026\tCash, operating\t-1234.50\t7-261101\tMAIN-000012-000014-v1-20261101-USD/1\n"
        'SPL\tGENERAL JOURNAL\t11/01/2026\tLoans "held"\t1234.50\t7-261101\tMAIN-000012-000014-v1-20261101-USD/2\n'
        "ENDTRNS\n"
    )


def test_quickbooks_online_goes_by_account_names() -> None:
    assert text_of("quickbooks_online", batch()) == (
        "Journal No,Journal Date,Account Name,Description,Debits,Credits\n"
        '7-261101,11/01/2026,"Cash, operating",MAIN-000012-000014-v1-20261101-USD/1,,1234.50\n'
        '7-261101,11/01/2026,"Loans ""held""",MAIN-000012-000014-v1-20261101-USD/2,1234.50,\n'
    )


def test_netsuite_groups_lines_by_their_external_id() -> None:
    assert text_of("netsuite", batch(mapping=SHORT)) == (
        "External ID,Date,Subsidiary,Currency,Account,Debit,Credit,Memo\n"
        "MAIN-000012-000014-v1-20261101-USD,11/01/2026,,USD,1020,,1234.50,MAIN-000012-000014-v1-20261101-USD/1\n"
        "MAIN-000012-000014-v1-20261101-USD,11/01/2026,,USD,1210,1234.50,,MAIN-000012-000014-v1-20261101-USD/2\n"
    )


def test_xero_takes_signed_amounts_with_a_tax_rate() -> None:
    assert text_of("xero", batch(mapping=SHORT)) == (
        "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount\n"
        "MAIN-000012-000014-v1-20261101-USD,01/11/2026,Cash,1020,Tax Exempt,-1234.50\n"
        "MAIN-000012-000014-v1-20261101-USD,01/11/2026,Loans,1210,Tax Exempt,1234.50\n"
    )


def test_sage_intacct_has_the_head_of_an_entry_on_its_first_line_alone() -> None:
    assert text_of("sage_intacct", batch(amounts=("1.00", "2.00"), mapping=SHORT)) == (
        "JOURNAL,DATE,DESCRIPTION,REFERENCE_NO,LINE_NO,ACCT_NO,LOCATION_ID,DEPT_ID,MEMO,DEBIT,CREDIT\n"
        "GJ,11/01/2026,Loanbook 7-261101,7-261101,1,1020,,,MAIN-000012-000014-v1-20261101-USD/1,,1.00\n"
        ",,,,2,1210,,,MAIN-000012-000014-v1-20261101-USD/2,1.00,\n"
        "GJ,11/02/2026,Loanbook 7-261102,7-261102,1,1020,,,MAIN-000012-000014-v1-20261102-USD/3,,2.00\n"
        ",,,,2,1210,,,MAIN-000012-000014-v1-20261102-USD/4,2.00,\n"
    )


def test_sap_has_a_document_for_each_day() -> None:
    head = "7-261101,1000,SA,2026-11-01,2026-11-01,USD,Loanbook 7-261101,7-261101"
    assert text_of("sap", batch(mapping=SHORT)).splitlines()[1:] == [
        f"{head},1,1020,,1234.50,7-261101/1,MAIN-000012-000014-v1-20261101-USD/1",
        f"{head},2,1210,1234.50,,7-261101/2,MAIN-000012-000014-v1-20261101-USD/2",
    ]


def test_oracle_fusion_gets_segments_in_a_zip() -> None:
    ((name, content),) = format_named("oracle_fusion").files(batch(), RECEIVERS)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["GlInterface.csv"]
        first, _ = archive.read("GlInterface.csv").decode().splitlines()

    assert name == "MAIN-000012-000014-v1.fbdi.zip"
    assert (
        first
        == (
            "NEW,300000001,2026/11/01,Loanbook,Manual,USD,2026/11/01,A,01,1020,000"
            + "," * 28  # 27 segments more, and no debit
            + ",1234.50,,1234.50,MAIN-000012-000014-v1,,,MAIN-000012-000014-v1-20261101-USD,Loanbook 7-261101,,,,,"
            "MAIN-000012-000014-v1-20261101-USD/1"
        )
    )


@pytest.mark.parametrize("separator", ["-", ""])
def test_segments_beyond_the_last_stay_in_it(separator: str) -> None:
    long = {**SHORT, "1020": GLAccount("-".join(map(str, range(1, 33))), "Cash")}
    told = {"oracle_fusion": {"ledger_id": "1", "segment_separator": separator}}

    ((_, content),) = format_named("oracle_fusion").files(batch(mapping=long), told)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        segments = archive.read("GlInterface.csv").decode().splitlines()[0].split(",")[8:38]
    assert segments == [*map(str, range(1, 30)), "30-31-32"]


def test_xero_gets_files_of_three_hundred_lines_with_whole_journals() -> None:
    months = batch(amounts=tuple(f"{day}.00" for day in range(1, 171)), mapping=SHORT)

    files = format_named("xero").files(months, RECEIVERS)

    assert [name for name, _ in files] == [f"MAIN-000012-000014-v1-{no:03d}.xero.csv" for no in (1, 2)]
    rows = [content.decode().splitlines()[1:] for _, content in files]
    assert [len(each) for each in rows] == [300, 40]
    for each in rows:
        assert sum(Decimal(row.rsplit(",", 1)[1]) for row in each) == 0
    assert {row.split(",")[0] for row in rows[0]}.isdisjoint(row.split(",")[0] for row in rows[1])


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("xero", batch(currencies=("USD", "EUR")), "no column for the currency"),
        ("quickbooks_desktop", batch(batch_no=12_345), "DOCNUM: '12345-261101' is longer than 11"),
        (
            "quickbooks_desktop",
            batch(mapping={**SHORT, "1020": GLAccount("1020", "Caf\u00e9")}),
            "letters beyond ASCII",
        ),
        ("netsuite", batch(amounts=("12345678901.00",)), "more than 10 digits before the decimal point"),
        ("sap", batch(), "line 1, G/L Account: '01-1020-000' is longer than 10"),
    ],
)
def test_what_a_receiver_would_not_take_is_refused_with_its_place(name: str, given: GLBatch, reason: str) -> None:
    with pytest.raises(FormatRefused) as refused:
        format_named(name).files(given, RECEIVERS)
    assert reason in str(refused.value)


def test_what_a_receiver_wants_to_be_told_is_asked_for() -> None:
    with pytest.raises(ReceiversInvalid, match=r"xero\.tax_rate: it is wanted: the whole name of the tax rate"):
        format_named("xero").files(batch(), {})
    with pytest.raises(ReceiversInvalid, match=r"xero\.tax: it has tax_rate"):
        format_named("xero").files(batch(), {"xero": {"tax": "x"}})


def test_a_file_of_receivers_is_a_table_of_texts_for_each() -> None:
    assert read_receivers('[xero]\ntax_rate = "Tax Exempt"\n') == {"xero": {"tax_rate": "Tax Exempt"}}
    with pytest.raises(FormatUnknown):
        read_receivers("[zero]\n")
    for wrong, place in (("[xero]\ntax_rate = 1\n", "xero.tax_rate"), ("xero = 1\n", "xero"), ("[", "the file")):
        with pytest.raises(ReceiversInvalid) as refused:
            read_receivers(wrong)
        assert refused.value.place == place
