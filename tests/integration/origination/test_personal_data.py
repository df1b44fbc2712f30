"""Personal data on real PostgreSQL: nowhere in the clear, masked, seen for a reason, erased, under another key."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from origination.application import Action
from origination.commands import decide_application
from origination.intake.errors import (
    DuplicateApplication,
    ErasureRefused,
    ErasureTooEarly,
    PersonalDataErased,
    PersonalDataKeyUnknown,
    ReasonMissing,
    RoleUnknown,
)
from origination.intake_commands import (
    save_application,
    submit_intake,
)
from origination.personal_data import erase, reveal, rotate_personal_data
from tests.integration.origination.conftest import BOOK, Change
from tests.integration.origination.desk import opened, submitted, view
from tests.support.applications import KEY, NEXT_KEY, SSN, vault, whole
from tests.support.database import APP, OWNER, READER, Database


def test_personal_data_are_nowhere_in_the_clear(database: Database, change: Change) -> None:
    submitted(change)
    secrets = ("912701234", SSN, "O'Neil", "1990-02-28", "ada@example.com", "5595550142", "1 Main Street", "192.0.2.7")

    with database.connect(OWNER) as owner:
        tables = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('ledger', 'servicing', 'origination', 'gl_export', 'api')"
        ).fetchall()
        for (table,) in tables:
            rows = str(owner.execute(f"SELECT t::text FROM {table} t").fetchall())
            assert [each for each in secrets if each in rows] == [], table


def test_who_only_reads_sees_neither_personal_data_nor_indexes(database: Database, change: Change) -> None:
    submitted(change)

    for table in ("personal_data", "person_index"):
        with database.connect(READER) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"SELECT * FROM origination.{table}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE origination.intake_version SET data = '{}'",
        "DELETE FROM origination.personal_data",
        "UPDATE origination.personal_data SET part = 'request'",
        "DELETE FROM origination.personal_data_access",
        "UPDATE origination.consent SET text_hash = repeat('0', 64)",
    ],
)
def test_what_was_taken_in_is_not_changed(database: Database, change: Change, statement: str) -> None:
    submitted(change)

    with database.connect(APP) as app, pytest.raises(psycopg.Error):
        app.execute(statement)


def test_personal_data_are_masked_until_somebody_says_why(engine: sa.Engine, change: Change) -> None:
    number = submitted(change)

    masked = view(engine, number).data["applicant"]
    seen = change(reveal, vault(), BOOK, number, role="underwriter", reason="Call back", actor="dora")["applicant"]
    all_of_it = change(reveal, vault(), BOOK, number, role="fraud", reason="Case 7")["applicant"]

    assert (masked["ssn"], masked["last_name"], masked["email"]) == ("****1234", "O***", "a***@example.com")
    assert (masked["date_of_birth"], masked["street"], masked["phone"]) == ("****-**-**", "***", "****0142")
    assert (seen["ssn"], seen["last_name"], seen["phone"]) == ("****1234", "O'Neil", "5595550142")
    assert all_of_it["ssn"] == "912701234"
    log = view(engine, number).accesses
    assert [(each.access_no, each.actor, each.role, each.reason) for each in log] == [
        (1, "dora", "underwriter", "Call back"),
        (2, "bob", "fraud", "Case 7"),
    ]
    with pytest.raises(ReasonMissing):
        change(reveal, vault(), BOOK, number, role="fraud", reason=" ")
    with pytest.raises(RoleUnknown):
        change(reveal, vault(), BOOK, number, role="curious", reason="I wonder")
    assert view(engine, number, keys=None).data["applicant"] == {"housing": "rent", "housing_monthly": 140_000}


def test_erased_data_are_gone_and_all_else_stays(engine: sa.Engine, database: Database, change: Change) -> None:
    number = submitted(change)
    with pytest.raises(ErasureRefused):
        change(erase, BOOK, number, reason="Asked by letter")
    change(decide_application, BOOK, number, Action.WITHDRAW)
    with pytest.raises(ErasureTooEarly) as early:
        change(erase, BOOK, number, reason="Asked by letter")

    done = change(erase, BOOK, number, reason="Asked by letter", approver="carol")
    again = change(erase, BOOK, number, reason="Asked again", approver="dora")

    assert early.value.keep_until == date(2028, 2, 5)
    assert (done.rows_erased, done.approver, again) == (1, "carol", done)
    seen = view(engine, number)
    assert (seen.erasure.reason, seen.state) == ("Asked by letter", "withdrawn")
    assert seen.data["applicant"] == {"housing": "rent", "housing_monthly": 140_000}
    with pytest.raises(PersonalDataErased):
        change(reveal, vault(), BOOK, number, role="privacy", reason="Is it gone?")
    with database.connect(OWNER) as owner:
        tokens = owner.execute("SELECT token, key_id FROM origination.personal_data").fetchall()
        indexes = owner.execute("SELECT index_value FROM origination.person_index").fetchall()
    assert {*tokens} == {(None, None)}
    assert {*indexes} == {(None,)}
    # Nothing is left by which the same person would be found.
    assert submitted(change) > number


def test_a_draft_is_erased_at_once_and_not_taken_up_again(change: Change) -> None:
    number = opened(change, whole())

    change(erase, BOOK, number, reason="Changed her mind")

    for work, more in ((submit_intake, ()), (save_application, ({},))):
        with pytest.raises(PersonalDataErased):
            change(work, vault(), BOOK, number, *more)


def test_after_thirty_days_and_the_time_of_retention_one_person_is_enough(change: Change) -> None:
    number = submitted(change)
    change(decide_application, BOOK, number, Action.DECLINE, actor="carol")
    change(advance_business_date, BOOK, date(2028, 2, 5))

    assert change(erase, BOOK, number, reason="Time is up").approver is None


def test_a_key_is_replaced_while_repeats_are_still_found(engine: sa.Engine, change: Change) -> None:
    first = submitted(change)
    both = vault(f"{NEXT_KEY},{KEY}")
    found_between = opened(change, whole())
    with pytest.raises(DuplicateApplication):
        change(submit_intake, both, BOOK, found_between)
    tried = rotate_personal_data(engine, both, actor="bob", dry_run=True)
    # Two versions, and the two indexes of the one that was submitted.
    assert (tried, rotate_personal_data(engine, both, actor="bob")) == (4, 4)
    assert rotate_personal_data(engine, both, actor="bob") == 0

    with pytest.raises(DuplicateApplication) as refused:
        change(submit_intake, vault(NEXT_KEY), BOOK, found_between)
    with pytest.raises(PersonalDataKeyUnknown):
        view(engine, first, KEY)

    assert refused.value.duplicate_of == (first,)
    assert view(engine, first, NEXT_KEY).data["applicant"]["ssn"] == "****1234"
