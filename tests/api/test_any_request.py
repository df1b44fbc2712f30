"""Whatever comes to a route, the answer is one of ours: a document, or a problem that says what is wrong."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel

from api.app import create_app
from api.edge import Edge
from api.models import Body, Query
from tests.api.conftest import Books
from tests.api.test_loans import TERMS
from tests.api.test_rails import KEYS

REQUESTS_TO_A_ROUTE = 30
WORDS = [
    "",
    "x",
    "main",
    "installment",
    "ach",
    "p1",
    "é😀",
    "\x00",
    "a" * 501,
    "2026-01-31",
    "2026-02-30",
    "USD",
    "JPY",
    "R01",
]
NUMBERS = [0, 1, -1, 7, 100, 2**31, 2**63 - 1, 2**63, 10**30]
ODD: list[Any] = [None, True, [], {}, 1.5, "1e400"]


def _values(schema: Mapping[str, Any], defs: Mapping[str, Any], chance: random.Random, depth: int = 0) -> Any:
    """Return something that fits a schema more or less, or does not at all."""
    if chance.random() < 0.04 or depth > 5:
        return chance.choice(ODD)
    if "$ref" in schema:
        return _values(defs[schema["$ref"].rsplit("/", 1)[-1]], defs, chance, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _values(chance.choice(schema[key]), defs, chance, depth)
    match schema.get("type"):
        case "object":
            needed = schema.get("required", [])
            return {
                name: _values(part, defs, chance, depth + 1)
                for name, part in schema.get("properties", {}).items()
                if chance.random() < (0.97 if name in needed else 0.4)
            }
        case "array":
            return [_values(schema.get("items", {}), defs, chance, depth + 1) for _ in range(chance.randint(0, 3))]
        case "integer" | "number":
            return chance.choice(NUMBERS) if chance.random() < 0.3 else chance.randint(1, 200_000)
        case "boolean":
            return chance.random() < 0.5
        case "null":
            return None
        case "string" if schema.get("format") == "date":
            return chance.choice(["2026-01-01", "2026-01-15", "2026-02-01", "2027-01-01", "0001-01-01", "9999-12-31"])
        case _:
            return chance.choice(WORDS) if chance.random() < 0.7 else str(chance.choice(NUMBERS))


def _models(app: Flask, endpoint: str, base: type[BaseModel]) -> list[type[BaseModel]]:
    module = sys.modules[app.view_functions[endpoint].__module__]
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, base)]
    return [each for each in found if each is not base]


def _path(rule: Any, chance: random.Random) -> str:
    path: str = rule.rule
    for name in rule.arguments:
        value = chance.choice(["1", "2", "3", "0", "999", str(2**63), str(2**70), "x", "%00", "main", "\u00e9"])
        for spelled in (f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
            path = path.replace(spelled, value)
    return path


def _requests(app: Flask, chance: random.Random) -> Iterator[tuple[str, str, Any]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            bodies = _models(app, rule.endpoint, Body)
            queries = _models(app, rule.endpoint, Query)
            for _ in range(REQUESTS_TO_A_ROUTE):
                path = _path(rule, chance)
                if queries and chance.random() < 0.7:
                    schema = chance.choice(queries).model_json_schema()
                    asked = _values(schema, schema.get("$defs", {}), chance)
                    if isinstance(asked, dict):
                        path += "?" + "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
                body: Any = None
                if bodies and method != "GET":
                    schema = chance.choice(bodies).model_json_schema()
                    body = _values(schema, schema.get("$defs", {}), chance)
                yield method, path, body


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in (2, 3))])
def test_no_request_finds_a_fault_of_ours(edge: Edge, books: Books, seed: int) -> None:
    app = create_app(edge, bank_account_keys=KEYS)
    client = app.test_client()
    books.advance(date(2026, 1, 15))
    for name in ("A", "B", "C"):
        made = client.post("/v1/loans", json={**TERMS, "external_id": name}, headers={"Idempotency-Key": name})
        assert made.status_code == 201, made.get_json()
    books.advance(date(2026, 2, 20))
    chance = random.Random(seed)
    faults = []
    for number, (method, path, body) in enumerate(_requests(app, chance)):
        answer = client.open(path, method=method, json=body, headers={"Idempotency-Key": f"any-{number}"})
        if answer.status_code >= 500:
            faults.append((method, path, body, answer.get_json(silent=True)))
    assert not faults, "\n".join(map(str, faults))
