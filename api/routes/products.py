"""`/v1/products`: the rules that loans share, loaded release after release.

Next: `api/products.py`; `servicing/commands/products.py`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.models import Body, Code, Query
from api.products import Json, loaded_json, product_json, products_json
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.commands.products import load_product
from servicing.product import parse_product

routes = Blueprint("products", __name__)


class ProductIn(Body):
    """A product: its name, and its rules as a TOML file has them; numbers that are no whole ones are text."""

    name: Code
    rules: dict[str, Any] = Field(default_factory=dict)


@routes.post("/v1/products")
def load() -> Response:
    """Let new loans of this name have these rules; the log of the book keeps the request."""
    change, given = http.change(), http.body(ProductIn)
    product = parse_product({**given.rules, "name": given.name})
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            return loaded_json(load_product(uow, product))

        own = book(uow.connection, code).own_subledger_id
        inputs = given.model_dump(mode="json")
        return once(uow, subledger_id=own, key=change.key, command="load_product", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/products")
def index() -> Response:
    """Return every product with its latest release; one that is shipped and was never loaded has none."""
    http.query(Query)
    return http.reply({"products": http.edge().read(products_json)})


@routes.get("/v1/products/<name>")
def show(name: str) -> Response:
    """Return the rules that new loans of a product get, and every release."""
    http.query(Query)
    return http.reply(http.edge().read(lambda connection: product_json(connection, name)))
