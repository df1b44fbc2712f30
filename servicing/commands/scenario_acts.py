"""What each event of a scenario does: the real command that it calls, and the number of the event that this makes.

A new event of the format is a row in `ACTS` and one in `servicing/scenario_events.py`. Never: figures of its own.
Next: `servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from ledger.chart import AccountCode
from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period_within
from ledger.dates import Month
from ledger.money import Money
from ledger.periods import PeriodState
from ledger.queries.accounts import book
from ledger.queries.entries import EntryView
from ledger.queries.periods import periods
from ledger.unit_of_work import UnitOfWork
from servicing.commands.charge_offs import charge_off, reverse_charge_off, take_recovery
from servicing.commands.chargebacks import charge_back
from servicing.commands.collections import promise
from servicing.commands.credits import credit
from servicing.commands.cycle import accrue_loan, run_day
from servicing.commands.drawdowns import draw_down
from servicing.commands.fees import charge_fee
from servicing.commands.flags import flag_loan
from servicing.commands.non_accrual import enter_non_accrual, return_to_accrual
from servicing.commands.payments import return_payment, take_payment
from servicing.commands.payoffs import pay_off, quote_payoff
from servicing.commands.rate_resets import reset_rate
from servicing.commands.recording import Recorded
from servicing.commands.refunds import refund
from servicing.commands.reversals import reverse_event
from servicing.commands.sales import Deal, buy_back, sell
from servicing.commands.scenario_workouts import WORKOUTS
from servicing.commands.waivers import waive
from servicing.commands.write_offs import write_off_small_balance
from servicing.effects.fees import returned_payment_fee_id
from servicing.errors import PaymentUnknown, PayoffQuoteUnknown
from servicing.events import Kind
from servicing.scenario import Scenario
from servicing.scenario_events import PARTS, ScenarioEvent


@dataclass(slots=True)
class Live:
    """A scenario while it runs: what it has come to so far."""

    uow: UnitOfWork
    scenario: Scenario
    loan_id: int
    slugs: Mapping[AccountCode, str]
    book: str
    day: date
    """The latest day on which an event was entered. A month that closes takes the business date one day further."""
    event_nos: dict[str, int] = field(default_factory=dict)
    quotes: dict[str, int] = field(default_factory=dict)
    promises: dict[str, int] = field(default_factory=dict)
    """The promise of each event that made one."""
    last_entry: int = 0
    written: dict[str, tuple[EntryView, ...]] = field(default_factory=dict)
    """The entries that each event wrote, as it was entered."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a command answered beside what it booked, by event: a quote, what is missing of a payoff."""
    because: list[tuple[int, str]] = field(default_factory=list)
    """Payment and event of the scenario, for each version of an allocation in the order in which they came."""

    def advance(self, day: date) -> None:
        """Move the business date forward to a day, if it is not there yet."""
        if day > book(self.uow.connection, self.book).business_date:
            advance_business_date(self.uow, self.book, day)

    def text(self, minor: int) -> str:
        return Money(minor, self.scenario.currency).format()

    def texts(self, parts: Mapping[str, int]) -> dict[str, str]:
        """Return the amounts that every loan has, and others that are not zero."""
        rare = {name: self.text(minor) for name, minor in parts.items() if name not in PARTS and minor}
        return {**{name: self.text(parts.get(name, 0)) for name in PARTS}, **rare}

    def key_of(self, event: ScenarioEvent) -> str:
        """Return the request key of an event."""
        return f"scenario:{event.id}"

    def money(self, event: ScenarioEvent, name: str = "amount") -> Money:
        """Return an amount of an event."""
        return Money.parse(event.values[name], self.scenario.currency)

    def named(self, parts: Mapping[str, int]) -> dict[str, str]:
        """Return amounts by name, those that are there alone."""
        return {name: self.text(minor) for name, minor in parts.items()}

    def number_of(self, event: ScenarioEvent) -> int:
        """Return the number of the event that this one is about.

        Raises: PaymentUnknown.
        """
        of = event.values["of"]
        if of not in self.event_nos:
            raise PaymentUnknown(loan_id=self.loan_id, payment_id=of)
        return self.event_nos[of]


QUOTED = (
    "principal",
    "interest",
    "fees",
    "penalties",
    "late_fees_to_come",
    "recoverable",
    "unapplied",
    "total",
    "per_diem",
)
"""The amounts of a payoff quote."""

APPROVER = "approver"
"""The second person, where an event names none."""

CHARGE_OFF = "charge_off"
"""What names the charge-off in force, where no event of the scenario has this id."""

Act = Callable[[Live, ScenarioEvent], int | None]
"""Does what an event says; returns the number under which it is kept, if it is."""


def act(live: Live, event: ScenarioEvent) -> None:
    """Do what an event says.

    Raises: what its command raises.
    """
    number = ACTS[event.kind](live, event)
    if number is not None:
        live.event_nos[event.id] = number


def _pay(live: Live, event: ScenarioEvent) -> int:
    told = event.values.get("allocate")
    split = told and {name: Money.parse(part, live.scenario.currency) for name, part in told.items()}
    return take_payment(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        effective_date=event.on,
        method=event.values.get("method", "cash"),
        external_id=event.id,
        request_key=live.key_of(event),
        waterfall=event.values.get("waterfall"),
        allocate=split,
        excess=event.values.get("excess"),
        overpayment=event.values.get("overpayment"),
    ).payment_id


def _quote(live: Live, event: ScenarioEvent) -> None:
    day = date.fromisoformat(event.values["good_through"])
    quote = quote_payoff(live.uow, live.loan_id, good_through=day, request_key=live.key_of(event))
    amounts = {name: getattr(quote, name) for name in QUOTED}
    days = {"good_through": quote.good_through.isoformat(), "expires_on": quote.expires_on.isoformat()}
    live.answers[event.id] = {"quote": {"id": quote.quote_id, **days, **live.named(amounts)}}
    live.quotes[event.id] = quote.quote_id


def _pay_off(live: Live, event: ScenarioEvent) -> int:
    of = event.values.get("quote")
    if of is not None and of not in live.quotes:
        raise PayoffQuoteUnknown(loan_id=live.loan_id, quote_id=of)
    done = pay_off(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        effective_date=event.on,
        method=event.values.get("method", "cash"),
        external_id=event.id,
        request_key=live.key_of(event),
        quote_id=None if of is None else live.quotes[of],
        overpayment=event.values.get("overpayment"),
    )
    left = {live.slugs[account]: money.minor for account, money in done.left.items()}
    live.answers[event.id] = {"missing": live.named(done.missing), "left": live.named(left)}
    return done.taken.payment_id


def _refund(live: Live, event: ScenarioEvent, *, credit_balance: bool = False) -> int:
    return refund(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        effective_date=event.on,
        method=event.values.get("method", "cash"),
        request_key=live.key_of(event),
        reason=event.values.get("reason", ""),
        credit_balance=credit_balance,
    ).event_no


def _credit(live: Live, event: ScenarioEvent, *, kind: Kind) -> int:
    return credit(
        live.uow,
        live.loan_id,
        kind=kind,
        amount=live.money(event),
        effective_date=event.on,
        method=event.values.get("method", "cash"),
        request_key=live.key_of(event),
        reason=event.values.get("reason", ""),
    ).event_no


def _charge_back(live: Live, event: ScenarioEvent) -> int:
    return charge_back(
        live.uow,
        live.loan_id,
        live.number_of(event),
        amount=live.money(event),
        effective_date=event.on,
        request_key=live.key_of(event),
        reason=event.values.get("reason", ""),
    ).event_no


def _return(live: Live, event: ScenarioEvent) -> int:
    code = event.values.get("code", "")
    return return_payment(live.uow, live.loan_id, live.number_of(event), code, live.key_of(event)).event_no


def _reverse(live: Live, event: ScenarioEvent) -> int:
    reason = event.values.get("reason", "")
    if event.values["of"] == CHARGE_OFF and CHARGE_OFF not in live.event_nos:
        approver = event.values.get("approved_by", APPROVER)
        key = live.key_of(event)
        done = reverse_charge_off(live.uow, live.loan_id, reason=reason, approved_by=approver, request_key=key)
        return done.event.no
    return reverse_event(live.uow, live.loan_id, live.number_of(event), reason, live.key_of(event)).event.no


def _charge_fee(live: Live, event: ScenarioEvent) -> int:
    return charge_fee(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        kind=event.values.get("kind", "other"),
        fee_id=event.id,
        effective_date=event.on,
        request_key=live.key_of(event),
        penalty=event.values.get("penalty", False),
        due=event.values.get("due"),
    ).event.no


def _waive(live: Live, event: ScenarioEvent) -> int:
    return waive(
        live.uow,
        live.loan_id,
        of=event.values.get("component") or _fee_of(live, event.values["of"]),
        amount=live.money(event),
        reason=event.values.get("reason", ""),
        approved_by=event.values.get("approved_by", APPROVER),
        effective_date=event.on,
        request_key=live.key_of(event),
    ).event.no


def _fee_of(live: Live, id_: str) -> str:
    """Return the id of a fee: that of the event which charged it, or of the return which earned it."""
    kind = next((event.kind for event in live.scenario.events if event.id == id_), None)
    return returned_payment_fee_id(live.event_nos[id_]) if kind == "return" and id_ in live.event_nos else id_


def _write_off(live: Live, event: ScenarioEvent) -> int:
    reason = event.values.get("reason", "")
    key = live.key_of(event)
    done = write_off_small_balance(live.uow, live.loan_id, reason=reason, effective_date=event.on, request_key=key)
    return done.event.no


def _decide(live: Live, event: ScenarioEvent, *, command: Callable[..., Recorded]) -> int:
    """Do what takes a reason and a second person."""
    return command(
        live.uow,
        live.loan_id,
        reason=event.values.get("reason", ""),
        approved_by=event.values.get("approved_by", APPROVER),
        effective_date=event.on,
        request_key=live.key_of(event),
    ).event.no


def _deal(live: Live, event: ScenarioEvent) -> Deal:
    return Deal(
        counterparty=event.values.get("to", ""),
        price=live.money(event, "price") if "price" in event.values else None,
        method=event.values.get("method", "wire"),
        approved_by=event.values.get("approved_by", APPROVER),
        effective_date=event.on,
    )


def _sell(live: Live, event: ScenarioEvent) -> int:
    how, key = event.values.get("servicing", "released"), live.key_of(event)
    return sell(live.uow, live.loan_id, _deal(live, event), servicing=how, request_key=key).event.no


def _buy_back(live: Live, event: ScenarioEvent) -> int:
    return buy_back(live.uow, live.loan_id, _deal(live, event), request_key=live.key_of(event)).event.no


def _set_flag(live: Live, event: ScenarioEvent) -> int:
    return flag_loan(
        live.uow,
        live.loan_id,
        flag=event.values["name"],
        reason=event.values.get("reason", ""),
        effective_date=event.on,
        request_key=live.key_of(event),
        lifted=event.values.get("lifted", False),
    ).event.no


def _recover(live: Live, event: ScenarioEvent) -> int:
    return take_recovery(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        effective_date=event.on,
        method=event.values.get("method", "cash"),
        external_id=event.id,
        request_key=live.key_of(event),
        agency=event.values.get("agency"),
        commission=live.money(event, "commission") if "commission" in event.values else None,
    ).event.no


def _draw(live: Live, event: ScenarioEvent) -> int:
    amount, key = live.money(event), live.key_of(event)
    return draw_down(live.uow, live.loan_id, amount=amount, effective_date=event.on, request_key=key).event_no


def _reset_rate(live: Live, event: ScenarioEvent) -> int:
    rate, key = event.values["rate"], live.key_of(event)
    return reset_rate(live.uow, live.loan_id, rate=rate, effective_date=event.on, request_key=key).event_no


def _promise(live: Live, event: ScenarioEvent) -> None:
    (made,) = promise(
        live.uow,
        live.loan_id,
        amounts=[live.money(event)],
        due_on=[date.fromisoformat(event.values["by"])],
        request_key=live.key_of(event),
    )
    live.promises[event.id] = made.promise_no


def _run_day(live: Live, event: ScenarioEvent) -> None:
    run_day(live.uow, live.loan_id, event.on)


def _accrue(live: Live, event: ScenarioEvent) -> None:
    accrue_loan(live.uow, live.loan_id, event.on)


def _close_months(live: Live, event: ScenarioEvent) -> None:
    """Accrue through, and close, every month that ends by the close of the day."""
    month = Month.of(live.scenario.terms.funded_on)
    states = periods(live.uow.connection, live.book)
    closed = {period.month for period in states if period.state is PeriodState.CLOSED}
    while month.last_day <= event.on:
        if month not in closed:
            live.advance(month.last_day)
            accrue_loan(live.uow, live.loan_id, month.last_day)
            live.advance(month.next.first_day)
            close_period_within(live.uow, live.book, month)
        month = month.next


ACTS: Mapping[str, Act] = {
    "payment": _pay,
    "payoff_quote": _quote,
    "payoff": _pay_off,
    "refund": _refund,
    "credit_balance_refund": partial(_refund, credit_balance=True),
    "goodwill_credit": partial(_credit, kind=Kind.GOODWILL_CREDIT),
    "merchant_refund": partial(_credit, kind=Kind.MERCHANT_REFUND),
    "chargeback": _charge_back,
    "return": _return,
    "reverse": _reverse,
    "fee": _charge_fee,
    "waive": _waive,
    "write_off": _write_off,
    "non_accrual": partial(_decide, command=enter_non_accrual),
    "return_to_accrual": partial(_decide, command=return_to_accrual),
    "charge_off": partial(_decide, command=charge_off),
    "recovery": _recover,
    "sell": _sell,
    "buy_back": _buy_back,
    "flag": _set_flag,
    "disburse": _draw,
    "rate": _reset_rate,
    "promise": _promise,
    "run_day": _run_day,
    "accrue": _accrue,
    "close_month": _close_months,
    **WORKOUTS,
}
"""What each event does, by its word."""
