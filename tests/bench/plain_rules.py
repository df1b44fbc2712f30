"""The rules of the shipped policy as plain Python functions over the same facts: the floor of deciding.

Each returns whether its rule fires. A proof at the start of the benchmark holds them against the policy.
Next: `tests/bench/decisions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Facts = Mapping[str, Any]
D = Decimal
NOBODY_BORN, NOT_YET = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MAJORITY = timedelta(days=6575)


def _there(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _under_age(f: Facts) -> bool:
    return bool(_there(f["received_on"], NOT_YET) - _there(f["birth_date"], NOBODY_BORN) < MAJORITY)


def _obligations(f: Facts) -> bool:
    share = f["dti"] / 100 + f["loan_amount"] / f["term_months"] * 12 / max(f["annual_income"], D(1))
    return bool(share > D("0.45"))


RULES: Mapping[str, Callable[[Facts], bool]] = {
    "P01": lambda f: f["loan_amount"] < 100000,
    "P02": lambda f: f["loan_amount"] > 3500000,
    "P03": lambda f: f["term_months"] not in (36, 60),
    "P04": lambda f: f["state"] in ("IA", "ID", "MS", "NE", "IN", "TN"),
    "P05": lambda f: f["purpose"] == "educational",
    "P06": lambda f: f["purpose"] == "small_business" and f["loan_amount"] >= 1500000,
    "I01": _under_age,
    "I02": lambda f: not _there(f["identity_matched"], True),
    "I03": lambda f: _there(f["deceased"], False),
    "I04": lambda f: _there(f["fraud_score"], 0) >= 800,
    "I05": lambda f: 600 <= _there(f["fraud_score"], 0) < 800,
    "I06": lambda f: _there(f["months_at_address"], 12) < 6 and f["loan_amount"] > 1000000,
    "I07": lambda f: _there(f["charged_off_with_us"], False),
    "E01": lambda f: f["annual_income"] < 1500000,
    "E02": lambda f: f["loan_amount"] > f["annual_income"] * D("0.5"),
    "E03": lambda f: f["loan_amount"] > 2000000 and f["income_verification"] == "Not Verified",
    "E04": lambda f: f["annual_income"] > 25000000 and f["income_verification"] == "Not Verified",
    "E05": lambda f: _there(f["employment_years"], -1) < 0 and f["loan_amount"] > 500000,
    "E06": lambda f: _there(f["employment_years"], 1) < 1 and f["term_months"] == 60 and f["loan_amount"] > 1500000,
    "O01": lambda f: f["dti"] > 28,
    "O02": _obligations,
    "O03": lambda f: f["dti"] < 0,
    "O04": lambda f: f["revolving_balance"] > f["annual_income"],
    "O05": lambda f: _there(f["revolving_use"], 0) >= 98,
    "O06": lambda f: f["revolving_balance"] + f["loan_amount"] > f["annual_income"] * D("0.9"),
    "C01": lambda f: f["total_accounts"] == 0,
    "C02": lambda f: 0 < f["total_accounts"] < 4,
    "C03": lambda f: f["open_accounts"] < 2,
    "C04": lambda f: f["delinquencies_2y"] > 2,
    "C05": lambda f: f["delinquencies_2y"] > 0 and f["public_records"] > 0,
    "C06": lambda f: _there(f["inquiries_6m"], 0) > 5,
    "C07": lambda f: _there(f["inquiries_6m"], 0) >= 3 and f["total_accounts"] < 10,
    "C08": lambda f: f["public_records"] > 1,
    "C09": lambda f: f["public_records"] == 1 and f["loan_amount"] > 1200000,
    "C10": lambda f: _there(f["bankruptcies"], 0) > 0,
    "C11": lambda f: _there(f["collections_12m"], 0) > 0,
    "C12": lambda f: _there(f["past_due"], 0) > 10000,
    "C13": lambda f: _there(f["garnished"], False),
    "C14": lambda f: _there(f["foreclosed_36m"], False),
    "B01": lambda f: _there(f["returned_payments_12m"], 0) > 3,
    "B02": lambda f: _there(f["lowest_balance"], 0) < -50000,
}
