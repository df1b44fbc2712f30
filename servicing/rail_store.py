"""Rows of the rails to values and back: bank accounts, mandates, instructions with their moves.

Whoever changes something has locked the row of the loan. Never: decisions. Next: `servicing/rail_queries.py`, which
other packages read by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from servicing import rail_tables as tables
from servicing.rails.accounts import BankAccount
from servicing.rails.instruction import Direction, Instruction, Move, Status
from servicing.rails.mandates import Mandate
from servicing.vault import Sealed

# --- Bank accounts ----------------------------------------------------------------------------------------

_ACCOUNTS = sa.text(
    "SELECT loan_id, account_no, version, routing, last_four, kind, holder, reason, actor, request_key"
    " FROM servicing.bank_account WHERE loan_id = :loan_id ORDER BY account_no, version"
)


def account_versions(connection: sa.Connection, loan_id: int) -> tuple[BankAccount, ...]:
    """Return every version of every bank account of a loan, in order."""
    return tuple(BankAccount(**row) for row in connection.execute(_ACCOUNTS, {"loan_id": loan_id}).mappings())


def append_account(connection: sa.Connection, account: BankAccount, sealed: Sealed) -> None:
    """Write a version of a bank account, and its number encrypted."""
    connection.execute(sa.insert(tables.bank_account), [asdict(account)])
    key = {name: getattr(account, name) for name in ("loan_id", "account_no", "version")}
    connection.execute(sa.insert(tables.bank_account_secret), [{**key, **asdict(sealed)}])


_SECRET = sa.text(
    "SELECT s.key_id, s.token FROM servicing.bank_account_secret s"
    " WHERE s.loan_id = :loan_id AND s.account_no = :account_no AND s.version = :version"
)


def sealed_number(connection: sa.Connection, account: BankAccount) -> Sealed:
    """Return the encrypted number of a version of a bank account."""
    values = {"loan_id": account.loan_id, "account_no": account.account_no, "version": account.version}
    row = connection.execute(_SECRET, values).one()
    return Sealed(row.key_id, row.token)


_OTHER_KEYS = sa.text(
    "SELECT s.loan_id, s.account_no, s.version, s.key_id, s.token FROM servicing.bank_account_secret s"
    " WHERE s.key_id <> :key_id AND (s.loan_id, s.account_no, s.version) > (:loan_id, :account_no, :version)"
    " ORDER BY s.loan_id, s.account_no, s.version LIMIT :limit"
)
_REWRITE = sa.text(
    "UPDATE servicing.bank_account_secret SET key_id = :key_id, token = :token"
    " WHERE loan_id = :loan_id AND account_no = :account_no AND version = :version AND token = :was"
)


def secrets_under_other_keys(
    connection: sa.Connection, key_id: str, after: tuple[int, int, int], limit: int
) -> list[Any]:
    """Return the next numbers that are under another key than this one."""
    loan_id, account_no, version = after
    values = {"key_id": key_id, "loan_id": loan_id, "account_no": account_no, "version": version, "limit": limit}
    return list(connection.execute(_OTHER_KEYS, values))


def rewrite_secret(connection: sa.Connection, row: Any, sealed: Sealed) -> None:
    """Write a number anew, unless somebody has meanwhile."""
    key = {"loan_id": row.loan_id, "account_no": row.account_no, "version": row.version}
    connection.execute(_REWRITE, {**key, **asdict(sealed), "was": row.token})


# --- Mandates ---------------------------------------------------------------------------------------------

_MANDATES = (
    "SELECT m.loan_id, m.mandate_no, m.method, m.amount_rule, m.amount, m.currency, m.starts_on, m.authorized_on,"
    " m.text_version, m.authorized_how, m.entry_class, m.day_of_month, m.account_no, m.card_token, m.actor,"
    " m.request_key, e.ended_on, e.cause AS end_cause, e.reason AS end_reason"
    " FROM servicing.mandate m LEFT JOIN servicing.mandate_end e"
    " ON e.loan_id = m.loan_id AND e.mandate_no = m.mandate_no"
)
_MANDATES_OF_LOAN = sa.text(f"{_MANDATES} WHERE m.loan_id = :loan_id ORDER BY m.mandate_no")
_LOANS_WITH_MANDATES = sa.text(
    "SELECT DISTINCT m.loan_id FROM servicing.mandate m JOIN servicing.loan l ON l.loan_id = m.loan_id"
    " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book"
    " WHERE m.starts_on <= :through AND NOT EXISTS (SELECT FROM servicing.mandate_end e"
    "   WHERE e.loan_id = m.loan_id AND e.mandate_no = m.mandate_no)"
    " AND (NOT EXISTS (SELECT FROM servicing.standing s WHERE s.loan_id = m.loan_id AND NOT s.is_open)"
    "   OR EXISTS (SELECT FROM servicing.payment_move p WHERE p.loan_id = m.loan_id AND p.status = 'scheduled'"
    "     AND NOT EXISTS (SELECT FROM servicing.payment_move v WHERE v.loan_id = p.loan_id"
    "       AND v.instruction_no = p.instruction_no AND v.move_no = p.move_no + 1)))"
    " ORDER BY m.loan_id"
)


def mandates_of(connection: sa.Connection, loan_id: int) -> tuple[Mandate, ...]:
    """Return the mandates of a loan, in order."""
    rows = connection.execute(_MANDATES_OF_LOAN, {"loan_id": loan_id}).mappings()
    return tuple(Mandate(**row) for row in rows)


def loans_with_mandates(connection: sa.Connection, book_code: str, through: date) -> list[int]:
    """Return the loans of a book that have a mandate in force by a day: the open ones, and where a debit waits."""
    return list(connection.scalars(_LOANS_WITH_MANDATES, {"book": book_code, "through": through}))


def append_mandate(connection: sa.Connection, given: Mandate) -> None:
    """Write a mandate."""
    row = {name: value for name, value in asdict(given).items() if name not in ("ended_on", "end_cause", "end_reason")}
    connection.execute(sa.insert(tables.mandate), [row])


def append_mandate_end(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Write how a mandate ended."""
    connection.execute(sa.insert(tables.mandate_end), [dict(row)])


# --- Instructions -----------------------------------------------------------------------------------------

_INSTRUCTIONS = sa.text(
    "SELECT loan_id, instruction_no, direction, method, amount, currency, due_on, account_no, card_token, mandate_no,"
    " retry_of, payee, attempt, actor, request_key FROM servicing.payment_instruction WHERE loan_id = ANY (:loan_ids)"
    " ORDER BY loan_id, instruction_no"
)
_MOVES = sa.text(
    "SELECT loan_id, instruction_no, move_no, status, moved_on, settles_on, available_on, trace, reason, event_no,"
    " entries, actor, request_key FROM servicing.payment_move WHERE loan_id = ANY (:loan_ids)"
    " ORDER BY loan_id, instruction_no, move_no"
)


def instructions_of(connection: sa.Connection, loan_ids: Sequence[int]) -> tuple[Instruction, ...]:
    """Return the instructions of loans with their moves, in order."""
    moves: dict[tuple[int, int], list[Move]] = {}
    for row in connection.execute(_MOVES, {"loan_ids": list(loan_ids)}).mappings():
        values = {name: value for name, value in row.items() if name not in ("loan_id", "instruction_no")}
        values |= {"status": Status(row["status"]), "entries": tuple(row["entries"])}
        moves.setdefault((row["loan_id"], row["instruction_no"]), []).append(Move(**values))
    return tuple(
        Instruction(
            **{**row, "direction": Direction(row["direction"])},
            moves=tuple(moves[row["loan_id"], row["instruction_no"]]),
        )
        for row in connection.execute(_INSTRUCTIONS, {"loan_ids": list(loan_ids)}).mappings()
    )


def append_instruction(connection: sa.Connection, instruction: Instruction) -> None:
    """Write an instruction with its first move."""
    row = {name: value for name, value in asdict(instruction).items() if name != "moves"}
    connection.execute(sa.insert(tables.payment_instruction), [row])
    for move in instruction.moves:
        append_move(connection, instruction, move)


def append_move(connection: sa.Connection, instruction: Instruction, move: Move) -> None:
    """Write a move of an instruction."""
    key = {"loan_id": instruction.loan_id, "instruction_no": instruction.instruction_no}
    connection.execute(sa.insert(tables.payment_move), [{**key, **asdict(move), "entries": list(move.entries)}])


_BY_TRACE = sa.text(
    "SELECT m.loan_id, m.instruction_no, coalesce(m.settles_on, m.moved_on) AS settles_on"
    " FROM servicing.payment_move m JOIN servicing.loan l ON l.loan_id = m.loan_id"
    " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book WHERE m.trace = :trace"
    " ORDER BY settles_on DESC, m.recorded_at DESC"
)
_WAITING = sa.text(
    "SELECT i.loan_id, i.instruction_no, i.method, i.due_on, m.status, m.settles_on"
    " FROM servicing.payment_move m"
    " JOIN servicing.payment_instruction i ON i.loan_id = m.loan_id AND i.instruction_no = m.instruction_no"
    " JOIN servicing.loan l ON l.loan_id = i.loan_id"
    " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book"
    " WHERE m.status = ANY (:statuses) AND i.method = ANY (:methods)"
    " AND NOT EXISTS (SELECT FROM servicing.payment_move v WHERE v.loan_id = m.loan_id"
    "   AND v.instruction_no = m.instruction_no AND v.move_no = m.move_no + 1)"
    " ORDER BY i.loan_id, i.instruction_no"
)


@dataclass(frozen=True, slots=True)
class TraceUse:
    """An instruction that was sent under a trace number, and the day on which it settles."""

    loan_id: int
    instruction_no: int
    settles_on: date


def uses_of_trace(connection: sa.Connection, book_code: str, trace: str) -> tuple[TraceUse, ...]:
    """Return the instructions that were sent under a trace number, the latest first."""
    rows = connection.execute(_BY_TRACE, {"book": book_code, "trace": trace})
    return tuple(TraceUse(row.loan_id, row.instruction_no, row.settles_on) for row in rows)


def waiting(connection: sa.Connection, book_code: str, statuses: Sequence[Status], methods: Sequence[str]) -> list[Any]:
    """Return the instructions of a book that stand at one of these statuses, in order."""
    values = {"book": book_code, "statuses": [str(each) for each in statuses], "methods": list(methods)}
    return list(connection.execute(_WAITING, values))
