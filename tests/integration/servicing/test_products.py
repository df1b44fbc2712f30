"""Products under their names: release after release, each version once, and what a name stands for."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from ledger.unit_of_work import run
from servicing.commands.products import Loaded, load_product
from servicing.errors import ProductUnknown
from servicing.product import Product, parse_product, shipped
from servicing.queries import product_named, product_releases
from tests.support.loan_lives import ACTOR


def named(name: str, grace_days: int = 0) -> Product:
    return parse_product({"name": name, "grace_days": grace_days})


def load(engine: sa.Engine, product: Product) -> Loaded:
    return run(engine, lambda uow: load_product(uow, product), actor=ACTOR)


def test_a_name_stands_for_the_latest_release(engine: sa.Engine) -> None:
    first, second = named("personal", 5), named("personal", 10)
    assert [load(engine, each).release for each in (first, second)] == [1, 2]

    with engine.connect() as connection:
        assert product_named(connection, "personal") == second
        assert [release.product for release in product_releases(connection, "personal")] == [second, first]


def test_the_same_rules_again_change_nothing_and_those_of_before_are_a_release_of_their_own(engine: sa.Engine) -> None:
    first, second = named("auto", 5), named("auto", 10)
    load(engine, first)
    assert not load(engine, first).is_new
    load(engine, second)

    again = load(engine, first)

    assert (again.release, again.is_new, again.content_hash) == (3, True, first.content_hash())
    with engine.connect() as connection:
        assert product_named(connection, "auto") == first


def test_a_product_that_is_shipped_needs_no_release(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert product_named(connection, "installment") == shipped("installment")


def test_an_unknown_name_is_refused_with_those_that_are_known(engine: sa.Engine) -> None:
    load(engine, named("boat"))
    with engine.connect() as connection, pytest.raises(ProductUnknown) as refusal:
        product_named(connection, "boot")
    assert refusal.value.name == "boot"
    assert {"boat", "installment"} <= set(refusal.value.known)


def test_two_who_load_at_once_make_two_releases(engine: sa.Engine) -> None:
    loaded: list[Loaded] = []
    threads = [
        threading.Thread(target=lambda days=days: loaded.append(load(engine, named("raced", days))))
        for days in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.release for each in loaded) == [1, 2, 3, 4, 5, 6]


def test_a_release_is_never_changed(engine: sa.Engine) -> None:
    load(engine, named("fixed"))
    for change in (
        "UPDATE servicing.product_release SET content_hash = content_hash",
        "DELETE FROM servicing.product_release",
    ):
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
            connection.execute(sa.text(change))


def test_amounts_of_a_toml_file_are_exact() -> None:
    from servicing.product import read_product

    product = read_product('name = "exact"\n[late_fee]\npercent = 4.35\n')
    assert product.late_fee.percent == Decimal("4.35")
