"""The SQL files of the ledger, in the order in which a migration runs them.

Each holds functions or guards of one idea, written so that running it again replaces them. A migration that changes
one runs it again. Never: a table (the migrations), or SQL built from values.
Next: `ledger/sql/post_entry.sql`.
"""

from __future__ import annotations

from importlib.resources import files

LEDGER_SQL = (
    "refuse.sql",
    "guards.sql",
    "leaves.sql",
    "reference.sql",
    "post_entry.sql",
    "post_entries.sql",
    "post_batch.sql",
    "periods.sql",
    "requests.sql",
    "seal.sql",
    "verify_seals.sql",
    "verify_books.sql",
    "views.sql",
    "grants.sql",
)


def read_sql(name: str, package: str = "ledger") -> str:
    """Return the text of one file of a package, with colons and percent signs as they stand."""
    return (files(package) / "sql" / name).read_text(encoding="utf-8")
