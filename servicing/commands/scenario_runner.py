"""Runs a scenario through the real commands on a real database, in a transaction that is rolled back.

What comes out is the documented JSON: what happened, and every difference to what was expected. A refused event changes
nothing and is reported. Never: figures of its own.
Next: `servicing/scenario.py`, `servicing/commands/scenario_acts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands import books
from ledger.errors import DomainError
from ledger.money import Money
from ledger.queries.accounts import accounts, balances
from ledger.queries.entries import EntryView, entries
from ledger.unit_of_work import UnitOfWork, run
from servicing.aging import position_on
from servicing.buckets import buckets
from servicing.collection_queries import collecting
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.indexes import load_index
from servicing.commands.scenario_acts import Live, act
from servicing.drafts import LoanDraft
from servicing.events import UNDOING
from servicing.queries import LoanView, loan_view, versions
from servicing.scenario import Scenario
from servicing.scenario_events import PARTS, ScenarioEvent
from servicing.scenario_expect import differences
from servicing.schedule import rows_json

ACTOR = "scenario"
BOOK = "SCENARIO"
ALLOCATED = frozenset({"payment", "payoff", "recovery", "goodwill_credit", "merchant_refund"})
"""The events that are split over what is owed."""


def run_scenario(engine: sa.Engine, scenario: Scenario) -> dict[str, Any]:
    """Return the documented JSON object of one scenario; nothing stays in the database.

    Raises: what boarding raises, for a loan that cannot be.
    """
    return run(engine, lambda uow: _run(uow, scenario), actor=ACTOR, dry_run=True)


def _run(uow: UnitOfWork, scenario: Scenario) -> dict[str, Any]:
    live = _fund(uow, scenario)
    happened = []
    for event in scenario.events:
        live.day = max(live.day, event.entered)
        live.advance(live.day)
        happened.append(_happen(live, event))
    result = _report(live, happened)
    result["differences"] = differences(
        scenario, result, lambda day: _view_json(live, day), lambda id_: _lines_of(live, id_)
    )
    result["ok"] = not result["differences"]
    return result


def _fund(uow: UnitOfWork, scenario: Scenario) -> Live:
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
    for name, values in scenario.indexes.items():
        load_index(uow, name, values)
    (loan_id,) = board_and_fund_loans(uow, BOOK, [LoanDraft(scenario.name, terms)])
    slugs = {account.code: account.slug for account in accounts(uow.connection, BOOK)}
    return Live(
        uow,
        scenario,
        loan_id,
        slugs,
        book=BOOK,
        day=terms.funded_on,
        last_entry=len(entries(uow.connection, loan_id)),
    )


def _happen(live: Live, event: ScenarioEvent) -> dict[str, Any]:
    savepoint = live.uow.connection.begin_nested()
    refused = None
    try:
        act(live, event)
        savepoint.commit()
    except DomainError as refusal:
        savepoint.rollback()
        live.event_nos.pop(event.id, None)
        refused = {"code": refusal.code, "message": refusal.message}
    _note_versions(live, event)
    written = entries(live.uow.connection, live.loan_id, after=live.last_entry)
    live.last_entry += len(written)
    live.written[event.id] = tuple(written)
    amount = event.values.get("amount")
    return {
        "id": event.id,
        "kind": event.kind,
        "on": event.on.isoformat(),
        "entered": live.day.isoformat(),
        "amount": None if amount is None else Money.parse(amount, live.scenario.currency).format(),
        "refused": refused,
        "allocation": None,
        "by_installment": [],
        "versions": [],
        **_view_json(live, live.day, brief=True),
        **live.answers.get(event.id, {}),
        "entries": [_entry_json(live, view) for view in written],
    }


def _note_versions(live: Live, event: ScenarioEvent) -> None:
    """Remember which event brought the new versions of allocations; the daily cycle leaves no event of its own."""
    known = Counter(payment for payment, _ in live.because)
    for payment, count in Counter(payment for payment, _, _ in versions(live.uow.connection, live.loan_id)).items():
        live.because += [(payment, event.id)] * (count - known[payment])


def _report(live: Live, happened: list[dict[str, Any]]) -> dict[str, Any]:
    on = live.day
    final = loan_view(live.uow.connection, live.loan_id, on)
    history = versions(live.uow.connection, live.loan_id)
    promises = {each.promise_no: each for each in collecting(live.uow.connection, live.loan_id).promises}
    for item in happened:
        if item["id"] in live.promises:
            made = promises[live.promises[item["id"]]]
            item["promise"] = {"status": made.status, "received": live.text(made.received)}
        number = live.event_nos.get(item["id"])
        if item["kind"] not in ALLOCATED or number is None:
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
        "schedule": rows_json(final.state.schedule, live.scenario.currency),
        "events": happened,
        "installments": _installments_json(live, final),
        "fees": _fees_json(live, final),
        "reviews": _reviews_json(live, final),
        "agreements": _agreements_json(live, final),
        "final": {"on": on.isoformat(), **_view_json(live, on, brief=True)},
    }


def _view_json(live: Live, day: date, *, brief: bool = False) -> dict[str, Any]:
    view = loan_view(live.uow.connection, live.loan_id, day)
    found = {
        "balances": live.texts(view.state.balances()),
        "status": view.state.status,
        "dpd": view.dpd,
        "bucket": view.bucket,
    }
    return found if brief else {**found, **_details_json(live, view)}


def _accounts_json(live: Live) -> dict[str, str]:
    """Return what the loan's subledger holds at the end, by account; one that it never had is zero."""
    held = balances(live.uow.connection, live.loan_id)
    return {slug: held[code].format() if code in held else live.text(0) for code, slug in live.slugs.items()}


def _details_json(live: Live, view: LoanView) -> dict[str, Any]:
    return {
        "schedule": rows_json(view.state.schedule, live.scenario.currency),
        "buckets": {
            name: {"past_due": live.text(of.past_due), "due": live.text(of.due), "in_advance": live.text(of.in_advance)}
            for name, of in buckets(view.state).items()
        },
        "delinquency": _delinquency_json(live, view),
        "installments": _installments_json(live, view),
        "accounts": _accounts_json(live),
        "fees": _fees_json(live, view),
        "reviews": _reviews_json(live, view),
        "agreements": _agreements_json(live, view),
    }


def _agreements_json(live: Live, view: LoanView) -> list[dict[str, Any]]:
    ids = {number: id_ for id_, number in live.event_nos.items()}
    return [
        {
            "event": ids[each.event_no],
            "kind": each.kind,
            "status": each.status,
            "met": each.met,
            "paid": live.text(each.paid),
            "ended_on": None if each.ended_on is None else each.ended_on.isoformat(),
        }
        for each in view.state.agreements
    ]


def _delinquency_json(live: Live, view: LoanView) -> dict[str, Any]:
    position = position_on(view.state.positions, view.on)
    since = None if position is None else position.since
    return {
        "since": None if since is None else since.isoformat(),
        "recency_dpd": 0 if position is None else position.recent_dpd(view.on),
        "past_due": live.text(0 if position is None else position.past_due),
    }


def _fees_json(live: Live, view: LoanView) -> list[dict[str, Any]]:
    return [
        {
            "id": fee.id,
            "kind": fee.kind,
            "no": fee.installment,
            "on": fee.charged_on.isoformat(),
            **{name: live.text(getattr(fee, name)) for name in ("amount", "tax", "waived", "paid", "owed")},
        }
        for fee in view.state.fees
    ]


def _reviews_json(live: Live, view: LoanView) -> list[dict[str, Any]]:
    ids = {number: id_ for id_, number in live.event_nos.items()}
    return [
        {"event": ids[review.event_no], "decided": live.text(review.decided), "stands": live.text(review.stands)}
        for review in view.state.reviews
    ]


def _installments_json(live: Live, view: LoanView) -> list[dict[str, Any]]:
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
            "waived": live.text(i.waived),
            "paid_off_on": None if i.paid_off_on is None else i.paid_off_on.isoformat(),
        }
        for i in view.state.installments
    ]


def _entry_json(live: Live, view: EntryView) -> dict[str, Any]:
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


def _lines_of(live: Live, event_id: str) -> list[dict[str, str]] | None:
    """Return what the journal says of one event, netted per account and side; None of no such event.

    Of a payment or a fee: the entries that book it; of one that was undone, those that booked it last. Of a return or
    a reversal: the reversals of what it undid, and the fee that it earned. Of a run of the daily cycle: all it booked.
    """
    if event_id in live.written and event_id not in live.event_nos:
        return _netted(live, live.written[event_id])
    if event_id not in live.event_nos:
        return None
    number = live.event_nos[event_id]
    events = loan_view(live.uow.connection, live.loan_id).loan.events
    (event,) = (each for each in events if each.no == number)
    of = event.of if event.kind in UNDOING else None
    said: dict[str, EntryView] = {}
    views = entries(live.uow.connection, live.loan_id)
    if not any(each.of == number for each in events if each.kind in UNDOING):
        undone_nos = {view.entry.draft.reverses_no for view in views}
        views = tuple(view for view in views if view.entry.entry_no not in undone_nos)
    for view in views:
        draft = view.entry.draft
        own, undone = (_is_of(draft.source_ref, each) for each in (number, of))
        if own and draft.reverses_no is None:
            said[draft.source_ref or ""] = view
        if undone and draft.reverses_no is not None and (draft.details or {}).get("because_event") == number:
            said[draft.source_ref or ""] = view
    return _netted(live, said.values())


def _netted(live: Live, views: Iterable[EntryView]) -> list[dict[str, str]]:
    net: dict[tuple[str, str], int] = {}
    for line in (line for view in views for line in view.lines):
        key = (live.slugs[line.account], str(line.side))
        net[key] = net.get(key, 0) + line.money.minor
    return [{"account": slug, side: live.text(minor)} for (slug, side), minor in net.items()]


def _is_of(source_ref: str | None, event_no: int | None) -> bool:
    """Tell whether an entry is that of an event, or of a part of it such as its fee."""
    key = f"event:{event_no}"
    return source_ref is not None and (source_ref == key or source_ref.startswith(f"{key}/"))
