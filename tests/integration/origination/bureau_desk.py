"""What tests of verification do over and over: load sources, apply, ask.

Next: `tests/integration/origination/conftest.py`, which has the bureau.
"""

from __future__ import annotations

from typing import Any

from api.bureau import people
from api.bureau.sources import as_toml
from api.edge import Edge
from api.verification import verification_json, verify
from ledger.unit_of_work import UnitOfWork
from origination.intake_commands import Opening, open_application, submit_intake
from origination.verification.source import Source, read_sources
from origination.verification_commands import load_source
from tests.integration.origination.conftest import BOOK, ENVIRONMENT, SEED
from tests.support.applications import vault, whole


def load(edge: Edge, *sources: Source) -> None:
    def work(uow: UnitOfWork) -> None:
        for each in sources:
            load_source(uow, each)

    edge.change(work, actor="ops")


def load_bureau(edge: Edge, url: str, **settings: Any) -> None:
    load(edge, *read_sources(as_toml(url, **{"pause": 0.01, "timeout": 2.0, **settings})))


def applied(edge: Edge, person: dict[str, Any] | None = None, *, submit: bool = True) -> int:
    known = person or next(people.people(SEED, 1))
    names = ("first_name", "last_name", "ssn", "date_of_birth", "zip")
    data = whole(**{f"applicant__{name}": known[name] for name in names})

    def work(uow: UnitOfWork) -> int:
        saved = open_application(uow, vault(), BOOK, Opening(product="personal", channel="web"), data)
        if submit:
            submit_intake(uow, vault(), BOOK, saved.application_id)
        return saved.application_id

    return edge.change(work, actor="bob")


def ran(edge: Edge, number: int, *kinds: str, again: bool = False) -> list[dict[str, Any]]:
    done = verify(edge, vault(), BOOK, number, actor="bob", environment=ENVIRONMENT, kinds=kinds, again=again)
    return [verification_json(each) for each in done]
