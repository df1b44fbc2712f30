"""Every guard of the ledger has an attack that it stops, and that goes on when the guard is taken away.

So each guard is needed, and each has a test that would go red without it. A guard that stands in the catalogue and not
in these tables fails the test of completeness. Next: `test_invariants.py`, where the attacks are tried in every way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import psycopg
import pytest

from ledger.chart import AccountCode, Side
from ledger.commands.batches import post_batch
from ledger.commands.manual_journals import approve, propose
from ledger.commands.year_end import year_end_close
from ledger.journal import Line
from ledger.manual_journal import ManualJournal
from ledger.money import Money
from ledger.requests import once
from ledger.unit_of_work import UnitOfWork
from tests.support.database import ADMIN, APP, OWNER, READER, Database
from tests.support.guards import THROUGH, Connection, Guard, attempt, guards_of
from tests.support.ledger_setup import ACCRUAL, FUNDING, Ledger, new_ledger

SCHEMA = "ledger"


@dataclass(frozen=True)
class Attack:
    """Statements, the last of which a guard refuses; what stops them when the guard is gone (if anything does)."""

    statement: str
    refused: str
    without: str = THROUGH
    role: str = OWNER


@pytest.fixture(scope="module")
def book(module_database: Database) -> Ledger:
    """Return a book with a row in every table, so that each row can be copied with something wrong in it."""
    book = new_ledger(module_database)
    book.post(book.loan, FUNDING)
    book.reverse(book.loan, 1)
    post_batch(book.engine, book.batch((book.loans[1], ACCRUAL)), actor="job")
    lines = (
        Line(AccountCode("5200"), Side.DEBIT, Money(5, "USD")),
        Line(AccountCode("1020"), Side.CREDIT, Money(5, "USD")),
    )
    journal = ManualJournal(book_code=book.code, effective_date=date(2026, 1, 1), narration="Rent", lines=lines)
    journal_id = book.run(lambda uow: propose(uow, journal), actor="maria")
    book.run(lambda uow: approve(uow, journal_id), actor="chris")

    def ask(uow: UnitOfWork) -> None:
        once(uow, subledger_id=book.loan, key="k", command="c", inputs={}, work=dict)

    book.run(ask)
    book.advance(date(2027, 2, 1))
    book.run(lambda uow: year_end_close(uow, book.code, 2026), approver="boss")
    book.close("2026-01")
    with module_database.connect(APP) as app:
        app.execute("INSERT INTO ledger.batch_staging VALUES (2, 5, 777, 1, 2, 1, 'USD')")
    return book


@pytest.fixture
def admin(book: Ledger) -> Iterator[psycopg.Connection]:
    """Yield a connection that may become any role, in a transaction that is rolled back."""
    with book.database.connect(ADMIN) as connection:
        yield connection
        connection.rollback()


# --- The attacks ------------------------------------------------------------------------------------------


def copied(table: str, *changes: str, where: str = "true") -> str:
    """Return an INSERT of a row that exists, with some columns changed: `column = expression`."""
    new = ", ".join(f"'{name}', {value}" for name, value in (change.split(" = ", 1) for change in changes))
    return (
        f"INSERT INTO ledger.{table} SELECT (jsonb_populate_record(t, jsonb_build_object({new}))).*"
        f" FROM ledger.{table} t WHERE {where} LIMIT 1"
    )


APPEND_ONLY = (
    "account_change",
    "batch_chunk",
    "business_day",
    "journal_entry",
    "period_balance",
    "period_event",
    "posting",
    "role_map",
    "seal_block",
    "seal_member",
    "seal_total",
    "year_end",
)
KEEPS_ROWS = (
    "account",
    "account_balance",
    "activity",
    "birth_gate",
    "book",
    "id_block",
    "manual_journal",
    "period",
    "request",
    "seal_mark",
    "subledger",
)
REFERRED_TO = {"account", "book", "period", "period_event"}


def removals(table: str) -> tuple[Attack, ...]:
    """Return the attacks that remove rows, or none of them: the statement alone is refused."""
    truncate = f"TRUNCATE ledger.{table} CASCADE"
    # Without this trigger, those of the tables that refer to this one still stand.
    left = "LB021 TRUNCATE" if table in REFERRED_TO else THROUGH
    return (
        Attack(f"DELETE FROM ledger.{table} WHERE false", f"LB021 DELETE of ledger.{table}"),
        Attack(truncate, f"LB021 TRUNCATE of ledger.{table}", without=left),
    )


def changes(table: str) -> tuple[Attack, ...]:
    """Return the attacks on a table that takes INSERT alone."""
    statement = f"UPDATE ledger.{table} SET recorded_at = recorded_at WHERE false"
    plain = {"seal_block", "seal_member", "seal_total", "posting", "period_balance", "year_end"}
    if table in plain:
        column = "entry_no" if table in {"posting", "year_end"} else "block_no"
        column = "month" if table == "period_balance" else column
        statement = f"UPDATE ledger.{table} SET {column} = {column} WHERE false"
    return (Attack(statement, f"LB021 UPDATE of ledger.{table}"), *removals(table))


def moved(table: str, assignment: str, where: str = "true") -> Attack:
    """Return an UPDATE that a row trigger refuses."""
    return Attack(f"UPDATE ledger.{table} SET {assignment} WHERE {where}", f"LB021 UPDATE of ledger.{table}")


TRIGGERS: dict[str, tuple[Attack, ...]] = {
    **{f"{table}_append_only": changes(table) for table in APPEND_ONLY},
    **{f"{table}_keeps_its_rows": removals(table) for table in KEEPS_ROWS},
    "posting_whole_entries": (
        Attack(copied("posting", "seq = 2", where="posting_count = 1"), "LB020"),
        Attack(copied("posting", "seq = 2", "posting_count = 2", where="posting_count = 1"), "LB020"),
    ),
    "subledger_gate_holds": (
        Attack(
            "UPDATE ledger.subledger SET closed_through = '2026-01-15'",
            "LB021 lowering closed_through of ledger.subledger",
        ),
        Attack(
            "UPDATE ledger.subledger SET closed_through = '2025-12-31'",
            "LB021 lowering closed_through of ledger.subledger",
        ),
    ),
    "birth_gate_holds": (
        Attack(
            "UPDATE ledger.birth_gate SET closed_through = '2026-01-30'",
            "LB021 lowering closed_through of ledger.birth_gate",
        ),
    ),
    "subledger_identity_holds": (
        moved("subledger", "book_id = 42"),
        moved("subledger", "currency = 'EUR'"),
        moved("subledger", "subledger_id = subledger_id + 1000"),
    ),
    "book_moves_forward_only": (
        moved("book", "business_date = business_date - 1"),
        moved("book", "code = 'x'"),
        moved("book", "base_currency = 'EUR'"),
        moved("book", "opened_on = opened_on - 1"),
        moved("book", "own_subledger_id = 2"),
        moved("book", "fiscal_year_start_month = 7"),
    ),
    "account_keeps_its_nature": (
        moved("account", "normal_side = 'credit'", "code = '1020'"),
        moved("account", "type = 'equity'", "code = '1020'"),
        moved("account", "currency = 'EUR'", "code = '1020'"),
        moved("account", "may_go_contra = true", "code = '1210'"),
        moved("account", "control = false", "code = '1210'"),
    ),
    "period_follows_its_life": (
        moved("period", "state = 'open'", "month = '2026-01-01'"),
        moved("period", "state = 'closed'", "month = '2026-02-01'"),
        moved("period", "month = '2020-01-01'", "month = '2027-02-01'"),
    ),
    "id_block_moves_forward_only": (
        moved("id_block", "next_id = 1"),
        moved("id_block", "next_id = next_id"),
        moved("id_block", "next_id = next_id + 1, name = name || 'x'"),
    ),
    "request_answered_once": (moved("request", "outcome = '{}', refused = true"),),
    "manual_journal_decided_once": (moved("manual_journal", "state = 'rejected'"),),
}
# A head whose period still has an event cannot move to another month without its foreign key: that is refused too.
_MOVED_MONTH = TRIGGERS["period_follows_its_life"][2]
TRIGGERS["period_follows_its_life"] = (
    *TRIGGERS["period_follows_its_life"][:2],
    Attack(_MOVED_MONTH.statement, _MOVED_MONTH.refused, without="23503"),
)
TRIGGERS["book_moves_forward_only"] += (
    Attack("UPDATE ledger.book SET book_id = 42", "LB021 UPDATE of ledger.book", without="23503"),
)

CHECKS: dict[str, tuple[str, ...]] = {
    "book_fiscal_year_start_month_valid": (
        copied("book", "book_id = 42", "code = 'x'", "fiscal_year_start_month = 0"),
        copied("book", "book_id = 42", "code = 'x'", "fiscal_year_start_month = 13"),
    ),
    "book_business_date_not_before_opening": (
        copied("book", "book_id = 42", "code = 'x'", "business_date = opened_on - 1"),
    ),
    "account_type_known": (copied("account", "account_id = 4242", "code = 'x'", "slug = 'x'", "type = 'wealth'"),),
    "account_normal_side_known": (
        copied("account", "account_id = 4242", "code = 'x'", "slug = 'x'", "normal_side = 'left'"),
    ),
    "account_header_not_subledgered": (
        copied("account", "account_id = 4242", "code = 'x'", "slug = 'x'", "header = true", "subledgered = true"),
    ),
    "period_state_known": (copied("period", "month = '2030-01-01'::date", "state = 'ajar'"),),
    "period_month_is_first_day": (copied("period", "month = '2030-01-02'::date"),),
    "period_event_second_person": (copied("period_event", "event_no = 99", "approver = actor"),),
    "journal_entry_sound": (
        copied("journal_entry", "entry_no = 0", "request_key = 'x'", "reverses_no = NULL"),
        copied("journal_entry", "entry_no = 99", "request_key = 'x'", "reverses_no = NULL", "posting_count = 0"),
        copied("journal_entry", "entry_no = 99", "request_key = 'x'", "reverses_no = NULL", "approved_by = actor"),
        copied("journal_entry", "entry_no = 99", "request_key = 'x'", "reverses_no = 99"),
        copied("journal_entry", "entry_no = 99", "request_key = 'x'", "reverses_no = NULL", "corrects_no = 99"),
    ),
    "posting_balanced": (
        copied("posting", "entry_no = 99", "amount = 0", where="posting_count = 1"),
        copied("posting", "entry_no = 99", "amount = -5", where="posting_count = 1"),
        copied("posting", "entry_no = 99", "debit_account = credit_account", where="posting_count = 1"),
    ),
    "account_balance_not_contra": (
        "UPDATE ledger.account_balance SET balance = -1 WHERE NOT may_go_contra",
        copied("account_balance", "account_id = 42", "balance = -1", "may_go_contra = false"),
    ),
    "seal_block_chained": (
        copied("seal_block", "block_no = 0"),
        copied("seal_block", "block_no = 99", "previous_hash = NULL"),
    ),
    "seal_member_range_valid": (
        copied("seal_member", "from_no = 99", "to_no = 98"),
        copied("seal_member", "from_no = 0", "to_no = 0"),
    ),
    "manual_journal_state_known": (copied("manual_journal", "journal_id = 42", "state = 'wished for'"),),
    "manual_journal_second_person": (copied("manual_journal", "journal_id = 42", "checker = maker"),),
}

# What else must change in the copy of a row, so that no other unique key is in the way.
UNIQUE: dict[str, tuple[str, ...]] = {
    "account_pkey": ("code = 'x'", "slug = 'x'"),
    "account_code_key": ("account_id = 4242", "slug = 'x'"),
    "account_slug_key": ("account_id = 4242", "code = 'x'"),
    "account_balance_pkey": (),
    "account_change_pkey": (),
    "activity_pkey": (),
    "batch_chunk_pkey": (),
    "batch_staging_pkey": (),
    "birth_gate_pkey": (),
    "book_pkey": ("code = 'x'",),
    "book_code_key": ("book_id = 42",),
    "business_day_pkey": (),
    "id_block_pkey": (),
    "journal_entry_pkey": ("request_key = 'x'", "reverses_no = NULL"),
    "journal_entry_request_key": ("entry_no = 99", "reverses_no = NULL"),
    "journal_entry_reversed_once": ("entry_no = 99", "request_key = 'x'"),
    "manual_journal_pkey": (),
    "period_pkey": (),
    "period_balance_pkey": (),
    "period_event_pkey": (),
    "posting_pkey": (),
    "request_pkey": (),
    "role_map_pkey": (),
    "seal_block_pkey": (),
    "seal_mark_pkey": (),
    "seal_member_pkey": (),
    "seal_total_pkey": (),
    "subledger_pkey": (),
    "year_end_pkey": (),
}
COPIED_ROW = {"journal_entry": "reverses_no IS NOT NULL", "posting": "posting_count = 1"}

FOREIGN_KEYS: dict[str, str] = {
    "account_book_fkey": copied("account", "account_id = 4242", "book_id = 42"),
    "account_change_account_fkey": copied("account_change", "change_no = 4242", "account_id = 4242"),
    "account_change_parent_fkey": copied("account_change", "change_no = 4242", "parent_id = 4242"),
    "birth_gate_book_fkey": copied("birth_gate", "book_id = 42"),
    "business_day_book_fkey": copied("business_day", "book_id = 42"),
    "manual_journal_book_fkey": copied("manual_journal", "journal_id = 42", "book_id = 42"),
    "period_book_fkey": copied("period", "book_id = 42"),
    "period_balance_event_fkey": copied("period_balance", "event_no = 99"),
    "period_event_period_fkey": copied("period_event", "month = '2030-01-01'::date"),
    "role_map_account_fkey": copied("role_map", "role = 'NEW'", "account_id = 4242"),
    "year_end_book_fkey": copied("year_end", "book_id = 42"),
}


def attacks_on(guard: Guard) -> tuple[Attack, ...]:
    """Return the attacks that a guard stops.

    Raises: KeyError for a guard that nobody has written an attack for.
    """
    match guard.kind:
        case "trigger":
            return TRIGGERS[guard.name]
        case "check":
            return tuple(Attack(statement, "23514") for statement in CHECKS[guard.name])
        case "foreign key":
            return (Attack(FOREIGN_KEYS[guard.name], "23503"),)
        case _:
            where = COPIED_ROW.get(guard.table, "true")
            return (Attack(copied(guard.table, *UNIQUE[guard.name], where=where), "23505"),)


# --- The harness ------------------------------------------------------------------------------------------


def test_every_guard_in_the_catalogue_has_an_attack_and_every_attack_its_guard(admin: Connection) -> None:
    found = guards_of(admin, SCHEMA)

    def names(*kinds: str) -> set[str]:
        return {guard.name for guard in found if guard.kind in kinds}

    assert names("trigger") == set(TRIGGERS)
    assert names("check") == set(CHECKS)
    assert names("primary key", "unique", "unique index") == set(UNIQUE)
    assert names("foreign key") == set(FOREIGN_KEYS)
    assert {guard for guard, enabled in found.items() if not enabled} == set()


def test_each_guard_stops_its_attacks_and_only_it_does(admin: Connection) -> None:
    for guard in guards_of(admin, SCHEMA):
        for attack in attacks_on(guard):
            with_it = attempt(admin, attack.role, [attack.statement])
            with admin.transaction(force_rollback=True):
                guard.remove(admin)
                without_it = attempt(admin, attack.role, [attack.statement])

            assert (guard, attack.statement, with_it) == (guard, attack.statement, attack.refused)
            assert (guard, attack.statement, without_it.startswith(attack.without)) == (guard, attack.statement, True)
            assert without_it != with_it


def test_a_guard_that_is_switched_off_is_noticed(admin: Connection) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute("ALTER TABLE ledger.posting DISABLE TRIGGER posting_append_only")

        off = [guard.name for guard, enabled in guards_of(admin, SCHEMA).items() if not enabled]

    assert off == ["posting_append_only"]


# --- Grants: what is not granted --------------------------------------------------------------------------

STAGING = {("batch_staging", APP, "INSERT"), ("batch_staging", APP, "DELETE")}
"""What is granted on tables beside reading."""

COMMANDS = {
    "advance_business_date",
    "answer_request",
    "begin_request",
    "change_account",
    "change_period",
    "create_book",
    "decide_manual_journal",
    "freeze_subledger",
    "map_role",
    "move_birth_gates",
    "move_gates",
    "open_account",
    "open_period",
    "open_subledgers",
    "post_batch_chunk",
    "post_entries",
    "post_entry",
    "propose_manual_journal",
    "record_batch_chunk",
    "record_year_end",
    "seal",
    "take_ids",
}
AUDITS = {
    "block_digest",
    "change_record",
    "entry_leaf",
    "entry_record",
    "find_broken_activity",
    "find_broken_balances",
    "find_broken_blocks",
    "find_broken_chart",
    "find_broken_entries",
    "find_broken_members",
    "find_broken_periods",
    "find_broken_totals",
    "find_missing_heads",
    "in_runs",
    "member_digest",
    "member_record",
    "merkle_fold",
    "posting_record",
    "total_record",
}
FUNCTION_GRANTS = {APP: COMMANDS | AUDITS, READER: AUDITS}

RELATIONS = "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p', 'v')"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'ledger' ORDER BY 1"
TABLE_GRANTS = """
    SELECT c.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END, g.privilege_type
      FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
     WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = ANY ('{r,p,v,m,f,S}') AND g.grantee <> c.relowner
"""
COLUMN_GRANTS = """
    SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'ledger'::regnamespace AND a.attacl IS NOT NULL
"""
CALLS = """
    SELECT p.proname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END
      FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
     WHERE p.pronamespace = 'ledger'::regnamespace AND g.grantee <> p.proowner
"""
SCHEMA_GRANTS = """
    SELECT pg_get_userbyid(g.grantee), g.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) g
     WHERE n.nspname = 'ledger' AND g.grantee <> n.nspowner
"""
MEMBERS = "SELECT pg_get_userbyid(member) FROM pg_auth_members WHERE pg_get_userbyid(roleid) LIKE 'loanbook%'"
FUNCTIONS = """
    SELECT p.oid::regprocedure::text, p.proname,
           format('SELECT %s(%s)', p.oid::regproc, (SELECT string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY o)
                                                      FROM unnest(p.proargtypes) WITH ORDINALITY a (t, o)))
      FROM pg_proc p WHERE p.pronamespace = 'ledger'::regnamespace AND p.prorettype <> 'trigger'::regtype ORDER BY 1
"""


def rows(admin: Connection, query: str) -> set[tuple[str, ...]]:
    """Return what a query of the catalogue finds."""
    return {tuple(map(str, row)) for row in admin.execute(query).fetchall()}


def test_the_roles_have_the_privileges_that_are_declared_and_no_others(admin: Connection) -> None:
    reading = {(relation, role, "SELECT") for (relation,) in rows(admin, RELATIONS) for role in (APP, READER)}
    calling = {(function, role) for role, functions in FUNCTION_GRANTS.items() for function in functions}

    assert rows(admin, TABLE_GRANTS) == reading | STAGING
    assert rows(admin, COLUMN_GRANTS) == set()
    assert rows(admin, CALLS) == calling
    assert rows(admin, SCHEMA_GRANTS) == {(APP, "USAGE"), (READER, "USAGE")}
    assert not {APP, READER} & {member for (member,) in rows(admin, MEMBERS)}


STATEMENTS = {
    "INSERT": "INSERT INTO ledger.{table} SELECT * FROM ledger.{table} WHERE false",
    "UPDATE": "UPDATE ledger.{table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM ledger.{table} WHERE false",
    "TRUNCATE": "TRUNCATE ledger.{table}",
    "TRIGGER": (
        "CREATE TRIGGER mine BEFORE UPDATE ON ledger.{table} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
}


@pytest.mark.parametrize("role", [APP, READER])
@pytest.mark.parametrize("privilege", STATEMENTS)
def test_what_is_not_granted_on_a_table_is_refused_and_only_for_that(
    admin: Connection, role: str, privilege: str
) -> None:
    for (table,) in admin.execute(TABLES).fetchall():
        if (table, role, privilege) in STAGING:
            continue
        first_column = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1"
        (column,) = admin.execute(first_column, [f"ledger.{table}"]).fetchone() or ("",)
        statement = STATEMENTS[privilege].format(table=table, column=column)
        assert (table, attempt(admin, role, [statement])) == (table, "42501")
        with admin.transaction(force_rollback=True):
            admin.execute(f"GRANT {privilege} ON ledger.{table} TO {role}")
            assert (table, attempt(admin, role, [statement]) != "42501") == (table, True)


@pytest.mark.parametrize("role", [APP, READER])
def test_a_function_that_is_not_granted_is_refused_and_only_for_that(admin: Connection, role: str) -> None:
    for signature, name, call in admin.execute(FUNCTIONS).fetchall():
        if name in FUNCTION_GRANTS[role]:
            continue
        refusal = f"permission denied for function {name}"
        assert (signature, refusal in message_of(admin, role, call)) == (signature, True)
        with admin.transaction(force_rollback=True):
            admin.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {role}")
            # It may still be refused for what it calls or touches, no longer for itself.
            assert (signature, refusal in message_of(admin, role, call)) == (signature, False)


def message_of(admin: Connection, role: str, call: str) -> str:
    """Return the message with which a call is refused, an empty one if it is not."""
    try:
        with admin.transaction(force_rollback=True):
            admin.execute(f"SET LOCAL ROLE {role}")
            admin.execute(call)
    except psycopg.Error as error:
        return str(error.diag.message_primary)
    return ""


# --- Functions that run with the owner's rights -----------------------------------------------------------

DEFINERS = """
    SELECT p.proname, pg_get_userbyid(p.proowner), coalesce(array_to_string(p.proconfig, '; '), '')
      FROM pg_proc p WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef ORDER BY 1
"""
PINNED = "search_path=pg_catalog, pg_temp"


def unsafe_definers(admin: Connection) -> list[str]:
    """Return functions with the owner's rights whose owner or search path is not what it must be."""
    return [
        name
        for name, owner, settings in admin.execute(DEFINERS).fetchall()
        if owner != OWNER or PINNED not in settings.split("; ")
    ]


def test_functions_with_the_owners_rights_are_the_commands_and_have_their_names_pinned(admin: Connection) -> None:
    assert {name for name, _, _ in admin.execute(DEFINERS).fetchall()} == COMMANDS
    assert unsafe_definers(admin) == []

    with admin.transaction(force_rollback=True):
        admin.execute("ALTER FUNCTION ledger.seal() RESET search_path")
        assert unsafe_definers(admin) == ["seal"]


def test_a_pinned_search_path_keeps_a_callers_own_functions_out(book: Ledger, admin: Connection) -> None:
    """Without it, a caller who owns a schema tells the posting function that it runs at READ COMMITTED."""
    settings = (
        "CREATE SCHEMA mine AUTHORIZATION loanbook_app",
        "CREATE FUNCTION mine.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'read committed' $$",
        "GRANT EXECUTE ON FUNCTION mine.current_setting(text) TO PUBLIC",
        "SET LOCAL search_path = mine, pg_catalog",
    )
    call = (
        "SELECT * FROM ledger.post_entry("
        f"{book.own}, 'k', '', 't', 1, '2027-02-01', NULL, 'a', NULL,"
        " (SELECT array_agg(account_id) FROM ledger.account WHERE code = '1020'),"
        " (SELECT array_agg(account_id) FROM ledger.account WHERE code = '3010'),"
        " ARRAY[5]::bigint[], ARRAY['USD'], NULL, NULL, NULL, NULL, NULL, NULL)"
    )
    admin.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    for setting in settings:
        admin.execute(setting)
    admin.execute("GRANT USAGE ON SCHEMA mine TO loanbook_owner")

    assert attempt(admin, APP, [call]) == "LB017"
    (signature,) = admin.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'post_entry'"
    ).fetchone() or ("",)
    admin.execute(f"ALTER FUNCTION {signature} RESET search_path")
    assert attempt(admin, APP, [call]) == THROUGH
