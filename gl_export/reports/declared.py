"""The reports there are, as a table: a name, whether it is of a day or over a month, for whom, and what draws it.

Next: `gl_export/reports/trial_balance.py`, the simplest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from gl_export.errors import ReportUnknown
from gl_export.rendering import Report
from gl_export.reports.activity import (
    ACCRUALS,
    CASH_RECEIPTS,
    INCOME,
    LOSSES,
    OWNERS,
    allowance_report,
    gl_detail_report,
    journal_report,
)
from gl_export.reports.clearing_accounts import clearing_report
from gl_export.reports.delinquency import aging_report, roll_rates_report, vintages_report
from gl_export.reports.loan_roll_forward import loan_roll_forward_detail, loan_roll_forward_report
from gl_export.reports.modifications import difficulty_report, modifications_report
from gl_export.reports.reconciliation import reconciliation_report
from gl_export.reports.trial_balance import trial_balance_report
from ledger.dates import Month


@dataclass(frozen=True, slots=True)
class DeclaredReport:
    """A report by name; one over a month is drawn for the month in which the day lies.

    The package of a close holds those that do not grow with every entry.
    """

    name: str
    purpose: str
    over_month: bool
    draw_with: Callable[..., Report]
    in_package: bool = True

    def draw(self, connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None) -> Report:
        """Return the report as of a day (of its month), known at a seal block or at the newest.

        Raises: BookUnknown; what the report proves and finds broken.
        """
        if self.over_month:
            return self.draw_with(connection, book_code, month=Month.of(as_of), known_at=known_at)
        return self.draw_with(connection, book_code, as_of=as_of, known_at=known_at)


REPORTS = (
    DeclaredReport("trial_balance", "every account's turnover and balance", False, trial_balance_report),
    DeclaredReport(
        "loan_roll_forward", "opening, movements by kind, closing, by account", True, loan_roll_forward_report
    ),
    DeclaredReport("loan_roll_forward_detail", "the same, loan by loan", True, loan_roll_forward_detail),
    DeclaredReport("reconciliation", "loans, control accounts and the GL side by side", False, reconciliation_report),
    DeclaredReport("modifications", "changed contracts before, after, and now", False, modifications_report),
    DeclaredReport(
        "difficulty_modifications",
        "what was given to borrowers in difficulty within a year, by type",
        False,
        difficulty_report,
    ),
    DeclaredReport("clearing_accounts", "what is left in clearing accounts, and how old it is", False, clearing_report),
    DeclaredReport("delinquency_aging", "open loans by days past due, and what is past due", False, aging_report),
    DeclaredReport("roll_rates", "from which bucket loans went to which within a month", True, roll_rates_report),
    DeclaredReport("allowance_roll_forward", "what moved the allowance for losses", True, allowance_report),
    DeclaredReport("cash_receipts", "what went over each rail, by day and kind", True, CASH_RECEIPTS.draw),
    DeclaredReport("fees_and_income", "income and expenses by kind of entry", True, INCOME.draw),
    DeclaredReport("accruals", "interest that was accrued, and that was not", True, ACCRUALS.draw),
    DeclaredReport("charge_offs_and_recoveries", "what was charged off and recovered, by loan", True, LOSSES.draw),
    DeclaredReport("sold_and_serviced", "loans sold, and what is held for their owners", True, OWNERS.draw),
    DeclaredReport("journal", "every posting of a month", True, journal_report, in_package=False),
    DeclaredReport(
        "gl_detail",
        "every account, posting by posting, with its balance",
        True,
        gl_detail_report,
        in_package=False,
    ),
    DeclaredReport("vintages", "how many loans of a funding month were 30, 60, 90 days behind", False, vintages_report),
)


def report_named(name: str) -> DeclaredReport:
    """Return a report by its name.

    Raises: ReportUnknown.
    """
    for each in REPORTS:
        if each.name == name:
            return each
    raise ReportUnknown(name=name, known=tuple(each.name for each in REPORTS))
