"""Modifications: what each kind does to the contract and to what is owed, worked out when the fold comes to it.

So one that stands before a payment which is entered late comes out as if the payment had been there. Each puts a plan
in the place of the installments to come. Never: who approves of it (`servicing/commands/modifications.py`).
Next: `servicing/coming.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from servicing.amortization import LEVEL
from servicing.coming import dues_after, kept, moved_to_day, next_due, with_more, worked_out_again
from servicing.contract import Asked, Change, Phase, Plan
from servicing.due_dates import due_dates
from servicing.effects.fees import by_receivable
from servicing.events import Event
from servicing.folding import Folding
from servicing.modification import CAPITALIZED
from servicing.pauses import days_counted
from servicing.state import ContractFigures, Modified
from servicing.waterfall import RECEIVABLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """A modification that takes effect on a day: by the event `no`, its entries under `key`."""

    no: int
    key: str
    on: date
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of amounts by a modification."""

    capitalized: int = 0
    forgiven: int = 0
    moved: int = 0


def modify(folding: Folding, event: Event) -> None:
    """Modify the contract as an event says."""
    details = {**event.details, **({"amount": event.amount} if event.amount else {})}
    done = take_effect(folding, Agreed(no=event.no, key=f"event:{event.no}", on=event.effective_date, details=details))
    if event.amount:
        folding.decide(event, stands=done.forgiven)


def take_effect(folding: Folding, agreed: Agreed) -> Done:
    """Let a modification take effect, and keep the contract before and after it; nothing of a loan that is over."""
    if folding.paid_off_on is not None or folding.books.is_charged_off:
        return Done()
    on, unpaid_since = agreed.on, folding.installments.unpaid_since(agreed.on)
    before = figures_of(folding, on)
    folding.accrue_by(on)
    done = ACTS[agreed.details["kind"]](folding, agreed)
    dpd = 0 if unpaid_since is None else days_counted(unpaid_since, on, folding.workouts.pauses)
    told = agreed.details.get("financial_difficulty")
    folding.workouts.modified.append(
        Modified(
            event_no=agreed.no,
            kind=agreed.details["kind"],
            on=on.isoformat(),
            before=before,
            after=figures_of(folding, on),
            dpd=dpd,
            capitalized=done.capitalized,
            forgiven=done.forgiven,
            moved=done.moved,
            difficulty=bool(dpd or done.forgiven or done.moved) if told is None else bool(told),
        )
    )
    folding.note_paid_off(on)
    return done


def accelerate(folding: Folding, event: Event) -> None:
    """Let everything that was to come fall due on the day."""
    on = event.effective_date
    if folding.paid_off_on is None and not folding.books.is_charged_off and _coming(folding, on):
        _plan(folding, on, [on], [Phase(1, "level_whole")])
        _let_fall_due(folding, on)


def figures_of(folding: Folding, on: date) -> ContractFigures:
    """Return what the contract still asks for, of installments whose period has not ended by a day."""
    contract = folding.contract
    rows = [row for row in contract.rows if row.interest_to > on]
    asking = next((row for row in rows if row.total), None)
    level = (each.amount for each in _coming(folding, on) if each.phase.rule in TOTALS and each.amount)
    return ContractFigures(
        rate=str(contract.rate_on(on)),
        installments=len(rows),
        installment=next(level, 0 if asking is None else asking.total),
        next_due_on=None if asking is None else asking.due.isoformat(),
        matures_on=contract.rows[-1].due.isoformat(),
        principal=folding.owed["principal"],
        frequency=contract.frequency,
    )


TOTALS = frozenset({*LEVEL, "total"})
"""Rules by which an installment asks for an amount with interest in it."""


# --- Plans ------------------------------------------------------------------------------------------------


def _coming(folding: Folding, on: date) -> tuple[Asked, ...]:
    """Return what the installments to come were worked out by."""
    return folding.contract.asked[folding.installments.stay(on) :]


def _plan(
    folding: Folding,
    on: date,
    dues: Sequence[date],
    phases: Sequence[Phase],
    *,
    frequency: str | None = None,
    rate: Decimal | None = None,
    spread: int = 0,
    drawn: int = 0,
) -> None:
    """Put installments in the place of those to come; `drawn` is added to the principal, or taken from it."""
    installments, owed = folding.installments, folding.owed["principal"]
    prepaid = installments.gather_ahead(on)
    claimed = installments.claimed_by(on, interest_earned=folding.interest.earned, principal_owed=owed)
    plan = Plan(
        after=installments.stay(on),
        dues=tuple(dues),
        phases=tuple(phases),
        frequency=frequency or folding.contract.frequency,
        spread=spread,
    )
    earned = folding.interest.exact
    change = Change(on=on, rate=rate, drawn=drawn, prepaid=prepaid, plan=plan, earned=earned, claimed=claimed)
    folding.change(change)


def _let_fall_due(folding: Folding, on: date, *, ended: bool = False) -> None:
    installments, owed = folding.installments, folding.owed["principal"]
    installments.fall_due(on, interest_earned=folding.interest.earned, principal_owed=owed, ended=ended)


def _clear(folding: Folding, on: date) -> tuple[int, int]:
    """Have nothing be due any more, of periods that have ended; return principal and interest that were."""
    _let_fall_due(folding, on, ended=True)
    return folding.installments.clear_due(on)


def _again(folding: Folding, on: date, *, spread: int = 0, drawn: int = 0) -> None:
    """Work the installments to come out again; if there is none any more, a further one asks for what is left."""
    asked = _coming(folding, on)
    if asked:
        dues, phases = [each.due for each in asked], worked_out_again(folding.terms, asked)
    else:
        dues, phases = [next_due(folding.contract, on, folding.contract.frequency)], (Phase(1, "level_whole"),)
    _plan(folding, on, dues, phases, spread=spread, drawn=drawn)


# --- The kinds --------------------------------------------------------------------------------------------


def _rate(folding: Folding, agreed: Agreed) -> Done:
    """Let another rate be in force; a temporary one ends with the rate that was in force before it."""
    on, details = agreed.on, agreed.details
    in_force = folding.contract.rate_on(on)
    rule = details.get("installments_are") or folding.terms.product.at_rate_change
    later: tuple[Change, ...] = ()
    if "until" in details:
        later = (Change(on=date.fromisoformat(details["until"]), rate=in_force, resolves=rule == "recalculate"),)
    folding.forget_after(on)
    folding.change(Change(on=on, rate=Decimal(details["rate"]), resolves=rule == "recalculate"), *later)
    return Done()


def _extend(folding: Folding, agreed: Agreed) -> Done:
    on, more, contract = agreed.on, agreed.details["installments"], folding.contract
    asked = _coming(folding, on)
    if not asked:
        principal, interest = _clear(folding, on)
        first = next_due(contract, on, contract.frequency)
        dues = [first, *dues_after(contract, [first], contract.frequency, more - 1)]
        _plan(folding, on, dues, [Phase(more, "level_whole")], spread=interest)
        return Done(moved=principal + interest)
    dues = [each.due for each in asked]
    dues += dues_after(contract, dues, contract.frequency, more)
    _plan(folding, on, dues, with_more(worked_out_again(folding.terms, asked), more))
    return Done()


def _recast(folding: Folding, agreed: Agreed) -> Done:
    if _coming(folding, agreed.on):
        _again(folding, agreed.on)
    return Done()


def _reamortize(folding: Folding, agreed: Agreed) -> Done:
    principal, interest = _clear(folding, agreed.on)
    _again(folding, agreed.on, spread=interest)
    return Done(moved=principal + interest)


def _reage(folding: Folding, agreed: Agreed) -> Done:
    """Move what is past due to the end, one installment for each that was; or share all by installments as agreed."""
    on, details, contract = agreed.on, agreed.details, folding.contract
    _let_fall_due(folding, on, ended=True)
    behind = max(1, folding.installments.count_behind)
    principal, interest = folding.installments.clear_due(on)
    asked = _coming(folding, on)
    if {"installments", "first_due_on", "frequency"} & set(details):
        new, phases, frequency = _new_schedule(folding, agreed)
        _plan(folding, on, new, phases, frequency=frequency, spread=interest)
    elif asked:
        dues = [each.due for each in asked]
        dues += dues_after(contract, dues, contract.frequency, behind)
        _plan(folding, on, dues, with_more(kept(asked), behind))
    else:
        _again(folding, on, spread=interest)
    return Done(moved=principal + interest)


def _defer(folding: Folding, agreed: Agreed) -> Done:
    """Ask for nothing on the next installments, that of this day included, and add as many to the end."""
    on, count, contract = agreed.on, agreed.details["installments"], folding.contract
    asked = _coming(folding, on)
    _let_fall_due(folding, on)
    of_this_day = min(1, len(folding.installments.due_on(on)))
    skipped = min(count - of_this_day, max(0, len(asked) - 1))
    if not asked or skipped < 0:
        return Done()
    folding.installments.clear_due(on, since=on)
    dues = [each.due for each in asked]
    dues += dues_after(contract, dues, contract.frequency, skipped + of_this_day)
    lead = [Phase(skipped, "total", 0)] if skipped else []
    _plan(folding, on, dues, [*lead, *with_more(kept(asked[skipped:]), skipped + of_this_day)])
    return Done()


def _due_date(folding: Folding, agreed: Agreed) -> Done:
    on, details, contract = agreed.on, agreed.details, folding.contract
    asked = _coming(folding, on)
    if asked:
        dues = [each.due for each in asked]
        first = (
            moved_to_day(dues, on, details["day"])
            if "day" in details
            else max(date.fromisoformat(details["first_due_on"]), _day_after(on))
        )
        anchor = date(first.year, 1, details["day"]) if "day" in details else first
        moved = _anchored(first, anchor, contract.frequency, len(dues))
        _plan(folding, on, moved, kept(asked))
    return Done()


def _capitalize(folding: Folding, agreed: Agreed) -> Done:
    """Make arrears principal. With interest, or after the last due date, what is past due is shared anew as well."""
    on = agreed.on
    components = agreed.details.get("components") or CAPITALIZED
    clears = "interest" in components or not _coming(folding, on)
    principal, interest = _clear(folding, on) if clears else (0, 0)
    capitalized = _make_principal(folding, agreed, components)
    _again(folding, on, drawn=capitalized)
    return Done(capitalized=capitalized, moved=principal + interest)


def _forgive(folding: Folding, agreed: Agreed) -> Done:
    forgiven = _give_up(folding, agreed, min(agreed.details.get("amount", 0), folding.owed["principal"]))
    if _coming(folding, agreed.on):
        _again(folding, agreed.on, drawn=-forgiven)
    return Done(forgiven=forgiven)


def _forbear(folding: Folding, agreed: Agreed) -> Done:
    """Ask for less on the next installments; then share, add or ask at once for what was not asked."""
    on, details, contract = agreed.on, agreed.details, folding.contract
    asked = _coming(folding, on)
    count = min(details["installments"], max(0, len(asked) - 1))
    if not count:
        return Done()
    reduced, rest = details.get("amount", 0), asked[count:]
    lead, dues = Phase(count, "total", reduced), [each.due for each in asked]
    after = details.get("then", "recast")
    if after == "extend":
        dues += dues_after(contract, dues, contract.frequency, count)
        phases = [lead, *with_more(kept(rest), count)]
    elif after == "lump_sum":
        missing = sum(max(0, each.amount - reduced) for each in asked[:count])
        phases = [lead, Phase(1, "total", rest[0].amount + missing), *kept(rest[1:])]
    else:
        phases = [lead, *worked_out_again(folding.terms, rest)]
    _plan(folding, on, dues, phases)
    return Done()


def _restructure(folding: Folding, agreed: Agreed) -> Done:
    """Put a new schedule in the place of all that is owed.

    A principal above what is owed takes arrears in, interest first; one below it forgives the difference.
    """
    on, details = agreed.on, agreed.details
    principal, interest = _clear(folding, on)
    owed, wanted = folding.owed["principal"], details.get("principal")
    components = details.get("components") or (CAPITALIZED if wanted is not None else ())
    most = None if wanted is None else max(0, wanted - owed)
    capitalized = _make_principal(folding, agreed, components, most=most)
    forgiven = 0 if wanted is None else _give_up(folding, agreed, max(0, owed - wanted), key="/forgiven")
    dues, phases, frequency = _new_schedule(folding, agreed)
    rate = None if "rate" not in details else Decimal(details["rate"])
    if rate is not None:
        folding.forget_after(on)
    left = max(0, interest - capitalized)
    _plan(folding, on, dues, phases, frequency=frequency, rate=rate, spread=left, drawn=capitalized - forgiven)
    return Done(capitalized=capitalized, forgiven=forgiven, moved=principal + interest)


ACTS: Mapping[str, Callable[[Folding, Agreed], Done]] = {
    "rate": _rate,
    "extend": _extend,
    "recast": _recast,
    "reamortize": _reamortize,
    "reage": _reage,
    "defer": _defer,
    "due_date": _due_date,
    "capitalize": _capitalize,
    "forgive": _forgive,
    "forbear": _forbear,
    "restructure": _restructure,
}
"""What each kind of modification does."""


def _new_schedule(folding: Folding, agreed: Agreed) -> tuple[tuple[date, ...], tuple[Phase, ...], str]:
    """Return due dates, phases and frequency as agreed; what is not agreed is as it was to come."""
    on, details, contract = agreed.on, agreed.details, folding.contract
    asked = _coming(folding, on)
    frequency = details.get("frequency") or contract.frequency
    count = details.get("installments") or max(1, len(asked))
    if "first_due_on" in details:
        first = max(date.fromisoformat(details["first_due_on"]), _day_after(on))
    else:
        first = asked[0].due if asked else next_due(contract, on, frequency)
    dues = _anchored(first, first, frequency, count)
    rule, own = details.get("amortization"), details.get("installment_amount")
    if rule in ("interest_only", "equal_principal"):
        return dues, (Phase(count, rule),), frequency
    return dues, (Phase(count, "level_whole", own),), frequency


def _make_principal(folding: Folding, agreed: Agreed, components: Sequence[str], *, most: int | None = None) -> int:
    """Make what is owed of components principal, in their order and no more than `most`; return how much."""
    left = sum(folding.owed.values()) if most is None else most
    interest = min(left, folding.owed["interest"]) if "interest" in components else 0
    folding.owed["interest"] -= interest
    folding.installments.claim_interest(interest)
    left -= interest
    parts: dict[str, int] = {}
    for fee in folding.fees:
        if any(fee.receivable in RECEIVABLES[name] for name in components):
            part = min(left, folding.fees.owed(fee))
            folding.waive_fee(fee, part)
            parts[fee.receivable] = parts.get(fee.receivable, 0) + part
            left -= part
    amount = interest + sum(parts.values())
    if amount:
        folding.owed["principal"] += amount
        folding.interest.draw(amount)
        folding.plan(agreed.key, "arrears_capitalized", agreed.on, {"interest": interest, **by_receivable(**parts)})
    return amount


def _give_up(folding: Folding, agreed: Agreed, amount: int, *, key: str = "") -> int:
    """Forgive principal: of what is to come first, then of what is due."""
    if amount:
        to_come = folding.principal_to_come(agreed.on)
        folding.installments.forgive(max(0, amount - to_come), agreed.on)
        folding.owed["principal"] -= amount
        folding.interest.draw(-amount)
        folding.plan(agreed.key + key, "principal_forgiven", agreed.on, {"principal": amount})
    return amount


def _anchored(first: date, anchor: date, frequency: str, count: int) -> tuple[date, ...]:
    return due_dates(anchor, first, frequency, count)


def _day_after(on: date) -> date:
    return date.fromordinal(on.toordinal() + 1)
