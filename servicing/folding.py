"""The running figures of a loan while its life is folded, and the few things that every event does with them.

An effect (`servicing/effects/`) asks for one of these and plans its entry; it never accrues, ages or books interest
itself. Amounts are minor units. Never: which event does what. Next: `servicing/installments.py`,
`servicing/running_interest.py`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from heapq import heappop, heappush

from servicing.aging import OPEN, SILENT, Asked, Trail
from servicing.books import Books
from servicing.checkpoint import Checkpoint, Figures, day_of_text, text_of_day
from servicing.contract import Change, Contract
from servicing.events import PAYMENTS, Event
from servicing.fees import Fee, Fees
from servicing.installments import Installments
from servicing.pauses import day_at
from servicing.product import RECASTS
from servicing.running_fee import RunningFee
from servicing.running_interest import RunningInterest
from servicing.schedule import contract_of
from servicing.state import LoanState, PlannedEntry, Review
from servicing.terms import Terms
from servicing.waterfall import ALL_RECEIVABLES, Allocation, Claim, Debt, Split, allocate, allocate_as_told
from servicing.waterfall_order import IN_ADVANCE, Waterfall
from servicing.workouts import Workouts

ACCRUAL_KEY = "accrual:"
"""What the key of an entry of interest begins with."""
FEE_INCOME_KEY = "fee_income:"
"""What the key of an entry of origination fee income begins with."""
ACCRETION_KEY = "accretion:"
"""What the key of an entry begins with that makes income of interest counted as principal."""
FEE_MONTHS_AHEAD = 12
"""For how many month ends a fold says what of an origination fee they make income."""


@dataclass(frozen=True, slots=True)
class Way:
    """How an amount is split: in which order, to which coming installments first, or as told by component.

    Where it does not go `ahead`, installments that are not due take nothing; `whole`: an installment is paid whole or
    not at all.
    """

    waterfall: Waterfall
    after_prepayment: str
    told: Mapping[str, int] | None = None
    ahead: bool = True
    whole: bool = False


class Folding:
    """A loan while it is folded; it lives only inside `fold`. Effects read and move its public figures."""

    def __init__(
        self,
        terms: Terms,
        *,
        through: date,
        booking_days: Set[date],
        closed_through: date | None = None,
        start: Checkpoint | None = None,
        plan_from: date = date.min,
    ) -> None:
        contract = contract_of(terms)
        self.terms = terms
        self.contract = contract
        self.changes: tuple[Change, ...] = ()
        self.through = through
        self.funded = False
        self.unwound = False
        self.installments = Installments(contract.rows)
        self.fees = Fees(self._paid_on)
        self.interest = RunningInterest(terms, contract)
        self.origination_fee = RunningFee(terms)
        self.books = Books(terms.product)
        rules = terms.product.delinquency
        self.trail = Trail(rules, terms.amount(rules.tolerance.amount).minor)
        self._noted = 0
        """How many entries were planned when a position was noted last."""
        self.accretion = RunningFee(terms)
        """What the books count as principal that becomes income again."""
        self.owed = dict.fromkeys(ALL_RECEIVABLES, 0)
        self.unapplied = 0
        self.held = 0
        """The part of unapplied cash that waits for installments to fall due, or to be paid whole."""
        self.undrawn = 0
        self.recoverable = 0
        self.allocations: dict[int, Allocation] = {}
        self.charged_back: dict[int, dict[str, int]] = {}
        """What was taken back of payments, by receivable."""
        self._paid_before: dict[int, Mapping[str, int]] = {}
        """What payments before the checkpoint paid, by receivable; nothing of those that paid nothing."""
        self.by_installment: dict[int, Mapping[int, Allocation]] = {}
        self.planned: list[PlannedEntry] = []
        self.reviews: dict[int, Review] = {}
        self.workouts = Workouts()
        self.flags: set[str] = set()
        self.waiting: list[Event] = []
        """Waivers of fees that the close of their day may bring."""
        self.paid_on: date | None = None
        """The last day on which something was paid."""
        self.paid_off_on: date | None = None
        self.fees_paid = 0
        """What fees have taken of payments."""
        self._plan_from = plan_from
        first = terms.funded_on if start is None else start.day
        if terms.product.accrual == "daily":
            last = max((*booking_days, closed_through or first), default=first)
            # What was booked before the first day that is planned is a sum for each month, whatever its days were.
            begin = first if plan_from <= first else plan_from - timedelta(days=1)
            self._booking_days = {
                *booking_days,
                *_month_ends(first, begin),
                *_every_day(begin, min(last, through)),
            }
        else:
            self._booking_days = {*booking_days, *_month_ends(first, through)}
        if start is not None:
            self._thaw(start.figures)
        self._agreed = self._agreed_now
        """What was in force when a position was noted last."""
        self.days = Days(first, through)
        self.days.add(*self._booking_days, through)
        if terms.origination_fee.minor or self.accretion.deferred:
            self.days.add(*_month_ends(first, through))
        self._note_days_of(self.contract)
        self.days.add(*self.workouts.days())

    def unwind(self) -> None:
        """Ask for nothing: the funding is as if it had never been."""
        self.unwound = True
        self.paid_off_on = self.terms.funded_on
        self.installments.pay_off(self.terms.funded_on)

    def freeze(self, day: date) -> Checkpoint:
        """Return the loan as it stands, before anything of a day."""
        return Checkpoint(
            day,
            {
                "funded": self.funded,
                "owed": dict(self.owed),
                "unapplied": self.unapplied,
                "held": self.held,
                "undrawn": self.undrawn,
                "recoverable": self.recoverable,
                "paid_by": {str(no): self.paid_by(no) for no in (*self._paid_before, *self.allocations)},
                "charged_back": {str(no): dict(taken) for no, taken in self.charged_back.items()},
                "fees": self.fees.freeze(),
                "fees_paid": self.fees_paid,
                "reviews": [astuple(review) for review in self.reviews.values()],
                "paid_off_on": text_of_day(self.paid_off_on),
                "workouts": self.workouts.freeze(),
                "changes": [change.as_json() for change in self.changes],
                "installments": self.installments.freeze(self.contract.rows),
                "interest": self.interest.freeze(),
                "origination_fee": self.origination_fee.freeze(),
                "books": self.books.freeze(),
                "flags": sorted(self.flags),
                "trail": self.trail.freeze(day),
                "accretion": self.accretion.freeze(),
            },
        )

    def _thaw(self, figures: Figures) -> None:
        if figures["changes"]:
            self.changes = tuple(Change.from_json(stored) for stored in figures["changes"])
            self.contract = contract_of(self.terms, self.changes)
            self.installments = Installments(self.contract.rows)
            self.interest = RunningInterest(self.terms, self.contract)
        self.funded, self.unapplied = figures["funded"], figures["unapplied"]
        self.held, self.recoverable = figures["held"], figures["recoverable"]
        self.undrawn = figures["undrawn"]
        self._paid_before = {int(no): paid for no, paid in figures["paid_by"].items()}
        self.charged_back = {int(no): dict(taken) for no, taken in figures["charged_back"].items()}
        self.owed = dict(figures["owed"])
        self.fees, self.fees_paid = Fees(self._paid_on, figures["fees"]), figures["fees_paid"]
        self.reviews = {review[0]: Review(*review) for review in figures["reviews"]}
        self.paid_off_on = day_of_text(figures["paid_off_on"])
        self.workouts = Workouts.thaw(figures["workouts"])
        self.installments.thaw(figures["installments"])
        self.interest.thaw(figures["interest"])
        self.origination_fee.thaw(figures["origination_fee"], self.changes)
        self.books.thaw(figures["books"])
        self.flags = set(figures["flags"])
        self.trail.thaw(figures["trail"])
        self.accretion.thaw(figures["accretion"], self.changes)

    def change(self, change: Change, *agreed: Change) -> None:
        """Draw up the contract with one more change, for the installments whose period has not ended.

        With it come those that are agreed for later days. A loan that is paid off stays as it is.
        """
        if self.paid_off_on is not None:
            return
        if change.owed is None:
            change = replace(change, owed=self.principal_to_come(change.on))
        self.changes = (*self.changes, change, *agreed)
        self.origination_fee.spread_again(self.changes, change.on)
        self.accretion.spread_again(self.changes, change.on)
        self.contract = contract_of(self.terms, self.changes)
        anew = change.plan is not None
        self.fees.move(self.installments.replace_coming(self.contract.rows, change.on, anew=anew))
        self.interest.replace_coming(self.contract)
        self._note_days_of(self.contract)

    def forget_after(self, day: date) -> None:
        """Drop changes that were agreed for later days: whatever comes now takes their place."""
        self.changes = tuple(change for change in self.changes if change.on <= day)

    def principal_to_come(self, day: date) -> int:
        """Return the principal that the installments share whose period has not ended by a day."""
        earned, owed = self.interest.earned, self.owed["principal"]
        return self.installments.principal_to_come(day, interest_earned=earned, principal_owed=owed)

    def open_day(self, day: date) -> None:
        """Accrue the nights before a day."""
        self.interest.accrue_to(day, self.owed["principal"])

    def fall_due(self, day: date) -> None:
        """Let fall due what is due on a day, and book the interest of a day on which it is booked."""
        earned = self.interest.earned
        self.installments.fall_due(day, interest_earned=earned, principal_owed=self.owed["principal"])
        if day in self._booking_days:
            self.accrue_by(day)
        if (day + timedelta(days=1)).day == 1 and not self.books.is_non_accrual:
            self._book_fee_income(f"{FEE_INCOME_KEY}{day}", day, self.origination_fee.book(day))
            self._accrete(day)
        if self.held and self.installments.due_on(day):
            self._book_interest(f"{ACCRUAL_KEY}{day}", day, self.interest.unbooked)
            self.spend_held(day, f"held:{day}", replace(self.way_of(), ahead=False))

    def accrue_by(self, day: date) -> None:
        """Book the interest that is earned by a day, if it is not."""
        self._book_interest(f"{ACCRUAL_KEY}{day}", day, self.interest.unbooked)

    def accrete_from(self, day: date) -> None:
        """Spread what the books count as principal over the rest of the contract; it becomes income at month ends."""
        self.accretion = RunningFee(self.terms)
        self.accretion.defer(self.books.cost_recovery)
        self.accretion.go_on(self.changes, day)
        self.days.add(*_month_ends(day, self.through))

    def _accrete(self, day: date) -> None:
        income = min(self.accretion.book(day), self.books.cost_recovery)
        if income:
            left = self.books.cost_recovery - income
            self.planned.append(self.books.earn_cost_recovery(f"{ACCRETION_KEY}{day}", day, left))

    @property
    def debt(self) -> int:
        """Return what pays the loan off, of what is booked by now."""
        return sum(self.owed.values()) + self._interest_ahead(pays_off=True)

    def way_of(self, event: Event | None = None) -> Way:
        """Return how an amount is split: in an event's own words, or in the product's."""
        product, details = self.terms.product, event.details if event is not None else {}
        own = details.get("waterfall")
        return Way(
            product.waterfall_for(own),
            product.after_prepayment,
            details.get("allocate") or None,
            whole=product.partial_payments == "hold" and own is None and not details.get("allocate"),
        )

    def way_of_all(self) -> Way:
        """Return how cash pays whatever is owed, due or not."""
        return Way(self.terms.product.waterfall_for("payoff"), "next")

    def lay(self, amount: int, event: Event, way: Way | None = None, *, beside: int = 0) -> Split:
        """Split an amount over what is owed, as the event or the product has it, and count it as paid.

        `beside` is what is paid right after it.
        """
        way = way or replace(self.way_of(event), whole=False)
        return self.lay_on(amount, event.effective_date, f"event:{event.no}", way, beside=beside)

    def lay_on(self, amount: int, day: date, key: str, way: Way, *, beside: int = 0) -> Split:
        """Split an amount over what is owed on a day, and count it as paid; `key` names what pays it."""
        pays_off = amount + beside >= sum(self.owed.values())
        owed = {**self.owed, "interest": self.owed["interest"] + self._interest_ahead(pays_off=pays_off)}
        if way.whole:
            claims: Iterable[Claim] = self.installments.whole(amount + beside, day, ahead=way.ahead)
        else:
            claims = self.installments.claims(owed, day, way.waterfall, way.after_prepayment)
        if not way.ahead:
            claims = (claim for claim in claims if claim.status != IN_ADVANCE)
        debt = Debt(owed, self.installments.due_now())
        if way.told:
            split = allocate_as_told(way.told, debt, list(claims))
        else:
            split = allocate(amount, debt, claims, way.waterfall)
        ahead = max(0, split.allocation.interest - self.owed["interest"])
        self._book_interest(f"{ACCRUAL_KEY}{day}/{key}", day, ahead)
        for receivable, part in split.allocation.receivables().items():
            self.owed[receivable] -= part
        prepaid = self._prepaid(split, day, way)
        self.installments.lay(split.by_installment, day)
        self.paid_on = day
        self.note_paid_off(day)
        if prepaid and not self._owes_only_fees:
            shortens = way.after_prepayment == "reduce_term"
            self.change(Change(on=day, prepaid=prepaid, resolves=not shortens, shortens=shortens))
        return split

    def _prepaid(self, split: Split, day: date, way: Way) -> int:
        """Return the principal of a payment that changes the installments to come, and have the next one ask for it."""
        no = self.installments.next_to_come(day) if way.after_prepayment in RECASTS else None
        if no is None or no not in split.by_installment:
            return 0
        prepaid = split.by_installment[no].principal
        self.installments.prepay(no, prepaid)
        return prepaid

    def note_paid_off(self, day: date) -> None:
        """Close the installments if nothing is owed but fees, and the loan if nothing is owed at all."""
        if self.paid_off_on is None and self._owes_only_fees:
            self.installments.pay_off(day)
        if not any(self.owed.values()) and self.paid_off_on is None:
            self.paid_off_on = day
            self.held = 0
            self.release_commitment(day)
            self._book_fee_income(f"{FEE_INCOME_KEY}{day}/paid_off", day, self.origination_fee.book_all())

    @property
    def _owes_only_fees(self) -> bool:
        return not self.owed["principal"] and not self.owed["interest"]

    def release_commitment(self, day: date) -> None:
        """Promise nothing more: a loan that is paid off is drawn no further."""
        if self.undrawn:
            self.plan(f"commitment_released:{day}", "commitment_released", day, {"undrawn": self.undrawn})
            self.undrawn = 0

    def charge(self, fee: Fee) -> None:
        """Owe a fee, with its installment; a loan that was paid off is open again."""
        self.fees.add(fee)
        self.owed[fee.receivable] += fee.amount
        self.installments.charge(fee.installment, fee.receivable, fee.amount)
        self.paid_off_on = None

    def owe_again(self, no: int, principal: int, interest: int) -> None:
        """Owe principal and interest once more, with an installment; a loan that was paid off is open again."""
        if principal or interest:
            self.owed["principal"] += principal
            self.owed["interest"] += interest
            self.installments.owe_again(no, principal, interest)
            self.paid_off_on = None

    def paid_by(self, no: int) -> Mapping[str, int]:
        """Return what a payment has paid, by receivable; nothing of one that is not in force."""
        if no not in self.allocations:
            return self._paid_before.get(no, {})
        return {name: part for name, part in self.allocations[no].receivables().items() if part}

    def waive_fee(self, fee: Fee, amount: int) -> None:
        """No longer ask for a part of a fee."""
        fee.waived += amount
        self.owed[fee.receivable] -= amount
        self.installments.waive_fee(fee.installment, fee.receivable, amount)

    def waive_interest(self, amount: int, day: date) -> None:
        """No longer ask for a part of the interest that was booked."""
        self.owed["interest"] -= amount
        self.installments.waive_interest(amount, day)

    def decide(self, event: Event, *, stands: int) -> None:
        """Note what stands of an amount that a person decided, for review if it is not the same."""
        self.reviews.pop(event.no, None)
        if stands != event.amount:
            self.reviews[event.no] = Review(event.no, event.amount, stands)

    def keep(self, event: Event) -> None:
        """Keep all of a payment unapplied."""
        self.unapplied += event.amount
        self.remember(event, Split(Allocation(unapplied=event.amount), {}))

    def spend_unapplied(self, most: int, event: Event) -> None:
        """Pay out of unapplied cash that is not held as much as the loan has come to owe by an event."""
        way = replace(self.way_of(event), whole=False)
        self._spend(min(self.unapplied - self.held, most), event.effective_date, f"event:{event.no}/applied", way)

    def spend_held(self, day: date, key: str, way: Way) -> None:
        """Pay out of held cash what it is held for, as far as it can be paid."""
        spent = self._spend(self.held, day, key, way)
        self.held = max(0, self.held - spent)

    def _spend(self, amount: int, day: date, key: str, way: Way) -> int:
        """Pay out of unapplied cash; return how much."""
        if amount <= 0:
            return 0
        parts = self.lay_on(amount, day, key, way).allocation
        spent = amount - parts.unapplied
        if spent:
            self.unapplied -= spent
            self.fees_paid += parts.penalties + parts.other_fees
            self.plan(key, "unapplied_applied", day, parts.receivables())
        return spent

    def remember(self, event: Event, split: Split) -> None:
        """Keep how a payment was split."""
        self.allocations[event.no] = split.allocation
        self.by_installment[event.no] = split.by_installment
        if event.kind in PAYMENTS:
            self.fees_paid += split.allocation.penalties + split.allocation.other_fees

    def plan(
        self, key: str, template: str, day: date, amounts: Mapping[str, int], clearing_role: str | None = None
    ) -> None:
        """Plan an entry under the key that names it for ever, as the books have it."""
        entry = PlannedEntry(
            key=key, template=template, effective_date=day, amounts=amounts, clearing_role=clearing_role
        )
        before = self.books.cost_recovery
        self.planned.extend(self.books.entries(entry, self.owed["principal"]))
        if self.books.cost_recovery > before and not self.books.is_non_accrual:
            self.accrete_from(day)

    def note_position(self, day: date, events: Iterable[Event]) -> None:
        """Note what is past due at the close of a day, if something of it may have changed."""
        new, self._noted = self.planned[self._noted :], len(self.planned)
        changed = False
        for event in events:
            changed = self.funded
            if changed and event.kind in PAYMENTS:
                self.trail.note_payment(day, event.amount, self.installments.asked_last(day))
        agreed, self._agreed = self._agreed, self._agreed_now
        changed = changed or agreed != self._agreed
        if changed or self.installments.due_on(day) or any(entry.template not in SILENT for entry in new):
            # What falls due after a charge-off is a part of the claim, and past due no more than the rest of it.
            last = self.books.charged_off_on or day
            asked = [] if self.books.is_released else [each for each in self.installments.asked() if each.due <= last]
            self.trail.note(day, asked, self._carried, tuple(self.workouts.pauses))

    @property
    def _agreed_now(self) -> tuple[object, ...]:
        """Return what the close of a day may change without an entry."""
        return self._carried, tuple(self.workouts.pauses), len(self.workouts.modified)

    @property
    def _carried(self) -> str:
        return OPEN if self._status in ("active", "non_accrual") else self._status

    def _asked_ahead(self) -> tuple[Asked, ...]:
        """Return what installments will ask for when the next one has fallen due, if nothing happens until then."""
        if not self.funded or self.books.is_charged_off or self.books.is_released or self.paid_off_on is not None:
            return ()
        owed = self.owed["principal"]
        return self.installments.asked_ahead(self.through, lambda day: self.interest.earned_by(day, owed), owed)

    def state(self, checkpoint: Checkpoint | None = None) -> LoanState:
        """Return the loan at the close of the last day, with a checkpoint that was made on the way."""
        state = self._state(checkpoint)
        return state.released() if self.books.is_released else state

    def _state(self, checkpoint: Checkpoint | None) -> LoanState:
        return LoanState(
            through=self.through,
            principal=self.owed["principal"],
            interest=self.owed["interest"] + self.interest.unbooked,
            interest_ahead=self._interest_ahead(pays_off=True),
            late_fees=self.owed["late_fees"],
            returned_payment_fees=self.owed["returned_payment_fees"],
            other_fees=self.owed["other_fees"],
            unapplied=self.unapplied,
            status=self._status,
            allocations=self.allocations,
            by_installment=self.by_installment,
            installments=self.installments.states(),
            planned=tuple(entry for entry in self.planned if entry.effective_date >= self._plan_from),
            schedule=self.contract.rows,
            rate=self.contract.rate_on(self.through),
            held=self.held,
            recoverable=self.recoverable,
            undrawn=self.undrawn,
            deferred_fee=self.origination_fee.deferred,
            fee_income_ahead=self._fee_income_ahead(),
            fees=self.fees.states(),
            reviews=tuple(self.reviews.values()),
            modified=tuple(self.workouts.modified),
            pauses=tuple(self.workouts.pauses),
            agreements=tuple(self.workouts.agreements),
            outlook=self.interest.outlook(self.owed["principal"]),
            checkpoint=checkpoint,
            positions=self.trail.positions(self._asked_ahead()),
            non_accrual_since=self.books.non_accrual_since,
            memo_interest=self.books.memo_interest,
            cost_recovery=self.books.cost_recovery,
            charged_off_on=self.books.charged_off_on,
            charged_off_by=self.books.charged_off_by,
            sold_on=self.books.sold_on,
            is_serviced=self.books.is_serviced,
            flags=tuple(sorted(self.flags)),
        )

    def _fee_income_ahead(self) -> tuple[int, ...]:
        if self.books.is_non_accrual and self.origination_fee.deferred:
            return (0,) * FEE_MONTHS_AHEAD
        return self.origination_fee.income_ahead(self.through, FEE_MONTHS_AHEAD)

    @property
    def _status(self) -> str:
        if self.unwound:
            return "unwound"
        if not self.funded:
            return "pending"
        if self.books.sold_on is not None:
            return "sold"
        if self.books.is_charged_off:
            return "charged_off"
        if self.paid_off_on is not None and not self.recoverable:
            return "settled" if self.workouts.settled else "paid_off"
        return "non_accrual" if self.books.is_non_accrual else "active"

    def _note_days_of(self, contract: Contract) -> None:
        """Note the days on which installments fall due, and those at whose close they may earn a late fee."""
        product = self.terms.product
        for row in contract.rows:
            self.days.add(row.due, row.interest_to)
            if product.late_fee.is_charged:
                self.days.add(row.due + timedelta(days=product.grace_days))
            for dpd in product.thresholds:
                self.days.add(day_at(row.due, dpd, self.workouts.pauses) or row.due)

    def _paid_on(self, no: int, receivable: str) -> int:
        return self.installments.paid_on(no, receivable)

    def _interest_ahead(self, *, pays_off: bool) -> int:
        """Return what a payment pays beside the interest earned, if the installment of the period asks for it."""
        begun = self.interest.begun
        if begun is None or not self.installments.wants_interest(begun):
            return 0
        return self.interest.rest_of_period(self.owed["principal"], pays_off=pays_off)

    def _book_fee_income(self, key: str, day: date, amount: int) -> None:
        if amount:
            self.plan(key, "deferred_fee_amortized", day, {"income": amount})

    def _book_interest(self, key: str, day: date, amount: int) -> None:
        if amount:
            self.interest.book(amount)
            self.owed["interest"] += amount
            self.plan(key, "interest_accrued", day, {"interest": amount})


class Days:
    """The days of a loan on which anything can happen, in order, each once; more may be added on the way."""

    def __init__(self, first: date, last: date) -> None:
        self._first, self._last = first, last
        self._known: set[date] = set()
        self._coming: list[date] = []

    def add(self, *days: date) -> None:
        """Add days; those that lie outside, are known or have passed change nothing."""
        for day in days:
            if self._first <= day <= self._last and day not in self._known:
                self._known.add(day)
                heappush(self._coming, day)

    def __iter__(self) -> Iterator[date]:
        while self._coming:
            self._first = heappop(self._coming)
            yield self._first


def _every_day(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _month_ends(start: date, through: date) -> Iterator[date]:
    day = start
    while True:
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        if end > through:
            return
        yield end
        day = end + timedelta(days=1)
