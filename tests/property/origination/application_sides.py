"""A book of applications on PostgreSQL, and one in plain Python beside it: how a step is taken on both.

A step that the reference refuses is refused by the same name, and leaves no row behind.
Next: `application_steps.py` for the steps; `application_laws.py` for what holds after them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, ClassVar, TypeVar

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis.stateful import RuleBasedStateMachine

from ledger.chart_file import parse_chart
from ledger.commands.books import create_book, load_chart
from ledger.domain_error import DomainError
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Disbursement, LoanRequest
from origination.funding.policy import FundingPolicy, policy_of
from origination.funding_commands import load_policy as load_funding_policy
from origination.policies.authority import parse_authority
from origination.policy_commands import activate_policy, load_authority, load_policy
from servicing.product import Product, parse_product
from servicing.terms import Terms
from servicing.vault import Vault
from tests.property.origination.application_reference import (
    FEE_PERCENT,
    FIRST,
    GROUPS,
    SECOND,
    UNDERWRITERS,
    Case,
    Reference,
    Refused,
)
from tests.support.machine_books import Books
from tests.unit.origination.policies import small

T = TypeVar("T")

FIRST_DAY = date(2026, 11, 2)
CHART = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))
PRODUCTS: Mapping[str, Product] = {
    name: parse_product({"name": name, "day_count": "30/360", "origination_fee": {"percent": f"{percent}.0"}})
    for name, percent in FEE_PERCENT.items()
}
AUTHORITY = {
    "about": "Those of the reference",
    "amount": "amount",
    "dti": "dti",
    "groups": [
        {
            "name": name,
            "members": [name],
            "amount": limits["amount"],
            "dti": str(limits["dti"]),
            "exceptions": ["any"] if limits["exceptions"] is None else sorted(limits["exceptions"]),
            "overrides": limits["overrides"],
        }
        for name, limits in UNDERWRITERS.items()
    ],
}
COUNTED = (
    *(f"origination.{name}" for name in ("application", "application_event", "decision", "underwriting", "offer")),
    *(f"origination.{name}" for name in ("contract", "payout", "funding_condition", "funding_approval")),
    *("origination.disbursement", "servicing.loan", "servicing.event", "servicing.terms_version"),
    *("servicing.payment_instruction", "servicing.payment_move", "servicing.bank_account"),
    *("ledger.subledger", "ledger.journal_entry", "ledger.posting"),
)
COUNTS = sa.text("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in COUNTED))


def usd(minor: int) -> Money:
    """Return an amount of dollars."""
    return Money(minor, "USD")


def parts(how: str, proceeds: int) -> list[tuple[str, int, bool]]:
    """Return rails, amounts and whether there is an account, for proceeds that are paid out somehow."""
    third = proceeds // 3
    return {
        "whole": [],
        "parts": [("wire", third, False), ("check", third, False), ("ach", proceeds - 2 * third, True)],
        "short": [("wire", proceeds - 1, False)],
        "no account": [("ach", proceeds, False)],
        "an account too many": [("check", third, False), ("wire", proceeds - third, True)],
    }[how]


def funding_rules(rules: Mapping[str, Any], product: str = "installment") -> FundingPolicy:
    """Return rules of the reference as those of the project."""
    return policy_of(
        {
            "product": product,
            "groups": {name: list(people) for name, people in GROUPS.items()},
            "approvals": [
                {
                    **({} if limit is None else {"up_to": str(Decimal(limit) / 100)}),
                    "needs": [{"group": group, "count": count} for group, count in needs],
                }
                for limit, needs in rules["tiers"]
            ],
            "conditions": [
                {"name": name, "title": name, "group": group, "waived_by": waived_by}
                for name, (group, waived_by) in rules["conditions"].items()
            ],
            "rescission": {"days": rules["rescission"], "holds_disbursement": rules["holds"]},
            "late_days": rules["late"],
        }
    )


def _answer(predicted: Callable[[], T]) -> tuple[str | None, T | None]:
    """Return the name of a refusal, or what the reference says instead."""
    try:
        return None, predicted()
    except Refused as refused:
        return refused.code, None


class ApplicationSides(RuleBasedStateMachine):
    """Two books of applications, and the one step at a time that both take."""

    books: ClassVar[Books]
    ready: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.vault = Vault.of_keys(Fernet.generate_key().decode())
        self.keys = itertools.count(1)

    def open_book(self) -> None:
        """Open a book, with rules for the fundings of one of its two products."""
        self.database, self.engine, self.code = self.books.next()

        def setup(uow: UnitOfWork) -> None:
            create_book(uow, code=self.code, name="Machine", base_currency="USD", opened_on=FIRST_DAY)
            load_chart(uow, self.code, CHART)
            load_funding_policy(uow, self.code, funding_rules(FIRST))

        def policies(uow: UnitOfWork) -> None:
            load_policy(uow, small())
            activate_policy(uow, self.code, small().content_hash, reason="test")
            load_authority(uow, parse_authority(AUTHORITY))

        run(self.engine, setup, actor="setup", approver="chief")
        if self.database.name not in self.ready:
            run(self.engine, policies, actor="pat", approver="quinn")
            self.ready.add(self.database.name)
        self.reference = Reference(FIRST_DAY, {"installment": FIRST})

    def use_rules(self, is_second: bool) -> None:
        """Load other rules; what was accepted by the old ones is funded by them."""
        rules = SECOND if is_second else FIRST
        run(
            self.engine,
            lambda uow: load_funding_policy(uow, self.code, funding_rules(rules)),
            actor="setup",
            approver="chief",
        )
        self.reference.rules["installment"] = rules

    def request(self, external_id: str, product: str, amount: int, rails: tuple[str, ...], ahead: int) -> LoanRequest:
        """Return a request for so much, paid out in parts by rails."""
        kept = amount * FEE_PERCENT[product] // 100
        share = (amount - kept) // len(rails)
        shares = [*(share for _ in rails[1:]), amount - kept - share * (len(rails) - 1)]
        funded_on = self.reference.today + timedelta(days=ahead)
        return LoanRequest(
            external_id=external_id,
            channel="web",
            applicant="borrower",
            terms=Terms(
                product=PRODUCTS[product],
                principal=usd(amount),
                rate=Decimal("12"),
                installments=12,
                frequency="monthly",
                funded_on=funded_on,
                first_due_on=funded_on + timedelta(days=40),
            ),
            disbursements=tuple(
                Disbursement(f"payee {place}", rail, usd(part))
                for place, (rail, part) in enumerate(zip(rails, shares, strict=True))
            ),
        )

    def case(self, which: int, *states: str) -> Case:
        """Return one of the applications, the latest rather than the others: of even numbers one in these states."""
        cases = self.reference.cases
        if which % 2 == 0:
            cases = [case for case in cases if case.state in states] or cases
        return cases[-1 - which // 2 % len(cases)]

    def key(self) -> str:
        """Return a name that nobody has used."""
        return f"{self.code}-{next(self.keys)}"

    def take(
        self,
        predicted: Callable[[], T],
        work: Callable[[UnitOfWork], Any],
        *,
        actor: str,
        approver: str | None = None,
    ) -> tuple[T, Any] | None:
        """Take a step on both sides and return what came of it on each; None where both refuse."""
        code, wanted = _answer(predicted)
        if code is None:
            return wanted, run(self.engine, work, actor=actor, approver=approver)  # type: ignore[return-value]
        before = self.counts()
        with pytest.raises(DomainError) as found:
            run(self.engine, work, actor=actor, approver=approver)
        assert found.value.code == code, found.value
        assert self.counts() == before
        return None

    def counts(self) -> dict[str, int]:
        """Return how many rows there are of everything that a step could write."""
        with self.engine.connect() as connection:
            return dict(zip(COUNTED, connection.execute(COUNTS).one(), strict=True))

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return what the database itself says of the applications of this book."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), {"book": self.code, **values}))
