"""What a scenario expects against what happened: every difference by place, expected and got.

Only what an expectation names is compared; amounts are compared as amounts, exactly. Never: the database.
Next: `servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from servicing.scenario import Scenario

ViewAt = Callable[[date], Mapping[str, Any]]
LinesOf = Callable[[str], list[dict[str, str]] | None]


def differences(
    scenario: Scenario, result: Mapping[str, Any], view_at: ViewAt, lines_of: LinesOf
) -> list[dict[str, Any]]:
    """Return every difference as place, expected and got."""
    found: list[dict[str, Any]] = []
    expected_refusals = set()
    for n, item in enumerate(scenario.expect):
        if "refused" in item:
            expected_refusals.add(item["refused"].get("event"))
        found += _differences(f"expect[{n}]", item, result, view_at, lines_of)
    for event in result["events"]:
        if event["refused"] is not None and event["id"] not in expected_refusals:
            found.append(_difference(f"event {event['id']}", "accepted", event["refused"]["code"]))
    return found


def _differences(
    place: str, item: Mapping[str, Any], result: Mapping[str, Any], view_at: ViewAt, lines_of: LinesOf
) -> Iterator[dict[str, Any]]:
    final_day = date.fromisoformat(result["final"]["on"])
    day = date.fromisoformat(item["at"]) if "at" in item else final_day
    view = view_at(day)
    if "schedule" in item:
        yield from _rows(f"{place}.schedule", item["schedule"], view["schedule"])
    for key in ("balances", "accounts", "buckets", "delinquency", "dpd", "bucket", "status"):
        if key in item:
            got = {"recoverable": "0", **view[key]} if key == "balances" else view[key]
            yield from _compare(f"{place}.{key}", item[key], got)
    if "installments" in item:
        yield from _rows(f"{place}.installments", item["installments"], view["installments"])
    for key, name in (("fees", "id"), ("reviews", "event"), ("agreements", "event")):
        if key in item:
            yield from _named_rows(f"{place}.{key}", item[key], view[key], name)
    if "entries_of" in item:
        got = lines_of(item["entries_of"])
        yield from _lines(f"{place}.entries_of {item['entries_of']}", item.get("lines") or [], got)
    if "allocation_of" in item:
        got = _allocation(result, item["allocation_of"], first="first" in item)
        got = got and {"recoverable": "0", **got}
        yield from _compare(f"{place}.allocation_of {item['allocation_of']}", item.get("parts") or {}, got)
    if "quote_of" in item:
        got = (_event(result, item["quote_of"]) or {}).get("quote")
        yield from _compare(f"{place}.quote_of {item['quote_of']}", item.get("quote") or {}, got)
    if "promise_of" in item:
        got = (_event(result, item["promise_of"]) or {}).get("promise")
        yield from _compare(f"{place}.promise_of {item['promise_of']}", item.get("promise") or {}, got)
    for key in ("missing", "left"):
        if key in item:
            got = (_event(result, item["payoff_of"]) or {}).get(key)
            yield from _whole(f"{place}.payoff_of {item['payoff_of']}.{key}", item[key] or {}, got)
    if "refused" in item:
        event = _event(result, item["refused"].get("event"))
        got = None if event is None or event["refused"] is None else event["refused"]["code"]
        yield from _compare(f"{place}.refused.code", item["refused"].get("code"), got)


def _event(result: Mapping[str, Any], id_: str) -> Mapping[str, Any] | None:
    return next((event for event in result["events"] if event["id"] == id_), None)


def _allocation(result: Mapping[str, Any], id_: str, *, first: bool) -> Any:
    event = _event(result, id_)
    if event is None or event["allocation"] is None:
        return None
    return event["versions"][0]["allocation"] if first else event["allocation"]


def _rows(
    place: str, expected: Sequence[Mapping[str, Any]] | None, got: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Compare the rows that are named, by number or due date."""
    for row in expected or ():
        key = "no" if "no" in row else "due"
        found = next((found for found in got if _equal(row[key], found[key])), None)
        yield from _compare(f"{place}[{row[key]}]", row, found)


def _named_rows(
    place: str, expected: Sequence[Mapping[str, Any]] | None, got: Sequence[Mapping[str, Any]], name: str
) -> Iterator[dict[str, Any]]:
    """Compare the rows that are named; of none expected, there is none."""
    if not expected and got:
        yield _difference(place, "none", [row[name] for row in got])
    for row in expected or ():
        found = next((found for found in got if found[name] == row[name]), None)
        yield from _compare(f"{place}[{row[name]}]", row, found)


def _lines(
    place: str, expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, str]] | None
) -> Iterator[dict[str, Any]]:
    """Compare lines whole, by account and side: one that is not expected is a difference too."""
    if got is None:
        yield _difference(place, "an event", None)
        return
    for account in dict.fromkeys([*(x["account"] for x in expected), *(x["account"] for x in got)]):
        for side in ("debit", "credit"):
            wanted, found = _total(expected, account, side), _total(got, account, side)
            if wanted != found:
                yield _difference(f"{place}.{account}.{side}", str(wanted), str(found))


def _total(lines: Sequence[Mapping[str, Any]], account: str, side: str) -> Decimal:
    return sum((Decimal(line.get(side) or 0) for line in lines if line["account"] == account), Decimal(0))


def _whole(place: str, expected: Mapping[str, Any], got: Mapping[str, str] | None) -> Iterator[dict[str, Any]]:
    """Compare amounts by name: one that is not expected is a difference too."""
    if got is None:
        yield _difference(place, "a payoff", None)
        return
    for name in dict.fromkeys([*expected, *got]):
        yield from _compare(f"{place}.{name}", expected.get(name, "0"), got.get(name, "0"))


def _compare(place: str, expected: Any, got: Any) -> Iterator[dict[str, Any]]:
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            yield _difference(place, dict(expected), got)
            return
        for key, value in expected.items():
            yield from _compare(f"{place}.{key}", value, got.get(key))
    elif not _equal(expected, got):
        yield _difference(place, expected, got)


def _equal(expected: Any, got: Any) -> bool:
    if expected is None or got is None:
        return expected is got
    try:
        return Decimal(str(expected)) == Decimal(str(got))
    except InvalidOperation:
        return str(expected) == str(got)


def _difference(place: str, expected: Any, got: Any) -> dict[str, Any]:
    return {"place": place, "expected": expected, "got": got}
