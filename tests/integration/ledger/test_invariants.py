"""The ten invariants, attacked in plain SQL: as the application, as the tables' owner, at every isolation level.

The application's role is stopped by what it was granted, the owner's slip by triggers and keys. What an owner does on
purpose, past the triggers, is found by `verify`. Next: `test_guard_removal.py`, which takes the guards away one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.database import APP, OWNER, READER, Database
from tests.support.ledger_setup import ACCRUAL, FUNDING, Ledger, contents, new_ledger
from tests.support.raw_rows import WRITERS, Connection, Row, Writer, by_insert, by_on_conflict, header, posting

LEVELS = ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

APPEND_ONLY = (
    "journal_entry",
    "posting",
    "seal_block",
    "seal_member",
    "seal_total",
    "business_day",
    "account_change",
    "role_map",
    "period_event",
    "period_balance",
    "year_end",
    "batch_chunk",
)
KEEPS_ROWS = (
    "book",
    "account",
    "period",
    "birth_gate",
    "id_block",
    "subledger",
    "account_balance",
    "activity",
    "seal_mark",
    "request",
    "manual_journal",
)


@dataclass(frozen=True)
class Scene:
    """January is closed and sealed; February has one entry that is not sealed yet."""

    book: Ledger
    database: Database

    @property
    def loan(self) -> int:
        """Return the loan that has three entries: two sealed, one not."""
        return self.book.loan

    def as_role(self, role: str, level: str = "READ COMMITTED") -> psycopg.Connection[Any]:
        """Return a connection of a role at an isolation level."""
        escaped = level.lower().replace(" ", "\\ ")
        options = f"-c default_transaction_isolation={escaped} -c lock_timeout=5s"
        return self.database.connect(role, options=options)


@pytest.fixture(scope="module")
def scene(module_database: Database) -> Scene:
    """Return what every attack of this module begins with, and leaves as it was."""
    book = new_ledger(module_database)
    book.post(book.loan, FUNDING, ACCRUAL)
    book.reverse(book.loan, 1)
    book.post(book.loans[1], FUNDING)
    book.advance(date(2026, 2, 3))
    book.close("2026-01")
    book.post(book.loan, FUNDING)
    return Scene(book, module_database)


@contextmanager
def nothing_changes(scene: Scene) -> Iterator[None]:
    """Hold that every row of every table is as it was."""
    before = contents(scene.database)
    yield
    assert contents(scene.database) == before


def sqlstate_of(attack: Callable[[], object]) -> str | None:
    """Return how an attack was refused, None if it was not."""
    try:
        attack()
    except psycopg.Error as error:
        return error.sqlstate
    return None


def written(writer: Writer, connection: Connection, table: str, *rows: Row) -> str | None:
    """Write rows in one way and return how that was refused, None if it was not."""
    return sqlstate_of(lambda: writer(connection, table, rows))


def in_savepoint(connection: Connection, statement: str) -> None:
    """Execute a statement so that its failure leaves the transaction alive."""
    with connection.transaction():
        connection.execute(statement)


def post_entry(connection: Connection, subledger_id: int, **given: Any) -> tuple[Any, ...]:
    """Call `ledger.post_entry` as anybody may who can call it."""
    values = {
        "p_subledger_id": subledger_id,
        "p_request_key": "forged",
        "p_fingerprint": b"\0",
        "p_template": "forged",
        "p_template_version": 1,
        "p_effective_date": date(2026, 2, 3),
        "p_booking_date": None,
        "p_actor": "mallory",
        "p_approved_by": None,
        "p_debits": [account_id(connection, "1020")],
        "p_credits": [account_id(connection, "3010")],
        "p_amounts": [100],
        "p_currencies": ["USD"],
        "p_narration": None,
        "p_source_ref": None,
        "p_reverses_no": None,
        "p_corrects_no": None,
        "p_group_id": None,
        "p_details": None,
        **given,
    }
    casts = {
        "p_debits": "integer[]",
        "p_credits": "integer[]",
        "p_amounts": "bigint[]",
        "p_currencies": "text[]",
        "p_details": "jsonb",
    }
    arguments = ", ".join(f"{name} => %({name})s" + (f"::{casts[name]}" if name in casts else "") for name in values)
    row = connection.execute(f"SELECT * FROM ledger.post_entry({arguments})", values).fetchone()
    assert row is not None
    return tuple(row)


def account_id(connection: Connection, code: str) -> int:
    """Return the id of an account of the first book."""
    statement = "SELECT account_id FROM ledger.account WHERE book_id = 1 AND code = %s"
    row = connection.execute(statement, [code]).fetchone()
    assert row is not None
    return int(row[0])


# --- I-1: every entry balances ----------------------------------------------------------------------------

LOPSIDED = {
    "negative": ({"amount": -100}, "23514"),
    "zero": ({"amount": 0}, "23514"),
    "one account on both sides": ({"credit_account": 1}, "23514"),
    "no amount": ({"amount": None}, "23502"),
    "no debit": ({"debit_account": None}, "23502"),
    "no credit": ({"credit_account": None}, "23502"),
    "no currency": ({"currency": None}, "23502"),
    "past 64 bits": ({"amount": 2**63}, "22003"),
    "fraction": ({"amount": "0.5"}, "22P02"),
    "not a number": ({"amount": "NaN"}, "22P02"),
}


@pytest.mark.parametrize(("wrong", "sqlstate"), LOPSIDED.values(), ids=LOPSIDED)
def test_i1_a_posting_that_does_not_balance_cannot_be_written(
    scene: Scene, wrong: dict[str, Any], sqlstate: str
) -> None:
    row = posting(scene.loan, 4, 1, posting_count=1, **wrong)

    with nothing_changes(scene):
        for writer in WRITERS:
            with scene.as_role(OWNER) as owner:
                assert (writer.__name__, written(writer, owner, "posting", row)) == (writer.__name__, sqlstate)


@pytest.mark.parametrize(
    ("arrays", "sqlstate"),
    [
        ({"p_amounts": [-100]}, "23514"),
        ({"p_amounts": [0]}, "23514"),
        ({"p_amounts": [2**63]}, "22003"),
        ({"p_amounts": [None]}, "23502"),
        ({"p_credits": None}, "LB019"),
        ({"p_debits": []}, "LB019"),
        ({"p_amounts": [100, 100]}, "LB019"),
        ({"p_currencies": []}, "LB019"),
        ({"p_debits": [None]}, "LB001"),
    ],
    ids=str,
)
def test_i1_the_posting_function_writes_no_lopsided_entry_either(
    scene: Scene, arrays: dict[str, Any], sqlstate: str
) -> None:
    with nothing_changes(scene), scene.as_role(APP) as app:
        assert sqlstate_of(lambda: post_entry(app, scene.book.own, **arrays)) == sqlstate


# --- I-2: an entry is complete, and nothing is appended later ---------------------------------------------

APPENDED = {
    "a pair that says two": ([(3, 2), (4, 2)], ("LB020",)),
    "a pair that says four": ([(3, 4), (4, 4)], ("LB020",)),
    "a pair numbered from one": ([(1, 2), (2, 2)], ("23505",)),
    "one row that says one": ([(1, 1)], ("23505",)),
    "one row that says three": ([(3, 3)], ("LB020",)),
    "a row of number zero": ([(0, 1)], ("LB020",)),
    "rows that disagree": ([(3, 2), (4, 3)], ("LB020",)),
}


@pytest.mark.parametrize(("rows", "sqlstates"), APPENDED.values(), ids=APPENDED)
@pytest.mark.parametrize("entry_no", [1, 3], ids=["sealed", "unsealed"])
def test_i2_nothing_is_appended_to_an_entry_not_even_by_the_owner(
    scene: Scene, rows: list[tuple[int, int]], sqlstates: tuple[str, ...], entry_no: int
) -> None:
    appended = [posting(scene.loan, entry_no, seq, posting_count=count) for seq, count in rows]

    with nothing_changes(scene):
        for writer in WRITERS:
            with scene.as_role(OWNER) as owner:
                state = written(writer, owner, "posting", *appended)
            # ON CONFLICT DO NOTHING passes over rows that are there: nothing is written, nothing is refused.
            passed_over = (None, "LB020") if writer is by_on_conflict else ()
            assert state in (*sqlstates, *passed_over), writer.__name__


def test_i2_a_pair_hidden_among_whole_entries_is_found(scene: Scene) -> None:
    rows = [posting(scene.loan, 4, 1), posting(scene.loan, 4, 2), posting(scene.loan, 3, 2, posting_count=1)]

    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        assert sqlstate_of(lambda: by_insert(owner, "posting", rows)) == "LB020"


def test_i2_nothing_is_appended_in_the_very_transaction_that_wrote_the_entry(scene: Scene) -> None:
    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        entry_no = post_entry(owner, scene.book.own)[0]
        pair = [posting(scene.book.own, entry_no, seq, posting_count=3) for seq in (2, 3)]
        assert sqlstate_of(lambda: by_insert(owner, "posting", pair)) == "LB020"


@pytest.mark.parametrize("role", [APP, READER])
def test_i2_neither_the_application_nor_the_auditor_writes_past_the_posting_function(scene: Scene, role: str) -> None:
    rows: dict[str, dict[str, Any]] = {
        "journal_entry": header(scene.loan, 4),
        "posting": posting(scene.loan, 4, 1, posting_count=1),
        "account_balance": {
            "subledger_id": scene.loan,
            "account_id": 1,
            "currency": "USD",
            "balance": 1,
            "may_go_contra": True,
        },
        "subledger": {"subledger_id": 999, "book_id": 1, "closed_through": "2020-01-01"},
        "seal_member": {"subledger_id": 999, "block_no": 1, "from_no": 1, "to_no": 1, "digest": "\\x00"},
    }
    with nothing_changes(scene):
        for table, row in rows.items():
            for writer in WRITERS:
                with scene.as_role(role) as connection:
                    state = written(writer, connection, table, row)
                assert (table, writer.__name__, state) == (table, writer.__name__, "42501")


# --- I-3: nothing is changed, removed or truncated --------------------------------------------------------

REMOVALS = {
    "delete": "DELETE FROM {t}",
    "delete of no row": "DELETE FROM {t} WHERE false",
    "delete in a query": "WITH d AS (DELETE FROM {t} RETURNING 1) SELECT count(*) FROM d",
    "merge delete": "MERGE INTO {t} USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "truncate": "TRUNCATE {t}",
    "truncate cascade": "TRUNCATE {t} CASCADE",
    "truncate with others": "TRUNCATE ledger.book, {t} RESTART IDENTITY CASCADE",
}
CHANGES = {
    "update": "UPDATE {t} SET {c} = {c}",
    "update of no row": "UPDATE {t} SET {c} = {c} WHERE false",
    "update in a query": "WITH u AS (UPDATE {t} SET {c} = {c} RETURNING 1) SELECT count(*) FROM u",
    "merge update": "MERGE INTO {t} USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET {c} = {t}.{c}",
    "upsert": "INSERT INTO {t} SELECT * FROM {t} ON CONFLICT ON CONSTRAINT {k} DO UPDATE SET {c} = excluded.{c}",
}


def refusals(connection: Connection, table: str, ways: dict[str, str]) -> dict[str, str | None]:
    """Try every way on a table, each undone, and return how it was refused."""
    column = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [f"ledger.{table}"]
    ).fetchone()
    assert column is not None
    names = {
        "t": sql.Identifier("ledger", table),
        "c": sql.Identifier(column[0]),
        "k": sql.Identifier(f"{table}_pkey"),
    }
    found = {}
    for name, text in ways.items():
        statement = sql.SQL(text).format(**names)
        with connection.transaction(force_rollback=True):
            found[name] = sqlstate_of(lambda: connection.execute(statement))  # noqa: B023
    return found


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_i3_what_is_written_for_ever_is_neither_changed_nor_removed(scene: Scene, table: str) -> None:
    ways = {**CHANGES, **REMOVALS}

    with nothing_changes(scene), scene.as_role(OWNER) as owner, scene.as_role(APP) as app:
        by_owner, by_app = refusals(owner, table, ways), refusals(app, table, ways)

    # A table that others refer to cannot be truncated alone, whatever its triggers say.
    allowed = {"truncate": {"LB021", "0A000"}}
    assert {name: state in allowed.get(name, {"LB021"}) for name, state in by_owner.items()} == dict.fromkeys(
        ways, True
    )
    assert by_app == dict.fromkeys(ways, "42501")


@pytest.mark.parametrize("table", KEEPS_ROWS)
def test_i3_tables_that_move_with_the_journal_lose_no_row(scene: Scene, table: str) -> None:
    with nothing_changes(scene), scene.as_role(OWNER) as owner, scene.as_role(APP) as app:
        by_owner, by_app = refusals(owner, table, REMOVALS), refusals(app, table, {**CHANGES, **REMOVALS})

    allowed = {"truncate": {"LB021", "0A000"}}
    assert {name: state in allowed.get(name, {"LB021"}) for name, state in by_owner.items()} == dict.fromkeys(
        REMOVALS, True
    )
    assert set(by_app.values()) == {"42501"}


@pytest.mark.parametrize("level", LEVELS)
def test_i3_holds_at_every_isolation_level(scene: Scene, level: str) -> None:
    with nothing_changes(scene), scene.as_role(OWNER, level) as owner:
        for table in ("journal_entry", "posting"):
            assert set(refusals(owner, table, CHANGES).values()) == {"LB021"}


@pytest.mark.parametrize(
    "column", ["effective_date", "booking_date", "narration", "approved_by", "group_id", "details", "recorded_at"]
)
def test_i3_no_column_of_a_header_is_changed_not_even_from_null(scene: Scene, column: str) -> None:
    values = {
        "narration": "'x'",
        "approved_by": "'x'",
        "group_id": "1",
        "details": "'{}'",
        "recorded_at": "now()",
    }

    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        value = values.get(column, "date '2020-01-01'")
        statement = f"UPDATE ledger.journal_entry SET {column} = {value}"
        assert sqlstate_of(lambda: owner.execute(statement)) == "LB021"


# --- I-4: an entry is reversed at most once ---------------------------------------------------------------


def test_i4_a_second_reversal_cannot_be_written_even_by_the_owner(scene: Scene) -> None:
    second = header(scene.loan, 4, reverses_no=1)

    with nothing_changes(scene):
        for writer in WRITERS:
            with scene.as_role(OWNER) as owner:
                state = written(writer, owner, "journal_entry", second)
            assert state == (None if writer is by_on_conflict else "23505"), writer.__name__


@pytest.mark.parametrize("reverses_no", [4, 5])
def test_i4_an_entry_reverses_or_corrects_an_earlier_one_only(scene: Scene, reverses_no: int) -> None:
    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        for column in ("reverses_no", "corrects_no"):
            row = header(scene.loan, 4, **{column: reverses_no})
            with owner.transaction(force_rollback=True):
                assert sqlstate_of(lambda: by_insert(owner, "journal_entry", [row])) == "23514"  # noqa: B023


# --- I-5: no entry lands in a closed period ---------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_i5_nothing_is_posted_to_a_closed_month_at_any_isolation_level(scene: Scene, level: str) -> None:
    with nothing_changes(scene), scene.as_role(APP, level) as app:
        for subledger_id in (scene.loan, scene.book.own):
            with app.transaction(force_rollback=True):
                given = {"p_booking_date": date(2026, 1, 20), "p_approved_by": "boss"}
                state = sqlstate_of(lambda: post_entry(app, subledger_id, **given))  # noqa: B023
            assert state == ("LB007" if level == "READ COMMITTED" else "LB017")


@pytest.mark.parametrize("level", LEVELS)
def test_i5_posting_runs_at_read_committed_only(scene: Scene, level: str) -> None:
    expected = None if level == "READ COMMITTED" else "LB017"

    with nothing_changes(scene), scene.as_role(APP, level) as app:
        with app.transaction(force_rollback=True):
            assert sqlstate_of(lambda: post_entry(app, scene.loan)) == expected
        with app.transaction(force_rollback=True):
            chunk = "SELECT ledger.post_batch_chunk(1, 0, 9, 1, 'k', '', 't', 1, '2026-02-03', 'a', NULL, NULL, false)"
            assert sqlstate_of(lambda: app.execute(chunk)) == expected
        with app.transaction(force_rollback=True):
            assert sqlstate_of(lambda: app.execute("SELECT ledger.seal()")) == expected


LOWERED = ("2025-12-31", "2026-01-01", "2026-01-15", "2026-01-30")


@pytest.mark.parametrize("through", LOWERED)
def test_i5_no_gate_is_lowered_into_a_closed_month(scene: Scene, through: str) -> None:
    attacks = [
        (OWNER, f"UPDATE ledger.subledger SET closed_through = '{through}'"),
        (OWNER, f"UPDATE ledger.birth_gate SET closed_through = '{through}'"),
        (APP, f"SELECT ledger.move_gates(1, '{through}', -1, 100)"),
        (APP, f"SELECT ledger.move_birth_gates(1, '{through}')"),
    ]
    with nothing_changes(scene):
        for role, statement in attacks:
            with scene.as_role(role) as connection:
                assert sqlstate_of(lambda: connection.execute(statement)) == "LB021"  # noqa: B023


def test_i5_a_closed_month_is_reopened_by_two_people_and_in_no_other_way(scene: Scene) -> None:
    step = "SELECT ledger.change_period(1, '2026-01-01', 'x', 'closed', '{}', 'mallory', {}, {}, NULL, NULL)"
    attacks = [
        (APP, step.format("soft_closed", "NULL", "'r'"), "LB022"),
        (APP, step.format("soft_closed", "'mallory'", "'r'"), "LB022"),
        (APP, step.format("soft_closed", "'boss'", "''"), "LB022"),
        (APP, step.format("open", "'boss'", "'r'"), "LB021"),
        (APP, step.format("closed", "'boss'", "'r'"), "LB021"),
        (APP, "UPDATE ledger.period SET state = 'open'", "42501"),
        (OWNER, "UPDATE ledger.period SET state = 'open'", "LB021"),
        (OWNER, "UPDATE ledger.period SET month = '2020-01-01'", "LB021"),
    ]
    with nothing_changes(scene):
        for role, statement, expected in attacks:
            with scene.as_role(role) as connection:
                assert sqlstate_of(lambda: connection.execute(statement)) == expected  # noqa: B023


# --- I-6: one request, one effect -------------------------------------------------------------------------


def test_i6_a_request_key_is_used_once_in_a_subledger_even_by_the_owner(scene: Scene) -> None:
    used = scene.book.entries(scene.loan)[0].entry.draft.request_key

    with nothing_changes(scene):
        for writer in WRITERS:
            with scene.as_role(OWNER) as owner:
                state = written(writer, owner, "journal_entry", header(scene.loan, 4, request_key=used))
            assert state == (None if writer is by_on_conflict else "23505"), writer.__name__


def test_i6_a_request_is_answered_once(scene: Scene) -> None:
    with nothing_changes(scene), scene.as_role(APP) as app, app.transaction(force_rollback=True):
        begin = "SELECT o_state FROM ledger.begin_request(1, 'k', 'c', '{}', 'a')"
        assert app.execute(begin).fetchone() == ("new",)
        app.execute("SELECT ledger.answer_request(1, 'k', '{}', false)")
        assert app.execute(begin).fetchone() == ("done",)
        assert sqlstate_of(lambda: app.execute("SELECT ledger.answer_request(1, 'k', '{}', true)")) == "LB021"


# --- I-7 and I-8: balances --------------------------------------------------------------------------------


def test_i7_a_balance_that_may_not_go_contra_never_does(scene: Scene) -> None:
    with nothing_changes(scene), scene.as_role(APP) as app:
        principal, cash = account_id(app, "1210"), account_id(app, "1020")
        assert (
            sqlstate_of(
                lambda: post_entry(app, scene.loan, p_debits=[cash], p_credits=[principal], p_amounts=[100_001])
            )
            == "LB015"
        )
    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        assert sqlstate_of(lambda: owner.execute("UPDATE ledger.account_balance SET balance = -1")) == "23514"


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger.account_balance SET balance = balance + 1",
        "UPDATE ledger.account_balance SET may_go_contra = true",
        "INSERT INTO ledger.account_balance SELECT subledger_id, 7, 1, true, 'USD' FROM ledger.subledger",
    ],
)
def test_i8_a_balance_that_is_not_the_sum_of_its_postings_is_found(scene: Scene, tampering: str) -> None:
    with nothing_changes(scene):
        assert {"balance-differs", "balance-misplaced"} & set(found_after(scene, tampering))


# --- I-9: accounts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sqlstate"),
    [("7777", "LB001"), ("1000", "LB033"), ("9010", "LB036"), ("OTHER", "LB003")],
    ids=["unknown", "header", "memorandum against cash", "of another book"],
)
def test_i9_accounts_are_checked_in_the_database(scene: Scene, code: str, sqlstate: str) -> None:
    new_book = "SELECT ledger.create_book(99, 999, 'OTHER', 'x', 'USD', 'UTC', 1, '2026-01-01', '2026-02-03', 'a')"
    new_account = (
        "SELECT ledger.open_account(999, 99, 'OTHER', 'other', 'x', 'asset', 'debit', NULL, NULL, false, false, true,"
        " false, '2026-01-01', 'a')"
    )
    with nothing_changes(scene), scene.as_role(OWNER) as owner, owner.transaction(force_rollback=True):
        owner.execute(new_book)
        owner.execute(new_account)
        debit = {"7777": 424242, "OTHER": 999}.get(code) or account_id(owner, code)

        assert sqlstate_of(lambda: post_entry(owner, scene.book.own, p_debits=[debit])) == sqlstate


def test_i9_an_account_keeps_its_nature_and_is_never_removed(scene: Scene) -> None:
    changes = {
        "account_id": "account_id + 1000",
        "book_id": "2",
        "code": "'x' || code",
        "slug": "'x' || slug",
        "type": "'equity'",
        "normal_side": "CASE normal_side WHEN 'debit' THEN 'credit' ELSE 'debit' END",
        "currency": "'EUR'",
        "header": "NOT header",
        "subledgered": "NOT subledgered",
        "may_go_contra": "NOT may_go_contra",
        "control": "NOT control",
        "opened_from": "opened_from - 1",
    }
    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        for column, value in changes.items():
            statement = f"UPDATE ledger.account SET {column} = {value} WHERE code = '1020'"
            with owner.transaction(force_rollback=True):
                assert sqlstate_of(lambda: owner.execute(statement)) == "LB021", column  # noqa: B023


# --- I-10, and what an owner does on purpose: found, if not refused ---------------------------------------


def found_after(scene: Scene, *tampering: str) -> list[str]:
    """Return the codes of what `verify` finds after statements of the owner, all undone afterwards."""
    with scene.as_role(OWNER) as owner, owner.transaction(force_rollback=True):
        for statement in tampering:
            owner.execute(statement)
        functions = owner.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND proname LIKE 'find_%'"
        ).fetchall()
        return sorted(
            code for (name,) in functions for (code,) in owner.execute(f"SELECT code FROM ledger.{name}()").fetchall()
        )


def forged(row: dict[str, Any], table: str) -> str:
    """Return an INSERT of a row as text."""
    values = ", ".join(sql.Literal(value).as_string(None) for value in row.values())
    return f"INSERT INTO ledger.{table} ({', '.join(row)}) VALUES ({values})"


def forged_entry(scene: Scene, booking_date: str) -> tuple[str, ...]:
    """Return the statements of an owner who forgets nothing: header, postings and head."""
    loan = scene.loan
    with scene.as_role(OWNER) as owner:
        accounts = {"debit_account": account_id(owner, "1020"), "credit_account": account_id(owner, "3010")}
    row = posting(loan, 4, 1, posting_count=1, booking_date=booking_date, **accounts)
    return (
        forged(header(loan, 4, posting_count=1, booking_date=booking_date), "journal_entry"),
        forged(row, "posting"),
        f"UPDATE ledger.subledger SET last_entry_no = 4 WHERE subledger_id = {loan}",
    )


def test_i10_whole_books_give_nothing_to_find(scene: Scene) -> None:
    with nothing_changes(scene):
        assert found_after(scene) == []
        assert found_after(scene, "SELECT ledger.seal()") == []


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        (lambda s: [forged(header(s.loan, 4), "journal_entry")], "head-behind"),
        (
            lambda s: [
                forged(header(s.loan, 4), "journal_entry"),
                f"UPDATE ledger.subledger SET last_entry_no = 4 WHERE subledger_id = {s.loan}",
            ],
            "entry-incomplete",
        ),
        (lambda s: [forged(posting(s.loan, 9, 1, posting_count=1), "posting")], "posting-at-odds"),
        (
            lambda s: [f"UPDATE ledger.subledger SET last_entry_no = 9 WHERE subledger_id = {s.loan}"],
            "entry-missing",
        ),
        (
            lambda s: [
                "ALTER TABLE ledger.posting DISABLE TRIGGER USER",
                f"UPDATE ledger.posting SET amount = amount + 1 WHERE subledger_id = {s.loan} AND entry_no = 1",
            ],
            "entry-edited",
        ),
        (
            lambda s: [
                "CREATE TABLE ledger.more_posting () INHERITS (ledger.posting)",
                forged(posting(s.loan, 1, 3), "more_posting"),
            ],
            "entry-incomplete",
        ),
        (
            lambda s: [
                "DROP INDEX ledger.journal_entry_reversed_once",
                forged(header(s.loan, 4, reverses_no=1), "journal_entry"),
            ],
            "reversed-twice",
        ),
        (
            lambda s: [
                "DROP INDEX ledger.journal_entry_request_key",
                forged(
                    header(s.loan, 4, request_key=s.book.entries(s.loan)[0].entry.draft.request_key), "journal_entry"
                ),
            ],
            "request-key-repeated",
        ),
        (
            lambda s: [
                "ALTER TABLE ledger.subledger DISABLE TRIGGER USER",
                f"UPDATE ledger.subledger SET closed_through = '2026-01-15' WHERE subledger_id = {s.loan}",
            ],
            "gate-open",
        ),
        (lambda s: [*forged_entry(s, "2026-01-20"), "SELECT ledger.seal()"], "entry-in-closed-period"),
        (lambda s: forged_entry(s, "2026-01-20"), "entry-in-closed-period"),
    ],
    ids=[
        "header alone",
        "header alone with its number",
        "postings alone",
        "a number without an entry",
        "an amount",
        "a pair in a child table",
        "a second reversal",
        "a key used twice",
        "an open gate",
        "a whole entry in a closed month, sealed",
        "a whole entry in a closed month, not sealed",
    ],
)
def test_what_an_owner_does_on_purpose_is_found(
    scene: Scene, statements: Callable[[Scene], list[str]], code: str
) -> None:
    with nothing_changes(scene):
        assert code in found_after(scene, *statements(scene))


@pytest.mark.parametrize(
    ("slip", "reason"),
    [
        ("a header alone", "declares 2 postings but has 0"),
        ("a number without an entry", "is missing"),
    ],
)
def test_an_entry_that_is_not_whole_is_never_sealed(scene: Scene, slip: str, reason: str) -> None:
    with nothing_changes(scene), scene.as_role(OWNER) as owner:
        if slip == "a header alone":
            by_insert(owner, "journal_entry", [header(scene.loan, 4)])
        owner.execute("UPDATE ledger.subledger SET last_entry_no = 4 WHERE subledger_id = %s", [scene.loan])
        with pytest.raises(psycopg.DatabaseError, match=f"entry 4 of subledger {scene.loan} {reason}") as refused:
            owner.execute("SELECT ledger.seal()")
        assert refused.value.sqlstate == "LB028"
        owner.rollback()


# --- The application's role cannot make itself the owner --------------------------------------------------

OVERREACHES = (
    "CREATE TABLE ledger.mine (x int)",
    "CREATE FUNCTION ledger.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION ledger.refuse(text, jsonb) RETURNS void LANGUAGE sql AS ''",
    "CREATE TABLE mine () INHERITS (ledger.posting)",
    "CREATE TEMPORARY TABLE mine () INHERITS (ledger.posting)",
    "CREATE TRIGGER mine BEFORE INSERT ON ledger.posting EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO ledger.posting DO INSTEAD NOTHING",
    "ALTER TABLE ledger.posting DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.posting DROP CONSTRAINT posting_balanced",
    "ALTER TABLE ledger.posting ADD COLUMN mine int",
    "ALTER TABLE ledger.posting SET UNLOGGED",
    "ALTER TABLE ledger.posting ENABLE ROW LEVEL SECURITY",
    "ALTER SCHEMA ledger RENAME TO mine",
    "DROP TRIGGER posting_append_only ON ledger.posting",
    "DROP TABLE ledger.posting CASCADE",
    "DROP INDEX ledger.journal_entry_reversed_once",
    "SET session_replication_role = replica",
    "SET ROLE loanbook_owner",
    "SET SESSION AUTHORIZATION loanbook_owner",
    "LOCK TABLE ledger.posting IN SHARE MODE",
    "SELECT 1 FROM ledger.subledger FOR UPDATE",
    "SELECT 1 FROM ledger.subledger FOR KEY SHARE",
    "SELECT 1 FROM ledger.book FOR SHARE",
    "COPY ledger.posting TO PROGRAM 'true'",
    "COMMENT ON TABLE ledger.posting IS 'mine'",
)


@pytest.mark.parametrize("role", [APP, READER])
def test_neither_the_application_nor_the_auditor_has_the_rights_of_the_owner(scene: Scene, role: str) -> None:
    with nothing_changes(scene), scene.as_role(role) as connection:
        for statement in OVERREACHES:
            assert (statement, sqlstate_of(lambda: in_savepoint(connection, statement))) == (statement, "42501")  # noqa: B023


def test_objects_of_the_session_are_not_taken_for_those_of_the_ledger(scene: Scene) -> None:
    """Temporary tables and a search path of one's own change nothing of what the functions read and write."""
    with nothing_changes(scene), scene.as_role(APP) as app, app.transaction(force_rollback=True):
        for table in ("subledger", "book", "account", "journal_entry", "posting", "account_balance", "period"):
            app.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM ledger.{table} WHERE false")
        app.execute("CREATE FUNCTION pg_temp.coalesce(date, date) RETURNS date LANGUAGE sql AS 'SELECT $1'")
        app.execute("SET LOCAL search_path = pg_temp, ledger")
        assert post_entry(app, scene.loan)[:2] == (4, date(2026, 2, 3))
        assert app.execute("SELECT count(*) FROM ledger.journal_entry WHERE entry_no = 4").fetchone() == (1,)
        assert app.execute("SELECT count(*) FROM pg_temp.journal_entry").fetchone() == (0,)


def test_ids_are_never_handed_out_twice(scene: Scene) -> None:
    with scene.as_role(APP) as app:
        for count in (-100, -1, 0):
            with nothing_changes(scene), app.transaction(force_rollback=True):
                assert sqlstate_of(lambda: app.execute("SELECT ledger.take_ids('subledger', %s)", [count])) == "LB021"  # noqa: B023
