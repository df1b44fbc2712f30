"""What may be done to an application, said once more in plain Python: sets, dicts and a calendar of one month.

Nothing of the project decides here, so that the two can differ. Amounts are minor units.
Next: `application_steps.py`, which takes each step on both sides; `application_laws.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import permutations
from typing import Any

OUT = ("sent", "settled")
BANK_HOLIDAYS = {date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25)}
DAYS_TO_SETTLE = {"wire": 0, "check": 2, "ach": 1}
FEE_PERCENT = {"installment": 3, "plain": 0}

MOVES = {
    ("received", "approve"): "approved",
    ("received", "decline"): "declined",
    ("declined", "override"): "approved",
    ("received", "withdraw"): "withdrawn",
    ("approved", "withdraw"): "withdrawn",
    ("accepted", "withdraw"): "withdrawn",
    ("approved", "accept"): "accepted",
    ("approved", "fund"): "funded",
    ("accepted", "fund_contract"): "funded",
    ("funded", "cancel"): "canceled",
}

# Outcome, exceptions, amount and DTI of what the small policy is asked; worked in `tests/unit/origination/policies.py`:
# five inquiries are referred by R2, a DTI of 41 is declined by R1 with 100 + 0 + 20 points, below 130; of an income of
# 45,000.00 no more than 30 percent, 13,500.00, is lent.
KINDS: Mapping[str, tuple[str, set[str], int, float]] = {
    "good": ("approve", set(), 1_000_000, 19.99),
    "refer": ("refer", {"R2"}, 1_000_000, 19.99),
    "refer_big": ("refer", {"R2"}, 1_500_001, 19.99),
    "decline": ("decline", {"R1", "score"}, 1_000_000, 41),
    "counter": ("counter_offer", {"amount"}, 1_500_000, 19.99),
}
UNDERWRITERS: Mapping[str, dict[str, Any]] = {
    "uma": {"amount": 1_500_000, "dti": 25, "exceptions": {"R2"}, "overrides": False},
    "sue": {"amount": 2_500_000, "dti": 45, "exceptions": None, "overrides": True},
    "olga": {"amount": 2_500_000, "dti": 45, "exceptions": None, "overrides": True},
}

GROUPS = {"officers": ("olga", "omar", "ann"), "desk": ("cleo", "olga")}
FIRST: dict[str, Any] = {
    "tiers": [
        (500_000, [("anyone", 1)]),
        (2_000_000, [("officers", 1), ("anyone", 1)]),
        (None, [("officers", 2), ("anyone", 1)]),
    ],
    "conditions": {"signed": ("anyone", "officers"), "insured": ("officers", None)},
    "rescission": 3,
    "holds": False,
    "late": 5,
}
SECOND: dict[str, Any] = {
    "tiers": [(None, [("officers", 1), ("desk", 1)])],
    "conditions": {},
    "rescission": 1,
    "holds": True,
    "late": 2,
}
SHIPPED: dict[str, Any] = {
    "tiers": [(2_500_000, [("anyone", 1)]), (None, [("anyone", 2)])],
    "conditions": {"contract-signed": ("anyone", None), "disclosures-given": ("anyone", None)},
    "rescission": 0,
    "holds": False,
    "late": 5,
}


class Refused(Exception):
    """A step may not be taken; by which name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def banking_day_from(day: date) -> date:
    """Return the first day from this one on that is no weekend and no holiday."""
    while day.weekday() >= 5 or day in BANK_HOLIDAYS:
        day += timedelta(days=1)
    return day


def last_day_to_cancel(made_on: date, days: int) -> date:
    """Return the last day of rescission: Saturdays count, Sundays and holidays do not."""
    day = made_on - timedelta(days=0 if days else 1)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() != 6 and day not in BANK_HOLIDAYS
    return day


def empty_seats(places: Sequence[str], people: Iterable[str], groups: Mapping[str, Sequence[str]]) -> int:
    """Return how many places stay empty in the best of all ways to seat people: every one is tried."""
    fits = [
        {place for place, group in enumerate(places) if group == "anyone" or who in groups[group]} for who in people
    ]
    # Nobody has to sit: as many may stand as there are people.
    chairs = [*range(len(places)), *(-1 for _ in fits)]
    best = 0
    for chosen in set(permutations(chairs, len(fits))):
        best = max(best, sum(place in fits[who] for who, place in enumerate(chosen)))
    return len(places) - best


@dataclass
class Decision:
    """What the policy said."""

    decision_id: int
    kind: str
    underwritten: bool = False


@dataclass
class Offering:
    """An offer; `proceeds` is what is left of its amount after the fee. What is late by now is of today."""

    offer_no: int
    set_no: int
    amount: int
    proceeds: int
    funded_on: date
    expires_on: date


@dataclass
class Paying:
    """A part of the proceeds that an instruction sends."""

    amount: int
    rail: str
    due_on: date
    status: str = "scheduled"
    settles_on: date | None = None


@dataclass
class Contracted:
    """An accepted offer with the rules that were in force on its day."""

    offer: Offering
    rules: dict[str, Any]
    accepted_on: date
    payouts: list[tuple[str, int]]

    @property
    def places(self) -> list[str]:
        """Return a group for each approval that is needed."""
        needs = next(needs for limit, needs in self.rules["tiers"] if limit is None or self.offer.amount <= limit)
        return [group for group, count in needs for _ in range(count)]

    @property
    def cancel_until(self) -> date:
        """Return the last day on which the borrower's word is enough."""
        return last_day_to_cancel(self.accepted_on, self.rules["rescission"])


@dataclass
class Case:
    """An application as it should be."""

    number: int
    external_id: str
    entered_by: str
    product: str
    amount: int
    rails: tuple[str, ...]
    funded_on: date
    state: str = "received"
    history: list[tuple[str, str, str]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    offers: list[Offering] = field(default_factory=list)
    contract: Contracted | None = None
    approvals: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    payings: list[Paying] = field(default_factory=list)
    loan_id: int | None = None

    def move(self, action: str, actor: str) -> None:
        """Move on."""
        self.state = MOVES[self.state, action]
        self.history.append((action, self.state, actor))

    def check(self, action: str) -> None:
        """Refuse what does not follow the state."""
        refuse((self.state, action) not in MOVES, "application-state-refused")

    def unsent(self) -> int:
        """Return what of the proceeds is not out."""
        if self.contract is None or self.state != "funded":
            return 0
        return self.contract.offer.proceeds - sum(each.amount for each in self.payings if each.status in OUT)


def refuse(when: bool, code: str) -> None:
    """Refuse by a name, if something is so."""
    if when:
        raise Refused(code)


@dataclass
class Reference:
    """The applications of a book. Each method refuses, or returns what changes the reference once it has been done."""

    today: date
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)

    def decide_by_policy(self, case: Case, kind: str) -> None:
        """A policy decides while nobody has."""
        refuse(case.state != "received", "application-state-refused")

    def decided(self, case: Case, kind: str, decision_id: int) -> None:
        """Keep what a policy said."""
        case.decisions.append(Decision(decision_id, kind))
        outcome = KINDS[kind][0]
        if outcome in ("approve", "decline"):
            case.move(outcome, "policy")

    def decide_by_hand(self, case: Case, action: str, actor: str) -> None:
        """A person decides, unless that takes more than a person."""
        refuse(action not in ("approve", "decline", "withdraw"), "application-state-refused")
        case.check(action)
        if action != "withdraw":
            refuse(actor == case.entered_by, "own-work-approved")
            refuse(bool(case.decisions), "authority-missing")

    def underwrite(
        self, case: Case, which: Decision, verdict: str, actor: str, approver: str | None, reason: str
    ) -> str:
        """Return the action by which an underwriter decides on the last word of the policy."""
        outcome, *_ = KINDS[which.kind]
        refuse(which.underwritten or which is not case.decisions[-1], "referral-not-open")
        refuse(outcome in ("refer", "counter_offer") and case.state != "received", "referral-not-open")
        refuse(outcome == "approve", "referral-not-open")
        refuse(case.entered_by in (actor, approver), "own-work-approved")
        refuse(actor not in UNDERWRITERS, "authority-missing")
        if verdict == "decline":
            case.check("decline")
            return "decline"
        against = outcome != "refer"
        refuse((verdict == "override") != against, "override-refused")
        refuse(against and not reason.strip(), "override-refused")
        if not self._has_authority(actor, which.kind):
            refuse(approver is None or approver == actor, "authority-missing")
            refuse(not self._has_authority(approver or "", which.kind), "authority-missing")
        action = "override" if outcome == "decline" else "approve"
        case.check(action)
        return action

    def _has_authority(self, person: str, kind: str) -> bool:
        outcome, exceptions, amount, dti = KINDS[kind]
        limits = UNDERWRITERS.get(person)
        if limits is None:
            return False
        allowed = limits["exceptions"] is None or exceptions <= limits["exceptions"]
        may = outcome == "refer" or limits["overrides"]
        return bool(amount <= limits["amount"] and dti <= limits["dti"] and allowed and may)

    def make_offers(self, case: Case, options: Sequence[tuple[int, int | None]], expires_on: date) -> list[Offering]:
        """Return the offers of options: amounts, with the fee that is given or the product's."""
        refuse(case.state != "approved", "application-state-refused")
        refuse(not options or len(set(options)) < len(options) or expires_on < self.today, "offer-invalid")
        refuse(any(fee is not None and fee >= amount for amount, fee in options), "offer-invalid")
        number, made = len(case.offers), max((each.set_no for each in case.offers), default=0) + 1
        found, day = [], max(case.funded_on, self.today)
        for place, (amount, fee) in enumerate(options, start=1):
            kept = amount * FEE_PERCENT[case.product] // 100 if fee is None else fee
            found.append(Offering(number + place, made, amount, amount - kept, day, expires_on))
        return found

    def accept(self, case: Case, offer_no: int, payouts: Callable[[int], list[tuple[str, int, bool]]]) -> Contracted:
        """Return the contract of an offer: payouts are rails and amounts, and whether there is an account."""
        case.check("accept")
        offer = next((each for each in case.offers if each.offer_no == offer_no), None)
        if offer is None:
            raise Refused("offer-unknown")
        newest = max(each.set_no for each in case.offers)
        refuse(offer.expires_on < self.today or offer.set_no < newest, "offer-lapsed")
        given = payouts(offer.proceeds) or [("check", offer.proceeds, False)]
        refuse(any((rail == "ach") != has_account for rail, _, has_account in given), "application-invalid")
        refuse(sum(amount for _, amount, _ in given) != offer.proceeds, "disbursement-mismatch")
        rules = self.rules.get(case.product, SHIPPED)
        return Contracted(offer, rules, self.today, [(rail, amount) for rail, amount, _ in given])

    def _contract(self, case: Case, state: str) -> Contracted:
        if case.contract is None:
            raise Refused("contract-unknown")
        refuse(case.state != state, "application-state-refused")
        return case.contract

    def approve(self, case: Case, actor: str) -> None:
        """Somebody of the groups approves, once, who did not enter."""
        contract = self._contract(case, "accepted")
        refuse(actor == case.entered_by, "own-work-approved")
        seats = [group == "anyone" or actor in GROUPS[group] for group in contract.places]
        refuse(not any(seats), "approver-refused")
        refuse(actor in case.approvals, "funding-approved")

    def decide_condition(self, case: Case, name: str, actor: str, evidence: str, waive: bool) -> None:
        """Somebody of the group says so, once; who waives has not entered."""
        contract = self._contract(case, "accepted")
        refuse(name not in contract.rules["conditions"], "condition-unknown")
        group = contract.rules["conditions"][name][waive]
        refuse(group is None or (group != "anyone" and actor not in GROUPS[group]), "condition-refused")
        refuse(waive and actor == case.entered_by, "condition-refused")
        refuse(not evidence.strip() or name in case.conditions, "condition-refused")

    def lacking(self, case: Case, contract: Contracted, actor: str) -> int:
        """Return how much is missing for a funding by somebody."""
        count = len(set(contract.rules["conditions"]) - case.conditions)
        count += empty_seats(contract.places, sorted(case.approvals - {actor, case.entered_by}), GROUPS)
        count += self.today < contract.offer.funded_on
        return count + (self.today > contract.offer.funded_on + timedelta(days=contract.rules["late"]))

    def fund_contract(self, case: Case, actor: str) -> list[Paying]:
        """Return what a funding schedules."""
        contract = self._contract(case, "accepted")
        refuse(self.lacking(case, contract, actor) > 0, "funding-not-ready")
        held = contract.cancel_until + timedelta(days=1) if contract.rules["holds"] else self.today
        due_on = banking_day_from(max(self.today, held))
        return [Paying(amount, rail, due_on) for rail, amount in contract.payouts]

    def fund_directly(self, cases: Sequence[Case], actor: str, approver: str | None) -> None:
        """Two people fund what is paid out at once, and has neither offers nor rules of a contract."""
        for case in cases:
            case.check("fund")
            refuse(approver is None or approver == actor, "funding-approval-missing")
            refuse(approver == case.entered_by, "own-work-approved")
        refuse(any(set(case.rails) != {"ach"} for case in cases), "funding-not-ready")
        refuse(any(case.offers for case in cases), "offer-not-accepted")
        refuse(any(case.product in self.rules for case in cases), "funding-not-ready")
        refuse(any(case.funded_on > self.today for case in cases), "effective-date-ahead")

    def cancel(self, case: Case) -> None:
        """A funding is unwound, of which nothing is out."""
        contract = self._contract(case, "funded")
        is_out = any(each.status in OUT for each in case.payings)
        refuse(is_out and self.today > contract.cancel_until, "cancellation-refused")
        refuse(is_out, "funding-not-unwound")

    def move_paying(self, paying: Paying, status: str) -> None:
        """What is sent goes on, and comes back."""
        follows = {"scheduled": {"sent", "canceled"}, "sent": {"settled", "returned"}, "settled": {"returned"}}
        refuse(status not in follows.get(paying.status, set()), "instruction-move-refused")
        early = paying.settles_on is not None and self.today < paying.settles_on and paying.rail != "wire"
        refuse(status == "settled" and early, "instruction-not-settled")

    def moved_paying(self, paying: Paying, status: str) -> None:
        """Keep a move; what is sent settles so many banking days later, and not before it is due."""
        paying.status = status
        if status == "sent":
            day = self.today
            for _ in range(DAYS_TO_SETTLE[paying.rail]):
                day = banking_day_from(day + timedelta(days=1))
            paying.settles_on = banking_day_from(max(paying.due_on, day))

    def pay_again(self, case: Case, amount: int) -> None:
        """What is unsent, and waits for nothing, may be sent once more."""
        waiting = sum(each.amount for each in case.payings if each.status == "scheduled")
        refuse(amount > case.unsent() - waiting, "disbursement-exceeds-proceeds")

    def advance(self, day: date) -> None:
        """Go on to a day: what has settled by it is settled, but for what a bank confirms."""
        self.today = day
        for each in (paying for case in self.cases for paying in case.payings):
            if each.status == "sent" and each.rail != "wire" and each.settles_on and each.settles_on <= day:
                each.status = "settled"
