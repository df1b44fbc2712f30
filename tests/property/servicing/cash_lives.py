"""Random lives in which cash waits, is sent back, and pays loans off: terms and events in the order of entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from servicing.engine import fold
from servicing.events import UNDOING, Event, Kind, charged_back
from servicing.payoff import before_the_close
from servicing.terms import Terms
from servicing.waterfall_order import COMPONENTS
from tests.property.servicing.loan_terms import ANY_BUSINESS_DAYS, ANY_WATERFALL, any_terms
from tests.unit.servicing.examples import FUNDED, day, payment, undoing

END = 420
RULES = st.fixed_dictionaries(
    {
        "excess": st.sampled_from(["apply", "hold", "refund"]),
        "partial_payments": st.sampled_from(["apply", "hold"]),
        "chargeback_order": st.permutations(list(COMPONENTS)).map(tuple),
    }
)


@st.composite
def cash_lives(draw: st.DrawFn) -> tuple[Terms, tuple[Event, ...]]:
    """Draw terms and events, each entered on its day or later; only what a command would take."""
    terms = draw(any_terms(waterfalls=ANY_WATERFALL, business_days=ANY_BUSINESS_DAYS))
    terms = replace(terms, product=terms.product.model_copy(update=draw(RULES)))
    events = [replace(FUNDED, amount=terms.principal.minor)]
    entered = 0
    for _ in range(draw(st.integers(0, 8))):
        entered = min(END, entered + draw(st.integers(0, 60)))
        back = draw(st.integers(0, min(entered, 70)))
        make = draw(st.sampled_from(MAKERS))
        event = make(draw, terms, events, entered, back)
        if event is not None:
            events.append(replace(event, no=len(events) + 1))
    return terms, tuple(events)


def in_force(events: Sequence[Event], *kinds: Kind) -> list[Event]:
    """Return the events of some kinds that were not undone."""
    undone = {event.of for event in events if event.kind in UNDOING}
    return [event for event in events if event.kind in kinds and event.no not in undone]


def _payment(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event:
    principal = terms.principal.minor
    amount = draw(
        st.one_of(
            st.integers(1, 1 + principal // terms.installments),
            st.integers(1, 1 + principal // 3),
            st.integers(1 + principal // 3, 2 * principal),
        )
    )
    words: Mapping[str, Any] = draw(
        st.sampled_from(
            [{}, {}, {"excess": "hold"}, {"excess": "apply"}, {"waterfall": "clear_dues"}, {"unapplied": 1}]
        )
    )
    if "unapplied" in words:
        words = {"allocate": {"unapplied": amount}}
    return replace(payment(0, amount, day(entered - back), day(entered)), details=words)


def _payoff(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event | None:
    state = before_the_close(terms, events, day(entered), fees_through=None)
    amount = max(1, state.payoff - state.unapplied + draw(st.sampled_from([0, 0, -1, 1, 5000])))
    paid = payment(0, amount, day(entered), day(entered))
    return replace(paid, details={"payoff": True, "waterfall": "payoff"})


def _undoing(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event | None:
    paid = [event.no for event in in_force(events, Kind.PAYMENT) if not charged_back(events, event.no)]
    if not paid:
        return None
    kind = draw(st.sampled_from([Kind.RETURNED, Kind.REVERSED]))
    return undoing(0, draw(st.sampled_from(paid)), day(entered), kind)


def _refund(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event | None:
    on = day(entered - back)
    then = before_the_close(terms, events, on, fees_through=None).unapplied
    there = min(then, fold(terms, events, day(entered)).unapplied)
    if not there:
        return None
    amount = draw(st.integers(1, there))
    return Event(kind=Kind.REFUND, effective_date=on, entered_on=day(entered), amount=amount)


def _credit(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event:
    kind = draw(st.sampled_from([Kind.GOODWILL_CREDIT, Kind.MERCHANT_REFUND]))
    amount = draw(st.integers(1, 1 + terms.principal.minor // draw(st.sampled_from([1, 10]))))
    return Event(kind=kind, effective_date=day(entered - back), entered_on=day(entered), amount=amount)


def _chargeback(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event | None:
    left = {event.no: event.amount - charged_back(events, event.no) for event in in_force(events, Kind.PAYMENT)}
    open_ = [event for event in events if left.get(event.no)]
    if not open_:
        return None
    of = draw(st.sampled_from(open_))
    amount = draw(st.one_of(st.just(left[of.no]), st.integers(1, left[of.no])))
    on = max(of.effective_date, day(entered - back))
    return Event(kind=Kind.CHARGEBACK, effective_date=on, entered_on=day(entered), amount=amount, of=of.no)


def _reversal(draw: st.DrawFn, terms: Terms, events: Sequence[Event], entered: int, back: int) -> Event | None:
    others = in_force(events, Kind.REFUND, Kind.GOODWILL_CREDIT, Kind.MERCHANT_REFUND, Kind.CHARGEBACK)
    if not others:
        return None
    return undoing(0, draw(st.sampled_from([event.no for event in others])), day(entered), Kind.EVENT_REVERSED)


Maker = Callable[[st.DrawFn, Terms, Sequence[Event], int, int], Event | None]
MAKERS: tuple[Maker, ...] = (
    _payment,
    _payment,
    _payment,
    _payoff,
    _undoing,
    _refund,
    _refund,
    _credit,
    _chargeback,
    _chargeback,
    _reversal,
)
