"""Policies and decisions as both doors show them, and the page of a decision for a credit officer.

Next: `origination/decision_queries.py`; `api/cli/policies.py`, `api/cli/decisions.py`; `api/routes/decisions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from api.views import Json, MoneyForm, day, major_units
from ledger.money import Money
from origination.decision_commands import Decided
from origination.decision_queries import DecisionView, PolicyView, Referral, Replayed
from origination.decision_records import Activation, StoredUnderwriting, Version
from origination.policies.document import Document
from origination.policies.engine import Policy
from origination.policy_commands import LoadedAuthority, LoadedPolicy

REASON = ("name", "code", "text", "because")


def loaded_policy_json(loaded: LoadedPolicy) -> Json:
    """Return what loading a policy came to."""
    return {"name": loaded.name, "content_hash": loaded.content_hash, "is_new": loaded.is_new}


def loaded_authority_json(loaded: LoadedAuthority) -> Json:
    """Return what loading limits of authority came to."""
    return {"version": loaded.version, "content_hash": loaded.content_hash, "is_new": loaded.is_new}


def activation_json(found: Activation) -> Json:
    """Return an activation; the challenger's share in percent."""
    return {
        "name": found.name,
        "activation_no": found.activation_no,
        "effective_date": day(found.effective_date),
        "champion": found.champion,
        "challenger": found.challenger,
        "challenger_percent": f"{found.challenger_bp // 100}.{found.challenger_bp % 100:02}",
        "shadows": list(found.shadows),
        "reason": found.reason,
        "actor": found.actor,
        "approver": found.approver,
    }


def policy_json(view: PolicyView, document: Document | None = None) -> Json:
    """Return a policy with its versions and activations, the latest first; with a document, that version's body."""
    body = {} if document is None else {"policy": document.as_json()}
    return {
        "name": view.name,
        "in_force": None if view.in_force is None else activation_json(view.in_force),
        "versions": [_version_json(each) for each in view.versions],
        "activations": [activation_json(each) for each in view.activations],
        **body,
    }


def checked_json(policy: Policy) -> Json:
    """Return what a policy that was checked holds."""
    document = policy.document
    card, offer = document.scorecard, document.offer
    return {
        "name": policy.name,
        "content_hash": policy.content_hash,
        "facts": len(document.facts),
        "rules": len(document.rules),
        "characteristics": len(card.characteristics) if card else 0,
        "tables": len(document.tables),
        "prices": len(offer.prices) if offer else 0,
    }


def decided_json(done: Decided, money: MoneyForm) -> Json:
    """Return what was just decided on an application, and where that left it."""
    return {
        "application_id": done.application_id,
        "decision_id": done.decision_id,
        "state": str(done.state),
        "role": done.role,
        "policy": done.policy.name,
        "content_hash": done.policy.content_hash,
        **_result_json(done.policy, done.decision.as_json(), money),
    }


def decision_json(view: DecisionView, money: MoneyForm) -> Json:
    """Return a decision with the facts that it was made on, and all that led to it."""
    found = view.decision
    return {
        "application_id": found.application_id,
        "external_id": view.external_id,
        "decision_id": found.decision_id,
        "decision_no": found.decision_no,
        "state": str(view.position.standing.state),
        "entered_by": view.position.standing.entered_by,
        "role": found.role,
        "policy": found.policy,
        "content_hash": found.content_hash,
        "business_date": day(found.business_date),
        "actor": found.actor,
        "recorded_at": found.recorded_at.isoformat(),
        **_result_json(view.policy, found.result, money),
        "facts": dict(found.facts),
        "underwriting": None if view.underwriting is None else _underwriting_json(view.underwriting),
    }


def replayed_json(found: Replayed) -> Json:
    """Return what computing a decision again came to."""
    return {
        "decision_id": found.decision_id,
        "content_hash": found.content_hash,
        "equal": not found.differences,
        "differences": list(found.differences),
    }


def referral_json(found: Referral) -> Json:
    """Return an application that waits for an underwriter."""
    return {
        "application_id": found.application_id,
        "decision_id": found.decision_id,
        "external_id": found.external_id,
        "outcome": found.outcome,
        "decided_on": day(found.decided_on),
        "entered_by": found.entered_by,
        "fired": [code for code, fired in found.result["rules"] if fired],
        "score": found.result["score"],
    }


def decision_page(view: DecisionView) -> str:
    """Return a decision as a page of its own: no script, nothing fetched, every value escaped."""
    document = view.policy.document
    abouts = {rule.code: rule for rule in document.rules}
    facts = [
        {
            "name": name,
            "value": _shown(fact.type, view.decision.facts.get(name), document.currency),
            "unit": document.currency if fact.type == "money" else fact.unit,
            "source": fact.source,
        }
        for name, fact in document.facts.items()
    ]
    return _template().render(d=decision_json(view, major_units), facts=facts, abouts=abouts, about=document.about)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("decision.html")


def _shown(kind: str, value: Any, currency: str) -> str:
    if value is None:
        return "missing"
    if kind == "money":
        return Money(value, currency).format(grouping=True)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _version_json(version: Version) -> Json:
    return {
        "content_hash": version.content_hash,
        "actor": version.actor,
        "recorded_at": version.recorded_at.isoformat(),
    }


def _result_json(policy: Policy, result: Mapping[str, Any], money: MoneyForm) -> Json:
    currency, price = policy.document.currency, result["price"]
    quote = None
    if price is not None:
        amount, term, rate, fee = price
        quote = {
            "amount": money(Money(amount, currency)),
            "term": term,
            "rate": rate,
            "fee": money(Money(fee, currency)),
        }
    return {
        "outcome": result["outcome"],
        "score": result["score"],
        "reasons": [dict(zip(REASON, each, strict=True)) for each in result["reasons"]],
        "price": quote,
        "rules": [{"code": code, "fired": fired} for code, fired in result["rules"]],
        "points": [{"fact": fact, "points": points, "most": most} for fact, points, most in result["points"]],
        "tables": [{"table": table, "row": row, "outcome": outcome} for table, row, outcome in result["tables"]],
        "missing": list(result["missing"]),
        "derived": dict(result["derived"]),
    }


def _underwriting_json(found: StoredUnderwriting) -> Json:
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "reasons": [{"name": name, "code": code, "text": text} for name, code, text in found.reasons],
        "exceptions": list(found.exceptions),
        "authority_version": found.authority_version,
        "authority_group": found.authority_group,
        "second_group": found.second_group,
        "actor": found.actor,
        "approver": found.approver,
        "business_date": day(found.business_date),
    }
