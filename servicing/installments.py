"""The installments of one loan while its life is folded: what each asks for, what it was paid, when it was satisfied.

Until its due date an installment shows the contract's figures. On its due date its interest becomes what has really
been earned by then and no installment before it has claimed; its principal is the rest of the same total, or stays as
agreed, as the contract has it. The last one asks for everything that is left.
Never: how much a payment is, or when interest is booked.
Next: `servicing/waterfall.py`; `docs/spec/payments.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from servicing.aging import Asked
from servicing.checkpoint import Figures, day_of_text, text_of_day
from servicing.contract import Installment
from servicing.product import RECASTS
from servicing.state import InstallmentState
from servicing.waterfall import ALL_RECEIVABLES, SHARING_ROOM, Allocation, Claim
from servicing.waterfall_order import Waterfall

FEES = tuple(name for name in ALL_RECEIVABLES if name not in SHARING_ROOM)


@dataclass(slots=True)
class _Line:
    no: int
    due: date
    interest: int
    principal: int
    keeps_total: bool
    asks_interest: bool
    ends: date | None = None
    is_down_payment: bool = False
    prepaid: int = 0
    """Principal that was paid before its time and changed the installments to come; it is asked for and paid here."""
    earned_by_then: int | None = None
    """The interest of the loan up to the day on which its own period ended, where that was before its due date."""
    fees: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FEES, 0))
    paid: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ALL_RECEIVABLES, 0))
    waived: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ALL_RECEIVABLES, 0))
    interest_again: int = 0
    """Interest that was paid once, and is owed once more."""
    has_fallen_due: bool = False
    paid_off_on: date | None = None

    @property
    def unpaid(self) -> int:
        """Return what is missing of interest and principal; nothing once it is satisfied."""
        if self.paid_off_on is not None:
            return 0
        return max(0, self.interest + self.principal - self.all_paid)

    @property
    def asks(self) -> bool:
        """Tell whether anything is missing, fees included."""
        return self.unpaid > 0 or any(self.fees[name] > self.paid[name] for name in FEES)

    @property
    def lacks_something(self) -> bool:
        """Tell whether anything is missing of it, or may come to be: fees can stay behind when the rest is paid."""
        return self.paid_off_on is None or self.unpaid_fees > 0

    @property
    def unpaid_fees(self) -> int:
        """Return what is missing of its fees."""
        return sum(max(0, self.fees[name] - self.paid[name]) for name in FEES)

    @property
    def all_paid(self) -> int:
        """Return what was paid of interest and principal."""
        return self.paid["interest"] + self.paid["principal"]

    def ask_for_what_was_paid(self) -> None:
        self.interest, self.principal = self.paid["interest"], self.paid["principal"]

    @property
    def interest_off(self) -> int:
        """Return the interest that was earned and is not asked for, less what is asked for once more."""
        return self.waived["interest"] - self.interest_again

    def owe_again(self, principal: int, interest: int) -> None:
        """Ask once more for what was paid."""
        self.principal += principal
        self.interest += interest
        self.interest_again += interest
        self.paid_off_on = None

    def waive_interest(self, amount: int) -> None:
        """Ask for less interest, and for as much less in all."""
        self.waived["interest"] += amount
        self.interest -= min(amount, max(0, self.interest - self.paid["interest"]))

    def waive_fee(self, receivable: str, amount: int) -> None:
        """Ask for less of a fee."""
        self.waived[receivable] += amount
        self.fees[receivable] -= amount

    @classmethod
    def of(cls, row: Installment) -> _Line:
        """Return an installment of the contract as nothing has happened to it yet."""
        return cls(
            row.no,
            row.due,
            row.interest,
            row.principal,
            row.keeps_total,
            row.asks_interest,
            row.ends,
            row.is_down_payment,
        )

    def freeze(self) -> Figures:
        """Return what has become of it."""
        return {
            "no": self.no,
            "interest": self.interest,
            "principal": self.principal,
            "fees": dict(self.fees),
            "paid": dict(self.paid),
            "waived": dict(self.waived),
            "interest_again": self.interest_again,
            "has_fallen_due": self.has_fallen_due,
            "paid_off_on": text_of_day(self.paid_off_on),
            "earned_by_then": self.earned_by_then,
            "prepaid": self.prepaid,
        }

    def thaw(self, figures: Figures) -> None:
        """Take over what had become of it."""
        self.interest, self.principal = figures["interest"], figures["principal"]
        self.fees, self.paid, self.waived = (dict(figures[name]) for name in ("fees", "paid", "waived"))
        self.interest_again = figures["interest_again"]
        self.has_fallen_due, self.paid_off_on = figures["has_fallen_due"], day_of_text(figures["paid_off_on"])
        self.earned_by_then, self.prepaid = figures["earned_by_then"], figures["prepaid"]


class Installments:
    """The running figures of a loan's installments, in minor units; they live only inside a fold."""

    def __init__(self, contract: Sequence[Installment]) -> None:
        self._lines = [_Line.of(row) for row in contract]
        self._fallen = 0
        self._claimed_interest = 0
        """Interest of the installments that have fallen due, waived or not, the last one excepted."""

    def freeze(self, contract: Sequence[Installment]) -> Figures:
        """Return what is not as the contract has it."""
        touched = [line.freeze() for line, row in zip(self._lines, contract, strict=True) if line != _Line.of(row)]
        return {"fallen": self._fallen, "claimed_interest": self._claimed_interest, "lines": touched}

    def thaw(self, figures: Figures) -> None:
        """Go on from figures that were frozen beside the same contract."""
        self._fallen, self._claimed_interest = figures["fallen"], figures["claimed_interest"]
        for line in figures["lines"]:
            self._lines[line["no"] - 1].thaw(line)

    def claim_interest(self, amount: int) -> None:
        """Count interest as paid before any installment asks for it."""
        self._claimed_interest += amount

    def fall_due(self, day: date, *, interest_earned: int, principal_owed: int, ended: bool = False) -> None:
        """Settle the figures of every installment due by a day, which is asked of each due date in turn.

        With those whose period has `ended`, where asked: their due date has moved to a business day that is to come.

        `interest_earned` counts from the funding, paid or not. From its due date on, the last installment is
        settled again each time: interest goes on until the loan is paid.
        """
        self._note_ends(day, interest_earned)
        last = self._lines[-1]
        while self._fallen < len(self._lines):
            line = self._lines[self._fallen]
            if line.due > day and (not ended or self._is_to_come(line, day)):
                break
            line.has_fallen_due = True
            self._fallen += 1
            if line is not last:
                earned = interest_earned if line.earned_by_then is None else line.earned_by_then
                self._settle(line, earned, principal_owed)
                self._claimed_interest += line.interest + line.interest_off
                self._note_satisfied(line, day)
        if last.has_fallen_due:
            last.interest = interest_earned - self._claimed_interest - last.interest_off
            last.principal = self._principal_left_for(last, principal_owed)
            if last.interest + last.principal > last.all_paid:
                last.paid_off_on = None
            self._note_satisfied(last, day)

    def _interest_asked_by(self, line: _Line) -> int | None:
        """Return what an installment whose period is over, but which is not due yet, still asks for of interest."""
        if line.earned_by_then is None:
            return None
        return max(0, line.earned_by_then - self._claimed_interest - line.interest_off - line.paid["interest"])

    def _note_ends(self, day: date, interest_earned: int) -> None:
        """Keep what is earned when a period ends before its installment falls due: what follows is the next one's."""
        for line in self._lines[self._fallen :]:
            if line.ends is None or line.ends > day:
                break
            if line.earned_by_then is None:
                line.earned_by_then = interest_earned

    def replace_coming(self, contract: Sequence[Installment], day: date, *, anew: bool = False) -> Mapping[int, int]:
        """Replace the installments whose period has not ended by a day by those of another contract.

        Fees and what was paid ahead stay with their due date; what stood beyond the last one goes to the last. An
        installment that was satisfied, and is asked for more now, is open again. Where the installments are others
        (`anew`), what was paid ahead stays with the first of them. Return the new number of each.
        """
        if anew:
            return self._begin_anew(contract, day)
        kept = next((n for n, line in enumerate(self._lines) if self._is_to_come(line, day)), len(self._lines))
        coming, self._lines = self._lines[kept:], self._lines[:kept]
        self._lines += [_Line.of(row) for row in contract[kept:]]
        moved = {}
        for line in coming:
            heirs = (each for each in self._lines[kept:] if each.is_down_payment == line.is_down_payment)
            heir = next((each for each in heirs if each.due >= line.due), self._lines[-1])
            moved[line.no] = heir.no
            heir.prepaid += line.prepaid
            for name in FEES:
                heir.fees[name] += line.fees[name]
            for name in ALL_RECEIVABLES:
                heir.paid[name] += line.paid[name]
                heir.waived[name] += 0 if name == "interest" else line.waived[name]
            heir.waive_interest(line.waived["interest"])
            if line.interest_again:
                heir.owe_again(0, line.interest_again)
            if line.paid_off_on is not None and not heir.unpaid:
                heir.ask_for_what_was_paid()
                heir.paid_off_on = line.paid_off_on
        return moved

    def _begin_anew(self, contract: Sequence[Installment], day: date) -> Mapping[int, int]:
        kept = next((n for n, line in enumerate(self._lines) if self._is_to_come(line, day)), len(self._lines))
        before, self._lines = self._lines[kept:], self._lines[:kept]
        self._lines += (coming := [_Line.of(row) for row in contract[kept:]])
        asking = next((line for line in coming if line.asks_interest), coming[-1])
        moved = {}
        for line in before:
            heir = next((each for each in coming if each.due >= line.due), coming[-1])
            moved[line.no] = heir.no
            for name in FEES:
                heir.fees[name] += line.fees[name]
                heir.paid[name] += line.paid[name]
                heir.waived[name] += line.waived[name]
            coming[0].prepaid += line.prepaid
            for name in SHARING_ROOM:
                (asking if name == "interest" else coming[0]).paid[name] += line.paid[name]
            coming[0].waived["principal"] += line.waived["principal"]
            asking.waive_interest(line.waived["interest"])
            if line.interest_again:
                asking.owe_again(0, line.interest_again)
        for line in (coming[0], asking):
            if line.all_paid > line.interest + line.principal:
                line.ask_for_what_was_paid()
        return moved

    def stay(self, day: date) -> int:
        """Return how many regular installments stay if those whose period has not ended by a day are replaced."""
        return sum(not line.is_down_payment for line in self._lines if not self._is_to_come(line, day))

    def gather_ahead(self, day: date) -> int:
        """Count what was paid ahead on the first installment to come; return the principal that this moved.

        It asks for that principal beside its own: the contract is to be told (`Change.prepaid`).
        """
        coming = [line for line in self._lines if self._is_to_come(line, day)]
        gathered = sum(line.paid["principal"] - line.prepaid for line in coming)
        for line in coming:
            line.paid_off_on = None
        for line in coming[1:]:
            for name in SHARING_ROOM:
                coming[0].paid[name] += line.paid[name]
                line.paid[name] = 0
            coming[0].prepaid += line.prepaid
            line.prepaid = 0
        if coming:
            coming[0].prepaid += gathered
        return gathered

    def clear_due(self, day: date, *, since: date = date.min) -> tuple[int, int]:
        """Have the installments due since a day ask for no more than they were paid; return principal and interest."""
        principal = interest = 0
        for line in (each for each in self._lines[: self._fallen] if each.due >= since):
            is_last = line is self._lines[-1]
            if line.paid_off_on is None:
                own = line.interest - line.paid["interest"]
                principal += line.principal - line.paid["principal"]
                interest += own
                self._claimed_interest -= 0 if is_last else own
                line.ask_for_what_was_paid()
                line.paid_off_on = day
            if is_last:
                # It asked for whatever was left; from now on another one does.
                self._claimed_interest += line.interest + line.interest_off
        return principal, interest

    def claimed_by(self, day: date, *, interest_earned: int, principal_owed: int) -> int:
        """Return the interest, waived or not, that installments ask for whose period has ended by a day."""
        claimed = self._claimed_interest
        for line in self._lines:
            if not self._is_to_come(line, day) and not line.has_fallen_due and line.paid_off_on is None:
                earned = interest_earned if line.earned_by_then is None else line.earned_by_then
                claimed += self._settled(line, earned - claimed, principal_owed)[0] + line.interest_off
        return claimed

    def forgive(self, principal: int, day: date) -> None:
        """Ask for less principal of the installments that are due, the latest first."""
        for line in reversed(self._lines[: self._fallen]):
            asked = 0 if line.paid_off_on is not None else line.principal - line.paid["principal"]
            part = max(0, min(principal, asked))
            line.principal -= part
            line.waived["principal"] += part
            principal -= part
            self._note_satisfied(line, day)

    @property
    def count_behind(self) -> int:
        """Return how many of those that are due are not satisfied."""
        return sum(line.unpaid > 0 for line in self._lines[: self._fallen])

    def unpaid_since(self, day: date) -> date | None:
        """Return the due date of the oldest installment that is not satisfied and was due before a day."""
        return next((line.due for line in self._lines if line.due < day and line.unpaid), None)

    def asked_last(self, day: date) -> int:
        """Return interest and principal that the last installment due by a day asked for; before the first, its."""
        line = self._lines[max(0, sum(each.due <= day for each in self._lines) - 1)]
        return line.interest + line.principal

    def asked(self) -> tuple[Asked, ...]:
        """Return the installments that are due and lack something."""
        return tuple(
            _asked(line, line.interest, line.principal) for line in self._lines[: self._fallen] if line.lacks_something
        )

    def asked_ahead(self, day: date, earned_by: Callable[[date], int], principal_owed: int) -> tuple[Asked, ...]:
        """Return the installments that will lack something once the next one has fallen due that is not paid.

        Where none is to come, return nothing.
        """
        line = next((each for each in self._lines if each.due > day and each.lacks_something), None)
        if line is None:
            return ()
        if line.paid_off_on is not None:
            interest, principal = line.interest, line.principal
        elif line is self._lines[-1]:
            interest = earned_by(line.due) - self._claimed_interest - line.interest_off
            principal = self._principal_left_for(line, principal_owed)
        elif line.has_fallen_due:
            interest, principal = line.interest, line.principal
        else:
            earned = line.earned_by_then
            earned = earned_by(min(line.ends or line.due, line.due)) if earned is None else earned
            interest, principal = self._settled(line, earned - self._claimed_interest, principal_owed)
        return (*(each for each in self.asked() if each.due < line.due), _asked(line, interest, principal))

    def principal_to_come(self, day: date, *, interest_earned: int, principal_owed: int) -> int:
        """Return the principal that the installments share whose period has not ended by a day.

        What was paid ahead on them is in it; it stays with them. Those whose period has ended, but which fall due later
        on this day or after it, ask for what they will be asked for then.
        """
        left, claimed = principal_owed, self._claimed_interest
        for line in self._lines:
            if self._is_to_come(line, day):
                left += line.paid["principal"] - line.prepaid
                continue
            interest, principal = line.interest, line.principal
            if not line.has_fallen_due and line.paid_off_on is None:
                earned = interest_earned if line.earned_by_then is None else line.earned_by_then
                interest, principal = self._settled(line, earned - claimed, principal_owed)
                claimed += interest + line.interest_off
            left -= principal - line.paid["principal"] if line.paid_off_on is None else 0
        return max(0, left)

    @staticmethod
    def _is_to_come(line: _Line, day: date) -> bool:
        return not line.has_fallen_due and (line.ends or line.due) > day

    def board(self, asks: Mapping[int, tuple[int, int]], paid_ahead: Iterable[int], day: date) -> None:
        """Take over what those past due ask for, interest and principal, and which were paid ahead.

        Every other one that fell due before asks for nothing: what became of it is not known here.
        """
        for no, (interest, principal) in asks.items():
            line = self._lines[no - 1]
            line.interest, line.principal, line.paid_off_on = interest, principal, None
            self._claimed_interest += interest if no < len(self._lines) else 0
            self._note_satisfied(line, day)
        for no in paid_ahead:
            line = self._lines[no - 1]
            line.interest, line.principal, line.paid_off_on = 0, 0, day

    def due_on(self, day: date) -> tuple[int, ...]:
        """Return the numbers of the installments that fell due on a day."""
        return tuple(line.no for line in self._lines[: self._fallen] if line.due == day)

    def due_now(self) -> Mapping[str, int]:
        """Return what the installments that are due ask for and were not paid, of interest and of principal."""
        due = [line for line in self._lines[: self._fallen] if line.paid_off_on is None]
        return {
            "interest": sum(line.interest - line.paid["interest"] for line in due),
            "principal": sum(line.principal - line.paid["principal"] for line in due),
        }

    def claims(
        self, owed: Mapping[str, int], day: date, waterfall: Waterfall, after_prepayment: str
    ) -> Iterator[Claim]:
        """Yield what each installment takes of a payment at most.

        The last one takes whatever is left owed of interest and principal; a fee is asked for by its own installment.
        """
        yield from (_due_claim(line, day) for line in self._lines if line.has_fallen_due and line.asks)
        interest_first = waterfall.puts_first("interest", "principal", "in_advance")
        coming = (
            _coming_claim(line, interest_first, self._interest_asked_by(line))
            for line in self._lines
            if not line.has_fallen_due and line.asks
        )
        if after_prepayment in RECASTS and (first := self.next_to_come(day)) is not None:
            anything = owed["interest"] + owed["principal"]
            recast = Claim(first, "in_advance", {"principal": owed["principal"]}, anything)
            yield from _as_recast(coming, recast, interest_first)
        else:
            yield from _as_prepaid(coming, after_prepayment, interest_first)
        last = self._lines[-1]
        rest = {name: owed[name] for name in ("interest", "principal")}
        yield Claim(last.no, _status(last, day), rest, sum(rest.values()))

    def whole(self, cash: int, day: date, *, ahead: bool) -> Iterator[Claim]:
        """Yield what those installments take of cash that it pays whole, the oldest first.

        Interest and principal make one whole. Once nothing of what is due is missing, the fees of what is due take what
        is left, and then, if cash may go `ahead`, coming installments that it pays whole.
        """
        due = [line for line in self._lines if line.has_fallen_due]
        for line in due:
            if line.unpaid > cash:
                return
            if line.unpaid:
                yield _without_fees(_due_claim(line, day))
            cash -= line.unpaid
        for line in due:
            fees = line.unpaid_fees
            if fees and cash:
                claim = _due_claim(line, day)
                yield Claim(line.no, claim.status, {name: claim.most[name] for name in FEES}, 0)
            cash -= min(fees, cash)
        for line in (line for line in self._lines if ahead and not line.has_fallen_due and line.asks):
            if line.unpaid + line.unpaid_fees > cash:
                return
            yield _coming_claim(line, True, self._interest_asked_by(line))
            cash -= line.unpaid + line.unpaid_fees

    def next_to_come(self, day: date) -> int | None:
        """Return the number of the first installment whose period has not ended by a day; None if there is none."""
        return next((line.no for line in self._lines if self._is_to_come(line, day)), None)

    def prepay(self, no: int, principal: int) -> None:
        """Ask on an installment for principal that is paid before its time, beside what it asks for anyway."""
        line = self._lines[no - 1]
        line.principal += principal
        line.prepaid += principal

    def pay_down(self, day: date, amount: int) -> None:
        """Count what is paid with a drawdown on the installment that is due for it; if there is none, on the last."""
        own = (each for each in self._lines if each.is_down_payment and each.due == day and each.unpaid)
        line = next(own, self._lines[-1])
        line.paid["principal"] += amount

    def lay(self, taken: Mapping[int, Allocation], day: date) -> None:
        """Count what a payment brought to each installment; one that it passed asks for no more than it was paid."""
        for line in self._lines[: max(taken, default=0)]:
            for name in ALL_RECEIVABLES if line.no in taken else ():
                line.paid[name] += getattr(taken[line.no], name)
            if not line.has_fallen_due and not line.unpaid:
                line.ask_for_what_was_paid()
            self._note_satisfied(line, day)

    def no_of(self, day: date) -> int:
        """Return the number of the first installment due on a day or later, else of the last."""
        return next((line.no for line in self._lines if line.due >= day), self._lines[-1].no)

    def charge(self, no: int, receivable: str, fee: int) -> None:
        """Add a fee to an installment."""
        self._lines[no - 1].fees[receivable] += fee

    def owe_again(self, no: int, principal: int, interest: int) -> None:
        """Have an installment ask once more for what was paid."""
        self._lines[no - 1].owe_again(principal, interest)

    def waive_fee(self, no: int, receivable: str, amount: int) -> None:
        """Ask for less of an installment's fees."""
        self._lines[no - 1].waive_fee(receivable, amount)

    def waive_interest(self, amount: int, day: date) -> None:
        """Ask for less interest: of the installments that are due, the oldest first, then of the coming one."""
        for line in self._lines[: self._fallen]:
            part = 0 if line.paid_off_on is not None else min(amount, line.interest - line.paid["interest"])
            if part > 0:
                line.waive_interest(part)
                self._note_satisfied(line, day)
                amount -= part
        claimed = self._claimed_interest
        for line in self._lines[self._fallen :]:
            if line.asks_interest and line.unpaid and line.earned_by_then is not None:
                # Its period is over: what was earned since belongs to the next one.
                own = line.earned_by_then - claimed - line.interest_off - line.paid["interest"]
                line.waive_interest(part := max(0, min(amount, own)))
                amount, claimed = amount - part, line.earned_by_then
        if amount:
            running = (
                line for line in self._lines[self._fallen :] if line.asks_interest and line.earned_by_then is None
            )
            next((line for line in running if line.unpaid), self._lines[-1]).waive_interest(amount)

    def write_off(self, principal: int, day: date) -> None:
        """Ask for nothing more: what is left of fees, and of so much principal, is no longer owed."""
        for line in self._lines:
            for name in FEES:
                line.waive_fee(name, line.fees[name] - line.paid[name])
            asked = 0 if line.paid_off_on is not None else line.principal - line.paid["principal"]
            part = max(0, min(principal, asked))
            line.waived["principal"] += part
            principal -= part
        self.pay_off(day)

    def paid_on(self, no: int, receivable: str) -> int:
        """Return what was paid of a receivable on an installment."""
        return self._lines[no - 1].paid[receivable]

    def total_of(self, no: int) -> int:
        """Return what an installment asks for of interest and principal, paid or not."""
        return self._lines[no - 1].interest + self._lines[no - 1].principal

    @property
    def has_one_untouched(self) -> bool:
        """Tell whether an installment that is not due yet asks for something and was paid nothing."""
        return any(line.unpaid and not line.all_paid for line in self._lines[self._fallen :])

    @property
    def are_current(self) -> bool:
        """Tell whether nothing is missing of the interest and principal of those that are due."""
        return not any(line.unpaid for line in self._lines[: self._fallen])

    def in_time(self, since: date, grace: timedelta) -> int:
        """Return how many of the latest installments due after a day were satisfied in time, one after the other."""
        count = 0
        for line in reversed(self._lines[: self._fallen]):
            if line.due <= since or line.paid_off_on is None or line.paid_off_on > line.due + grace:
                break
            count += 1
        return count

    def unpaid_through(self, no: int) -> int:
        """Return what is missing of interest and principal of the installments up to this one."""
        return sum(line.unpaid for line in self._lines[:no])

    def unpaid_of(self, no: int) -> int:
        """Return what is missing of an installment's interest and principal."""
        return self._lines[no - 1].unpaid

    def wants_interest(self, no: int) -> bool:
        """Tell whether an installment asks for interest, and all before it have fallen due or are satisfied."""
        line = self._lines[no - 1]
        waiting = any(earlier.unpaid for earlier in self._lines[self._fallen : no - 1])
        return line.asks_interest and line.unpaid > 0 and not waiting

    def pay_off(self, day: date) -> None:
        """Satisfy every installment: the loan owes nothing more, and the coming ones ask for nothing more."""
        for line in self._lines:
            if line.paid_off_on is None:
                line.ask_for_what_was_paid()
                line.paid_off_on = day

    def states(self) -> tuple[InstallmentState, ...]:
        """Return the installments as they stand."""
        return tuple(
            InstallmentState(
                no=line.no,
                due=line.due,
                principal=line.principal,
                interest=line.interest,
                fees=line.fees["other_fees"],
                penalties=line.fees["late_fees"] + line.fees["returned_payment_fees"],
                paid_principal=line.paid["principal"],
                paid_interest=line.paid["interest"],
                paid_fees=line.paid["other_fees"],
                paid_penalties=line.paid["late_fees"] + line.paid["returned_payment_fees"],
                waived=sum(line.waived.values()),
                paid_off_on=line.paid_off_on,
            )
            for line in self._lines
        )

    def _settle(self, line: _Line, interest_earned: int, principal_owed: int) -> None:
        if line.paid_off_on is None:
            earned = interest_earned - self._claimed_interest
            line.interest, line.principal = self._settled(line, earned, principal_owed)

    def _settled(self, line: _Line, earned: int, principal_owed: int) -> tuple[int, int]:
        """Return interest and principal that an installment comes to ask for, of interest that no other has claimed."""
        own = earned - line.interest_off if line.asks_interest else 0
        total = line.interest + line.principal if line.keeps_total else max(own + line.principal, line.all_paid)
        interest = min(own, total - line.paid["principal"])
        return interest, min(total - interest, self._principal_left_for(line, principal_owed))

    def _principal_left_for(self, line: _Line, principal_owed: int) -> int:
        """Return the principal that no earlier installment asks for, what this one was paid included."""
        asked = sum(
            earlier.principal - earlier.paid["principal"]
            for earlier in self._lines[: line.no - 1]
            if earlier.paid_off_on is None
        )
        return principal_owed + line.paid["principal"] - asked

    @staticmethod
    def _note_satisfied(line: _Line, day: date) -> None:
        if line.paid_off_on is None and not line.unpaid:
            line.paid_off_on = day


def _asked(line: _Line, interest: int, principal: int) -> Asked:
    is_open = line.paid_off_on is None
    return Asked(
        line.due,
        interest + principal,
        max(0, interest + principal - line.all_paid) if is_open else 0,
        principal - line.paid["principal"] if is_open else 0,
        interest - line.paid["interest"] if is_open else 0,
        line.fees["other_fees"] - line.paid["other_fees"],
        sum(line.fees[name] - line.paid[name] for name in FEES if name != "other_fees"),
    )


def _status(line: _Line, day: date) -> str:
    if not line.has_fallen_due:
        return "in_advance"
    return "past_due" if line.due < day else "due"


def _due_claim(line: _Line, day: date) -> Claim:
    most = {name: line.fees[name] - line.paid[name] for name in FEES}
    most["interest"] = line.interest - line.paid["interest"]
    most["principal"] = line.principal - line.paid["principal"]
    return Claim(line.no, _status(line, day), most, line.unpaid)


def _without_fees(claim: Claim) -> Claim:
    return replace(claim, most={name: claim.most[name] for name in SHARING_ROOM})


def _coming_claim(line: _Line, interest_first: bool, interest: int | None) -> Claim:
    """Return the claim of an installment that is not due yet.

    What has been earned of a period that still runs is known as the interest owed, not by installment; of one that is
    over it is known (`interest`).
    """
    room = line.unpaid
    most = {name: line.fees[name] - line.paid[name] for name in FEES}
    most["interest"] = (room if interest is None else min(room, interest)) if line.asks_interest else 0
    most["principal"] = room if interest_first else line.principal - line.paid["principal"]
    return Claim(line.no, "in_advance", most, room)


def _as_recast(claims: Iterator[Claim], recast: Claim, interest_first: bool) -> Iterator[Claim]:
    """Yield the claims of coming installments where principal that is paid ahead changes them instead.

    Those whose period has ended ask for their own as ever; the others for interest alone.
    """
    every = list(claims)
    yield from (claim for claim in every if claim.no < recast.no)
    interest = [replace(claim, most={**claim.most, "principal": 0}) for claim in every if claim.no >= recast.no]
    yield from (*interest, recast) if interest_first else (recast, *interest)


def _as_prepaid(claims: Iterator[Claim], after_prepayment: str, interest_first: bool) -> Iterator[Claim]:
    """Yield the claims of coming installments in the order in which what is paid ahead goes to them."""
    if after_prepayment == "next":
        yield from claims
        return
    every = list(claims)
    without = [replace(claim, most={**claim.most, "principal": 0}) for claim in every]
    principal = [replace(claim, most={"principal": claim.most["principal"]}) for claim in reversed(every)]
    yield from (*without, *principal) if interest_first else (*principal, *without)
