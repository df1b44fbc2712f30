"""The steps in the life of a book: each asks the reference what must come of it, takes it, and compares.

Next: `machine_sides.py` for what is compared; `test_written_life.py` for a life that takes every step once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from ledger.batch import Batch, BatchRow
from ledger.chart import AccountCode, AccountType
from ledger.commands.accounts import close_account, open_account, reopen_account
from ledger.commands.batches import post_batch
from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period, lift_soft_close, open_period, reopen_period, soft_close_period
from ledger.commands.posting import PostedEntry, post_entry, reverse_entry
from ledger.commands.subledgers import freeze_subledger
from ledger.commands.year_end import year_end_close
from ledger.dates import Month
from ledger.money import Money
from ledger.queries.entries import entries
from ledger.queries.statement import account_statement
from ledger.unit_of_work import UnitOfWork
from tests.property.ledger.machine_sides import LedgerSides
from tests.property.ledger.machine_words import (
    APPROVERS,
    CURRENCIES,
    DAYS,
    KEYS,
    MONTHS,
    MOVES,
    TINY,
    USUAL,
    USUAL_PAIRS,
    WHICH,
    account_of,
    as_reference,
    draft_of,
    moves_of,
)
from tests.support.database import OWNER
from tests.support.reference_ledger import (
    MANUAL,
    BatchRequest,
    Booked,
    Request,
)
from tests.support.reference_periods import next_month


class LedgerMachine(LedgerSides):
    """Takes any step at any time."""

    # --- Accounts and subledgers --------------------------------------------------------------------------

    @rule(
        action=st.sampled_from(["open", "close", "reopen"]),
        code=st.sampled_from(["6001", "6002", "6003", "4010", "1310"]),
        kind=st.sampled_from(list(AccountType)),
        flags=st.sets(st.sampled_from(["contra", "kept", "either", "control"])),
        currency=st.sampled_from([None, None, "USD"]),
        offset=st.sampled_from([-60, -5, 0, 3]),
    )
    def change_chart(
        self, action: str, code: str, kind: AccountType, flags: set[str], currency: str | None, offset: int
    ) -> None:
        """Open an account, close one from a day on, or open a closed one again."""
        definition = account_of(code, kind, *flags, currency=currency)
        day = self.reference.business_date + timedelta(days=offset)
        if action == "open":
            self.both(
                lambda: self.reference.open_account(code, as_reference(definition, day)),
                lambda uow: open_account(uow, self.code, definition, effective_from=day),
            )
        elif action == "close":
            self.both(
                lambda: self.reference.close_account(code, day),
                lambda uow: close_account(uow, self.code, code, closed_from=day),
            )
        else:
            self.both(
                lambda: self.reference.reopen_account(code),
                lambda uow: reopen_account(uow, self.code, code, effective_from=day),
            )

    @rule(
        action=st.sampled_from(["open", "open", "freeze", "thaw", "thaw"]),
        currency=st.sampled_from([None, *CURRENCIES]),
        which=WHICH,
    )
    def change_subledgers(self, action: str, currency: str | None, which: int) -> None:
        """Open a subledger behind the gate as it stands, freeze one or thaw it."""
        if action == "open":
            self._open_subledgers(currency, 1 + which % 2)
            return
        subledger = self.subledger(which)
        self.both(
            lambda: self.reference.freeze(subledger, frozen=action == "freeze"),
            lambda uow: freeze_subledger(uow, subledger, frozen=action == "freeze"),
        )

    # --- Entries ------------------------------------------------------------------------------------------

    @rule(
        work=st.lists(
            st.tuples(
                WHICH, MOVES, KEYS, st.integers(-60, 40), DAYS, APPROVERS, st.sampled_from(["test", "test", MANUAL])
            ),
            min_size=1,
            max_size=5,
        )
    )
    def post_entries(self, work: Sequence[Any]) -> None:
        """Book entries of one or several postings, each in a transaction of its own."""
        for which, wanted, key, effective, booking, approver, template in work:
            subledger = self.subledger(which)
            request = Request(
                subledger=subledger,
                key=self.key(key),
                moves=self.moves(subledger, wanted),
                effective=self.reference.business_date + timedelta(days=effective),
                booking=self.day(booking),
                approver=approver,
                template=template,
            )
            self.post(request)

    @rule(work=st.lists(st.tuples(WHICH, USUAL_PAIRS, TINY), min_size=1, max_size=5))
    def post_usual_entries(self, work: Sequence[Any]) -> None:
        """Book what is booked every day."""
        for which, pair, minor in work:
            subledger = self.subledger(which)
            moves = self.moves(subledger, [(pair, minor, None)])
            today = self.reference.business_date
            self.post(Request(subledger=subledger, key=self.key(None), moves=moves, effective=today))

    @precondition(lambda self: any(self.reference.entries()))
    @rule(which=st.integers(0, 50), field=st.sampled_from([None, None, "moves", "effective", "narration", "approver"]))
    def repeat(self, which: int, field: str | None) -> None:
        """Ask again for what was booked, as it was or otherwise."""
        known = list(self.reference.entries())
        request = known[which % len(known)].request
        debit, credit, minor, currency = request.moves[0]
        changes: dict[str, Any] = {
            "moves": ((debit, credit, minor + 1, currency), *request.moves[1:]),
            "effective": request.effective + timedelta(days=1),
            "narration": "another",
            "approver": "another boss",
        }
        self.post(replace(request, **{field: changes[field]}) if field else request)

    @rule(work=st.lists(st.tuples(WHICH, WHICH, KEYS, DAYS, APPROVERS), min_size=1, max_size=4))
    def reverse(self, work: Sequence[Any]) -> None:
        """Undo entries: some for the second time, some that undo another."""
        for which, entry, wanted, booking, approver in work:
            self._reverse(self.subledger(which), entry, self.key(wanted), self.day(booking), approver)

    def _reverse(self, subledger: int, entry: int, key: str, day: date | None, approver: str | None) -> None:
        number = self.number(subledger, entry)
        self.expect(
            lambda: self.reference.post(
                self.reference.reversal(subledger, number, key=key, booking=day, approver=approver)
            ),
            lambda: self.run(
                lambda uow: reverse_entry(
                    uow, subledger, number, request_key=key, booking_date=day, approved_by=approver
                )
            ),
        )

    @rule(which=WHICH, entry=WHICH, wanted=MOVES)
    def correct(self, which: int, entry: int, wanted: Sequence[Any]) -> None:
        """Undo an entry and book it right, both or neither."""
        subledger = self.subledger(which)
        number = self.number(subledger, entry)
        undo, again = self.key(None), self.key(None)
        right = Request(
            subledger=subledger,
            key=again,
            moves=self.moves(subledger, wanted),
            effective=self.reference.business_date,
            corrects=number,
        )

        def predicted() -> Booked:
            wrong = self.reference.reversal(subledger, number, key=undo, booking=None, approver=None)
            return self.reference.post_all([wrong, right])[1]

        def work(uow: UnitOfWork) -> PostedEntry:
            reverse_entry(uow, subledger, number, request_key=undo)
            return post_entry(uow, draft_of(right))

        self.expect(predicted, lambda: self.run(work))

    @rule(
        rows=st.lists(st.tuples(WHICH, MOVES), min_size=1, max_size=4),
        key=st.sampled_from(["k1", "run 1", "run 2"]),
        chunk=st.sampled_from([1, 2, 5_000]),
    )
    def post_batch(self, rows: Sequence[Any], key: str, chunk: int) -> None:
        """Book a batch, whose key may have come before."""
        chosen = [(self.subledger(which), wanted) for which, wanted in rows]
        moves = tuple((each, move) for each, wanted in chosen for move in self.moves(each, wanted))
        self._post_batch(BatchRequest(key=key, effective=self.reference.business_date, rows=moves), chunk)

    @rule(which=st.sets(st.integers(0, 10), min_size=1), minors=st.lists(TINY, min_size=1, max_size=3))
    def post_usual_batch(self, which: set[int], minors: list[int]) -> None:
        """Book what is booked every night."""
        chosen = {self.subledger(each) for each in which}
        wanted = [(("1220", "4010"), minor, None) for minor in minors]
        rows = tuple((each, move) for each in sorted(chosen) for move in self.moves(each, wanted))
        day = self.reference.business_date
        self._post_batch(BatchRequest(key=self.key(None), effective=day, rows=rows), 5_000)

    @precondition(lambda self: self.batches)
    @rule(which=st.integers(0, 20), chunk=st.sampled_from([1, 5_000]))
    def repeat_batch(self, which: int, chunk: int) -> None:
        """Run a batch again: what it has booked is passed over."""
        self._post_batch(self.batches[which % len(self.batches)], chunk)

    def _post_batch(self, request: BatchRequest, chunk: int) -> None:
        self.batches.append(request)
        both = self.step(
            lambda: self.reference.post_batch(request, chunk=chunk),
            lambda: post_batch(self.engine, self._batch_of(request), actor="teller", chunk=chunk),
        )
        if both:
            assert (both[1].posted, both[1].posted_before) == both[0]
            return
        keys = self.rows(
            "SELECT subledger_id FROM ledger.journal_entry WHERE book_id = :book AND request_key = :key",
            key=request.key,
        )
        heads = self.reference.heads
        self.reference.adopt(request, {each for (each,) in keys if not heads[each].of_key(request.key)})

    def _batch_of(self, request: BatchRequest) -> Batch:
        return Batch(
            book_code=self.code,
            request_key=request.key,
            template="batch",
            template_version=1,
            effective_date=request.effective,
            rows=tuple(
                BatchRow(each, AccountCode(debit), AccountCode(credit), Money(minor, currency))
                for each, (debit, credit, minor, currency) in request.rows
            ),
        )

    # --- Days, months, years, seals -----------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 8, 25, 31, 0, 1, -1]))
    def advance(self, days: int) -> None:
        """Move the business date."""
        to = self.reference.business_date + timedelta(days=days)
        self.both(lambda: self.reference.advance(to), lambda uow: advance_business_date(uow, self.code, to))

    @rule(offset=MONTHS, action=st.sampled_from(["open", "soft_close", "lift"]))
    def change_month(self, offset: int, action: str) -> None:
        """Open a month ahead, close one to ordinary work, or lift that."""
        month = self.month(offset)
        predicted, taken = {
            "open": (self.reference.open_month, open_period),
            "soft_close": (self.reference.soft_close, soft_close_period),
            "lift": (self.reference.lift, lift_soft_close),
        }[action]
        self.both(lambda: predicted(month), lambda uow: taken(uow, self.code, Month.of(month)))

    @rule(which=st.sampled_from(["next", "next", "next", 0, 1, -1]))
    def close(self, which: int | str) -> None:
        """Close a month for good, or the next one once it is over: it is sealed, and its balances have a digest."""
        month = min(month for month, state in self.reference.months.items() if state != "closed")
        if isinstance(which, int):
            month = self.month(which)
        elif self.reference.business_date < next_month(month):
            self.advance((next_month(month) - self.reference.business_date).days)
        both = self.step(
            lambda: self.reference.close(month),
            lambda: close_period(self.engine, self.code, Month.of(month), actor="teller", chunk=2),
        )
        if both:
            assert (both[1].block_no, both[1].trial_balance_digest) == both[0]

    @precondition(lambda self: "closed" in self.reference.months.values())
    @rule(
        which=st.sampled_from(["latest", "latest", "latest", 0, 1]),
        approver=st.sampled_from(["boss", "boss", "boss", None, "teller"]),
        reason=st.sampled_from(["late", "late", "late", ""]),
    )
    def reopen(self, which: int | str, approver: str | None, reason: str) -> None:
        """Open a closed month again, by two people."""
        month = max(month for month, state in self.reference.months.items() if state == "closed")
        if isinstance(which, int):
            month = self.month(which)
        self.step(
            lambda: self.reference.reopen(month, actor="teller", approver=approver, reason=reason),
            lambda: reopen_period(
                self.engine, self.code, Month.of(month), actor="teller", approver=approver, reason=reason, chunk=2
            ),
        )

    @rule(
        year=st.sampled_from([2025, 2025, 2025, 2026, 2024]),
        approver=st.sampled_from(["boss", "boss", "boss", "teller", None]),
    )
    def close_year(self, year: int, approver: str | None) -> None:
        """Carry the result of a year to retained earnings."""
        changes = self.reference.year_end_changes(year)
        both = self.step(
            lambda: self.reference.year_end(year, actor="teller", approver=approver),
            lambda: self.run(lambda uow: year_end_close(uow, self.code, year), approver=approver),
        )
        if both is None:
            return
        request, closed = both
        assert (closed.posted is None) == (request is None)
        if closed.posted:
            entry = self.reference.heads[self.reference.own].entries[-1]
            assert closed.posted.entry_no == entry.number
            (view,) = self.read(entries, self.reference.own, after=entry.number - 1)
            moves = moves_of(view.entry.postings)
            moved: dict[tuple[str, str], int] = {}
            for debit, credit, minor, currency in moves:
                moved[debit, currency] = moved.get((debit, currency), 0) + minor
                moved[credit, currency] = moved.get((credit, currency), 0) - minor
            assert moved == changes
            entry.request = replace(entry.request, moves=moves)
            entry.identity = entry.request.identity

    # --- Reading ------------------------------------------------------------------------------------------

    @rule(wanted=DAYS, by=st.sampled_from(["booking", "effective"]), back=st.none() | st.integers(0, 3))
    def read_trial_balance(
        self, wanted: int | str | None, by: Literal["booking", "effective"], back: int | None
    ) -> None:
        """Read the trial balance of any day, as known now or some blocks ago."""
        known_at = None if back is None else max(self.reference.block - back, self.first_block)
        self.compare_trial_balance(self.day(wanted) or self.reference.business_date, by, known_at)

    @rule(
        code=st.sampled_from(sorted({code for pair in USUAL for code in pair})),
        which=st.none() | st.integers(0, 10),
        currency=st.sampled_from(CURRENCIES),
        days=st.tuples(st.integers(-50, 20), st.integers(0, 60)),
    )
    def read_statement(self, code: str, which: int | None, currency: str, days: tuple[int, int]) -> None:
        """Read the statement of an account between two days."""
        first = self.reference.business_date + timedelta(days=days[0])
        last = first + timedelta(days=days[1])
        subledger = None if which is None else self.subledger(which)
        found = self.read(
            account_statement,
            self.code,
            code,
            from_date=first,
            to_date=last,
            subledger_id=subledger,
            currency=currency,
        )
        opening, lines = self.reference.statement(code, currency, from_date=first, to_date=last, subledger=subledger)
        assert found.opening.minor == opening
        assert [
            (
                line.booking_date,
                line.subledger_id,
                line.entry_no,
                line.debit.minor,
                line.credit.minor,
                line.balance.minor,
            )
            for line in found.lines
        ] == lines
        assert found.closing.minor == (lines[-1][-1] if lines else opening)

    @rule(
        statement=st.sampled_from(
            ["DELETE FROM ledger.{}", "UPDATE ledger.{} SET subledger_id = 1", "TRUNCATE ledger.{} CASCADE"]
        ),
        table=st.sampled_from(["journal_entry", "posting"]),
        role=st.sampled_from(["loanbook_app", OWNER]),
    )
    def try_to_rewrite(self, statement: str, table: str, role: str) -> None:
        """Try to delete what is booked: the application may not, and its owner is refused."""
        with self.database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(statement.format(table))
        assert refused.value.sqlstate == ("LB021" if role == OWNER else "42501")
