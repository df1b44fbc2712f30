"""The bureau's people: everybody's file follows from the seed and the taxpayer number alone, the same in every process.

Nobody in it is anybody: the people that it lists have ITINs, and files are drawn from a hash. Never: HTTP
(`api/bureau/app.py`), or chance.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from api.views import Json

FIRST = ("Ada", "Ben", "Carla", "Dev", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Mateo", "Nia")
LAST = ("Abara", "Bauer", "Castro", "Dubois", "Eriksen", "Farouk", "Gupta", "Hansen", "Ito", "Jones", "Kowal", "Lopez")
STATES = ("CA", "TX", "NY", "FL", "IL", "PA", "OH", "GA", "NC", "MI")
GROUPS = (*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100))
EMPLOYMENT = ("employed", "employed", "employed", "self_employed", "retired")
NO_RECORD_IN = 25
"""One of so many numbers is not known to the bureau."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Numbers that follow from a seed and a name, one after the other."""

    digest: bytes

    @classmethod
    def of(cls, seed: int, name: str) -> Draw:
        """Return the draw of a name."""
        return cls(hmac.digest(str(seed).encode(), name.encode(), "sha256"))

    def pick(self, what: str, low: int, high: int) -> int:
        """Return a whole number between two, both included."""
        found = int.from_bytes(hashlib.sha256(self.digest + what.encode()).digest()[:8], "big")
        return low + found % (high - low + 1)


def number_of(ssn: str) -> str:
    """Return a number without its dashes."""
    return "".join(each for each in ssn if each.isdigit())


def is_known(seed: int, ssn: str) -> bool:
    """Tell whether the bureau has a file of a number."""
    return Draw.of(seed, number_of(ssn)).pick("known", 1, NO_RECORD_IN) > 1


def people(seed: int, count: int) -> Iterator[Json]:
    """Yield people whom the bureau knows, as an application has them."""
    found, index = 0, 0
    while found < count:
        index += 1
        person = _person(seed, index)
        if is_known(seed, person["ssn"]):
            found += 1
            yield person


def credit_report(seed: int, ssn: str) -> Json:
    """Return a credit report; amounts are decimals of dollars."""
    draw = Draw.of(seed, number_of(ssn))
    score = draw.pick("score", 480, 850)
    lines = draw.pick("trade_lines", 1, 18)
    # Who has the better score owes less of what could be owed, and is late less often.
    late = 0 if score >= 700 else draw.pick("late", 0, 1 + (700 - score) // 50)
    return {
        "report": {
            "score": score,
            "model": "loopback-1",
            "trade_lines": lines,
            "oldest_line_months": draw.pick("oldest", 6, 300),
            "utilization": f"{draw.pick('used', 0, 1000 - score) / 1000:.3f}",
            "monthly_debts": f"{draw.pick('debts', 0, 250_000) / 100:.2f}",
            "revolving_balance": f"{draw.pick('revolving', 0, 3_000_000) / 100:.2f}",
            "delinquencies_24_months": late,
            "inquiries_6_months": draw.pick("inquiries", 0, 5),
            "public_records": 1 if score < 560 and draw.pick("record", 1, 3) == 1 else 0,
            "bankruptcy": score < 520 and draw.pick("bankrupt", 1, 2) == 1,
        }
    }


def identity(seed: int, body: Json) -> Json:
    """Return whether a name and a date of birth belong to a number; those whom it lists are told exactly."""
    draw = Draw.of(seed, number_of(str(body.get("ssn", ""))))
    listed = _listed(seed, number_of(str(body.get("ssn", ""))))
    if listed is not None:
        names = all(
            str(body.get(name, "")).casefold() == listed[name].casefold() for name in ("first_name", "last_name")
        )
        born = body.get("date_of_birth") == listed["date_of_birth"]
        return {"match": {"name": names, "date_of_birth": born}, "deceased": False, "watchlist": False}
    rare = draw.pick("identity", 1, 100)
    return {
        "match": {"name": rare > 3, "date_of_birth": rare > 2},
        "deceased": rare == 1,
        "watchlist": draw.pick("watchlist", 1, 400) == 1,
    }


def income(seed: int, ssn: str) -> Json:
    """Return what an employer's books say; amounts are decimals of dollars."""
    draw = Draw.of(seed, number_of(ssn))
    monthly = draw.pick("monthly", 150_000, 1_200_000)
    return {
        "employment": {
            "status": EMPLOYMENT[draw.pick("employment", 0, len(EMPLOYMENT) - 1)],
            "months": draw.pick("months", 1, 240),
        },
        "income": {"monthly": f"{monthly / 100:.2f}", "annual": f"{monthly * 12 / 100:.2f}"},
    }


def bank_data(seed: int, ssn: str) -> Json:
    """Return what three months of an account show; amounts are decimals of dollars."""
    draw = Draw.of(seed, number_of(ssn))
    return {
        "account": {
            "average_balance": f"{draw.pick('balance', -20_000, 1_500_000) / 100:.2f}",
            "monthly_inflow": f"{draw.pick('inflow', 100_000, 1_300_000) / 100:.2f}",
            "overdrafts_90_days": max(0, draw.pick("overdrafts", -8, 6)),
        }
    }


def fraud(seed: int, ssn: str) -> Json:
    """Return how much an application looks like a fraud, from 0 to 999."""
    draw = Draw.of(seed, number_of(ssn))
    score = draw.pick("fraud", 0, 999) * draw.pick("fraud again", 0, 999) // 999
    return {"score": score, "flags": ["velocity"] if score > 800 else []}


def _person(seed: int, index: int) -> Json:
    draw = Draw.of(seed, f"person {index}")
    group = GROUPS[draw.pick("group", 0, len(GROUPS) - 1)]
    # The serial is the index, so that a listed person is found by the number.
    ssn = f"9{draw.pick('area', 0, 99):02d}-{group}-{index % 10_000:04d}"
    first, last = FIRST[draw.pick("first", 0, len(FIRST) - 1)], LAST[draw.pick("last", 0, len(LAST) - 1)]
    return {
        "first_name": first,
        "last_name": last,
        "ssn": ssn,
        "date_of_birth": (date(1950, 1, 1) + timedelta(days=draw.pick("born", 0, 55 * 365))).isoformat(),
        "street": f"{draw.pick('house', 1, 999)} Main Street",
        "city": "Springfield",
        "state": STATES[draw.pick("state", 0, len(STATES) - 1)],
        "zip": f"{draw.pick('zip', 10_000, 99_999)}",
        "email": f"{first}.{last}.{index}@example.com".lower(),
        "phone": f"{draw.pick('area code', 201, 989)}555{draw.pick('line', 100, 199):04d}",
    }


def _same(given: object, name: str) -> bool:
    return isinstance(given, str) and given.casefold() == name.casefold()


def _listed(seed: int, number: str) -> Json | None:
    if len(number) != 9 or not number[5:].isdigit():
        return None
    person = _person(seed, int(number[5:]))
    return person if number_of(person["ssn"]) == number else None
