"""Documents made from contracts and decisions: escaped, the same bytes each time, kept by their hash."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from origination.application import Action
from origination.commands import decide_application
from origination.document_commands import document, documents, make_document
from origination.errors import DocumentRefused
from origination.funding.payout import PayoutIn
from tests.integration.origination.test_contracts import (
    accepted,
    approved,
    by,
    engine,
    offered,
    usd,
)

__all__ = ["approved", "engine"]

LENDER = "First & Last Bank"


def make(engine: sa.Engine, application_id: int, kind: str, form: str, **more: Any) -> bytes:
    made = by(engine, "ben", make_document, application_id, kind, form=form, lender=LENDER, **more)
    with engine.connect() as connection:
        content = document(connection, application_id, kind, made.version, form).content
    assert content is not None
    assert hashlib.sha256(content).hexdigest() == made.sha256
    return content


@pytest.mark.parametrize("kind", ["promissory-note", "tila-disclosure", "funding-checklist"])
def test_a_document_of_a_contract_has_the_same_bytes_each_time(engine: sa.Engine, approved: int, kind: str) -> None:
    accepted(engine, approved)
    first, again = make(engine, approved, kind, "pdf"), make(engine, approved, kind, "pdf")
    assert first == again
    assert first.startswith(b"%PDF-")
    with engine.connect() as connection:
        assert [each.version for each in documents(connection, approved)] == [1]


def test_the_disclosure_says_the_figures_of_the_contract_and_escapes_names(engine: sa.Engine, approved: int) -> None:
    accepted(engine, approved, PayoutIn(payee="<b>Dealer</b> & Sons", rail="wire", amount=usd("9700.00")))
    html = make(engine, approved, "tila-disclosure", "html").decode()
    for text in ("961.85 USD", "9,700.00 USD", "10,661.85 USD", "First &amp; Last Bank"):
        assert text in html
    assert "&lt;b&gt;Dealer&lt;/b&gt; &amp; Sons" in html
    assert make(engine, approved, "tila-disclosure", "pdf").startswith(b"%PDF-")


def test_a_letter_of_approval_shows_the_offers_that_are_open(engine: sa.Engine, approved: int) -> None:
    with pytest.raises(DocumentRefused, match="no offer"):
        make(engine, approved, "approval-letter", "html")
    offered(engine, approved)
    html = make(engine, approved, "approval-letter", "html").decode()
    assert "10,000.00" in html
    assert "8,000.00" in html


def test_a_notice_of_adverse_action_takes_one_to_four_reasons(engine: sa.Engine, approved: int) -> None:
    with pytest.raises(DocumentRefused, match="the application is approved"):
        make(engine, approved, "adverse-action", "html", reasons=["x"], agency="the CFPB")
    from origination.commands import submit_application
    from tests.integration.origination.test_funding import request

    declined = by(engine, "ann", submit_application, request("A-2"))
    by(engine, "ben", decide_application, declined, Action.DECLINE)
    with pytest.raises(DocumentRefused, match="one to four"):
        make(engine, declined, "adverse-action", "html", reasons=["a", "b", "c", "d", "e"], agency="the CFPB")
    html = make(engine, declined, "adverse-action", "html", reasons=["Income is too low"], agency="the CFPB").decode()
    assert "Income is too low" in html
