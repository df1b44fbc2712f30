"""Runs a scenario through the real commands on a real database, in a transaction that is rolled back.

What comes out is the documented JSON: what happened, and every difference to what was expected. A refused event changes
nothing and is reported. Never: figures of its own. Next: `servicing/scenario.py`, `servicing/commands/payments.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from ledger.chart import AccountCode
from ledger.chart_file import parse_chart
from ledger.commands import books
from ledger.errors import DomainError
from ledger.money import Money
from ledger.queries.accounts import accounts
from ledger.queries.entries import EntryView, entries
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import accrue_loan, run_day
from servicing.commands.payments import return_payment, reverse_payment, take_payment
from servicing.drafts import LoanDraft
from servicing.errors import LaterWork, PaymentUnknown
from servicing.queries import LoanView, loan_view, versions
from servicing.scenario import Scenario, ScenarioEvent
from servicing.scenario_expect import differences
from servicing.schedule import contract_schedule

ACTOR = "scenario"
BOOK = "SCENARIO"
PARTS = ("principal", "interest", "fees", "penalties", "unapplied")


@dataclass(slots=True)
class _Run:
    """What a run has come to so far."""

    uow: UnitOfWork
    scenario: Scenario
    loan_id: int
    slugs: Mapping[AccountCode, str]
    event_nos: dict[str, int] = field(default_factory=dict)
    last_entry: int = 0
    because: list[tuple[int, str]] = field(default_factory=list)
    """Payment and event of the scenario, for each version of an allocation in the order in which they came."""

    def text(self, minor: int) -> str:
        return Money(minor, self.scenario.currency).format()

    def texts(self, parts: Mapping[str, int]) -> dict[str, str]:
        return {name: self.text(parts.get(name, 0)) for name in PARTS}


def run_scenario(engine: sa.Engine, scenario: Scenario) -> dict[str, Any]:
    """Return the documented JSON object of one scenario; nothing stays in the database.

    Raises: what boarding raises, for a loan that cannot be.
    """
    return run(engine, lambda uow: _run(uow, scenario), actor=ACTOR, dry_run=True)


def _run(uow: UnitOfWork, scenario: Scenario) -> dict[str, Any]:
    live = _fund(uow, scenario)
    business_date = scenario.terms.funded_on
    happened = []
    for event in scenario.events:
        if event.entered > business_date:
            business_date = event.entered
            books.advance_business_date(uow, BOOK, business_date)
        happened.append(_happen(live, event, business_date))
    result = _report(live, happened, business_date)
    result["differences"] = differences(
        scenario, result, lambda day: _view_json(live, day), lambda id_: _lines_of(live, id_)
    )
    result["ok"] = not result["differences"]
    return result


def _fund(uow: UnitOfWork, scenario: Scenario) -> _Run:
    terms = scenario.terms
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))
    books.create_book(
        uow,
        code=BOOK,
        name=scenario.name,
        base_currency=scenario.currency,
        opened_on=terms.funded_on,
        business_date=terms.funded_on,
    )
    books.load_chart(uow, BOOK, chart)
    (loan_id,) = board_and_fund_loans(uow, BOOK, [LoanDraft(scenario.name, terms)])
    slugs = {account.code: account.slug for account in accounts(uow.connection, BOOK)}
    return _Run(uow, scenario, loan_id, slugs, last_entry=len(entries(uow.connection, loan_id)))


def _happen(live: _Run, event: ScenarioEvent, business_date: date) -> dict[str, Any]:
    savepoint = live.uow.connection.begin_nested()
    refused = None
    try:
        _act(live, event)
        savepoint.commit()
    except DomainError as refusal:
        savepoint.rollback()
        live.event_nos.pop(event.id, None)
        refused = {"code": refusal.code, "message": refusal.message}
    _note_versions(live, event)
    written = entries(live.uow.connection, live.loan_id, after=live.last_entry)
    live.last_entry += len(written)
    amount = event.values.get("amount")
    return {
        "id": event.id,
        "kind": event.kind,
        "on": event.on.isoformat(),
        "entered": business_date.isoformat(),
        "amount": None if amount is None else Money.parse(amount, live.scenario.currency).format(),
        "refused": refused,
        "allocation": None,
        "by_installment": [],
        "versions": [],
        **_view_json(live, business_date, brief=True),
        "entries": [_entry_json(live, view) for view in written],
    }


def _note_versions(live: _Run, event: ScenarioEvent) -> None:
    """Remember which event brought the new versions of allocations; the daily cycle leaves no event of its own."""
    known = Counter(payment for payment, _ in live.because)
    for payment, count in Counter(payment for payment, _, _ in versions(live.uow.connection, live.loan_id)).items():
        live.because += [(payment, event.id)] * (count - known[payment])


def _act(live: _Run, event: ScenarioEvent) -> None:
    key = f"scenario:{event.id}"
    if event.kind == "payment":
        taken = take_payment(
            live.uow,
            live.loan_id,
            amount=Money.parse(event.values["amount"], live.scenario.currency),
            effective_date=event.on,
            method=event.values.get("method", "cash"),
            external_id=event.id,
            request_key=key,
            waterfall=event.values.get("waterfall"),
            allocate=_split_of(live, event),
        )
        live.event_nos[event.id] = taken.payment_id
    elif event.kind in ("return", "reverse"):
        of = event.values["of"]
        if of not in live.event_nos:
            raise PaymentUnknown(loan_id=live.loan_id, payment_id=of)
        undo, why = (return_payment, "code") if event.kind == "return" else (reverse_payment, "reason")
        undone = undo(live.uow, live.loan_id, live.event_nos[of], event.values.get(why, ""), key)
        live.event_nos[event.id] = undone.event_no
    elif event.kind == "run_day":
        run_day(live.uow, live.loan_id, event.on)
        _refuse_later_steps(live, event.on)
    else:
        accrue_loan(live.uow, live.loan_id, event.on)


def _split_of(live: _Run, event: ScenarioEvent) -> dict[str, Money] | None:
    """Return the split that a payment brings along."""
    told = event.values.get("allocate")
    return told and {name: Money.parse(part, live.scenario.currency) for name, part in told.items()}


def _refuse_later_steps(live: _Run, on: date) -> None:
    """Refuse a day whose close would take a step that the product asks for by name and that is not built yet."""
    product, dpd = live.scenario.terms.product, loan_view(live.uow.connection, live.loan_id, on).dpd
    for name in ("non_accrual_dpd", "charge_off_dpd"):
        threshold = getattr(product, name)
        if threshold is not None and dpd >= threshold:
            raise LaterWork(key=f"product.{name} on a loan that is {dpd} days past due")


def _report(live: _Run, happened: list[dict[str, Any]], on: date) -> dict[str, Any]:
    final = loan_view(live.uow.connection, live.loan_id, on)
    history = versions(live.uow.connection, live.loan_id)
    for item in happened:
        number = live.event_nos.get(item["id"])
        if item["kind"] != "payment" or number is None:
            continue
        parts = final.state.allocations.get(number)
        item["allocation"] = live.texts(parts.components() if parts else {})
        item["by_installment"] = [
            {"no": no, **{name: live.text(took.components()[name]) for name in PARTS if name != "unapplied"}}
            for no, took in final.state.by_installment.get(number, {}).items()
        ]
        item["versions"] = [
            {"because": because, "allocation": live.texts(allocation)}
            for because, allocation in zip(
                (id_ for payment, id_ in live.because if payment == number),
                (allocation for payment, _, allocation in history if payment == number),
                strict=True,
            )
        ]
    return {
        "scenario": live.scenario.name,
        "ok": True,
        "differences": [],
        "schedule": schedule_json(live.scenario),
        "events": happened,
        "installments": _installments_json(live, final),
        "final": {"on": on.isoformat(), **_view_json(live, on, brief=True)},
    }


def schedule_json(scenario: Scenario) -> list[dict[str, Any]]:
    """Return the contract schedule as the documented list."""
    currency = scenario.currency
    return [
        {
            "no": i.no,
            "due": i.due.isoformat(),
            "principal": Money(i.principal, currency).format(),
            "interest": Money(i.interest, currency).format(),
            "fees": Money(0, currency).format(),
            "total": Money(i.total, currency).format(),
            "balance": Money(i.balance, currency).format(),
        }
        for i in contract_schedule(scenario.terms)
    ]


def _view_json(live: _Run, day: date, *, brief: bool = False) -> dict[str, Any]:
    view = loan_view(live.uow.connection, live.loan_id, day)
    found = {
        "balances": live.texts(view.state.balances()),
        "status": view.state.status,
        "dpd": view.dpd,
        "bucket": view.bucket,
    }
    return found if brief else {**found, "installments": _installments_json(live, view)}


def _installments_json(live: _Run, view: LoanView) -> list[dict[str, Any]]:
    return [
        {
            "no": i.no,
            "due": i.due.isoformat(),
            "principal": live.text(i.principal),
            "interest": live.text(i.interest),
            "fees": live.text(i.fees),
            "penalties": live.text(i.penalties),
            "paid_principal": live.text(i.paid_principal),
            "paid_interest": live.text(i.paid_interest),
            "paid_fees": live.text(i.paid_fees),
            "paid_penalties": live.text(i.paid_penalties),
            "paid": live.text(i.paid),
            "paid_off_on": None if i.paid_off_on is None else i.paid_off_on.isoformat(),
        }
        for i in view.state.installments
    ]


def _entry_json(live: _Run, view: EntryView) -> dict[str, Any]:
    draft = view.entry.draft
    zero = live.text(0)
    lines = []
    for line in view.lines:
        amount, debit = line.money.format(), str(line.side) == "debit"
        lines.append(
            {
                "account": live.slugs[line.account],
                "debit": amount if debit else zero,
                "credit": zero if debit else amount,
            }
        )
    return {
        "entry_no": view.entry.entry_no,
        "effective": draft.effective_date.isoformat(),
        "booked": view.entry.booking_date.isoformat(),
        "template": draft.template,
        "version": draft.template_version,
        "reverses": draft.reverses_no,
        "corrects": draft.corrects_no,
        "lines": lines,
    }


def _lines_of(live: _Run, event_id: str) -> list[dict[str, str]] | None:
    """Return what the journal says of one event, netted per account and side; None of no such event.

    Of a payment or a fee: the entry that booked it last, undone since or not. Of a return or a reversal: the
    reversals of what it undid, and the fee that it earned.
    """
    if event_id not in live.event_nos:
        return None
    number = live.event_nos[event_id]
    (of,) = (event.of for event in loan_view(live.uow.connection, live.loan_id).loan.events if event.no == number)
    said: dict[str, EntryView] = {}
    for view in entries(live.uow.connection, live.loan_id):
        draft = view.entry.draft
        own, undone = (_is_of(draft.source_ref, each) for each in (number, of))
        if own and draft.reverses_no is None:
            said[draft.source_ref or ""] = view
        if undone and draft.reverses_no is not None and (draft.details or {}).get("because_event") == number:
            said[draft.source_ref or ""] = view
    net: dict[tuple[str, str], int] = {}
    for line in (line for view in said.values() for line in view.lines):
        key = (live.slugs[line.account], str(line.side))
        net[key] = net.get(key, 0) + line.money.minor
    return [{"account": slug, side: live.text(minor)} for (slug, side), minor in net.items()]


def _is_of(source_ref: str | None, event_no: int | None) -> bool:
    """Tell whether an entry is that of an event, or of a part of it such as its fee."""
    key = f"event:{event_no}"
    return source_ref is not None and (source_ref == key or source_ref.startswith(f"{key}/"))
