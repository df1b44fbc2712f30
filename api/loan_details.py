"""The parts of a loan as both doors show it: installments, buckets, fees, what is to be reviewed, events.

Next: `api/loans.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from api.views import Json, day
from servicing.buckets import buckets
from servicing.events import UNDOING, Event, Kind
from servicing.queries import LoanView
from servicing.state import Agreement, ContractFigures, FeeState, InstallmentState, Modified

AmountForm = Callable[[int], object]
"""How minor units of one loan's currency are written."""


def installment_json(each: InstallmentState, amount: AmountForm) -> Json:
    """Return an installment: what it asks for, what was paid on it and what was waived of it."""
    return {
        "no": each.no,
        "due": day(each.due),
        "principal": amount(each.principal),
        "interest": amount(each.interest),
        "fees": amount(each.fees),
        "penalties": amount(each.penalties),
        "paid": amount(each.paid),
        "waived": amount(each.waived),
        "paid_off_on": day(each.paid_off_on),
    }


def buckets_json(view: LoanView, amount: AmountForm) -> Json:
    """Return what is owed of each component: past due, due on the day, in advance."""
    return {
        name: {"past_due": amount(of.past_due), "due": amount(of.due), "in_advance": amount(of.in_advance)}
        for name, of in buckets(view.state).items()
    }


def books_json(view: LoanView, amount: AmountForm) -> Json:
    """Return what the books carry otherwise than the contract says, and since when."""
    state = view.state
    return {
        "non_accrual_since": day(state.non_accrual_since),
        "interest_not_accrued": amount(state.memo_interest),
        "interest_counted_as_principal": amount(state.cost_recovery),
        "deferred_fee": amount(state.deferred_fee),
        "charged_off_on": day(state.charged_off_on),
        "sold_on": day(state.sold_on),
        "is_serviced_for_others": state.is_serviced,
    }


def fee_json(fee: FeeState, amount: AmountForm) -> Json:
    """Return a fee by its id, and what became of it."""
    return {
        "fee_id": fee.id,
        "kind": fee.kind,
        "charged_on": day(fee.charged_on),
        "installment": fee.installment,
        **{name: amount(getattr(fee, name)) for name in ("amount", "tax", "waived", "paid", "owed")},
    }


def reviews_json(view: LoanView, amount: AmountForm) -> list[Json]:
    """Return the events whose amount no longer fits."""
    return [
        {"event_no": review.event_no, "decided": amount(review.decided), "stands": amount(review.stands)}
        for review in view.state.reviews
    ]


def modified_json(each: Modified, amount: AmountForm) -> Json:
    """Return a modification that took effect: the contract before and after it."""

    def figures(of: ContractFigures) -> Json:
        return {**asdict(of), "installment": amount(of.installment), "principal": amount(of.principal)}

    return {
        "event_no": each.event_no,
        "kind": each.kind,
        "on": each.on,
        "dpd": each.dpd,
        "capitalized": amount(each.capitalized),
        "forgiven": amount(each.forgiven),
        "moved": amount(each.moved),
        "financial_difficulty": each.difficulty,
        "before": figures(each.before),
        "after": figures(each.after),
    }


def agreement_json(each: Agreement, amount: AmountForm) -> Json:
    """Return a trial plan or a settlement, and how it is kept."""
    return {
        "event_no": each.event_no,
        "kind": each.kind,
        "agreed_on": day(each.agreed_on),
        "amount": amount(each.amount),
        "dues": [day(due) for due in each.dues],
        "grace_days": each.grace_days,
        "tolerance": amount(each.tolerance),
        "then": each.then.get("kind"),
        "rest": each.rest,
        "paid": amount(each.paid),
        "met": each.met,
        "status": each.status,
        "ended_on": day(each.ended_on),
        "boarded_on": day(each.boarded_on),
    }


def events_json(view: LoanView, amount: AmountForm) -> list[Json]:
    """Return what has happened to a loan up to a day, as it was entered."""
    return [event_json(view, event, amount) for event in view.loan.events if event.effective_date <= view.on]


def event_json(view: LoanView, event: Event, amount: AmountForm) -> Json:
    """Return an event by the number under which it is kept, and the one that undid it."""
    undone_by = (each.no for each in view.loan.events if each.kind in UNDOING and each.of == event.no)
    details = {name: value for name, value in event.details.items() if name in SAID}
    if event.kind is Kind.MODIFICATION:
        details["modification"] = event.details["kind"]
    return {
        "event_no": event.no,
        "kind": event.kind.value,
        "effective_date": day(event.effective_date),
        "entered_on": day(event.entered_on),
        "amount": amount(event.amount) if event.amount else None,
        "of": event.of,
        **details,
        **({"commission": amount(event.details["commission"])} if "commission" in event.details else {}),
        "undone_by": next(undone_by, None),
    }


SAID = frozenset(
    {
        *(
            "external_id",
            "fee_id",
            "fee_kind",
            "component",
            "penalty",
            "due",
            "reason",
            "approved_by",
            "code",
            "agency",
        ),
        *("rate", "until", "installments", "first_due_on", "day", "components", "then", "frequency", "amortization"),
        *("financial_difficulty", "installments_are", "payments", "grace_days", "by", "rest"),
        *("counterparty", "servicing", "flag", "lifted"),
    }
)
"""What events say of themselves that is shown as it was entered."""
