"""A chart of accounts as a TOML file: read with every mistake named by its place, and written back.

`accounts` is a list of tables, one per account; `[roles.default]` names the account of each role, and every
other `[roles.<name>]` what a product books elsewhere. Left out, a normal side is that of the type, a slug is
made from the name, a subledgered account is a control account and may not go contra, any other the opposite.
Next: `ledger/charts/us_lender.toml`, the chart that a new book starts with.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.chart import (
    DEFAULT_ROLE_MAP,
    AccountCode,
    AccountDefinition,
    AccountType,
    Chart,
    Mistake,
    Side,
    find_mistakes,
    refuse_mistakes,
)
from ledger.errors import AccountDefinitionInvalid, ChartInvalid

_TOP_LEVEL = ("name", "accounts", "roles")
_KINDS: Mapping[str, type] = {
    "code": str,
    "slug": str,
    "name": str,
    "type": str,
    "normal_side": str,
    "parent": str,
    "currency": str,
    "header": bool,
    "subledgered": bool,
    "may_go_contra": bool,
    "control": bool,
}
_NEEDED = ("code", "name", "type")


def parse_chart(text: str, *, file: str = "chart", required_roles: Iterable[str] = ()) -> Chart:
    """Read a chart from TOML text; `file` names it in errors.

    Raises: ChartInvalid, naming every mistake by its place, also when the default role map lacks a required
    role.
    """
    document = _load(text, file)
    refuse_mistakes(file, _shape_mistakes(document))
    accounts, mistakes = _read_accounts(document.get("accounts", []))
    refuse_mistakes(file, mistakes)
    roles = {
        str(name): {str(role): AccountCode(code) for role, code in mapping.items()}
        for name, mapping in document.get("roles", {}).items()
    }
    refuse_mistakes(file, (*find_mistakes(accounts, roles), *_missing_roles(roles, required_roles)))
    return Chart(document["name"], tuple(accounts), roles)


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        reason, _, place = str(mistake).partition(" (at ")
        raise ChartInvalid(file=file, place=place.rstrip(")") or "the text", reason=reason) from None


def _shape_mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what keeps the document from being read at all."""
    yield from ((key, "is not a key of a chart") for key in document if key not in _TOP_LEVEL)
    if not isinstance(document.get("name"), str):
        yield "name", "the chart needs a name"
    accounts = document.get("accounts", [])
    if not isinstance(accounts, list) or not all(isinstance(row, dict) for row in accounts):
        yield "accounts", "is a list of tables, one per account"
    roles = document.get("roles", {})
    if not isinstance(roles, dict):
        yield "roles", "is a table of role maps"
        return
    for name, mapping in roles.items():
        if not isinstance(mapping, dict):
            yield f"roles.{name}", "is a table of roles"
            continue
        for role, code in mapping.items():
            if not isinstance(code, str):
                yield f"roles.{name}.{role}", f"is an account code in quotes, not {code!r}"


def _read_accounts(rows: Iterable[Mapping[str, Any]]) -> tuple[list[AccountDefinition], list[Mistake]]:
    accounts: list[AccountDefinition] = []
    mistakes: list[Mistake] = []
    for position, row in enumerate(rows, start=1):
        place = f"account number {position} ({row.get('code', 'no code')})"
        found = [(place, reason) for reason in _row_mistakes(row)]
        mistakes += found
        if not found:
            try:
                accounts.append(_read_account(row))
            except AccountDefinitionInvalid as invalid:
                mistakes.append((place, invalid.reason))
    return accounts, mistakes


def _row_mistakes(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key} is missing" for key in _NEEDED if key not in row)
    for key, value in row.items():
        if key not in _KINDS:
            yield f"{key} is not a key of an account"
        elif type(value) is not _KINDS[key]:
            yield f"{key} is {'true or false' if _KINDS[key] is bool else 'a text in quotes'}, not {value!r}"
    for key, choices in (("type", AccountType), ("normal_side", Side)):
        if isinstance(row.get(key), str) and row[key] not in tuple(choices):
            yield f"{key} {row[key]!r} is unknown; it is one of {', '.join(choices)}"


def _read_account(row: Mapping[str, Any]) -> AccountDefinition:
    account_type = AccountType(row["type"])
    subledgered = row.get("subledgered", False)
    return AccountDefinition(
        code=AccountCode(row["code"]),
        slug=row.get("slug", slug_of(row["name"])),
        name=row["name"],
        type=account_type,
        normal_side=Side(row.get("normal_side", account_type.normal_side)),
        parent=row.get("parent"),
        currency=row.get("currency"),
        header=row.get("header", False),
        subledgered=subledgered,
        may_go_contra=row.get("may_go_contra", not subledgered),
        control=row.get("control", subledgered),
    )


def _missing_roles(roles: Mapping[str, Mapping[str, AccountCode]], required_roles: Iterable[str]) -> Iterator[Mistake]:
    mapped = roles.get(DEFAULT_ROLE_MAP, {})
    missing = sorted(set(required_roles) - set(mapped))
    yield from ((f"roles.{DEFAULT_ROLE_MAP}", f"role {role} has no account") for role in missing)


def slug_of(name: str) -> str:
    """Return the slug that a name suggests: `Cash in bank` gives `cash_in_bank`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def format_chart(chart: Chart) -> str:
    """Write a chart as TOML text that `parse_chart` reads back to an equal chart."""
    lines = [f"name = {_quoted(chart.name)}", "accounts = ["]
    lines += [f"    {{ {_account_text(account)} }}," for account in chart.accounts]
    lines.append("]")
    for name, mapping in chart.roles.items():
        lines += ["", f"[roles.{_quoted(name)}]"]
        lines += [f"{role} = {_quoted(code)}" for role, code in mapping.items()]
    return "\n".join(lines) + "\n"


def _account_text(account: AccountDefinition) -> str:
    values = {key: getattr(account, key) for key in _KINDS}
    return ", ".join(
        f"{key} = {str(value).lower() if isinstance(value, bool) else _quoted(value)}"
        for key, value in values.items()
        if value is not None
    )


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for the one control character that JSON leaves as it is.
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
