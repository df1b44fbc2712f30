"""What the books carry otherwise than the contract says, while a loan is folded.

Effects plan what happens by contract. While a loan is in non-accrual its contract interest is a memo, and once it is
charged off everything it owes is; each planned entry then becomes the entries that book it so, by two tables.
Amounts are minor units. Never: what is owed (`servicing/folding.py`).
Next: `servicing/effects/charge_offs.py`, `servicing/effects/non_accrual.py`; `docs/spec/charge_off.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from ledger.dates import fiscal_year_of
from servicing.checkpoint import Figures, day_of_text, text_of_day
from servicing.product import Product
from servicing.state import PlannedEntry

FALLS, RISES = False, True
RECOVERY = "recovery_received"


@dataclass(frozen=True, slots=True)
class MemoInterest:
    """How an entry's contract interest is booked that is a memo: by another template, or only as the memo.

    What no cash brought never becomes income by it.
    """

    rises: bool
    template: str | None = None
    is_cash: bool = True


NON_ACCRUAL: Mapping[str, MemoInterest] = {
    "interest_accrued": MemoInterest(RISES),
    "payment_applied": MemoInterest(FALLS, "non_accrual_interest_received"),
    "merchant_refund_applied": MemoInterest(FALLS, "non_accrual_interest_received"),
    "unapplied_applied": MemoInterest(FALLS, "unapplied_to_non_accrual_interest"),
    "payment_charged_back": MemoInterest(RISES, "non_accrual_interest_charged_back"),
    "goodwill_credited": MemoInterest(FALLS),
    "interest_waived": MemoInterest(FALLS),
    "interest_waived_from_income": MemoInterest(FALLS),
    "small_balance_written_off": MemoInterest(FALLS),
    "arrears_capitalized": MemoInterest(FALLS, "non_accrual_interest_capitalized", is_cash=False),
    "settlement_forgiven": MemoInterest(FALLS),
    "settlement_charged_off": MemoInterest(FALLS),
}
"""What becomes of the interest of an entry, by its template. Memos rise in non-accrual alone, and fall whenever there
is any."""


@dataclass(frozen=True, slots=True)
class Claim:
    """How an entry is booked once the claim is off the books: by another template, or only as the memo."""

    rises: bool
    template: str | None = None


OFF_THE_BOOKS: Mapping[str, Claim] = {
    "payment_applied": Claim(FALLS, RECOVERY),
    "merchant_refund_applied": Claim(FALLS, RECOVERY),
    "down_payment_received": Claim(FALLS, RECOVERY),
    "refund_recovered": Claim(FALLS, RECOVERY),
    "unapplied_applied": Claim(FALLS, "unapplied_recovered"),
    "goodwill_credited": Claim(FALLS),
    "principal_forgiven": Claim(FALLS),
    "fee_waived": Claim(FALLS),
    "fee_waived_from_income": Claim(FALLS),
    "fee_tax_waived": Claim(FALLS),
    "interest_waived": Claim(FALLS),
    "interest_waived_from_income": Claim(FALLS),
    "small_balance_written_off": Claim(FALLS),
    "payment_charged_back": Claim(RISES, "charged_back_after_charge_off"),
    "refund_recoverable": Claim(RISES, "refunded_after_charge_off"),
    "loan_drawn": Claim(RISES, "drawn_after_charge_off"),
    "interest_accrued": Claim(RISES),
    "late_fee_assessed": Claim(RISES),
    "returned_payment_fee_assessed": Claim(RISES),
    "fee_charged": Claim(RISES),
    "penalty_charged": Claim(RISES),
    "fee_tax_charged": Claim(RISES),
}
"""What becomes of an entry of a loan whose claim is charged off, by its template."""


WITHIN_THE_CLAIM = frozenset({"arrears_capitalized"})
"""Templates by which parts of a claim change places: its sum stays."""

FOR_THE_OWNER: Mapping[str, str] = {
    RECOVERY: "collected_for_owner",
    "unapplied_recovered": "unapplied_to_owner",
    "charged_back_after_charge_off": "charged_back_to_owner",
    "refunded_after_charge_off": "refunded_for_owner",
    "drawn_after_charge_off": "drawn_for_owner",
    "claim_kept": "serviced_claim_kept",
    "claim_settled": "serviced_claim_settled",
}
"""What takes the place of a template where the claim is not charged off, but sold and serviced for its owner."""


class Books:
    """The running figures that the books have and the contract has not; they live only inside a fold."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.charged_off_on: date | None = None
        self.charged_off_by: int | None = None
        """The event by which a person charged the loan off; None where the policy did."""
        self.charge_offs_spared: frozenset[date] = frozenset()
        """The due dates whose delinquency the policy leaves alone; the events say so, whatever the day."""
        self.non_accrual_since: date | None = None
        self.non_accrual_by: int | None = None
        self.non_accrual_spared: date | None = None
        self.sold_on: date | None = None
        self.is_serviced = False
        """Whether the loan is sold and still serviced, for its owner."""
        self.memo_interest = 0
        """The part of the interest owed that was never income, or is no longer."""
        self.cost_recovery = 0
        """Interest that was paid and the books count as paid principal."""
        self._year, self._accrued = 0, 0

    def freeze(self) -> Figures:
        """Return the figures as they stand."""
        return {
            "charged_off_on": text_of_day(self.charged_off_on),
            "charged_off_by": self.charged_off_by,
            "non_accrual_since": text_of_day(self.non_accrual_since),
            "non_accrual_by": self.non_accrual_by,
            "non_accrual_spared": text_of_day(self.non_accrual_spared),
            "sold_on": text_of_day(self.sold_on),
            "is_serviced": self.is_serviced,
            "memo_interest": self.memo_interest,
            "cost_recovery": self.cost_recovery,
            "year": self._year,
            "accrued": self._accrued,
        }

    def thaw(self, figures: Figures) -> None:
        """Go on from figures that were frozen."""
        self.charged_off_on = day_of_text(figures["charged_off_on"])
        self.charged_off_by = figures["charged_off_by"]
        self.non_accrual_since = day_of_text(figures["non_accrual_since"])
        self.non_accrual_by = figures["non_accrual_by"]
        self.non_accrual_spared = day_of_text(figures["non_accrual_spared"])
        self.sold_on, self.is_serviced = day_of_text(figures["sold_on"]), figures["is_serviced"]
        self.memo_interest, self.cost_recovery = figures["memo_interest"], figures["cost_recovery"]
        self._year, self._accrued = figures["year"], figures["accrued"]

    @property
    def is_charged_off(self) -> bool:
        """Tell whether the books carry nothing of the loan any more."""
        return self.charged_off_on is not None

    @property
    def is_released(self) -> bool:
        """Tell whether the loan is sold and nothing of it is looked after any more."""
        return self.sold_on is not None and not self.is_serviced

    @property
    def is_off(self) -> bool:
        """Tell whether the books carry nothing of the loan, charged off or sold."""
        return self.is_charged_off or self.sold_on is not None

    @property
    def is_non_accrual(self) -> bool:
        """Tell whether interest is earned by contract and is no income."""
        return self.non_accrual_since is not None and not self.is_off

    def income_to_reverse(self, interest: int, day: date) -> tuple[int, int]:
        """Split interest receivable into what was income in the fiscal year of a day, and what was before.

        What was paid is the oldest.
        """
        current = min(interest, self._accrued if self._year == self._fiscal_year(day) else 0)
        return current, interest - current

    def entries(self, planned: PlannedEntry, principal: int) -> Iterator[PlannedEntry]:
        """Yield the entries that book what is planned; `principal` is what is owed of it by contract after that."""
        if self.is_off:
            yield from (planned,) if self.is_released else _as_claim(planned, serviced=self.is_serviced)
            return
        yield from self._with_interest_apart(planned, principal)
        if self.cost_recovery > principal:
            yield self.earn_cost_recovery(f"{planned.key}/earned", planned.effective_date, principal)

    def earn_cost_recovery(self, key: str, day: date, left: int) -> PlannedEntry:
        """Make income of what was counted as paid principal, but for what is left."""
        amount, self.cost_recovery = self.cost_recovery - left, left
        return PlannedEntry(key=key, template="cost_recovery_earned", effective_date=day, amounts={"income": amount})

    def keep(self, key: str, day: date, interest: int) -> PlannedEntry:
        """Keep interest as a memo."""
        self.memo_interest += interest
        return _entry(key, "non_accrual_interest_kept", day, interest=interest)

    def settle(self, key: str, day: date, interest: int) -> PlannedEntry:
        """Let the memo of interest fall."""
        self.memo_interest -= interest
        return _entry(key, "non_accrual_interest_settled", day, interest=interest)

    def _with_interest_apart(self, planned: PlannedEntry, principal: int) -> Iterator[PlannedEntry]:
        way, interest = NON_ACCRUAL.get(planned.template), planned.amounts.get("interest", 0)
        part = 0
        if way is not None:
            part = (interest if self.is_non_accrual else 0) if way.rises else min(interest, self.memo_interest)
        if planned.template == "interest_accrued":
            self._note_accrued(interest - part, planned.effective_date)
        if way is None or not part:
            yield planned
            return
        rest = {**planned.amounts, "interest": interest - part}
        if any(rest.values()):
            yield replace(planned, amounts=rest)
        if way.template is not None:
            amounts = self._counter_amounts(part, principal, way.rises) if way.is_cash else self._count(part)
            yield replace(planned, key=f"{planned.key}/interest", template=way.template, amounts=amounts)
        move = self.keep if way.rises else self.settle
        yield move(f"{planned.key}/memo", planned.effective_date, part)

    def _counter_amounts(self, part: int, principal: int, rises: bool) -> dict[str, int]:
        """Return how much of interest paid, or taken back, the books count as principal, and how much as income."""
        if rises:
            cost_recovery = min(part, self.cost_recovery)
            self.cost_recovery -= cost_recovery
        else:
            is_cash_basis = self._product.non_accrual.payments == "cash_basis"
            cost_recovery = 0 if is_cash_basis else min(part, max(0, principal - self.cost_recovery))
            self.cost_recovery += cost_recovery
        return {"cost_recovery": cost_recovery, "income": part - cost_recovery}

    def _count(self, part: int) -> dict[str, int]:
        """Count interest that becomes principal by contract as paid principal: the books carry no more than before."""
        self.cost_recovery += part
        return {"cost_recovery": part}

    def _note_accrued(self, amount: int, day: date) -> None:
        year = self._fiscal_year(day)
        self._accrued = amount + (self._accrued if year == self._year else 0)
        self._year = year

    def _fiscal_year(self, day: date) -> int:
        return fiscal_year_of(day, start_month=self._product.fiscal_year_starts)


def claim_entry(key: str, day: date, amount: int, *, rises: bool, serviced: bool = False) -> PlannedEntry:
    """Return the entry of the memo of a claim that is off the books."""
    template = "claim_kept" if rises else "claim_settled"
    return _entry(key, FOR_THE_OWNER[template] if serviced else template, day, claim=amount)


def _as_claim(planned: PlannedEntry, *, serviced: bool) -> Iterator[PlannedEntry]:
    if planned.template in WITHIN_THE_CLAIM:
        return
    way = OFF_THE_BOOKS.get(planned.template)
    if way is None:
        yield planned
        return
    unapplied = planned.amounts.get("unapplied", 0)
    amount = sum(planned.amounts.values()) - unapplied
    if way.template is None or not amount:
        if unapplied:
            yield replace(planned, amounts={**dict.fromkeys(planned.amounts, 0), "unapplied": unapplied})
    else:
        beside = {"unapplied": unapplied} if way.template == RECOVERY else {}
        template = FOR_THE_OWNER[way.template] if serviced else way.template
        yield replace(planned, template=template, amounts={"amount": amount, **beside})
    if amount:
        key, day = f"{planned.key}/claim", planned.effective_date
        yield claim_entry(key, day, amount, rises=way.rises, serviced=serviced)


def _entry(key: str, template: str, day: date, **amounts: int) -> PlannedEntry:
    return PlannedEntry(key=key, template=template, effective_date=day, amounts=amounts)
