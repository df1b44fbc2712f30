"""Ids, handed out in blocks that each process takes in a transaction of its own.

No sequence and no identity column: an id is known before its row is written, on one machine or many, and boarding
loans side by side waits for nobody. A block that is not used up leaves a gap, which means nothing.
Next: `ledger.take_ids` in `ledger/sql/reference.sql`.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import sqlalchemy as sa

BLOCK = 50

_LOCK = threading.Lock()
_LEFT: WeakKeyDictionary[sa.Engine, dict[str, range]] = WeakKeyDictionary()


def take_ids(engine: sa.Engine, name: str, count: int = 1) -> range:
    """Return `count` ids in a row that nobody else will ever get."""
    with _LOCK:
        blocks = _LEFT.setdefault(engine, {})
        left = blocks.get(name, range(0))
        if len(left) < count:
            left = _take_block(engine, name, max(count, BLOCK))
        blocks[name] = left[count:]
        return left[:count]


def _take_block(engine: sa.Engine, name: str, count: int) -> range:
    # Past the pool: whoever holds its last connection may be waiting here for ids.
    beside = sa.create_engine(engine.url, isolation_level="READ COMMITTED", poolclass=sa.NullPool)
    with beside.begin() as connection:
        first = connection.scalar(sa.text("SELECT ledger.take_ids(:name, :count)"), {"name": name, "count": count})
    assert isinstance(first, int)
    return range(first, first + count)
