"""Loading a product: its rules become a version by the hash of their content, and what new loans of its name get.

Loans that are boarded keep the version that they were boarded with. Never: reading a file (`servicing/product.py`).
Next: `servicing/queries.py` for the product that a name stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.product import Product

_LATEST = sa.text(
    "SELECT r.release, r.content_hash FROM servicing.product_release r WHERE r.name = :name"
    " ORDER BY r.release DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The release of a product that is in force, and whether loading made it."""

    name: str
    release: int
    content_hash: str
    is_new: bool


def load_product(uow: UnitOfWork, product: Product) -> Loaded:
    """Let new loans of this product's name have these rules; the same rules again change nothing."""
    connection, content_hash = uow.connection, product.content_hash()
    connection.execute(
        insert(tables.product_version).on_conflict_do_nothing(),
        {"content_hash": content_hash, "name": product.name, "rules": product.as_json()},
    )
    while True:
        latest = connection.execute(_LATEST, {"name": product.name}).one_or_none()
        if latest is not None and latest.content_hash == content_hash:
            return Loaded(product.name, latest.release, content_hash, is_new=False)
        release = 1 if latest is None else latest.release + 1
        values = {"name": product.name, "release": release, "content_hash": content_hash, "actor": uow.actor}
        # Whoever loads the same product meanwhile takes the number; then this one is next after it.
        taken = insert(tables.product_release).on_conflict_do_nothing().returning(tables.product_release.c.release)
        if connection.scalar(taken, values) is not None:
            return Loaded(product.name, release, content_hash, is_new=True)
