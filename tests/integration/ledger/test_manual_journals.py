"""Manual journals: one person proposes, another decides, once; a file of them comes whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.chart import AccountCode, Side
from ledger.commands.accounts import close_account
from ledger.commands.manual_journals import approve, load, pending, propose, propose_all, reject
from ledger.errors import (
    AccountClosed,
    AccountUnknown,
    ApprovalMissing,
    BookingDateRefused,
    BookUnknown,
    ControlAccountRefusesManual,
    EntryUnbalanced,
    MalformedRow,
    ManualJournalState,
    ManualJournalUnknown,
)
from ledger.journal import Line
from ledger.manual_journal import ManualJournal, read_csv
from ledger.money import Money
from tests.support.ledger_setup import TODAY, Ledger, contents


def journal(*lines: tuple[str, Side, int], **fields: Any) -> ManualJournal:
    """Return a journal in dollars."""
    common: dict[str, Any] = {"book_code": "MAIN", "effective_date": TODAY, "narration": "Rent for January"}
    drawn = tuple(Line(AccountCode(code), side, Money(minor, "USD")) for code, side, minor in lines)
    return ManualJournal(lines=drawn, **{**common, **fields})


RENT = journal(("5200", Side.DEBIT, 90_000), ("1390", Side.DEBIT, 10_000), ("1020", Side.CREDIT, 100_000))


def propose_by(book: Ledger, proposed: ManualJournal, maker: str = "maria") -> int:
    return book.run(lambda uow: propose(uow, proposed), actor=maker)


def test_a_journal_is_booked_when_a_second_person_approves_it(book: Ledger) -> None:
    journal_id = propose_by(book, RENT)
    assert [stored.journal_id for stored in book.read(pending, book.code)] == [journal_id]
    assert book.entries(book.own) == ()

    posted = book.run(lambda uow: approve(uow, journal_id), actor="chris")

    (view,) = book.entries(book.own)
    draft = view.entry.draft
    assert (posted.subledger_id, posted.entry_no, posted.booking_date) == (book.own, 1, TODAY)
    assert (draft.template, draft.actor, draft.approved_by) == ("manual_journal", "maria", "chris")
    assert (draft.narration, draft.request_key) == ("Rent for January", f"manual_journal:{journal_id}")
    drawn = [(line.account, line.side, line.money.minor) for line in view.lines]
    assert drawn == [("5200", Side.DEBIT, 90_000), ("1390", Side.DEBIT, 10_000), ("1020", Side.CREDIT, 100_000)]
    stored = book.read(load, journal_id)
    assert (stored.state, stored.maker, stored.checker, stored.entry_no) == ("approved", "maria", "chris", 1)
    assert book.read(pending, book.code) == ()


def test_nobody_decides_on_their_own_journal(book: Ledger) -> None:
    journal_id = propose_by(book, RENT)
    before = contents(book.database)

    with pytest.raises(ApprovalMissing):
        book.run(lambda uow: approve(uow, journal_id), actor="maria")
    with pytest.raises(ApprovalMissing):
        book.run(lambda uow: reject(uow, journal_id, "wrong"), actor="maria")

    assert contents(book.database) == before


def test_a_journal_is_decided_once(book: Ledger) -> None:
    approved, rejected = propose_by(book, RENT), propose_by(book, RENT)
    book.run(lambda uow: approve(uow, approved), actor="chris")
    book.run(lambda uow: reject(uow, rejected, "no receipt"), actor="chris")
    before = contents(book.database)

    for journal_id, state in ((approved, "approved"), (rejected, "rejected")):
        with pytest.raises(ManualJournalState, match=state):
            book.run(lambda uow, journal_id=journal_id: approve(uow, journal_id), actor="dana")  # type: ignore[misc]
        with pytest.raises(ManualJournalState, match=state):
            book.run(lambda uow, journal_id=journal_id: reject(uow, journal_id, "x"), actor="dana")  # type: ignore[misc]

    assert contents(book.database) == before
    assert book.read(load, rejected).reason == "no receipt"
    assert len(book.entries(book.own)) == 1


def test_a_journal_that_is_not_there_is_refused(book: Ledger) -> None:
    with pytest.raises(ManualJournalUnknown):
        book.run(lambda uow: approve(uow, 404))
    with pytest.raises(ManualJournalUnknown):
        book.run(lambda uow: reject(uow, 404, "x"))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"lines": (("1210", Side.DEBIT, 5), ("1020", Side.CREDIT, 5))}, ControlAccountRefusesManual),
        ({"lines": (("7777", Side.DEBIT, 5), ("1020", Side.CREDIT, 5))}, AccountUnknown),
        ({"book_code": "NONE"}, BookUnknown),
    ],
    ids=["control account", "unknown account", "unknown book"],
)
def test_a_journal_that_cannot_be_booked_is_refused_when_it_is_proposed(
    book: Ledger, wrong: dict[str, Any], error: type[Exception]
) -> None:
    before = contents(book.database)
    lines = wrong.pop("lines", (("5200", Side.DEBIT, 5), ("1020", Side.CREDIT, 5)))

    with pytest.raises(error):
        propose_by(book, journal(*lines, **wrong))

    assert contents(book.database) == before


def test_a_control_account_refuses_a_manual_journal_in_the_database_too(book: Ledger) -> None:
    with pytest.raises(ControlAccountRefusesManual) as refused:
        book.post(book.own, ("LOAN_PRINCIPAL", "CASH", 5), template="manual_journal", approved_by="chris")
    with pytest.raises(ApprovalMissing):
        book.post(book.own, ("CASH", "CONTRIBUTED_CAPITAL", 5), template="manual_journal")

    assert refused.value.account == "1210"


def test_a_journal_that_does_not_balance_says_both_totals_and_the_difference() -> None:
    with pytest.raises(EntryUnbalanced) as refused:
        journal(("5200", Side.DEBIT, 100_000), ("1020", Side.CREDIT, 99_999))

    assert (refused.value.debits, refused.value.credits, refused.value.difference) == (100_000, 99_999, 1)
    assert "debits 1000.00, credits 999.99" in str(refused.value)


def test_what_has_changed_since_the_proposal_stops_the_approval_and_leaves_it_open(book: Ledger) -> None:
    journal_id = propose_by(book, RENT)
    late = propose_by(book, replace(RENT, booking_date=date(2026, 2, 1)))
    with pytest.raises(BookingDateRefused):
        book.run(lambda uow: approve(uow, late), actor="chris")
    book.run(lambda uow: close_account(uow, book.code, "5200", closed_from=TODAY))

    with pytest.raises(AccountClosed):
        book.run(lambda uow: approve(uow, journal_id), actor="chris")

    assert len(book.read(pending, book.code)) == 2
    book.run(lambda uow: reject(uow, journal_id, "account closed"), actor="chris")


def test_an_approved_journal_may_be_booked_to_an_earlier_day(book: Ledger) -> None:
    journal_id = propose_by(book, replace(RENT, booking_date=date(2026, 1, 10)))

    assert book.run(lambda uow: approve(uow, journal_id), actor="chris").booking_date == date(2026, 1, 10)


CSV = """\
journal,effective_date,account,debit,credit,currency,narration,source_ref
rent,2026-01-10,5200,900.00,,USD,Rent,invoice 7
fees,2026-01-11,5200,1.50,,USD,Bank fees,
rent,2026-01-10,1020,,900.00,USD,,
fees,2026-01-11,1020,,1.50,USD,,
"""


def test_journals_of_a_file_come_in_together(book: Ledger) -> None:
    journals = read_csv(CSV.splitlines(), file="january.csv", book_code=book.code)

    ids = book.run(lambda uow: propose_all(uow, journals), actor="maria")

    stored = book.read(pending, book.code)
    assert tuple(each.journal_id for each in stored) == ids
    assert [each.journal.narration for each in stored] == ["Rent", "Bank fees"]
    assert [each.journal.source_ref for each in stored] == ["invoice 7", "january.csv#fees"]
    assert stored[0].journal == journals[0]


def test_one_bad_journal_of_a_file_keeps_all_out(book: Ledger) -> None:
    journals = read_csv(CSV.splitlines(), file="january.csv", book_code=book.code)
    wrong = journal(("1210", Side.DEBIT, 5), ("1020", Side.CREDIT, 5))
    before = contents(book.database)

    with pytest.raises(ControlAccountRefusesManual):
        book.run(lambda uow: propose_all(uow, [*journals, wrong]), actor="maria")

    assert contents(book.database) == before


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("rent,2026-13-10,5200,900.00,,USD,,", "effective_date"),
        ("rent,2026-01-10,5200,900.005,,USD,,", "debit"),
        ("rent,2026-01-10,5200,,9e2,USD,,", "credit"),
        ("rent,2026-01-10,5200,-5,,USD,,", "debit"),
        ("rent,2026-01-10,5200,0.00,,USD,,", "debit"),
        ("rent,2026-01-10,5200,5.00,5.00,USD,,", "debit"),
        ("rent,2026-01-10,5200,,,USD,,", "debit"),
        ("rent,2026-01-10,,5.00,,USD,,", "account"),
        (",2026-01-10,5200,5.00,,USD,,", "journal"),
        ("rent,2026-01-10,5200,5.00,,ZZZ,,", "debit"),
        ("rent,2026-01-10,5200,92233720368547758.08,,USD,,", "debit"),
        ("rent,2026-01-10,5200,5.00,,USD", "(row)"),
        ("rent,2026-01-10,5200,5.00,,USD,,,more", "(row)"),
        ('rent,2026-01-10,5200,5.00,,USD,"open,', "(row)"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(line: str, field: str) -> None:
    with pytest.raises(MalformedRow) as refused:
        read_csv([*CSV.splitlines(), line], file="january.csv", book_code="MAIN")

    assert (refused.value.file, refused.value.row, refused.value.field) == ("january.csv", 6, field)
