"""Products: read whole, refused by key."""

from __future__ import annotations

from typing import Any

import pytest

from servicing.errors import ProductInvalid
from servicing.product import Product, parse_product, shipped


def test_the_shipped_product_has_one_hash() -> None:
    assert shipped("installment").content_hash() == shipped("installment").content_hash()
    assert shipped("installment").content_hash() != Product().content_hash()
    assert parse_product(shipped("installment").as_json()) == shipped("installment")


@pytest.mark.parametrize("name", ["nonsense", "../products/installment", "", "INSTALLMENT"])
def test_only_a_shipped_name_is_a_product(name: str) -> None:
    with pytest.raises(ProductInvalid):
        shipped(name)


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"colour": "red"}, "product.colour"),
        ({"returned_payment_fee": 25.0}, "product.returned_payment_fee"),
        ({"returned_payment_fee": "-1"}, "product.returned_payment_fee"),
        ({"late_fee": {"amount": "NaN"}}, "product.late_fee.amount"),
        ({"late_fee": {"sum": "1"}}, "product.late_fee.sum"),
        ({"late_fee": "15"}, "product.late_fee"),
        ({"late_fee": {"amount": "5", "percent": "5"}}, "product.late_fee"),
        ({"late_fee": {"amount": "5", "max": "30"}}, "product.late_fee"),
        ({"late_fee": {"percent": "101"}}, "product.late_fee.percent"),
        ({"late_fee": {"percent": "5", "min": "6", "max": "5"}}, "product.late_fee.max"),
        ({"late_fee": {"percent": "5", "of": "principal"}}, "product.late_fee.of"),
        ({"day_count": "actual/366"}, "product.day_count"),
        ({"order": ["interest", "principal"]}, "product.order"),
        ({"order": ["interest", "interest", "fees", "principal"]}, "product.order"),
        ({"grace_days": "-1"}, "product.grace_days"),
        ({"grace": {"principal": "-1"}}, "product.grace.principal"),
        ({"grace": {"interest_free": "nonsense"}}, "product.grace.interest_free"),
        ({"amortization": "bullet"}, "product.amortization"),
        ({"waterfall": "niagara"}, "product.waterfall"),
        ({"waterfall": ["past_due_penalties"]}, "product.waterfall"),
        ({"waterfall": {"past_due": None}}, "product.waterfall"),
        ({"waterfall": {"overdue": ["fees"]}}, "product.waterfall"),
        ({"waterfall": "schedule", "processing": "vertical"}, "product.processing"),
        ({"processing": "diagonal"}, "product.processing"),
    ],
)
def test_a_mistake_is_named_by_its_place(keys: dict[str, Any], place: str) -> None:
    with pytest.raises(ProductInvalid) as refused:
        parse_product(keys)
    assert refused.value.place == place
