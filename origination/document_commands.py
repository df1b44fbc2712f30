"""Documents made from what is kept, and kept byte for byte themselves.

Made again from the same facts on the same day, a document is the one that is kept. Never: the words
(`origination/documents/templates`). Next: `origination/documents/render.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import funding_store
from origination.application import ApplicationState
from origination.documents.pdf import pdf_of
from origination.documents.render import KINDS, html_of
from origination.errors import DocumentRefused
from origination.funding_queries import FundingView, funding, offers
from origination.queries import ApplicationView, application

FORMATS = ("html", "pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as it was given out; `content` is None in a list of them."""

    application_id: int
    kind: str
    version: int
    format: str
    sha256: str
    made_on: date
    actor: str
    content: bytes | None = None


def make_document(
    uow: UnitOfWork,
    book_code: str,
    application_id: int,
    kind: str,
    *,
    form: str = "pdf",
    lender: str,
    reasons: Sequence[str] = (),
    agency: str = "",
) -> Document:
    """Make a document and keep it; the same bytes again are the document that is there.

    `reasons` and `agency` are of a notice of adverse action: one to four principal reasons, and the agency that
    administers compliance, 12 CFR 1002.9(b). Raises: BookUnknown; ApplicationUnknown; ContractUnknown; DocumentRefused.
    """
    if kind not in KINDS or form not in FORMATS:
        reason = f"kinds are {', '.join(KINDS)}; formats {', '.join(FORMATS)}"
        raise DocumentRefused(application_id=application_id, kind=kind, reason=reason)
    found = book(uow.connection, book_code)
    funding_store.lock_applications(uow.connection, (application_id,))
    facts = _facts(uow.connection, book_code, application_id, kind, reasons, agency)
    shown = {**facts, "lender": lender, "made_on": found.business_date.isoformat()}
    html = html_of(kind, shown)
    content = html.encode() if form == "html" else pdf_of(html, title=KINDS[kind], made_on=found.business_date)
    digest = hashlib.sha256(content).hexdigest()
    before = [each for each in documents(uow.connection, application_id) if (each.kind, each.format) == (kind, form)]
    for each in before:
        if each.sha256 == digest:
            return each
    made = Document(
        application_id=application_id,
        kind=kind,
        version=len(before) + 1,
        format=form,
        sha256=digest,
        made_on=found.business_date,
        actor=uow.actor,
    )
    row = {name: getattr(made, name) for name in _COLUMNS}
    funding_store.insert_document(uow.connection, {**row, "content": content})
    return made


_COLUMNS = ("application_id", "kind", "version", "format", "sha256", "made_on", "actor")


def documents(connection: sa.Connection, application_id: int) -> tuple[Document, ...]:
    """Return the documents of an application without their content, in order."""
    rows = funding_store.documents_of(connection, application_id)
    return tuple(Document(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows)


def document(connection: sa.Connection, application_id: int, kind: str, version: int, form: str) -> Document:
    """Return a document with its bytes.

    Raises: DocumentRefused if there is none.
    """
    row = funding_store.document_content(connection, application_id, kind, version, form)
    if row is None:
        raise DocumentRefused(application_id=application_id, kind=kind, reason=f"no version {version} in {form}")
    return Document(**{name: getattr(row, name) for name in _COLUMNS}, content=bytes(row.content))


def _facts(
    connection: sa.Connection, book_code: str, application_id: int, kind: str, reasons: Sequence[str], agency: str
) -> Mapping[str, Any]:
    shown_offers = offers(connection, book_code, application_id)
    view = application(connection, application_id)
    shared = {"application": view.request.external_id, "borrower": view.request.applicant}

    def refuse(reason: str) -> DocumentRefused:
        return DocumentRefused(application_id=application_id, kind=kind, reason=reason)

    if kind == "adverse-action":
        return {**shared, **_adverse(view, reasons, agency, refuse)}
    if kind == "approval-letter":
        rows = [_offer_row(each.offer) for each in shown_offers if each.status == "open"]
        if not rows:
            raise refuse("no offer of it is open")
        return {**shared, "offers": rows}
    return {**shared, **_of_contract(funding(connection, book_code, application_id))}


def _adverse(view: ApplicationView, reasons: Sequence[str], agency: str, refuse: Any) -> dict[str, Any]:
    if view.state is not ApplicationState.DECLINED:
        raise refuse(f"the application is {view.state}")
    if not 1 <= len(reasons) <= 4 or not agency.strip():
        raise refuse("it takes one to four reasons, and the agency that administers compliance")
    return {"reasons": list(reasons), "agency": agency}


def _offer_row(offer: Any) -> dict[str, Any]:
    return {
        "no": offer.offer_no,
        "is_counter": offer.is_counter,
        "principal": offer.terms.principal.format(),
        "installments": offer.terms.installments,
        "rate": str(offer.terms.rate),
        "apr": offer.disclosure["apr"],
        "finance_charge": offer.disclosure["finance_charge"],
        "expires_on": offer.expires_on.isoformat(),
    }


def _of_contract(view: FundingView) -> dict[str, Any]:
    body = view.contract.body
    return {
        "terms": body["terms"],
        "product": body["product"],
        "product_hash": body["product_hash"],
        "accepted_on": body["accepted_on"],
        "disclosure": body["disclosure"],
        "sha256": view.contract.sha256,
        "payouts": [{"payee": each.payee, "rail": each.rail, "amount": each.amount.format()} for each in view.payouts],
        "conditions": [
            {
                "title": condition.title,
                "outcome": "open" if decided is None else decided.outcome,
                "evidence": "" if decided is None else decided.evidence,
                "actor": "" if decided is None else decided.actor,
            }
            for condition, decided in view.conditions
        ],
        "approvals": [{"actor": each.actor, "approved_on": each.approved_on.isoformat()} for each in view.approvals],
        "missing": list(view.missing),
    }
