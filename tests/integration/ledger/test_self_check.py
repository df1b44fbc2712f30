"""The start-up self-check: the migrated schema is the one in the manifest, and whatever was loosened is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ledger.self_check import expected_manifest, read_manifest, self_check
from tests.support.database import ADMIN, Database


@pytest.fixture
def admin(module_database: Database) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that is rolled back."""
    with module_database.engine(ADMIN).connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def test_the_migrated_schema_is_the_one_in_the_manifest(module_database: Database) -> None:
    # Where the schema was changed on purpose: python -m ledger.self_check URL > ledger/manifest.json
    with module_database.engine().connect() as connection:
        assert read_manifest(connection) == expected_manifest()
        assert self_check(connection) == ()


LOOSENED = [
    (
        "ALTER TABLE ledger.posting DISABLE TRIGGER posting_append_only",
        "differs",
        "trigger posting.posting_append_only",
    ),
    ("DROP TRIGGER posting_append_only ON ledger.posting", "missing", "trigger posting.posting_append_only"),
    ("ALTER TABLE ledger.period_event DISABLE TRIGGER ALL", "unknown", "foreign key triggers period_event"),
    ("GRANT INSERT ON ledger.posting TO loanbook_app", "differs", "grant on table posting to loanbook_app"),
    ("GRANT UPDATE (amount) ON ledger.posting TO loanbook_app", "differs", "grant on table posting to loanbook_app"),
    ("GRANT SELECT ON ledger.posting TO PUBLIC", "unknown", "grant on table posting to public"),
    ("GRANT CREATE ON SCHEMA ledger TO loanbook_app", "differs", "grant on schema ledger to loanbook_app"),
    ("GRANT loanbook_owner TO loanbook_app", "differs", "role loanbook_app"),
    ("GRANT EXECUTE ON FUNCTION ledger.seal() TO PUBLIC", "unknown", "grant on function seal() to public"),
    ("ALTER FUNCTION ledger.seal() RESET search_path", "differs", "function seal()"),
    ("ALTER FUNCTION ledger.seal() SECURITY INVOKER", "differs", "function seal()"),
    ("ALTER TABLE ledger.posting DROP CONSTRAINT posting_balanced", "missing", "constraint posting.posting_balanced"),
    ("DROP INDEX ledger.journal_entry_request_key", "missing", "index journal_entry_request_key"),
    ("ALTER TABLE ledger.posting ALTER amount DROP NOT NULL", "differs", "column posting.amount"),
    ("ALTER TABLE ledger.posting ADD note text", "unknown", "column posting.note"),
    ("CREATE RULE quiet AS ON DELETE TO ledger.book DO INSTEAD NOTHING", "unknown", "rule book.quiet"),
    ("CREATE TABLE ledger.extra ()", "unknown", "table extra"),
    ("ALTER VIEW ledger.unsealed RENAME COLUMN previous TO prior", "differs", "view unsealed"),
    ("SET LOCAL session_replication_role = replica", "differs", "setting session_replication_role"),
]


@pytest.mark.parametrize(("change", "code", "place"), LOOSENED)
def test_what_was_loosened_is_named(admin: sa.Connection, change: str, code: str, place: str) -> None:
    admin.execute(sa.text(change))

    assert (f"guard-{code}", place) in {(each.code, each.place) for each in self_check(admin)}


def test_a_function_that_was_replaced_is_named(admin: sa.Connection) -> None:
    body = "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    admin.execute(sa.text(f"CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger {body}"))

    (finding,) = self_check(admin)

    assert (finding.code, finding.place) == ("guard-differs", "function refuse_change()")


def test_the_search_path_of_the_session_makes_no_difference_and_is_left_alone(admin: sa.Connection) -> None:
    admin.execute(sa.text("SET LOCAL search_path TO ledger, public"))

    assert self_check(admin) == ()
    assert admin.scalar(sa.text("SHOW search_path")) == "ledger, public"
