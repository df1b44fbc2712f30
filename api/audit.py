"""Tests and samples of entries as both doors show them.

Next: `ledger/queries/entry_tests.py`, `ledger/queries/samples.py`; `api/cli/audit.py`, `api/routes/audit.py`.
"""

from __future__ import annotations

import sqlalchemy as sa

from api.views import Json, MoneyForm, Names, entry_json, plain
from ledger.money import Money
from ledger.queries.accounts import accounts
from ledger.queries.entry_tests import BENFORD, activity, entries_found, first_digits, run_tests
from ledger.queries.samples import Population, Sample


def tests_json(connection: sa.Connection, of: Population, *, days: int, multiple: int, money: MoneyForm) -> Json:
    """Return what every test finds."""
    done = run_tests(connection, of, days=days, multiple=multiple)
    return {
        "currency": of.currency,
        "entries": done.entries,
        "total": money(Money(done.total, of.currency)),
        "tests": [
            {
                "test": each.test.name,
                "about": each.test.about,
                "entries": each.entries,
                "total": money(Money(each.total, of.currency)),
            }
            for each in done.findings
        ],
    }


def found_json(
    connection: sa.Connection, of: Population, test: str, *, days: int, multiple: int, money: MoneyForm
) -> Json:
    """Return the entries that a test finds."""
    names, found = _names(connection, of), entries_found(connection, of, test, days=days, multiple=multiple)
    return {"test": test, "entries": [entry_json(view, names, money) for view in found]}


def sample_json(connection: sa.Connection, of: Population, drawn: Sample, money: MoneyForm) -> Json:
    """Return a sample with what it was drawn from."""
    names = _names(connection, of)

    def shown(minor: int | None) -> object:
        return None if minor is None else money(Money(minor, of.currency))

    return {
        "currency": of.currency,
        "population": drawn.population,
        "total": shown(drawn.total),
        "interval": shown(drawn.interval),
        "start": shown(drawn.start),
        "drawn": shown(sum(each.amount for each in drawn.entries)),
        "entries": [{**entry_json(each.view, names, money), "hits": each.hits} for each in drawn.entries],
    }


def digits_json(connection: sa.Connection, of: Population) -> Json:
    """Return the first digits of amounts beside those that are expected; shares as text."""
    found = first_digits(connection, of)
    rows = zip(range(1, 10), found.counts, found.shares, BENFORD, strict=True)
    return {
        "mean_deviation": str(found.mean_deviation),
        "verdict": found.verdict,
        "digits": [
            {"digit": digit, "entries": entries, "share": str(share), "expected": str(expected)}
            for digit, entries, share, expected in rows
        ],
    }


def people_json(connection: sa.Connection, of: Population, money: MoneyForm) -> Json:
    """Return who booked and who approved."""
    found = activity(connection, of)
    people = [{**plain(each), "total": money(Money(each.total, of.currency))} for each in found]
    return {"currency": of.currency, "people": people}


def _names(connection: sa.Connection, of: Population) -> Names:
    return {account.code: account for account in accounts(connection, of.book)}
