"""What the machine of the ledger speaks of: a chart, moves between its accounts, and how requests are written.

Next: `tests/property/ledger/machine_sides.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hypothesis import strategies as st

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from tests.support.reference_ledger import RETAINED_EARNINGS, Account, Move, Request

OPENED_ON = date(2025, 11, 10)
FIRST_DAY = date(2026, 1, 20)
NOBODY = 10**12

A, L, E, I, X, M = AccountType  # noqa: E741 - asset, liability, equity, income, expense, memorandum


def account_of(code: str, kind: AccountType, *flags: str, currency: str | None = None) -> AccountDefinition:
    contra = "contra" in flags
    kept = "kept" in flags
    return AccountDefinition(
        code=AccountCode(code),
        slug=f"account_{code}",
        name=f"Account {code}",
        type=kind,
        normal_side=kind.normal_side.opposite if contra else kind.normal_side,
        currency=currency,
        header="header" in flags,
        subledgered=kept,
        may_go_contra=not kept or "either" in flags,
        control="control" in flags,
    )


CHART = Chart(
    "machine",
    accounts=(
        account_of("1000", A, "header"),
        account_of("1020", A),
        account_of("1030", A, currency="EUR"),
        account_of("1210", A, "kept", "control"),
        account_of("1220", A, "kept", "control"),
        account_of("1310", A, "kept", "contra"),
        account_of("1600", A, "kept", "either"),
        account_of("2010", L, "kept", "control"),
        account_of("2600", L, "kept", "either"),
        account_of("2650", L, "contra"),
        account_of("3010", E),
        account_of(RETAINED_EARNINGS, E),
        account_of("4010", I),
        account_of("4020", I, "contra"),
        account_of("5200", X),
        account_of("9010", M, "kept"),
        account_of("9015", M, "kept", "contra"),
    ),
    roles={"default": {"RETAINED_EARNINGS": AccountCode(RETAINED_EARNINGS)}},
)
USUAL = (
    ("1210", "1020"),  # funding
    ("1020", "1210"),  # payment
    ("1220", "4010"),  # accrual
    ("1020", "1220"),
    ("1310", "4010"),  # fee earned, out of the deferred one
    ("1020", "1310"),
    ("1020", "2010"),
    ("2010", "1210"),
    ("1600", "2600"),  # due from one, due to another: either may turn
    ("2600", "1600"),
    ("2650", "1020"),  # what is due to somebody, contra
    ("1020", "2650"),
    ("5200", "1020"),
    ("4020", "1020"),  # income given back
    ("1020", "3010"),
    ("9010", "9015"),  # memoranda
    ("9015", "9010"),
)
CODES = ("1000", "1020", "1030", "1210", "1220", "1310", "2600", "2650", "4010", "9010", "6001", "6002")
CURRENCIES = ("USD", "EUR", "JPY")

TINY = st.sampled_from([1, 2, 3, 5, 100])
AMOUNTS = TINY | TINY | st.integers(1, 10**12)
USUAL_PAIRS = st.sampled_from(USUAL)
ANY_PAIRS = st.lists(st.sampled_from(CODES), min_size=2, max_size=2, unique=True)
PAIRS = st.one_of(*[USUAL_PAIRS] * 7, ANY_PAIRS)
MOVES = st.lists(st.tuples(PAIRS, AMOUNTS, st.sampled_from([*[None] * 20, *CURRENCIES])), min_size=1, max_size=3)
"""Pairs of accounts, amounts, and a currency (None: the subledger's own, or dollars)."""

WHICH = st.integers(0, 11)
"""Which of those that there are, counted round."""

KEYS = st.sampled_from([None, None, None, "k1", "k2", "k3"])
DAYS = st.sampled_from([None, None, None, "first", "last", "last"]) | st.integers(-75, 2)
"""A day: the first of the business date's month, the last of the one before, or days from the business date."""

APPROVERS = st.sampled_from([None, "boss", "boss"])
MONTHS = st.integers(-1, 3)
"""Months from the one in which the book opened."""


def draft_of(request: Request) -> EntryDraft:
    """Return the draft that asks the ledger for what a request asks the reference for."""
    return EntryDraft(
        subledger_id=SubledgerId(request.subledger),
        template=request.template,
        template_version=1,
        effective_date=request.effective,
        booking_date=request.booking,
        actor="teller",
        approved_by=request.approver,
        request_key=request.key,
        narration=request.narration,
        reverses_no=request.reverses,
        corrects_no=request.corrects,
        postings=tuple(
            Posting(AccountCode(debit), AccountCode(credit), Money(minor, currency))
            for debit, credit, minor, currency in request.moves
        ),
    )


def moves_of(postings: Sequence[Posting]) -> tuple[Move, ...]:
    """Return postings as the reference writes them."""
    return tuple((p.debit, p.credit, p.money.minor, p.money.currency) for p in postings)


def as_reference(definition: AccountDefinition, since: date) -> Account:
    return Account(
        type=str(definition.type),
        debit_normal=definition.normal_side is Side.DEBIT,
        opened_from=since,
        currency=definition.currency,
        header=definition.header,
        subledgered=definition.subledgered,
        may_go_contra=definition.may_go_contra,
        control=definition.control,
    )
