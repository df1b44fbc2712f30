"""The ledger's values as JSON: one form for HTTP and the command line, which differ in how they write money.

Over HTTP money is a whole number of minor units beside its currency; the command line, which people read,
writes decimals of the major unit. Never: a query, a decision. Next: `api/routes/`, `api/cli/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from ledger.chart import AccountCode, AccountDefinition, Side
from ledger.dates import Month
from ledger.journal import Line
from ledger.money import Money
from ledger.queries.entries import EntryView
from ledger.queries.statement import AccountStatement, StatementLine
from ledger.queries.trial_balance import TrialBalanceReport
from ledger.trial_balance import BalanceSheet, IncomeStatement, Section, TrialBalanceRow

Json = dict[str, Any]
MoneyForm = Callable[[Money], Any]
"""How money is written."""


def minor_units(money: Money) -> Json:
    """Write money as HTTP does: 12.50 USD is 1250."""
    return {"amount": money.minor, "currency": money.currency}


def major_units(money: Money) -> str:
    """Write money as the command line does: `12.50`, the currency beside it in its own field."""
    return money.format()


def day(value: date | None) -> str | None:
    """Write a day as `YYYY-MM-DD`."""
    return None if value is None else value.isoformat()


def moment(value: datetime) -> str:
    """Write a moment in UTC with its Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def digest(value: bytes | None) -> str | None:
    """Write a hash in hexadecimal."""
    return None if value is None else value.hex()


def plain(value: Any, money: MoneyForm = major_units) -> Any:
    """Return any value of the packages as JSON: a dataclass as its fields, whatever is no JSON value as
    text."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return str(value)
        case str():
            return str(value)
        case bytes():
            return value.hex()
        case Money():
            return money(value)
        case Month():
            return str(value)
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item, money) for key, item in value.items()}
        case Iterable():
            return [plain(item, money) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), money) for field in fields(value)}
    return str(value)


def account_json(account: AccountDefinition, closed_from: date | None) -> Json:
    """Return an account of the chart."""
    return {
        "code": account.code,
        "slug": account.slug,
        "name": account.name,
        "type": str(account.type),
        "normal_side": str(account.normal_side),
        "parent": account.parent,
        "currency": account.currency,
        "header": account.header,
        "subledgered": account.subledgered,
        "may_go_contra": account.may_go_contra,
        "control": account.control,
        "closed_from": day(closed_from),
    }


Names = Mapping[AccountCode, AccountDefinition]
"""Accounts by code, so that a line can say the name."""


def entry_json(view: EntryView, names: Names, money: MoneyForm) -> Json:
    """Return an entry with its lines as an accountant draws them, and what came of it."""
    draft = view.entry.draft
    return {
        "subledger_id": view.entry.subledger_id,
        "entry_no": view.entry.entry_no,
        "template": draft.template,
        "template_version": draft.template_version,
        "effective_date": day(draft.effective_date),
        "booking_date": day(view.entry.booking_date),
        "recorded_at": moment(view.entry.recorded_at),
        "actor": draft.actor,
        "approved_by": draft.approved_by,
        "request_key": draft.request_key,
        "source_ref": draft.source_ref,
        "narration": draft.narration,
        "lines": [line_json(line, names, money) for line in view.lines],
        "details": None if draft.details is None else dict(draft.details),
        "group_id": draft.group_id,
        "reverses_no": draft.reverses_no,
        "corrects_no": draft.corrects_no,
        "reversed_by": view.reversed_by,
        "corrected_by": list(view.corrected_by),
        "block_no": view.block_no,
    }


def line_json(line: Line, names: Names, money: MoneyForm) -> Json:
    """Return one line: an account and a debit or a credit."""
    account = names.get(line.account)
    return {
        "account": line.account,
        "slug": account.slug if account else None,
        "name": account.name if account else None,
        "debit": money(line.money) if line.side is Side.DEBIT else None,
        "credit": money(line.money) if line.side is Side.CREDIT else None,
        "currency": line.money.currency,
    }


def trial_balance_json(report: TrialBalanceReport, money: MoneyForm) -> Json:
    """Return a trial balance with its totals, the block that it reflects and its digest."""
    return {
        "book": report.book.code,
        "as_of": day(report.as_of),
        "by": report.by,
        "block_no": report.block_no,
        "block_hash": digest(report.block_hash),
        "includes_unsealed": report.unsealed,
        "digest": digest(report.balance.digest()),
        "rows": [_trial_balance_row(row, money) for row in report.balance.rows],
        "totals": [
            {
                "currency": totals.currency,
                "debits": money(totals.debits),
                "credits": money(totals.credits),
                "debit_balances": money(totals.debit_balances),
                "credit_balances": money(totals.credit_balances),
            }
            for totals in report.balance.totals
        ],
    }


def _trial_balance_row(row: TrialBalanceRow, money: MoneyForm) -> Json:
    return {
        "account": row.account.code,
        "slug": row.account.slug,
        "name": row.account.name,
        "type": str(row.account.type),
        "currency": row.currency,
        "debits": money(row.debits),
        "credits": money(row.credits),
        "debit_balance": money(row.debit_balance),
        "credit_balance": money(row.credit_balance),
    }


def statement_json(statement: AccountStatement, money: MoneyForm) -> Json:
    """Return an account statement with its running balance."""
    return {
        "account": statement.account.code,
        "slug": statement.account.slug,
        "name": statement.account.name,
        "normal_side": str(statement.account.normal_side),
        "subledger_id": statement.subledger_id,
        "from_date": day(statement.from_date),
        "to_date": day(statement.to_date),
        "by": statement.by,
        "known_at": statement.known_at,
        "currency": statement.opening.currency,
        "opening": money(statement.opening),
        "lines": [_statement_line(line, money) for line in statement.lines],
        "closing": money(statement.closing),
    }


def _statement_line(line: StatementLine, money: MoneyForm) -> Json:
    return {
        "booking_date": day(line.booking_date),
        "effective_date": day(line.effective_date),
        "subledger_id": line.subledger_id,
        "entry_no": line.entry_no,
        "template": line.template,
        "narration": line.narration,
        "debit": money(line.debit) if line.debit else None,
        "credit": money(line.credit) if line.credit else None,
        "balance": money(line.balance),
    }


def balance_sheet_json(sheet: BalanceSheet, money: MoneyForm) -> Json:
    """Return a balance sheet."""
    return {
        "currency": sheet.assets.total.currency,
        "assets": _section(sheet.assets, money),
        "liabilities": _section(sheet.liabilities, money),
        "equity": _section(sheet.equity, money),
        "current_earnings": money(sheet.current_earnings),
        "total_equity": money(sheet.total_equity),
        "liabilities_and_equity": money(sheet.liabilities_and_equity),
        "off_balance": _section(sheet.off_balance, money),
    }


def income_statement_json(statement: IncomeStatement, money: MoneyForm) -> Json:
    """Return an income statement."""
    return {
        "currency": statement.net_income.currency,
        "income": _section(statement.income, money),
        "expenses": _section(statement.expenses, money),
        "net_income": money(statement.net_income),
    }


def _section(section: Section, money: MoneyForm) -> Json:
    return {
        "lines": [
            {"account": account.code, "name": account.name, "amount": money(amount)}
            for account, amount in section.lines
        ],
        "total": money(section.total),
    }
