"""Random damage to sealed rows, as somebody with every right would do it: no trigger fires, no foreign key is checked.

`Damage` changes one row and says what it did. `cut_tail` and `rewrite_chain` leave books that agree with themselves
again: only a digest that was published outside tells them from the true ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

TABLES = (
    "journal_entry",
    "posting",
    "seal_member",
    "seal_block",
    "seal_total",
    "seal_mark",
    "activity",
    "account",
    "account_change",
    "account_balance",
    "period_balance",
    "subledger",
)

UNSEALED_COLUMNS = {"subledger": {"closed_through", "frozen", "currency"}}
"""What no seal covers and nothing can be recomputed from: the state of a head beside its numbers."""

LIMITS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    nullable: bool


class Damage:
    """Draws one change after another from a seed; the caller rolls each back."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._random = random.Random(seed)
        self._columns = {table: self._columns_of(table) for table in TABLES}
        self._rows = {table: self._rows_of(table) for table in TABLES}

    def strike(self) -> str:
        """Change one row, delete one or add one, and return what was done.

        Raises: psycopg.IntegrityError or DataError where even the table itself refuses the change.
        """
        table = self._random.choice([name for name in TABLES if self._rows[name]])
        return self._random.choices([self._change, self._delete, self._insert], weights=[8, 1, 1])[0](table)

    def _change(self, table: str) -> str:
        row = self._random.choice(self._rows[table])
        column = self._random.choice(self._columns[table])
        before = row[column.name]
        after = self._other(column, before)
        self._execute(
            sql.SQL("UPDATE ledger.{} SET {} = %s WHERE ctid = %s").format(
                sql.Identifier(table), sql.Identifier(column.name)
            ),
            [after, row["ctid"]],
        )
        return f"{table}.{column.name} of {self._key(table, row)}: {before!r} became {after!r}"

    def _delete(self, table: str) -> str:
        row = self._random.choice(self._rows[table])
        self._execute(sql.SQL("DELETE FROM ledger.{} WHERE ctid = %s").format(sql.Identifier(table)), [row["ctid"]])
        return f"{table} {self._key(table, row)} was deleted"

    def _insert(self, table: str) -> str:
        """Add a copy of a row that differs in one or two columns, one of them in its key."""
        row = self._random.choice(self._rows[table])
        columns = self._columns[table]
        values = {column.name: row[column.name] for column in columns}
        for column in self._random.sample(columns, k=self._random.randint(1, 2)):
            values[column.name] = self._other(column, values[column.name])
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        self._execute(
            sql.SQL("INSERT INTO ledger.{} ({}) VALUES ({})").format(sql.Identifier(table), names, marks),
            list(values.values()),
        )
        return f"{table} got a row like {self._key(table, row)}: {values!r}"

    def _execute(self, statement: sql.Composed, values: list[Any]) -> None:
        assert self._connection.execute(statement, values).rowcount == 1

    def _other(self, column: _Column, value: Any) -> Any:
        """Return another value that the column's type can hold, or NULL."""
        if value is None:
            return self._fresh(column.type)
        if column.nullable and self._random.random() < 0.2:
            return None
        other = self._near(column.type, value)
        return self._fresh(column.type) if other == value else other

    def _near(self, kind: str, value: Any) -> Any:
        pick = self._random.choice
        match kind:
            case "boolean":
                return not value
            case "smallint" | "integer" | "bigint":
                limit = LIMITS[kind]
                return max(
                    -limit,
                    min(limit, pick([value + 1, value - 1, -value, value * 10, self._random.randint(0, limit), 0])),
                )
            case "numeric":
                return pick([value + 1, value - 1, -value, value * 10, Decimal(0)])
            case "date":
                return value + timedelta(days=pick([1, -1, 30, -365]))
            case "timestamp with time zone":
                return value + timedelta(microseconds=pick([1, -1, 1_000_000, 86_400_000_000]))
            case "bytea":
                at = self._random.randrange(len(value)) if value else 0
                return (
                    pick([value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :], value[:-1], value + b"\x00"])
                    if value
                    else b"\x00"
                )
            case "jsonb":
                return pick(['{"channel": "direct"}', "{}", '{"apr": 12.5, "channel": "broker"}', "[]"])
            case _:
                return pick([value + " ", value.swapcase(), value[:-1], value + "\u0301", "x", ""])

    def _fresh(self, kind: str) -> Any:
        return {
            "boolean": True,
            "smallint": 1,
            "integer": 1,
            "bigint": 1,
            "numeric": Decimal(1),
            "date": date(2026, 1, 3),
            "timestamp with time zone": datetime.fromisoformat("2026-01-03T00:00:00+00:00"),
            "bytea": b"\x01",
            "jsonb": '{"a": 1}',
        }.get(kind, "another")

    def _columns_of(self, table: str) -> list[_Column]:
        rows = self._connection.execute(
            "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = 'ledger' AND table_name = %s ORDER BY ordinal_position",
            [table],
        ).fetchall()
        return [_Column(*row) for row in rows if row[0] not in UNSEALED_COLUMNS.get(table, set())]

    def _rows_of(self, table: str) -> list[dict[str, Any]]:
        names = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(column.name))
            if column.type == "jsonb"
            else sql.Identifier(column.name)
            for column in self._columns[table]
        )
        # A balance of nothing may stand or fall: nothing is owed either way.
        some = sql.SQL("WHERE balance <> 0" if table == "account_balance" else "")
        with self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                sql.SQL("SELECT ctid::text, {} FROM ledger.{} {} ORDER BY ctid").format(
                    names, sql.Identifier(table), some
                )
            )
            return cursor.fetchall()

    def _key(self, table: str, row: dict[str, Any]) -> str:
        names = ("subledger_id", "entry_no", "seq", "block_no", "from_no", "change_no", "account_id")
        return ", ".join(f"{name} {row[name]}" for name in names if name in row)


def cut_tail(connection: Connection, blocks: int) -> None:
    """Take the last blocks off, with everything in them, and set straight all that repeats them."""
    _run(connection, _CUT.replace("%(blocks)s", str(blocks)) + _SET_STRAIGHT)


def rewrite_chain(connection: Connection, tampering: str) -> bool:
    """Tamper with entries, then compute every digest, total, root and hash anew; tell whether an entry was hit."""
    if connection.execute(tampering).rowcount == 0:
        return False
    numbers = [
        row[0] for row in connection.execute("SELECT block_no FROM ledger.seal_block ORDER BY block_no").fetchall()
    ]
    _run(connection, "DELETE FROM ledger.seal_total")
    for number in numbers:
        _run(connection, _RESEAL.replace("%(block)s", str(number)))
    _run(connection, _SET_STRAIGHT)
    return True


def _run(connection: Connection, script: str) -> None:
    connection.execute(script, prepare=False)


_CUT = """
CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
    SELECT m.* FROM ledger.seal_member m WHERE m.block_no > (SELECT max(block_no) - %(blocks)s FROM ledger.seal_block);
DELETE FROM ledger.posting p USING cut c WHERE p.subledger_id = c.subledger_id AND p.entry_no >= c.from_no;
DELETE FROM ledger.journal_entry e USING cut c WHERE e.subledger_id = c.subledger_id AND e.entry_no >= c.from_no;
DELETE FROM ledger.seal_member m USING cut c WHERE m.block_no = c.block_no;
DELETE FROM ledger.seal_total t USING cut c WHERE t.block_no = c.block_no;
DELETE FROM ledger.seal_block b USING cut c WHERE b.block_no = c.block_no;
DROP TABLE cut;
"""

_SET_STRAIGHT = """
UPDATE ledger.subledger s SET last_entry_no =
    (SELECT count(*) FROM ledger.journal_entry e WHERE e.subledger_id = s.subledger_id);
DELETE FROM ledger.seal_mark;
INSERT INTO ledger.seal_mark (subledger_id, sealed_no, digest)
    SELECT DISTINCT ON (subledger_id) subledger_id, to_no, digest FROM ledger.seal_member
     ORDER BY subledger_id, from_no DESC;
DELETE FROM ledger.account_balance;
INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)
    SELECT p.subledger_id, a.account_id, p.currency,
           sum(CASE WHEN (a.account_id = p.debit_account) = (a.normal_side = 'debit') THEN p.amount ELSE -p.amount END),
           a.may_go_contra
      FROM ledger.posting p
      JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.subledgered
     GROUP BY p.subledger_id, a.account_id, p.currency, a.may_go_contra;
DELETE FROM ledger.activity;
INSERT INTO ledger.activity (book_id, account_id, currency, booking_date, effective_date, debit, credit)
    SELECT book_id, account_id, currency, booking_date, effective_date, sum(debit), sum(credit)
      FROM ledger.seal_total GROUP BY book_id, account_id, currency, booking_date, effective_date;
UPDATE ledger.period_event e SET block_no = least(e.block_no, (SELECT max(block_no) FROM ledger.seal_block))
 WHERE block_no IS NOT NULL;
DELETE FROM ledger.period_balance;
INSERT INTO ledger.period_balance (book_id, month, event_no, account_id, currency, debit, credit)
    SELECT e.book_id, e.month, e.event_no, t.account_id, t.currency, sum(t.debit), sum(t.credit)
      FROM ledger.period_event e
      JOIN ledger.seal_total t ON t.book_id = e.book_id AND t.block_no <= e.block_no
           AND t.booking_date < e.month + interval '1 month'
     WHERE e.to_state = 'closed'
     GROUP BY e.book_id, e.month, e.event_no, t.account_id, t.currency;
"""

_RESEAL = """
UPDATE ledger.seal_member m SET digest = ledger.member_digest(m.subledger_id, m.from_no, m.to_no,
    (SELECT p.digest FROM ledger.seal_member p WHERE p.subledger_id = m.subledger_id AND p.to_no = m.from_no - 1))
 WHERE m.block_no = %(block)s;
INSERT INTO ledger.seal_total (block_no, book_id, account_id, currency, booking_date, effective_date, debit, credit)
    SELECT m.block_no, e.book_id, side.account_id, p.currency, p.booking_date, e.effective_date,
           sum(side.debit), sum(side.credit)
      FROM ledger.seal_member m
      JOIN ledger.journal_entry e ON e.subledger_id = m.subledger_id AND e.entry_no BETWEEN m.from_no AND m.to_no
      JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no,
           LATERAL (VALUES (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount))
           side (account_id, debit, credit)
     WHERE m.block_no = %(block)s
     GROUP BY m.block_no, e.book_id, side.account_id, p.currency, p.booking_date, e.effective_date;
UPDATE ledger.seal_block b SET
    previous_hash = (SELECT p.block_hash FROM ledger.seal_block p WHERE p.block_no = b.block_no - 1),
    merkle_root = (
        SELECT ledger.merkle_fold(string_agg(sha256('\\x00'::bytea
                   || ledger.member_record(m.subledger_id, m.from_no, m.to_no, m.digest)),
                   NULL ORDER BY m.subledger_id))
          FROM ledger.seal_member m WHERE m.block_no = b.block_no),
    totals_digest = (
        SELECT sha256(string_agg(ledger.total_record(t), NULL ORDER BY t.book_id, t.account_id,
                   t.currency COLLATE "C", t.booking_date, t.effective_date))
          FROM ledger.seal_total t WHERE t.block_no = b.block_no)
 WHERE b.block_no = %(block)s;
UPDATE ledger.seal_block b SET block_hash = ledger.block_digest(b) WHERE b.block_no = %(block)s;
"""
