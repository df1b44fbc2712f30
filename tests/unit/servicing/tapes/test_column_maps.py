"""Column maps: where fields come from, how their texts are written, which rows are taken."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.money import Money
from servicing.errors import ColumnMapInvalid
from servicing.product import shipped
from servicing.schedule import contract_schedule
from servicing.tapes.column_map import parse_map, shipped_map, shipped_maps
from servicing.tapes.tape import drafts_of
from tests.support.public_data import FOLDER, public_rows
from tests.unit.servicing.tapes.examples import mistakes_of, tape_of, written

MAP = """
product = "installment"
[file]
delimiter = ";"
header_within = 2
other_columns = "pass_over"
other_widths = "pass_over"
[text]
days = ["MM/DD/YY"]
money_signs = ["$"]
thousands = true
rates = "fraction"
empty = ["-"]
[take]
status = ["open", "late"]
[fields]
external_id = { column = ["number", "id"] }
principal = { column = "amount" }
rate = { column = "rate" }
installments = { column = "term", pattern = "([0-9]+) months" }
frequency = { column = "every", values = { M = "monthly", W = "weekly" } }
funded_on = { column = "on" }
first_due_on = { after = { field = "funded_on", months = 1, days = 5 } }
installment_amount = { column = "payment" }
"""
TAPE = """Loans of a seller
id;amount;rate;term;every;on;payment;status;color
7;$1,000.50;0.1065;36 months;M;01/31/26;-;open;red
8;$12,00;1.5;36;D;31/01/26;;open;red
9;;;;;;;sold;red
total;$1,000.50
"""


def test_a_map_says_where_fields_come_from_and_how_they_are_written(tmp_path: Path) -> None:
    tape = tape_of(written(tmp_path, TAPE), parse_map(MAP))

    good, bad, *passed_over = tape.loans()

    assert good.draft is not None
    terms = good.draft.terms
    assert (good.draft.external_id, terms.principal) == ("7", Money(100_050, "USD"))
    assert (terms.rate, terms.installments, terms.frequency) == (Decimal("10.65"), 36, "monthly")
    # A month after 31 January is the last of February, and five days later 5 March.
    assert (terms.funded_on, terms.first_due_on) == (date(2026, 1, 31), date(2026, 3, 5))
    assert terms.installment_amount is None
    assert [(each.column, each.value) for each in bad.mistakes] == [
        ("term", "36"),
        ("every", "D"),
        ("amount", "$12,00"),
        ("on", "31/01/26"),
    ]
    assert [(loan.draft, loan.mistakes) for loan in passed_over] == [(None, ())] * 2


def test_a_column_that_a_map_needs_is_missed_by_its_own_name(tmp_path: Path) -> None:
    text = TAPE.replace("id;", "loan;").replace("status", "state")

    found = mistakes_of(tape_of(written(tmp_path, text), parse_map(MAP)))

    assert found == [
        "row 1, column number or id: it is missing",
        "row 1, column rate: it is missing",
        "row 1, column every: it is missing",
        "row 1, column amount: it is missing",
        "row 1, column term: it is missing",
        "row 1, column on: it is missing",
        "row 1, column status: it is missing",
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("[file]", "[file", "map", "it is no TOML"),
        ('delimiter = ";"', 'delimeter = ";"', "file.delimeter", "unknown key"),
        ("MM/DD/YY", "DD/YY", "text.days.0", "lacks a year or a month"),
        ("MM/DD/YY", "MM/DD/YY/YYYY", "text.days.0", "is_fine"),
        ("([0-9]+) months", "[0-9]+ months", "fields.installments.pattern", "it has 0 groups"),
        ("([0-9]+) months", "([0-9]+ months", "fields.installments.pattern", "it is no pattern"),
        ('{ column = "amount" }', "{ }", "fields.principal", "a field has a column, a value or a day"),
        ('rate = { column = "rate" }', "", "fields.rate", "every loan has it"),
        ("installment_amount =", "color =", "fields.color", "there is no such field"),
        ('field = "funded_on"', 'field = "first_due_on"', "fields.first_due_on.after", "it names a field"),
    ],
)
def test_a_map_that_cannot_be_is_refused_by_its_place(old: str, new: str, place: str, reason: str) -> None:
    if reason == "is_fine":
        # A year twice: in two digits and in four. The four are read.
        assert parse_map(MAP.replace(old, new)).forms.days == ("MM/DD/YY/YYYY",)
        return
    with pytest.raises(ColumnMapInvalid) as refused:
        parse_map(MAP.replace(old, new))

    assert (refused.value.place, reason in refused.value.reason) == (place, True)


def test_an_unknown_map_names_those_that_are_shipped() -> None:
    with pytest.raises(ColumnMapInvalid, match="there are lendingclub"):
        shipped_map("nobody")


def test_the_map_that_the_guide_shows_is_one() -> None:
    guide = Path(__file__).parents[4] / "docs" / "how-to" / "boarding.md"
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert parse_map(shown).take == {"status": ("open",)}


def test_every_shipped_map_is_one_and_names_a_shipped_product() -> None:
    for name in shipped_maps():
        found = shipped_map(name)
        assert found.product is None or shipped(found.product).name == found.product


def test_the_public_layout_of_lendingclub_is_read_as_it_was_published(tmp_path: Path) -> None:
    # The form of the public files: a line above the header, texts in quotes, notes under the loans.
    text = (
        "Notes offered by Prospectus (https://www.lendingclub.com/info/prospectus.action)\n"
        '"id","member_id","loan_amnt","funded_amnt","term","int_rate","installment","issue_d","loan_status"\n'
        '"1","","$1,000","1000"," 36 months"," 10.65%","32.58","Dec-2011","Fully Paid"\n'
        '"2","","9000","9000"," 60 months"," 12.5%","202.49","Jan-2012",""\n'
        "Total amount funded in policy code 1: 10000\n"
    )
    columns = shipped_map("lendingclub")

    (draft,) = drafts_of(tape_of(written(tmp_path, text), columns, product="lendingclub"))

    terms = draft.terms
    assert (terms.principal, terms.rate, terms.installments) == (Money(100_000, "USD"), Decimal("10.65"), 36)
    assert (terms.funded_on, terms.first_due_on) == (date(2011, 12, 1), date(2012, 1, 1))
    # 1,000.00 x 0.1065/12 = 8.875 of interest in the first month, half a cent up.
    assert [(row.total, row.interest) for row in contract_schedule(terms)[:1]] == [(3_258, 888)]


def test_real_rows_of_lendingclub_are_boarded_as_they_are() -> None:
    rows, columns = public_rows("lc_sample_dev.csv"), shipped_map("lendingclub")

    drafts = drafts_of(tape_of(FOLDER / "lc_sample_dev.csv", columns, product="lendingclub"))

    assert len(drafts) == len(rows)
    # The last installment takes what the rounded installment leaves; a rate that is shown rounded leaves more.
    off = [draft for draft in drafts if abs((due := contract_schedule(draft.terms))[-1].total - due[0].total) > 200]
    assert len(off) <= len(rows) // 100
