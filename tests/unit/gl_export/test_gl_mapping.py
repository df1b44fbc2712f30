"""A mapping names a GL account for every account that has postings, or nothing leaves."""

from __future__ import annotations

import pytest

from gl_export.errors import MappingIncomplete, MappingInvalid
from gl_export.mapping import GLAccount, GLMapping, identity_mapping, read_mapping
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.errors import MalformedRow

HEADER = "account,gl_account,gl_name"


def account(code: str, *, header: bool = False) -> AccountDefinition:
    return AccountDefinition(
        AccountCode(code), f"a{code}", f"Account {code}", AccountType.ASSET, Side.DEBIT, header=header
    )


def test_the_identity_keeps_codes_and_names_and_leaves_headers_out() -> None:
    mapping = identity_mapping([account("1000", header=True), account("1020")])

    assert mapping.version == 0
    assert dict(mapping.gl_accounts) == {"1020": GLAccount("1020", "Account 1020")}


def test_every_account_that_lacks_a_gl_account_is_named() -> None:
    mapping = GLMapping(3, {"1020": GLAccount("10-1020", "Cash")})

    with pytest.raises(MappingIncomplete) as refusal:
        mapping.require("4010", "1020", "1210")

    assert (refusal.value.version, refusal.value.missing) == (3, ("1210", "4010"))


def test_two_accounts_may_share_a_gl_account() -> None:
    mapping = read_mapping([HEADER, "1231,1230,Fees", "1232,1230,Fees"], file="map.csv", version=1)

    assert mapping.gl_account("1231") == mapping.gl_account("1232") == GLAccount("1230", "Fees")


@pytest.mark.parametrize(
    ("rows", "row", "field"),
    [
        (["account,gl"], 1, "header"),
        ([HEADER, "1020,1020"], 2, "row"),
        ([HEADER, "1020,1020,Cash,more"], 2, "row"),
        ([HEADER, " ,1020,Cash"], 2, "account"),
        ([HEADER, "1020,1,Cash", "1020,2,Cash"], 3, "account"),
    ],
)
def test_a_malformed_row_is_named_by_its_number(rows: list[str], row: int, field: str) -> None:
    with pytest.raises(MalformedRow) as refusal:
        read_mapping(rows, file="map.csv", version=1)

    assert (refusal.value.row, refusal.value.field) == (row, field)


@pytest.mark.parametrize("name", ["", "  ", "=cmd()", "@x", "two\nlines", "n" * 121])
def test_a_name_that_a_receiver_would_misread_is_refused(name: str) -> None:
    with pytest.raises(MappingInvalid):
        GLMapping(1, {"1020": GLAccount("1020", name)})
