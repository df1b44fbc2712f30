"""Files of banks: BAI2, camt.053, OFX and CSV, read whole, refused where they do not foot."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import pytest
from bai2 import bai2 as other_reader

from gl_export.bank.bai2 import read_bai2
from gl_export.bank.camt053 import read_camt053
from gl_export.bank.csv_file import parse_bank_map, read_bank_csv
from gl_export.bank.ofx import read_ofx
from gl_export.bank.reading import format_of, read_bank_file
from gl_export.bank.statement import BankStatement
from gl_export.errors import BankMapInvalid, BankStatementWrong
from ledger.domain_error import DomainError
from ledger.money import Money
from tests.support.public_data import public_file

# 1,000.00 and three lines of 250.00, -40.00 and 15.00 make 1,225.00. The account's total: 100000 + 122500 + 26500
# + 4000 + 25000 + 4000 + 1500 = 283500, in ten records with both ends.
BAI2 = """01,091000019,LENDER,261020,0600,1,,,2/
02,LENDER,091000019,1,261019,,USD,2/
03,0123456789,,010,100000,,,015,122500,,/
88,100,26500,2,Z,400,4000,1,Z/
16,142,25000,Z,TR-1001,PAY-1,ACH SETTLEMENT, CO 77/
16,455,4000,V,261018,1200,,RTN-9,RETURNED ITEM/
88,R01 NOT SUFFICIENT FUNDS/
16,174,1500,S,500,500,500,,,LOCKBOX/
49,283500,7/
98,283500,1,9/
99,283500,1,11/
"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-10-20T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S-7</Id><Acct><Id><IBAN>NL26VAYB8060476890</IBAN></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">1000.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-10-19</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">1210.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-10-19</Dt></Dt></Bal>
<Ntry><Amt Ccy="USD">250.00000</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-10-19</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef>
<BkTxCd><Prtry><Cd>N</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>PAY-1</EndToEndId></Refs>
<RmtInf><Ustrd>Loan 51</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="USD">40.00</Amt>
<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><DtTm>2026-10-19T11:00:00+01:00</DtTm></BookgDt>
<BkTxCd/></Ntry>
<Ntry><Amt Ccy="USD">99.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><BkTxCd/></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""
OFX = """OFXHEADER:100
DATA:OFXSGML

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>091000019<ACCTID>0123456789<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261019<DTEND>20261020
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261019120000[-5:EST]<TRNAMT>250.00<FITID>F-1<NAME>ACH &amp; CO<MEMO>PAY-1
</STMTTRN>
<STMTTRN><TRNTYPE>CHECK<DTPOSTED>20261020<TRNAMT>-40.00<FITID>F-2<CHECKNUM>1001</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1210.00<DTASOF>20261020</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
CSV_MAP = """
account = "0123456789"
currency = "USD"
columns = { booking_date = "Date", amount = "Amount", text = "Description", balance = "Balance" }
days = ["MM/DD/YYYY"]
money_signs = ["$"]
"""
CSV = """Date,Description,Amount,Balance
10/19/2026,ACH PAY-1,$250.00,"$1,250.00"
10/20/2026,CHECK 1001,(40.00),"1,210.00"
"""


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def amounts(statement: BankStatement) -> list[str]:
    return [line.amount.format() for line in statement.lines]


def test_bai2_is_read_as_another_program_reads_it() -> None:
    (found,) = read_bai2(BAI2, "s.bai", currency="EUR")
    theirs = other_reader.parse_from_file(io.StringIO(BAI2))
    (account,) = theirs.children[0].children

    assert amounts(found) == ["250.00", "-40.00", "15.00"]
    assert [abs(line.amount.minor) for line in found.lines] == [each.amount for each in account.children]
    assert [line.kind for line in found.lines] == [each.type_code.code for each in account.children]
    assert (found.account, found.currency, found.as_of) == ("0123456789", "USD", date(2026, 10, 19))
    assert (found.opening, found.closing) == (usd("1000.00"), usd("1225.00"))
    first, second, _ = found.lines
    assert (first.references, first.text) == (("TR-1001", "PAY-1"), "ACH SETTLEMENT, CO 77")
    assert (second.value_date, second.text) == (date(2026, 10, 18), "RETURNED ITEM,R01 NOT SUFFICIENT FUNDS")


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("16,142,25000,", "16,142,25001,", "line 9", "283500, but comes to 283501"),
        ("49,283500,7/", "49,283500,8/", "line 9", "number of records of record 49 is 8, but comes to 7"),
        ("98,283500,1,9/", "98,283500,2,9/", "line 10", "number of parts of record 98 is 2"),
        ("99,283500,1,11/", "99,1,1,11/", "line 11", "control total of record 99 is 1,"),
        ("015,122500", "015,122400", "line 9", "283500, but comes to 283400"),
        ("99,283500,1,11/\n", "", "line 1", "no end"),
        ("16,455,", "17,455,", "line 6", "no record '17'"),
        ("16,455,4000", "16,455,4x00", "line 6", "no whole number"),
        ("16,455,", "16,4A5,", "line 6", "no type code"),
        ("01,091000019,LENDER,261020", "88,091000019,LENDER,261020", "line 1", "continuation"),
        ("1,261019,,USD", "1,269919,,USD", "line 2", "no day as YYMMDD"),
    ],
)
def test_a_bai2_file_that_is_wrong_is_refused_with_its_line(old: str, new: str, place: str, says: str) -> None:
    with pytest.raises(BankStatementWrong, match=says) as refused:
        read_bai2(BAI2.replace(old, new), "s.bai", currency="USD")

    assert (refused.value.file, refused.value.place) == ("s.bai", place)


def test_a_statement_that_does_not_foot_is_refused_though_its_totals_are_right() -> None:
    moved = BAI2.replace("015,122500", "015,122600").replace("283500", "283600")

    with pytest.raises(BankStatementWrong, match=r"1000.00 and lines of 225.00 make 1225.00, not 1226.00"):
        read_bai2(moved, "s.bai", currency="USD")


def test_camt_says_what_is_booked_and_which_way() -> None:
    (found,) = read_camt053(CAMT.encode(), "s.xml")

    assert amounts(found) == ["250.00", "-40.00"]
    assert (found.account, found.statement_id, found.opening) == ("NL26VAYB8060476890", "S-7", usd("1000.00"))
    assert (found.lines[0].bank_id, found.lines[0].references, found.lines[0].text) == ("B-1", ("PAY-1",), "Loan 51")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1210.00", "1211.00", "does not foot"),
        ("<Stmt>", "<Rpt>", "no XML"),
        ('Ccy="USD">40.00', 'Ccy="USD">-40.00', "has a sign"),
        ('Ccy="USD">40.00', 'Ccy="USD">40.001', "more decimals"),
        ('Ccy="USD">40.00', 'Ccy="EUR">40.00', "it is in EUR, the statement in USD"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "", "which way it goes"),
        ("2026-10-19T11", "2026-13-19T11", "no day"),
        ("<?xml", '<!DOCTYPE d [<!ENTITY e "x">]><!--?xml', "no XML that is taken"),
    ],
)
def test_a_camt_file_that_is_wrong_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(BankStatementWrong, match=says):
        read_camt053(CAMT.replace(old, new, 1 if "DBIT" not in old else -1).encode(), "s.xml")


def test_ofx_of_version_one_and_two_say_the_same() -> None:
    (first,) = read_ofx(OFX, "s.ofx")
    closed = OFX.replace("<TRNAMT>250.00", "<TRNAMT>250.00</TRNAMT>").replace("<FITID>F-1", "<FITID>F-1</FITID>")
    (second,) = read_ofx(closed.replace("OFXHEADER:100\nDATA:OFXSGML", "<?OFX OFXHEADER='200'?>"), "s.ofx")

    assert amounts(first) == amounts(second) == ["250.00", "-40.00"]
    assert [line.bank_id for line in first.lines] == ["F-1", "F-2"]
    assert (first.lines[0].text, first.lines[1].references) == ("ACH & CO PAY-1", ("1001",))
    assert (first.closing, first.as_of) == (usd("1210.00"), date(2026, 10, 20))


def test_csv_by_a_map_leads_from_balance_to_balance() -> None:
    columns = parse_bank_map(CSV_MAP)

    (found,) = read_bank_csv(CSV, "s.csv", columns)

    assert amounts(found) == ["250.00", "-40.00"]
    assert (found.opening, found.closing) == (usd("1000.00"), usd("1210.00"))
    with pytest.raises(BankStatementWrong, match=r"1250.00 and -40.00 do not make a balance of 1211.00") as refused:
        read_bank_csv(CSV.replace("1,210.00", "1,211.00"), "s.csv", columns)
    assert refused.value.place == "row 3"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "account"),
        (CSV_MAP.replace("Amount", "Date"), None),
        (CSV_MAP.replace('amount = "Amount", ', ""), "columns"),
    ],
)
def test_a_bad_map_is_refused(text: str, place: str | None) -> None:
    if place is None:
        assert parse_bank_map(text).columns["amount"] == "Date"
        return
    with pytest.raises(BankMapInvalid) as refused:
        parse_bank_map(text)
    assert refused.value.place == place


@pytest.mark.parametrize(("content", "name"), [(BAI2, "bai2"), (CAMT, "camt053"), (OFX, "ofx"), (CSV, None)])
def test_a_file_is_told_by_how_it_begins(content: str, name: str | None) -> None:
    assert format_of(content.encode()) == name
    if name is None:
        with pytest.raises(BankStatementWrong, match="a CSV needs a map"):
            read_bank_file(content.encode(), "s", currency="USD")
    else:
        assert read_bank_file(content.encode(), "s", currency="USD")


def test_equal_lines_of_a_day_are_told_apart() -> None:
    twice = CSV + '10/20/2026,CHECK 1001,(40.00),"1,170.00"\n'
    (found,) = read_bank_csv(twice, "s.csv", parse_bank_map(CSV_MAP))

    keys = [key for key, _ in found.keyed_lines()]

    assert len(set(keys)) == 3
    assert keys[2] == f"{keys[1]}#2"


SAMPLES: tuple[tuple[str, Callable[[bytes], tuple[BankStatement, ...]], int], ...] = (
    ("bai2/sample1.txt", lambda content: read_bai2(content.decode(), "s", currency="USD"), 17),
    ("bai2/sample2.txt", lambda content: read_bai2(content.decode(), "s", currency="USD"), 4),
    ("camt/camt053.v2.multi.statement.xml", lambda content: read_camt053(content, "s"), 2),
    ("camt/camt053.v2.minimal.xml", lambda content: read_camt053(content, "s"), 1),
    ("camt/camt053.v3.xml", lambda content: read_camt053(content, "s"), 1),
    ("camt/camt053.v4.xml", lambda content: read_camt053(content, "s"), 1),
    ("camt/camt053.v8.xml", lambda content: read_camt053(content, "s"), 1),
)


@pytest.mark.parametrize(("name", "read", "count"), SAMPLES, ids=[name for name, _, _ in SAMPLES])
def test_public_samples_are_read(name: str, read: Callable[[bytes], tuple[BankStatement, ...]], count: int) -> None:
    statements = read(public_file(name).read_bytes())

    assert sum(len(each.lines) for each in statements) == count


@pytest.mark.parametrize(
    "name", ["bai2/broken-sample-parseError.txt", "camt/camt053.v2.wrong.xml", "camt/camt053.v2.five.decimals.xml"]
)
def test_public_samples_that_do_not_foot_are_refused(name: str) -> None:
    with pytest.raises(DomainError):
        read_bank_file(public_file(name).read_bytes(), "s", currency="USD")
