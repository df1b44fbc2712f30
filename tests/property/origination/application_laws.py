"""What holds of applications at any time, read out of the database by SQL of its own.

After each step: histories are those of the reference, without gaps. At the end: one loan of the accepted terms for
each funding, its money to the cent, by the people that its rules ask for. Next: `application_sides.py`.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from tests.property.origination.application_reference import Case, empty_seats
from tests.property.origination.application_sides import ApplicationSides

HISTORIES = """
    SELECT a.application_id, a.external_id, a.entered_by,
           array_agg(e.event_no ORDER BY e.event_no) AS numbers,
           array_agg(e.action || ' ' || e.state ORDER BY e.event_no) AS steps,
           array_agg(e.actor ORDER BY e.event_no) AS actors,
           array_agg(e.loan_id) FILTER (WHERE e.state = 'funded') AS loans,
           (SELECT count(*) FROM origination.offer o WHERE o.application_id = a.application_id) AS offers,
           (SELECT array_agg(f.actor ORDER BY f.actor) FROM origination.funding_approval f
             WHERE f.application_id = a.application_id) AS approvals
      FROM origination.application a
      JOIN ledger.book b ON b.book_id = a.book_id
      JOIN origination.application_event e ON e.application_id = a.application_id
     WHERE b.code = :book GROUP BY a.application_id ORDER BY a.application_id
"""
LOANS = """
    SELECT l.loan_id, l.external_id FROM servicing.loan l JOIN ledger.book b ON b.book_id = l.book_id
     WHERE b.code = :book ORDER BY l.loan_id
"""
FUNDING = """
    SELECT e.actor, e.approver, a.entered_by, a.terms AS asked, c.canonical, c.sha256, c.funding_rules,
           o.terms AS offered, t.terms, p.rules
      FROM origination.application_event e
      JOIN origination.application a ON a.application_id = e.application_id
      JOIN servicing.terms_version t ON t.loan_id = e.loan_id AND t.version = 1
      JOIN servicing.product_version p ON p.content_hash = t.product_hash
      LEFT JOIN origination.contract c ON c.application_id = e.application_id
      LEFT JOIN origination.offer o ON o.application_id = c.application_id AND o.offer_no = c.offer_no
     WHERE e.application_id = :number AND e.state = 'funded'
"""
APPROVALS = """
    SELECT f.actor FROM origination.funding_approval f
      JOIN origination.contract c ON c.application_id = f.application_id AND c.sha256 = f.contract_sha256
     WHERE f.application_id = :number
"""
FUNDED = """
    SELECT sum(p.amount) FILTER (WHERE credit.code = '2030'), sum(p.amount), count(DISTINCT p.entry_no)
      FROM ledger.journal_entry j
      JOIN ledger.posting p ON p.subledger_id = j.subledger_id AND p.entry_no = j.entry_no
      JOIN ledger.account credit ON credit.account_id = p.credit_account
     WHERE j.subledger_id = :loan AND j.template = 'loan_funded' AND j.reverses_no IS NULL
"""
DISBURSED = """
    SELECT sum(amount), count(DISTINCT loan_id), min(loan_id) FROM origination.disbursement
     WHERE application_id = :number
"""
BALANCES = """
    SELECT x.code, sum(x.amount) FROM (
        SELECT d.code, p.amount FROM ledger.posting p JOIN ledger.account d ON d.account_id = p.debit_account
         WHERE p.subledger_id = :loan
        UNION ALL
        SELECT c.code, -p.amount FROM ledger.posting p JOIN ledger.account c ON c.account_id = p.credit_account
         WHERE p.subledger_id = :loan) x GROUP BY x.code
"""
KEPT = """
    SELECT a.code, s.balance * CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END
      FROM ledger.account_balance s JOIN ledger.account a ON a.account_id = s.account_id WHERE s.subledger_id = :loan
"""


class ApplicationLaws(ApplicationSides):
    """What is compared after each step, and proved at the end."""

    def compare(self) -> None:
        """Compare every history, and which loans there are, with the reference."""
        found = {row.application_id: row for row in self.rows(HISTORIES)}
        assert sorted(found) == sorted(case.number for case in self.reference.cases)
        for case in self.reference.cases:
            row = found[case.number]
            assert row.numbers == list(range(1, len(case.history) + 1))
            assert row.steps == [f"{action} {state}" for action, state, _ in case.history]
            for actor, (_, _, wanted) in zip(row.actors, case.history, strict=True):
                assert actor == wanted or (wanted == "policy" and actor.startswith("policy"))
            assert (row.loans or []) == ([] if case.loan_id is None else [case.loan_id])
            assert (case.loan_id is not None) == (case.state in ("funded", "canceled"))
            assert row.offers == len(case.offers)
            assert set(row.approvals or ()) == case.approvals
        wanted_loans = {(case.loan_id, case.external_id) for case in self.reference.cases if case.loan_id is not None}
        loans = [(row.loan_id, row.external_id) for row in self.rows(LOANS)]
        assert len(loans) == len(wanted_loans)
        assert set(loans) == wanted_loans

    def teardown(self) -> None:
        """Prove every funding out of the database."""
        for case in self.reference.cases if hasattr(self, "reference") else ():
            if case.loan_id is not None:
                self._prove_terms(case)
                self._prove_people(case)
                self._prove_money(case)

    def _prove_terms(self, case: Case) -> None:
        (row,) = self.rows(FUNDING, number=case.number)
        if case.contract is None:
            assert row.canonical is None
            assert (row.terms, row.rules) == (row.asked["terms"], row.asked["product"])
            return
        text = bytes(row.canonical)
        body = json.loads(text)
        assert hashlib.sha256(text).hexdigest() == row.sha256
        assert row.terms == body["terms"] == row.offered["terms"]
        assert row.rules == body["product"] == row.offered["product"]
        assert Decimal(row.terms["principal"]) * 100 == case.contract.offer.amount

    def _prove_people(self, case: Case) -> None:
        (row,) = self.rows(FUNDING, number=case.number)
        assert row.approver not in (None, row.actor, row.entered_by)
        if case.contract is None:
            return
        approvers = {actor for (actor,) in self.rows(APPROVALS, number=case.number)} - {row.actor, row.entered_by}
        assert row.approver in approvers
        rules, amount = row.funding_rules, Decimal(json.loads(bytes(row.canonical))["terms"]["principal"])
        tiers = rules["approvals"]
        tier = next(each for each in tiers if each["up_to"] is None or amount <= Decimal(each["up_to"]))
        places = [need["group"] for need in tier["needs"] for _ in range(need["count"])]
        assert not empty_seats(places, sorted(approvers), rules["groups"])

    def _prove_money(self, case: Case) -> None:
        loan_id = case.loan_id
        (disbursed,) = self.rows(DISBURSED, number=case.number)
        (funded,) = self.rows(FUNDED, loan=loan_id)
        principal = case.amount if case.contract is None else case.contract.offer.amount
        assert (disbursed[0], disbursed[1], disbursed[2]) == (funded[0], 1, loan_id)
        assert (funded[1], funded[2]) == (principal, 1)
        balances: dict[str, Any] = dict(tuple(row) for row in self.rows(BALANCES, loan=loan_id))
        # Debits are positive: of all accounts together, nothing is left; and what is kept is what was posted.
        assert not sum(balances.values())
        assert all(balances[code] == kept for code, kept in self.rows(KEPT, loan=loan_id))
        if case.state == "canceled":
            assert not any(balances.values()), balances
            return
        if case.contract is not None:
            assert funded[0] == case.contract.offer.proceeds
        assert balances["1210"] == principal
        # What is not out is owed to the payees; what is out stands in the clearing accounts of the rails.
        assert -balances["2030"] == case.unsent()
