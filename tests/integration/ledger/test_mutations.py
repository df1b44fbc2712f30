"""Five thousand random changes to sealed rows, made by a superuser past every trigger: `verify` finds each of them.

A tail that was cut off, or a chain that was written anew, agrees with itself; it is found against published digests.
`tests/unit/ledger/test_offline_verifier.py` does the same to evidence bundles.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.digests import BlockDigest
from ledger.verify import verify
from tests.support.database import ADMIN, Database
from tests.support.mutations import Connection, Damage, cut_tail, rewrite_chain
from tests.support.sealed_ledger import build

FIRST, *OTHERS = range(20260101, 20260111)
SEEDS = (
    FIRST,
    *(pytest.param(seed, marks=pytest.mark.once) for seed in OTHERS[:1]),
    *(pytest.param(seed, marks=(pytest.mark.once, pytest.mark.deep)) for seed in OTHERS[1:]),
)
"""All of them on one kind of server; the first on each."""
STRIKES_PER_SEED = 470
CUTS_PER_SEED = REWRITES_PER_SEED = 15


@pytest.fixture(scope="module")
def published(module_database: Database) -> tuple[BlockDigest, ...]:
    """Build the ledger, and return the digests of its blocks."""
    return tuple(block.digest for block in build(module_database.engine()).blocks)


@pytest.fixture
def damaged(module_database: Database, published: tuple[BlockDigest, ...]) -> Iterator[sa.Connection]:
    """Yield a connection on which no trigger fires, inside a transaction that is rolled back."""
    with module_database.engine(ADMIN).connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        yield connection
        transaction.rollback()


def raw(connection: sa.Connection) -> Connection:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def test_the_ledger_holds_before_it_is_damaged(damaged: sa.Connection, published: tuple[BlockDigest, ...]) -> None:
    report = verify(damaged, published=published)

    assert report.holds, report.findings
    assert (report.blocks, report.head) == (3, published[-1])
    assert report.entries == damaged.scalar(sa.text("SELECT count(*) FROM ledger.journal_entry"))
    assert report.postings == damaged.scalar(sa.text("SELECT count(*) FROM ledger.posting"))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_of_a_sealed_row_is_found(damaged: sa.Connection, seed: int) -> None:
    damage = Damage(raw(damaged), seed)
    done = refused = 0

    while done < STRIKES_PER_SEED:
        savepoint = damaged.begin_nested()
        try:
            what = damage.strike()
        except (psycopg.IntegrityError, psycopg.DataError):
            refused += 1
        else:
            done += 1
            assert not verify(damaged).holds, f"seed {seed}, strike {done}: {what}"
        savepoint.rollback()

    print(f"seed {seed}: {done} changes found, {refused} more refused by the tables themselves")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tail_that_was_cut_off_is_found_against_the_published_digests(
    damaged: sa.Connection, published: tuple[BlockDigest, ...], seed: int
) -> None:
    choose = random.Random(seed)

    for _ in range(CUTS_PER_SEED):
        blocks = choose.randint(1, 2)
        savepoint = damaged.begin_nested()
        cut_tail(raw(damaged), blocks)

        assert verify(damaged).holds
        (finding,) = verify(damaged, published=choose.sample(published[-blocks:], 1)).findings
        assert (finding.code, finding.place) == ("truncated-after-block", f"block {3 - blocks}")
        savepoint.rollback()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chain_that_was_written_anew_is_found_against_the_published_digests(
    damaged: sa.Connection, published: tuple[BlockDigest, ...], seed: int
) -> None:
    choose = random.Random(seed)
    entries = damaged.execute(sa.text(_ENTRIES)).all()
    done = 0

    while done < REWRITES_PER_SEED:
        subledger_id, entry_no, block_no = choose.choice(entries)
        change = choose.choice(_CHANGES).format(choose.randint(1, 99))
        where = f" WHERE subledger_id = {subledger_id} AND entry_no = {entry_no}"
        savepoint = damaged.begin_nested()
        if rewrite_chain(raw(damaged), change + where):
            done += 1
            assert verify(damaged).holds, change + where
            (finding,) = verify(damaged, published=published).findings
            assert (finding.code, finding.place) == ("forked-at-block", f"block {block_no}")
        savepoint.rollback()


_ENTRIES = """
    SELECT e.subledger_id, e.entry_no, m.block_no
      FROM ledger.journal_entry e
      JOIN ledger.seal_member m ON m.subledger_id = e.subledger_id AND e.entry_no BETWEEN m.from_no AND m.to_no
     WHERE e.template <> 'reversal' AND e.request_key <> 'payment:2/again'
       AND NOT EXISTS (SELECT FROM ledger.journal_entry r
                        WHERE r.subledger_id = e.subledger_id AND r.reverses_no = e.entry_no)
     ORDER BY e.subledger_id, e.entry_no
"""
_CHANGES = (
    "UPDATE ledger.posting SET amount = amount + {}",
    "UPDATE ledger.journal_entry SET narration = 'nothing to see here {}'",
    "UPDATE ledger.journal_entry SET effective_date = effective_date - {}",
    "UPDATE ledger.journal_entry SET recorded_at = recorded_at - interval '{} seconds'",
)
