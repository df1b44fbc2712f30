"""Seals: what they take in, that they agree with Python, miss nothing while others post, and are published."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.canonical import (
    ActivityTotal,
    BlockHeader,
    EntryHeader,
    EntryPosting,
    block_hash,
    entry_leaf,
    member_digest,
    member_leaf_bytes,
    totals_digest,
)
from ledger.commands.posting import post_entry
from ledger.digests import BlockDigest
from ledger.errors import DigestNotDelivered, IsolationLevelRefused, MalformedRow, SealBroken
from ledger.merkle import root
from ledger.seals import (
    block,
    blocks,
    check_against_published,
    head,
    known_block,
    publish_to_file,
    publish_to_webhook,
    read_published,
    seal,
)
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from tests.support.database import ADMIN, OWNER, Database
from tests.support.sealed_ledger import (
    ACTOR,
    CASH,
    INCOME,
    INTEREST,
    PRINCIPAL,
    build,
    draft,
    open_books,
    open_loans,
    post,
    seal_now,
)

# --- What a seal takes in ---------------------------------------------------------------------------------


def test_nothing_to_seal_makes_no_block(database: Database) -> None:
    engine = database.engine()
    open_books(engine)

    assert seal_now(engine) is None
    with engine.connect() as connection:
        assert head(connection) is None
        assert known_block(connection, datetime.fromisoformat("2126-01-01T00:00:00+00:00")) == 0


def test_each_entry_is_sealed_once_and_a_later_block_goes_on_where_the_last_one_ended(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    first, second = open_loans(engine, 2)
    post(engine, draft(first, "a", (PRINCIPAL, CASH, 1)), draft(second, "a", (PRINCIPAL, CASH, 2)))
    one = seal_now(engine)
    post(engine, draft(first, "b", (PRINCIPAL, CASH, 3)), draft(first, "c", (PRINCIPAL, CASH, 4)))
    two = seal_now(engine)

    assert one is not None
    assert two is not None
    assert (one.block_no, one.previous_hash, one.member_count, one.entry_count, one.posting_count) == (1, None, 2, 2, 2)
    assert (two.block_no, two.previous_hash, two.member_count, two.entry_count) == (2, one.block_hash, 1, 2)
    assert two.sealed_at > one.sealed_at
    assert seal_now(engine) is None
    with engine.connect() as connection:
        members = connection.execute(
            sa.text("SELECT subledger_id, from_no, to_no FROM ledger.seal_member ORDER BY block_no, 1")
        )
        assert members.all() == [(first, 1, 1), (second, 1, 1), (first, 2, 3)]
        assert (head(connection), block(connection, 1), block(connection, 3)) == (two, one, None)
        assert known_block(connection, one.sealed_at) == 1
        assert known_block(connection, one.sealed_at - timedelta(microseconds=1)) == 0


def test_a_moment_without_a_time_zone_has_no_block(database: Database) -> None:
    with database.engine().connect() as connection, pytest.raises(TypeError):
        known_block(connection, datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_a_seal_that_is_rolled_back_leaves_nothing(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))

    run(engine, seal, actor=ACTOR, dry_run=True)

    with engine.connect() as connection:
        assert head(connection) is None
    assert (made := seal_now(engine)) is not None and made.block_no == 1


def test_totals_of_a_block_may_pass_64_bits(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    loans = open_loans(engine, 3)
    most = 2**63 - 1
    post(engine, *(draft(loan, "a", (CASH, INCOME, most)) for loan in loans))

    assert seal_now(engine) is not None
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT max(debit) FROM ledger.activity")) == 3 * most
        assert verify(connection).holds


def test_the_moment_of_sealing_never_goes_back(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    seal_now(engine)
    _as_superuser(
        database,
        "UPDATE ledger.seal_block SET sealed_at = sealed_at + interval '1 year'",
        "UPDATE ledger.seal_block b SET block_hash = ledger.block_digest(b)",
    )
    post(engine, draft(loan, "b", (PRINCIPAL, CASH, 1)))
    seal_now(engine)

    with engine.connect() as connection:
        one, two = blocks(connection)
        assert two.sealed_at == one.sealed_at + timedelta(microseconds=1)


# --- What cannot be sealed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            "DELETE FROM ledger.posting WHERE entry_no = 2 AND seq = 2",
            "entry 2 of subledger {loan} declares 2 postings but has 1",
        ),
        ("DELETE FROM ledger.journal_entry WHERE entry_no = 2", "entry 2 of subledger {loan} is missing"),
        ("DELETE FROM ledger.posting WHERE entry_no = 3", "entry 3 of subledger {loan} declares 1 postings but has 0"),
        (
            "UPDATE ledger.posting SET seq = 3 WHERE entry_no = 2 AND seq = 2",
            "entry 2 of subledger {loan} numbers its 2 postings from 1 to 3",
        ),
        ("DELETE FROM ledger.journal_entry", "entry 1 of subledger {loan} is missing"),
        (
            "UPDATE ledger.subledger SET last_entry_no = 4 WHERE last_entry_no = 3",
            "entry 4 of subledger {loan} is missing",
        ),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_what_is_not_whole_is_refused_and_nothing_is_sealed(
    database: Database, damage: str, reason: str, many: bool
) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 9)), draft(loan, "b", (INTEREST, INCOME, 3), (CASH, PRINCIPAL, 1)))
    post(engine, draft(loan, "c", (CASH, PRINCIPAL, 1)))
    _as_superuser(database, damage)
    if many:
        _take_the_bulk_road(database)

    with pytest.raises(SealBroken) as refused:
        seal_now(engine)

    assert (refused.value.block_no, refused.value.reason) == (1, reason.format(loan=loan))
    with engine.connect() as connection:
        assert head(connection) is None
        assert connection.scalar(sa.text("SELECT count(*) FROM ledger.seal_member")) == 0


def test_nothing_is_sealed_on_top_of_a_block_that_was_altered(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    seal_now(engine)
    _as_superuser(database, "UPDATE ledger.seal_block SET entry_count = 2")
    post(engine, draft(loan, "b", (PRINCIPAL, CASH, 1)))

    with pytest.raises(SealBroken, match="seal block 1 does not hold: it was altered"):
        seal_now(engine)


def test_a_mark_that_fell_behind_is_refused_and_nothing_is_sealed_twice(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    seal_now(engine)
    _as_superuser(database, "DELETE FROM ledger.seal_mark")

    with pytest.raises(SealBroken, match="sealed already"):
        seal_now(engine)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_another_isolation_level_is_refused(database: Database, level: Any) -> None:
    engine = database.engine().execution_options(isolation_level=level)

    with pytest.raises(IsolationLevelRefused):
        run(engine, seal, actor=ACTOR)


# --- SQL and Python agree ---------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_blocks_hold_exactly_what_python_computes(database: Database, many: bool) -> None:
    if many:
        _take_the_bulk_road(database)
    made = build(database.engine())

    with database.engine().connect() as connection:
        previous, chains = None, dict[int, bytes]()
        for each in made.blocks:
            expected = _computed(connection, each.block_no, previous, chains, each.sealed_at)
            assert {name: getattr(each, name) for name in BlockHeader.__slots__} == {
                name: getattr(expected, name) for name in BlockHeader.__slots__
            }
            assert each.block_hash == block_hash(expected)
            previous = each.block_hash


@pytest.mark.parametrize("seed", range(5))
def test_leaves_of_random_entries_are_those_of_python(database: Database, seed: int) -> None:
    choose = random.Random(seed)
    engine = database.engine(ADMIN)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for number in range(1, 41):
            connection.execute(_INSERT_ENTRY, _random_entry(choose, number))
            for seq in range(1, choose.randint(1, 3) + 1):
                connection.execute(_INSERT_POSTING, _random_posting(choose, number, seq))
        for header, postings, stored in _entries(connection, "e.subledger_id = 77"):
            assert entry_leaf(header, postings) == stored, header


_TEXTS = [
    "",
    " ",
    "a|b",
    "\u00e9",
    "e\u0301",
    "\U0001f4b6",
    "\u65e5\u672c",
    "tab\there",
    "'",
    "\\",
    "x" * 5000,
    "\u202e",
    "NULL",
]
_INSERT_ENTRY = sa.text("""
    INSERT INTO ledger.journal_entry (subledger_id, entry_no, book_id, template, template_version, effective_date,
        booking_date, recorded_at, actor, approved_by, request_key, fingerprint, source_ref, reverses_no, corrects_no,
        group_id, narration, details, posting_count)
    VALUES (77, :entry_no, :book_id, :template, :version, :effective_date, :booking_date, :recorded_at, :actor,
        :approved_by, :key, :fingerprint, :source_ref, :reverses_no, :corrects_no, :group_id, :narration,
        CAST(:details AS jsonb), :count)
""")
_INSERT_POSTING = sa.text("""
    INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount,
        currency, booking_date)
    VALUES (77, :entry_no, :seq, 1, :debit, :credit, :amount, :currency, :booking_date)
""")


def _random_entry(choose: random.Random, number: int) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return choose.choice([None, value])

    details: dict[str, Any] = {
        choose.choice(_TEXTS): choose.choice([None, True, 1, "12.50", [], {"a": choose.choice(_TEXTS)}])
        for _ in range(3)
    }
    return {
        "entry_no": number,
        "book_id": choose.randint(-(2**31), 2**31 - 1),
        "template": choose.choice(_TEXTS),
        "version": choose.randint(-(2**15), 2**15 - 1),
        "effective_date": date(1900, 1, 1) + timedelta(days=choose.randint(0, 100_000)),
        "booking_date": date(1900, 1, 1) + timedelta(days=choose.randint(0, 100_000)),
        "recorded_at": datetime.fromisoformat("1970-01-01T00:00:00+00:00")
        + timedelta(microseconds=choose.randint(0, 10**16)),
        "actor": "\u00e5ke",
        "approved_by": maybe(choose.choice(_TEXTS)),
        "key": f"{number}{choose.choice(_TEXTS[:12])}"[:200],
        "fingerprint": choose.randbytes(choose.choice([0, 1, 32])),
        "source_ref": maybe(choose.choice(_TEXTS)),
        "reverses_no": maybe(number - 1),
        "corrects_no": maybe(choose.randint(0, number - 1)),
        "group_id": maybe(choose.randint(-(2**63), 2**63 - 1)),
        "narration": maybe(choose.choice(_TEXTS)),
        "details": maybe(json.dumps(details).replace('"12.50"', "12.50")),
        "count": choose.randint(1, 2**15 - 1),
    }


def _random_posting(choose: random.Random, number: int, seq: int) -> dict[str, Any]:
    return {
        "entry_no": number,
        "seq": seq,
        "debit": choose.randint(0, 2**31 - 1),
        "credit": -choose.randint(1, 2**31),
        "amount": choose.choice([1, 2**63 - 1, choose.randint(1, 2**63 - 1)]),
        "currency": choose.choice(["USD", "JPY", "\u20ac", ""]),
        "booking_date": date(2026, 1, choose.randint(1, 31)),
    }


_COLUMNS = ", ".join(f"e.{name}" for name in EntryHeader.__slots__ if name != "details")


def _entries(
    connection: sa.Connection, where: str, **values: Any
) -> Iterator[tuple[EntryHeader, list[EntryPosting], bytes]]:
    statement = sa.text(
        f"SELECT {_COLUMNS}, CAST(e.details AS text) AS details, ledger.entry_leaf(e.subledger_id, e.entry_no) AS leaf"
        f" FROM ledger.journal_entry e WHERE {where} ORDER BY e.subledger_id, e.entry_no"
    )
    found = connection.execute(statement, values).all()
    for row in found:
        header = EntryHeader(**{name: getattr(row, name) for name in EntryHeader.__slots__})
        postings = connection.execute(
            sa.text(
                "SELECT seq, debit_account, credit_account, amount, currency, booking_date FROM ledger.posting"
                " WHERE subledger_id = :subledger_id AND entry_no = :entry_no"
            ),
            {"subledger_id": header.subledger_id, "entry_no": header.entry_no},
        )
        yield header, [EntryPosting(**posting._mapping) for posting in postings], row.leaf


def _computed(
    connection: sa.Connection, block_no: int, previous: bytes | None, chains: dict[int, bytes], sealed_at: datetime
) -> BlockHeader:
    """Return the block as the pure modules compute it from the rows of the journal."""
    leaves, totals, entry_count, posting_count = [], dict[tuple[Any, ...], list[int]](), 0, 0
    members = connection.execute(
        sa.text("SELECT subledger_id, from_no, to_no FROM ledger.seal_member WHERE block_no = :no ORDER BY 1"),
        {"no": block_no},
    ).all()
    for subledger_id, from_no, to_no in members:
        where = "e.subledger_id = :subledger_id AND e.entry_no BETWEEN :from_no AND :to_no"
        entries = list(_entries(connection, where, subledger_id=subledger_id, from_no=from_no, to_no=to_no))
        digest = member_digest(
            subledger_id=subledger_id,
            from_no=from_no,
            to_no=to_no,
            previous_digest=chains.get(subledger_id),
            leaves=[entry_leaf(header, postings) for header, postings, _ in entries],
        )
        chains[subledger_id] = digest
        leaves.append(member_leaf_bytes(subledger_id=subledger_id, from_no=from_no, to_no=to_no, digest=digest))
        for header, postings, _ in entries:
            entry_count += 1
            for posting in postings:
                posting_count += 1
                for side, account in enumerate((posting.debit_account, posting.credit_account)):
                    key = (header.book_id, account, posting.currency, header.booking_date, header.effective_date)
                    totals.setdefault(key, [0, 0])[side] += posting.amount
    chart = connection.execute(
        sa.text("SELECT change_no, digest FROM ledger.account_change WHERE recorded_at < :at ORDER BY 1 DESC LIMIT 1"),
        {"at": sealed_at},
    ).one()
    return BlockHeader(
        block_no=block_no,
        previous_hash=previous,
        merkle_root=root(leaves),
        member_count=len(leaves),
        entry_count=entry_count,
        posting_count=posting_count,
        totals_digest=totals_digest(ActivityTotal(*key, *sides) for key, sides in totals.items()),
        chart_no=chart.change_no,
        chart_digest=chart.digest,
        sealed_at=sealed_at,
    )


def test_both_roads_and_every_way_of_cutting_them_lead_to_the_same_digests(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    loans = open_loans(engine, 9)
    post(
        engine,
        *(draft(loan, f"{n}", (PRINCIPAL, CASH, 5), (INTEREST, INCOME, n + 1)) for n in range(3) for loan in loans),
    )

    with database.engine(OWNER).connect() as connection:
        few = connection.execute(
            sa.text("SELECT * FROM ledger.few_members(ARRAY(SELECT u FROM ledger.unsealed u)) ORDER BY 1")
        ).all()
        many = connection.execute(sa.text("SELECT * FROM ledger.many_members() ORDER BY 1")).all()
        few_totals = connection.execute(
            sa.text("SELECT * FROM ledger.few_totals(ARRAY(SELECT u FROM ledger.unsealed u))")
        ).all()
        many_totals = connection.execute(sa.text("SELECT * FROM ledger.many_totals()")).all()

    assert few == many
    assert len(few) == 9
    assert sorted(few_totals) == sorted(many_totals)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100])
def test_the_root_that_the_database_folds_is_the_root_of_python(module_database: Database, size: int) -> None:
    leaves = [random.Random(size).randbytes(20) + bytes([number]) for number in range(size)]

    with module_database.engine().connect() as connection:
        found = connection.scalar(
            sa.text(
                "SELECT ledger.merkle_fold(string_agg(sha256(CAST('\\x00' AS bytea) || leaf), NULL ORDER BY place))"
                " FROM unnest(CAST(:leaves AS bytea[])) WITH ORDINALITY t (leaf, place)"
            ),
            {"leaves": leaves},
        )

    assert found == root(leaves)


def test_digests_do_not_depend_on_the_encoding_or_time_zone_of_the_client(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1), narration="Zo\u00eb \u2013 caf\u00e9"))
    with database.connect() as connection:
        connection.execute("SET client_encoding = 'LATIN1'")
        connection.execute("SET timezone = 'Pacific/Apia'")
        connection.execute("SELECT ledger.seal()")

    with database.engine().connect() as connection:
        assert verify(connection).holds


# --- While others work ------------------------------------------------------------------------------------


def test_a_post_in_flight_is_sealed_after_it_commits_and_nothing_is_missed(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    slow, quick = open_loans(engine, 2)
    with engine.connect() as connection, connection.begin():
        post_entry(UnitOfWork(connection, ACTOR), draft(slow, "a", (PRINCIPAL, CASH, 1)))
        post(engine, draft(quick, "a", (PRINCIPAL, CASH, 1)))
        first = seal_now(engine)
    second = seal_now(engine)

    assert first is not None
    assert second is not None
    with engine.connect() as connection:
        members = connection.execute(sa.text("SELECT block_no, subledger_id FROM ledger.seal_member ORDER BY 1")).all()
        assert members == [(1, quick), (2, slow)]


def test_a_poster_does_not_wait_for_a_seal_under_way(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    with engine.connect() as connection, connection.begin():
        made = seal(UnitOfWork(connection, ACTOR))
        assert made is not None
        with engine.begin() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '500ms'"))
            post_entry(UnitOfWork(other, ACTOR), draft(loan, "b", (PRINCIPAL, CASH, 1)))

    assert (second := seal_now(engine)) is not None and second.entry_count == 1


def test_sealers_and_posters_at_once_lose_nothing_and_seal_nothing_twice(database: Database) -> None:
    engine = database.engine(pool_size=12)
    open_books(engine)
    loans = open_loans(engine, 6)
    stop, failures = threading.Event(), list[BaseException]()

    def guarded(work: Any) -> threading.Thread:
        def body() -> None:
            try:
                work()
            except BaseException as error:  # reported below
                failures.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        return thread

    def poster(number: int) -> None:
        choose = random.Random(number)
        for count in range(60):
            chosen = sorted(choose.sample(loans, choose.randint(1, 3)))
            post(engine, *(draft(loan, f"{number}:{count}", (PRINCIPAL, CASH, 1)) for loan in chosen))

    def sealer() -> None:
        while not stop.is_set():
            seal_now(engine)

    posters = [guarded(lambda number=number: poster(number)) for number in range(3)]
    sealers = [guarded(sealer) for _ in range(3)]
    for thread in posters:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    seal_now(engine)

    assert failures == []
    with engine.connect() as connection:
        report = verify(connection)
        assert report.holds, report.findings
        assert report.blocks > 3
        assert report.entries == connection.scalar(sa.text("SELECT count(*) FROM ledger.journal_entry"))


def test_a_second_sealer_waits_and_then_seals_what_is_left(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    results = []
    with engine.connect() as connection, connection.begin():
        first = seal(UnitOfWork(connection, ACTOR))
        second = threading.Thread(target=lambda: results.append(seal_now(engine)))
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join()

    assert first is not None
    assert results == [None]


# --- Publishing -------------------------------------------------------------------------------------------


def test_digests_are_appended_to_a_file_and_what_was_lost_is_made_up_for(database: Database, tmp_path: Path) -> None:
    made = build(database.engine())
    file = tmp_path / "published" / "digests.jsonl"
    assert read_published(file) == ()

    with database.engine().connect() as connection:
        assert len(publish_to_file(connection, file)) == 3
        before = file.read_text()
        assert publish_to_file(connection, file) == ()
        torn = before.splitlines(keepends=True)
        file.write_text(torn[0] + torn[1][:25])
        assert [each.block_no for each in publish_to_file(connection, file)] == [2, 3]

        assert file.read_text() == before
        assert read_published(file) == tuple(each.digest for each in made.blocks)
        assert check_against_published(connection, read_published(file)) == ()


@pytest.mark.parametrize(
    "text", ["nonsense\n", '{"block_no": 0, "block_hash": "00"}\n', '{"block_no": 1, "block_hash": "zz"}\n', "nonsense"]
)
def test_a_file_that_holds_something_else_is_refused_by_its_line(database: Database, tmp_path: Path, text: str) -> None:
    build(database.engine())
    file = tmp_path / "digests.jsonl"
    file.write_text(text)

    with database.engine().connect() as connection, pytest.raises(MalformedRow, match="row 1"):
        publish_to_file(connection, file)
    assert file.read_text() == text


RECEIVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, self.headers["Content-Type"], body.decode(), end="", flush=True)
        self.send_response(500 if self.path == "/broken" else 204)
        self.end_headers()
    def log_message(self, *arguments): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def receiver() -> Iterator[tuple[int, Any]]:
    """Yield the port and the output of a web server in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.stdout
        process.terminate()


def test_a_digest_is_posted_to_a_webhook(receiver: tuple[int, Any]) -> None:
    port, output = receiver
    digest = BlockDigest(3, bytes(range(32)))

    publish_to_webhook(digest, f"http://127.0.0.1:{port}/digests")

    path, kind, body = output.readline().split(" ", 2)
    assert (path, kind) == ("/digests", "application/json")
    assert json.loads(body) == {"block_no": 3, "block_hash": bytes(range(32)).hex()}


def test_a_webhook_that_does_not_take_the_digest_is_an_error_with_its_reason(receiver: tuple[int, Any]) -> None:
    digest = BlockDigest(3, bytes(32))

    with pytest.raises(DigestNotDelivered, match="500"):
        publish_to_webhook(digest, f"http://127.0.0.1:{receiver[0]}/broken")
    with pytest.raises(DigestNotDelivered, match="refused"):
        publish_to_webhook(digest, "http://127.0.0.1:9/", timeout_seconds=2)
    with pytest.raises(DigestNotDelivered, match="http or https"):
        publish_to_webhook(digest, "file:///etc/passwd")


def test_a_database_restored_from_an_older_copy_is_found_at_start_up(database: Database) -> None:
    engine = database.engine()
    open_books(engine)
    (loan,) = open_loans(engine, 1)
    post(engine, draft(loan, "a", (PRINCIPAL, CASH, 1)))
    seal_now(engine)
    later = BlockDigest(2, bytes(32))

    with engine.connect() as connection:
        true = head(connection)
        assert true is not None
        (finding,) = check_against_published(connection, [true.digest, later])
        assert (finding.code, finding.place) == ("truncated-after-block", "block 1")
        (finding,) = check_against_published(connection, [BlockDigest(1, bytes(32))])
        assert (finding.code, finding.place) == ("forked-at-block", "block 1")
        assert check_against_published(connection, [true.digest]) == ()


def _as_superuser(database: Database, *statements: str) -> None:
    with psycopg.connect(database.libpq_url_for(ADMIN)) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def _take_the_bulk_road(database: Database) -> None:
    """Let every seal take the road that is meant for a large part of the journal."""
    with psycopg.connect(database.libpq_url_for(OWNER)) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION ledger.few_unsealed() RETURNS ledger.unsealed[] LANGUAGE sql STABLE AS"
            " $$ SELECT CASE WHEN count(*) = 0 THEN '{}'::ledger.unsealed[] END FROM ledger.unsealed $$"
        )
