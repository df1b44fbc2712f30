"""Taking back entries that should never have been sent: reversing entries, and the payments of the loans undone.

Within five banking days of settlement, once for each entry, for the same amount to the same account. The borrower is
charged nothing. Source: Nacha Operating Rules, subsection 2.9. Next: `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_build import BuiltFile, entry_of
from servicing.commands.ach_returns import Sent, sent_entries
from servicing.commands.ach_sent import Owner, keep_sent, next_numbers
from servicing.commands.payments import reverse_payment
from servicing.nacha.banking_days import effective_date, reversible_until
from servicing.nacha.building import Made, as_reversal, build, by_trace
from servicing.nacha.errors import AchEntryUnknown, AchReversalRefused
from servicing.nacha.program import Program
from servicing.nacha.rendering import render
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.vault import Vault

_REVERSED = sa.text(
    "SELECT count(*) FROM servicing.ach_entry"
    " WHERE loan_id = :loan_id AND first_trace = :trace AND purpose = 'reversal'"
)


def reverse_entries(
    uow: UnitOfWork, vault: Vault, book_code: str, program: Program, traces: Sequence[str], *, reason: str, at: time
) -> BuiltFile:
    """Make the file that takes back debits that were sent and have settled, and undo their payments.

    Raises: BookUnknown; AchEntryUnknown; AchReversalRefused; VaultKeyUnknown; what undoing a payment raises.
    """
    today = book(uow.connection, book_code).business_date
    effective = effective_date(today, at, same_day=program.same_day, cut_off=program.cut_off)
    sent = sent_entries(uow.connection, book_code, traces)
    taken_back, payments = {}, []
    for trace in dict.fromkeys(traces):
        if trace not in sent:
            raise AchEntryUnknown(book=book_code, trace=trace)
        of = _reversible(uow.connection, sent[trace])
        until = reversible_until(sent[trace].effective_on)
        if effective.on > until:
            raise AchReversalRefused(trace=trace, reason=f"it would settle on {effective.on}, after {until}")
        entry = replace(entry_of(uow.connection, vault, of, effective), effective=None)
        payments.append(as_reversal(entry))
        taken_back[of.loan_id, of.instruction_no] = trace, of
    originator = program.originator
    numbers = next_numbers(uow.connection, book_code, originator.bank_routing[:8], today, len(payments))
    made = Made(today, at, effective, numbers.first_sequence, numbers.modifier)
    file = build(originator, payments, made)
    data = render(file)
    keys = {trace: (payment.key[0], payment.key[1]) for trace, payment in by_trace(originator, payments, made).items()}
    owners = {trace: Owner(key[0], None, taken_back[key][0]) for trace, key in keys.items()}
    file_no = keep_sent(uow, book_code, file, data, owners)
    for (loan_id, _), (trace, of) in sorted(taken_back.items()):
        assert of.event_no is not None, "a debit that has settled is credited"
        reverse_payment(uow, loan_id, of.event_no, reason, f"ach-reversal:{trace}")
    return BuiltFile(file_no, data, {trace: taken_back[key][1] for trace, key in sorted(keys.items())}, ())


def _reversible(connection: sa.Connection, sent: Sent) -> Instruction:
    """Return the instruction of an entry that can be taken back.

    Raises: AchReversalRefused.
    """
    of, reason = sent.instruction, ""
    if of is None or of.direction is not Direction.DEBIT:
        reason = "it is no debit of a payment instruction"
    elif connection.scalar(_REVERSED, {"loan_id": sent.loan_id, "trace": sent.trace}):
        reason = "it was reversed before"
    elif of.status is not Status.SETTLED:
        reason = f"its instruction is {of.status}; only what has settled is taken back"
    if reason or of is None:
        raise AchReversalRefused(trace=sent.trace, reason=reason)
    return of
