"""Products over HTTP."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import send

RULES = {"grace_days": 10, "late_fee": {"amount": "15.00"}}


def test_a_product_is_loaded_and_shown(client: FlaskClient, books: Books) -> None:
    loaded = send(client, "/v1/products", {"name": "personal", "rules": RULES}, "load-1")
    assert (loaded.status_code, loaded.get_json()["release"]) == (201, 1)

    shown = client.get("/v1/products/personal").get_json()
    assert shown["rules"]["late_fee"]["amount"] == "15.00"
    names = [product["name"] for product in client.get("/v1/products").get_json()["products"]]
    assert names == ["installment", "lendingclub", "personal"]


def test_the_same_request_again_is_answered_alike(client: FlaskClient, books: Books) -> None:
    body = {"name": "personal", "rules": RULES}
    first = send(client, "/v1/products", body, "load-1")
    again = send(client, "/v1/products", body, "load-1")
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_number_that_is_not_exact_is_refused(client: FlaskClient, books: Books) -> None:
    refused = send(client, "/v1/products", {"name": "p", "rules": {"late_fee": {"percent": 4.5}}}, "load-1")
    document = problem(refused)
    assert (document["status"], document["code"]) == (422, "product-invalid")
    assert document["figures"]["place"] == "product.late_fee.percent"


def test_a_name_that_nobody_knows_is_not_found(client: FlaskClient, books: Books) -> None:
    document = problem(client.get("/v1/products/boat"))
    assert (document["status"], document["code"]) == (404, "product-unknown")
    assert "installment" in document["figures"]["known"]
