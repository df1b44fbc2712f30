"""Deciding on 100,000 applications through the shipped policy of 41 rules, against the same rules in plain Python.

One process, one core: the rules alone; the whole decision from facts to reasons and price; and with the database, set-based,
every decision kept with its facts. Next: `tests/bench/plain_rules.py`; `origination/policies/engine.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

import sqlalchemy as sa

from ledger.commands.books import create_book
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from origination.application import LoanRequest
from origination.commands import submit_applications
from origination.decision_commands import CHUNK, decide_applications
from origination.decision_queries import replay
from origination.policies.document import shipped_text
from origination.policies.engine import Policy, decide, read_policy
from origination.policies.expressions import DIGITS
from origination.policies.vocabulary import symbols
from origination.policy_commands import activate_policy, load_policy
from servicing.product import shipped
from servicing.terms import Terms
from tests.bench.harness import Bench, BenchDatabase, alternate, scaled, seconds
from tests.bench.plain_rules import RULES

CODE, NAME = "bench", "personal_loan"
TODAY = date(2026, 1, 2)
SEED = 20260102


def decisions(bench: Bench) -> None:
    """Benchmarks of deciding."""
    count = scaled(100_000)
    policy = read_policy(shipped_text(f"{NAME}.toml"))
    chance = random.Random(SEED)
    cases = [_sources(chance) for _ in range(count)]
    bench.say(f"{count:,} applications, {len(policy.document.rules)} rules")
    _measure_rules(bench, policy, cases)
    _measure_database(bench, policy, cases)


def _measure_rules(bench: Bench, policy: Policy, cases: Sequence[dict[str, Any]]) -> None:
    facts = [policy.facts(case) for case in cases]
    seen = [symbols(policy.document.facts, each) for each in facts]
    expressions = policy._compiled.rules
    for each, known in zip(facts[:2_000], seen, strict=False):
        plain = tuple(code for code, rule in RULES.items() if rule(known))
        if plain != decide(policy, each).fired:
            raise RuntimeError(f"the plain rules differ from the policy's: {plain}")

    def floor() -> float:
        with localcontext(DIGITS):
            return len(seen) / seconds(lambda: [[rule(known) for rule in RULES.values()] for known in seen])

    def ours() -> float:
        with localcontext(DIGITS):
            return len(seen) / seconds(lambda: [[each.evaluate(known) for each in expressions] for known in seen])

    base, rate = alternate(floor, ours)
    bench.faster("evaluate 41 rules, against plain functions", rate, base, "applications/s", at_least=0.5)
    whole = len(facts) / seconds(lambda: [decide(policy, each) for each in facts])
    bench.faster("a whole decision: rules, score, table, price, reasons", whole, base, "decisions/s", at_least=None)


def _measure_database(bench: Bench, policy: Policy, cases: Sequence[dict[str, Any]]) -> None:
    database = BenchDatabase.create(bench.server, "bench_decisions")
    engine: sa.Engine = database.engine()
    ids = _entered(engine, policy, len(cases))

    def everything() -> None:
        for at in range(0, len(ids), CHUNK):
            chunk = dict(zip(ids[at : at + CHUNK], cases[at : at + CHUNK], strict=True))
            run(engine, partial(_decided, chunk=chunk), actor="bench")

    taken = seconds(everything)
    bench.figure("decide and keep, one connection", len(ids) / taken, "decisions/s")
    with engine.connect() as connection:
        row = connection.execute(
            sa.text(
                "SELECT pg_total_relation_size('origination.decision') AS bytes, max(decision_id) AS last"
                " FROM origination.decision"
            )
        ).one()
        if replay(connection, row.last).differences:
            raise RuntimeError("a decision of the benchmark does not replay")
    bench.figure("bytes of a decision, with its facts and results", row.bytes / len(ids), "bytes")
    engine.dispose()
    database.drop()


def _decided(uow: UnitOfWork, chunk: dict[int, dict[str, Any]]) -> None:
    decide_applications(uow, CODE, NAME, chunk)


def _entered(engine: sa.Engine, policy: Policy, count: int) -> list[int]:
    terms = Terms(
        product=shipped("installment"),
        principal=Money(1_000_000, "USD"),
        rate=Decimal("12.00"),
        installments=36,
        frequency="monthly",
        funded_on=TODAY,
        first_due_on=date(2026, 2, 2),
    )

    def work(uow: UnitOfWork) -> tuple[int, ...]:
        create_book(uow, code=CODE, name="Bench", base_currency="USD", opened_on=TODAY)
        load_policy(uow, policy)
        activate_policy(uow, CODE, policy.content_hash, reason="bench")
        return ()

    run(engine, work, actor="bench", approver="other")
    ids: list[int] = []
    for at in range(0, count, 5_000):
        requests = [
            LoanRequest(external_id=f"B-{number}", channel="web", applicant="P", terms=terms)
            for number in range(at, min(at + 5_000, count))
        ]
        ids += run(engine, partial(_submitted, requests=requests), actor="ann")
    return ids


def _submitted(uow: UnitOfWork, requests: list[LoanRequest]) -> tuple[int, ...]:
    return submit_applications(uow, CODE, requests)


def _sources(chance: random.Random) -> dict[str, dict[str, Any]]:
    """Return an application as they come: most facts are there, a few reach over a cut-off."""
    return {
        "application": {
            "amount": chance.randrange(100_000, 3_000_000, 2_500),
            "term": chance.choice((36, 36, 60)),
            "purpose": chance.choice(("debt_consolidation", "credit_card", "other", "small_business")),
            "received_on": "2026-01-02",
        },
        "applicant": {
            "state": chance.choice(("CA", "NY", "TX", "FL", "IA")),
            "birth_date": f"{chance.randrange(1950, 2007)}-06-15",
            "home_ownership": chance.choice(("RENT", "OWN", "MORTGAGE")),
            "months_at_address": chance.randrange(0, 120),
        },
        "income": {
            "annual": chance.randrange(1_200_000, 15_000_000, 100),
            "verification": chance.choice(("Verified", "Not Verified")),
            "employment_years": chance.choice((None, 0, 2, 5, 10)),
        },
        "credit_report": {
            "dti": f"{chance.randrange(0, 3_200) / 100:.2f}",
            "delinquencies_2y": chance.choice((0, 0, 0, 0, 1, 3)),
            "inquiries_6m": chance.choice((0, 0, 1, 2, 4)),
            "open_accounts": chance.randrange(1, 20),
            "total_accounts": chance.randrange(3, 40),
            "public_records": chance.choice((0, 0, 0, 0, 1)),
            "revolving_balance": chance.randrange(0, 4_000_000),
            "revolving_use": f"{chance.randrange(0, 100)}",
        },
        "identity": {"matched": True, "deceased": False},
        "fraud": {"score": chance.randrange(0, 650)},
        "bank_data": {"returned_payments_12m": chance.choice((0, 0, 0, 1)), "lowest_balance": 10_000},
    }
