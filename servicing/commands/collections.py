"""What people do in collecting from a borrower: contacts, promises, flags, and who works on a case.

Each is a note in the log of the loan under its request key, so it is done once.
Never: what the day decides (`servicing/commands/collection_days.py`). Next: `servicing/collecting.py`;
`docs/how-to/collections.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import sqlalchemy as sa

from ledger.money import Money
from ledger.queries.accounts import book as load_book
from ledger.unit_of_work import UnitOfWork
from servicing import collection_tables as tables
from servicing.collecting import ALL, CHANNELS, Policy, Promise, Promises
from servicing.collection_store import PolicyVersion, add_promises, flags_of, note, policy_of, promises_of
from servicing.commands.recording import check_currency
from servicing.errors import CaseNotOpen, ContactCeased, ContactInvalid, PromiseInvalid
from servicing.flags import COLLECTIONS, HOLDS, flags_on
from servicing.store import Loan, load_loan

_LOAD = sa.text(
    "INSERT INTO servicing.collection_policy (book_id, version, content_hash, rules, loaded_on, actor)"
    " VALUES (:book_id, :version, :content_hash, CAST(:rules AS jsonb), :loaded_on, :actor)"
)
_MARK = sa.text(
    "INSERT INTO servicing.collection_mark (book_id, through) VALUES (:book_id, :through)"
    " ON CONFLICT (book_id) DO NOTHING"
)


def load_policy(uow: UnitOfWork, book_code: str, policy: Policy) -> tuple[PolicyVersion, bool]:
    """Let a book collect by a policy from the business date on; the same again changes nothing.

    Return its version, and whether it is new. Raises: BookUnknown.
    """
    book = load_book(uow.connection, book_code)
    text = policy.model_dump_json()
    digest = hashlib.sha256(text.encode()).hexdigest()
    before = policy_of(uow.connection, book.book_id)
    if before is not None and before.content_hash == digest:
        return before, False
    version = 1 if before is None else before.version + 1
    values = {"book_id": book.book_id, "version": version, "content_hash": digest, "rules": text}
    uow.connection.execute(_LOAD, {**values, "loaded_on": book.business_date, "actor": uow.actor})
    uow.connection.execute(_MARK, {"book_id": book.book_id, "through": book.business_date - timedelta(days=1)})
    return PolicyVersion(version, digest, policy), True


def promise(
    uow: UnitOfWork, loan_id: int, *, amounts: Sequence[Money], due_on: Sequence[date], request_key: str
) -> tuple[Promise, ...]:
    """Note what a borrower promises to pay by which days: one promise, or a plan of several.

    A payment counts for the promise in whose time it comes: from the day of the promise, or once the one before is
    over with its grace, to its own day and grace. Raises: LoanUnknown; PromiseInvalid; CurrencyMismatch;
    RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    for amount in amounts:
        check_currency(loan, amount)
        if amount.minor <= 0:
            raise PromiseInvalid(field="amount", reason="it is more than nothing")
    days = list(due_on)
    if not days or days != sorted(set(days)) or len(days) != len(amounts):
        raise PromiseInvalid(field="by", reason="each promise of a plan is due on a later day than the one before")
    today = loan.business_date
    details = {"amounts": [each.minor for each in amounts], "by": [day.isoformat() for day in days]}
    known = promises_of(uow.connection, loan_id)
    if not note(uow, loan_id, today, "promise", details, request_key):
        return tuple(each for each in known if each.plan_no == _plan_of(uow, loan_id, request_key))
    if days[0] < today:
        raise PromiseInvalid(field="by", reason=f"the business date is {today}")
    made = _drawn_up(loan, amounts, days, known, _rules(uow, loan))
    add_promises(uow, made, request_key)
    _set_action(uow, loan_id, "await_promise", made[0].last_day)
    return made


def contact(
    uow: UnitOfWork, loan_id: int, *, channel: str, outcome: str, text: str, inbound: bool, request_key: str
) -> bool:
    """Note a contact with the borrower; tell whether it is new. One that the borrower began is not refused.

    A flag of the loan that holds collections, such as a bankruptcy, ceases every channel.

    Raises: LoanUnknown; ContactInvalid; ContactCeased; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _check_channel(channel, CHANNELS)
    for flag in flags_of(uow.connection, loan_id):
        if not inbound and flag.channel in (ALL, channel):
            raise ContactCeased(loan_id=loan_id, channel=channel, since=flag.set_on, reason=flag.reason)
    for name, since in flags_on(loan.events, loan.business_date).items():
        if not inbound and COLLECTIONS in HOLDS[name]:
            raise ContactCeased(loan_id=loan_id, channel=channel, since=since, reason=name)
    details = {"channel": channel, "outcome": outcome, "text": text, "inbound": inbound}
    return note(uow, loan_id, loan.business_date, "contact", details, request_key)


def cease_contact(uow: UnitOfWork, loan_id: int, *, channel: str, reason: str, request_key: str) -> bool:
    """Let nobody contact the borrower by a channel, or by any (`all`); tell whether it is new.

    Raises: LoanUnknown; ContactInvalid; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _check_channel(channel, (*CHANNELS, ALL))
    details = {"channel": channel, "reason": reason}
    if not note(uow, loan_id, loan.business_date, "cease_contact", details, request_key):
        return False
    text = "INSERT INTO servicing.contact_flag (loan_id, flag_no, channel, reason, set_on, actor)"
    text += " SELECT :loan_id, coalesce(max(f.flag_no), 0) + 1, :channel, :reason, :day, :actor"
    text += " FROM servicing.contact_flag f WHERE f.loan_id = :loan_id"
    values = {"loan_id": loan_id, **details, "day": loan.business_date, "actor": uow.actor}
    uow.connection.execute(sa.text(text), values)
    return True


def allow_contact(uow: UnitOfWork, loan_id: int, *, channel: str, reason: str, request_key: str) -> bool:
    """Lift the flags of a channel; tell whether it is new.

    Raises: LoanUnknown; ContactInvalid; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _check_channel(channel, (*CHANNELS, ALL))
    details = {"channel": channel, "reason": reason}
    if not note(uow, loan_id, loan.business_date, "allow_contact", details, request_key):
        return False
    flags = tables.contact_flag
    lifted = sa.update(flags).values(lifted_on=loan.business_date, lifted_by=uow.actor)
    uow.connection.execute(
        lifted.where(flags.c.loan_id == loan_id, flags.c.channel == channel, flags.c.lifted_on.is_(None))
    )
    return True


def assign(
    uow: UnitOfWork,
    loan_id: int,
    *,
    owner: str | None,
    next_action: str | None,
    next_action_on: date | None,
    request_key: str,
) -> bool:
    """Give an open case to somebody, or say what is done next and by when; tell whether it is new.

    Raises: LoanUnknown; CaseNotOpen; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    day = next_action_on or loan.business_date
    details = {"owner": owner, "next_action": next_action, "next_action_on": day.isoformat()}
    if not note(uow, loan_id, loan.business_date, "assigned", details, request_key):
        return False
    cases = tables.collection_case
    values = {name: value for name, value in (("owner", owner), ("next_action", next_action)) if value is not None}
    if next_action is not None or next_action_on is not None:
        values = {**values, "next_action_on": day}  # type: ignore[dict-item]
    changed = sa.update(cases).values(**values).where(cases.c.loan_id == loan_id, cases.c.closed_on.is_(None))
    if uow.connection.execute(changed).rowcount == 0:
        raise CaseNotOpen(loan_id=loan_id)
    return True


def _rules(uow: UnitOfWork, loan: Loan) -> Promises:
    found = policy_of(uow.connection, load_book(uow.connection, loan.book_code).book_id)
    return Promises() if found is None else found.policy.promises


def _drawn_up(
    loan: Loan, amounts: Sequence[Money], days: Sequence[date], known: Sequence[Promise], rules: Promises
) -> tuple[Promise, ...]:
    first, plan = len(known) + 1, max((each.plan_no for each in known), default=0) + 1
    tolerance = loan.terms.amount(rules.tolerance_amount).minor
    over = timedelta(days=rules.grace_days + 1)
    starts = [loan.business_date, *(min(day + over, coming) for day, coming in pairwise(days))]
    return tuple(
        Promise(
            loan_id=loan.loan_id,
            promise_no=no,
            plan_no=plan,
            promised_on=loan.business_date,
            counts_from=start,
            due_on=day,
            amount=amount.minor,
            least=rules.least(amount.minor, tolerance),
            grace_days=rules.grace_days,
        )
        for no, (amount, start, day) in enumerate(zip(amounts, starts, days, strict=True), start=first)
    )


def _plan_of(uow: UnitOfWork, loan_id: int, request_key: str) -> int | None:
    statement = sa.text(
        "SELECT plan_no FROM servicing.promise WHERE loan_id = :loan_id AND request_key = :request_key || '/1'"
    )
    found: int | None = uow.connection.scalar(statement, {"loan_id": loan_id, "request_key": request_key})
    return found


def _set_action(uow: UnitOfWork, loan_id: int, action: str, day: date) -> None:
    cases = tables.collection_case
    changed = sa.update(cases).values(next_action=action, next_action_on=day)
    uow.connection.execute(changed.where(cases.c.loan_id == loan_id, cases.c.closed_on.is_(None)))


def _check_channel(channel: str, known: Sequence[str]) -> None:
    if channel not in known:
        raise ContactInvalid(field="channel", reason=f"it is one of {', '.join(known)}")
