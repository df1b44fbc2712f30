"""Bank lines, open items, proposals and matches as both doors show them.

Next: `gl_export/queries/bank.py`; `api/cli/bank.py`, `api/routes/bank.py`.
"""

from __future__ import annotations

from datetime import date

from api.views import Json, MoneyForm
from gl_export.bank.kept import KeptLine, KeptMatch
from gl_export.bank.matching import OpenItem, Proposal
from gl_export.commands.bank import TakenStatement
from gl_export.queries.bank import WorkList


def taken_json(taken: TakenStatement) -> Json:
    """Return a statement that was taken."""
    of = taken.statement
    return {
        "statement": taken.statement_no,
        "account": of.account,
        "statement_id": of.statement_id,
        "currency": of.currency,
        "as_of": of.as_of.isoformat(),
        "lines": len(of.lines),
        "new_lines": taken.new_lines,
        "is_new": taken.statement_no is not None,
    }


def line_json(each: KeptLine, money: MoneyForm, *, on: date) -> Json:
    """Return a line with its age on a day."""
    line = each.line
    return {
        "line": each.line_no,
        "account": each.account,
        "booking_date": line.booking_date.isoformat(),
        "value_date": None if line.value_date is None else line.value_date.isoformat(),
        "amount": money(line.amount),
        "currency": line.amount.currency,
        "kind": line.kind,
        "references": list(line.references),
        "text": line.text,
        "file": each.file,
        "place": line.place,
        "match": each.match_no,
        "age_days": max(0, (on - line.booking_date).days),
    }


def item_json(item: OpenItem, money: MoneyForm, *, on: date) -> Json:
    """Return an open item with its age on a day."""
    return {
        "item": item.key,
        "rail": item.role.removesuffix("_CLEARING"),
        "day": item.day.isoformat(),
        "amount": money(item.amount),
        "currency": item.amount.currency,
        "references": sorted(item.references),
        "age_days": max(0, (on - item.day).days),
    }


def proposal_json(proposal: Proposal, money: MoneyForm) -> Json:
    """Return a proposal."""
    return {
        "lines": [line.line_no for line in proposal.lines],
        "items": [item.key for item in proposal.items],
        "amounts": [money(line.amount) for line in proposal.lines],
        "rule": proposal.rule,
        "score": proposal.score,
        "why": proposal.why,
    }


def work_json(work: WorkList, money: MoneyForm, *, on: date) -> Json:
    """Return what nothing settles yet, and what is proposed."""
    return {
        "lines": [line_json(each, money, on=on) for each in work.lines],
        "items": [item_json(each, money, on=on) for each in work.items],
        "proposals": [proposal_json(each, money) for each in work.proposals],
    }


def match_json(match: KeptMatch, money: MoneyForm) -> Json:
    """Return a match."""
    return {
        "match": match.match_no,
        "rule": match.rule,
        "score": match.score,
        "why": match.why,
        "lines": [int(part.key) for part in match.parts if part.side == "line"],
        "items": [part.key for part in match.parts if part.side == "item"],
        "amounts": [money(part.amount) for part in match.parts if part.side == "line"],
        "entries": list(match.entries),
        "actor": match.actor,
    }
