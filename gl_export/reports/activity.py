"""What a month did to accounts that finance looks at by themselves: cash, income, the allowance, losses, accruals.

Each report is a row of a table: which accounts, which kinds of entries, by day or by loan. What it shows adds up to the
turnover of these accounts in the trial balance. Next: `gl_export/queries/activity.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from gl_export.queries.activity import Activity, activity, journal_lines
from gl_export.queries.balances import control_balances
from gl_export.rendering import Cell, Column, Kind, Report, Stamp
from gl_export.reports.stamps import stamp
from gl_export.roll_forward import KINDS
from gl_export.settlement import RAIL_ROLES
from ledger.chart import AccountDefinition, AccountType, Side
from ledger.dates import Month
from ledger.money import Money, Total
from ledger.queries.accounts import accounts, role_maps

DAY = Column("day", "Day", Kind.DATE)
LOAN = Column("loan_id", "Loan", Kind.INTEGER)
COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("entry_kind", "Kind of entry"),
    Column("currency", "Currency"),
    Column("entries", "Entries", Kind.INTEGER),
    Column("debits", "Debits", Kind.AMOUNT),
    Column("credits", "Credits", Kind.AMOUNT),
    Column("net", "Net", Kind.AMOUNT),
)


@dataclass(frozen=True, slots=True)
class ActivityReport:
    """A report of a month: its name and title, the accounts by role or by type, the kinds of entries (None: all)."""

    name: str
    title: str
    roles: tuple[str, ...] = ()
    types: tuple[AccountType, ...] = ()
    templates: Collection[str] | None = None
    by_day: bool = False
    by_loan: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns; net is on the account's normal side."""
        return (*((DAY,) if self.by_day else ()), *((LOAN,) if self.by_loan else ()), *COLUMNS)

    def draw(self, connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None) -> Report:
        """Return the report of a month.

        Raises: BookUnknown.
        """
        rests_on = _stamp(connection, book_code, month, known_at)
        by_code = {str(account.code): account for account in accounts(connection, book_code, month.last_day)}
        found = activity(
            connection,
            book_code,
            self._codes(connection, book_code, by_code.values()),
            from_date=month.first_day,
            as_of=month.last_day,
            known_at=rests_on.block_no,
            templates=self.templates,
            by_day=self.by_day,
            by_loan=self.by_loan,
        )
        return Report(
            name=self.name,
            title=f"{self.title} of {book_code} for {month}",
            stamp=rests_on,
            columns=self.columns,
            rows=tuple(self._row(each, by_code[each.account]) for each in found),
            totals=tuple(self._total(code, found) for code in sorted({each.debits.currency for each in found})),
        )

    def _codes(self, connection: sa.Connection, book_code: str, known: Collection[AccountDefinition]) -> set[str]:
        """Return the accounts of the roles, in whichever map, and those of the types."""
        by_role = {
            str(code)
            for roles in role_maps(connection, book_code).values()
            for role, code in roles.items()
            if role in self.roles
        }
        return by_role | {str(account.code) for account in known if account.type in self.types and not account.header}

    def _row(self, each: Activity, account: AccountDefinition) -> tuple[Cell, ...]:
        net = each.debits - each.credits if account.normal_side is Side.DEBIT else each.credits - each.debits
        day, loan = (each.day,) if self.by_day else (), (each.subledger_id,) if self.by_loan else ()
        head: tuple[Cell, ...] = (*day, *loan)
        kind = (str(account.code), account.name, each.template, each.debits.currency)
        return (*head, *kind, each.entries, each.debits, each.credits, net)

    def _total(self, currency: str, found: Collection[Activity]) -> tuple[Cell, ...]:
        chosen = [each for each in found if each.debits.currency == currency]
        debits = Money.sum((each.debits for each in chosen), currency)
        credits = Money.sum((each.credits for each in chosen), currency)
        head: tuple[Cell, ...] = (None,) * (self.by_day + self.by_loan)
        return (*head, "Total", None, None, currency, sum(each.entries for each in chosen), debits, credits, None)


def _templates(*names: str) -> tuple[str, ...]:
    return tuple(template for kind in KINDS if kind.name in names for template in kind.templates)


CASH_RECEIPTS = ActivityReport("cash_receipts", "Cash over the rails", roles=RAIL_ROLES, by_day=True)
INCOME = ActivityReport(
    "fees_and_income", "Income and expenses by kind", types=(AccountType.INCOME, AccountType.EXPENSE)
)
ACCRUALS = ActivityReport(
    "accruals",
    "Interest accrued and not accrued",
    roles=("INTEREST_RECEIVABLE", "INTEREST_INCOME", "NON_ACCRUAL_INTEREST"),
    templates=_templates("accrued", "not_accrued"),
)
LOSSES = ActivityReport(
    "charge_offs_and_recoveries",
    "Charge-offs and recoveries by loan",
    roles=(
        "LOAN_PRINCIPAL",
        "INTEREST_RECEIVABLE",
        "ALLOWANCE_FOR_CREDIT_LOSSES",
        "CHARGED_OFF_CLAIM",
        "COLLECTION_EXPENSE",
        *RAIL_ROLES,
    ),
    templates=_templates("charged_off", "recovered"),
    by_loan=True,
)
OWNERS = ActivityReport(
    "sold_and_serviced",
    "Loans sold and serviced for their owners",
    roles=("LOAN_SALE_CLEARING", "DUE_TO_INVESTORS", "SERVICED_FOR_OTHERS", "GAIN_ON_LOAN_SALES", "LOSS_ON_LOAN_SALES"),
)
ACTIVITY_REPORTS = (CASH_RECEIPTS, INCOME, ACCRUALS, LOSSES, OWNERS)

ALLOWANCE = "ALLOWANCE_FOR_CREDIT_LOSSES"
ALLOWANCE_COLUMNS = (
    Column("account", "Account"),
    Column("currency", "Currency"),
    Column("line", "Line"),
    Column("entries", "Entries", Kind.INTEGER),
    Column("amount", "Amount", Kind.AMOUNT),
)


def allowance_report(connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None) -> Report:
    """Return what the allowance was, what each kind of entry did to it, and what it is: credits are positive.

    Raises: BookUnknown.
    """
    rests_on = _stamp(connection, book_code, month, known_at)
    codes = {str(roles[ALLOWANCE]) for roles in role_maps(connection, book_code).values() if ALLOWANCE in roles}
    bounds = {"from_date": month.first_day, "as_of": month.last_day, "known_at": rests_on.block_no}
    found = activity(connection, book_code, codes, **bounds)  # type: ignore[arg-type]
    balances = [
        control_balances(connection, book_code, as_of=day, known_at=rests_on.block_no)
        for day in (month.first_day - timedelta(days=1), month.last_day)
    ]
    keys = sorted({key for each in balances for key in each if key[0] in codes})
    keys = sorted({*keys, *((each.account, each.debits.currency) for each in found)})
    rows: list[tuple[Cell, ...]] = []
    for code, currency in keys:
        opening, closing = (-each.get((code, currency), Total(0, currency)) for each in balances)
        rows.append((code, currency, "opening", None, opening))
        rows += [
            (code, currency, each.template, each.entries, each.credits - each.debits)
            for each in found
            if (each.account, each.debits.currency) == (code, currency)
        ]
        rows.append((code, currency, "closing", None, closing))
    return Report(
        name="allowance_roll_forward",
        title=f"Allowance for credit losses of {book_code} for {month}",
        stamp=rests_on,
        columns=ALLOWANCE_COLUMNS,
        rows=tuple(rows),
    )


JOURNAL_COLUMNS = (
    Column("booking_date", "Booked", Kind.DATE),
    Column("subledger_id", "Subledger", Kind.INTEGER),
    Column("entry_no", "Entry", Kind.INTEGER),
    Column("effective_date", "Effective", Kind.DATE),
    Column("template", "Template"),
    Column("debit", "Debit"),
    Column("credit", "Credit"),
    Column("amount", "Amount", Kind.AMOUNT),
    Column("currency", "Currency"),
    Column("narration", "Narration"),
    Column("actor", "By"),
    Column("approved_by", "Approved by"),
    Column("reverses_no", "Reverses", Kind.INTEGER),
)
DETAIL_COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("currency", "Currency"),
    Column("booking_date", "Booked", Kind.DATE),
    Column("subledger_id", "Subledger", Kind.INTEGER),
    Column("entry_no", "Entry", Kind.INTEGER),
    Column("template", "Template"),
    Column("debit", "Debit", Kind.AMOUNT),
    Column("credit", "Credit", Kind.AMOUNT),
    Column("balance", "Balance", Kind.AMOUNT),
)


def journal_report(connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None) -> Report:
    """Return every posting of a month in the order of the journal.

    Raises: BookUnknown.
    """
    rests_on = _stamp(connection, book_code, month, known_at)
    found = journal_lines(
        connection, book_code, from_date=month.first_day, as_of=month.last_day, known_at=rests_on.block_no
    )
    return Report(
        name="journal",
        title=f"Journal of {book_code} for {month}",
        stamp=rests_on,
        columns=JOURNAL_COLUMNS,
        rows=tuple(
            (
                each.booking_date,
                each.subledger_id,
                each.entry_no,
                each.effective_date,
                each.template,
                each.debit,
                each.credit,
                each.amount,
                each.amount.currency,
                each.narration,
                each.actor,
                each.approved_by,
                each.reverses_no,
            )
            for each in found
        ),
    )


def gl_detail_report(connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None) -> Report:
    """Return what moved each account in a month, posting by posting, with the running balance, debits positive.

    Raises: BookUnknown.
    """
    rests_on = _stamp(connection, book_code, month, known_at)
    before, block_no = month.first_day - timedelta(days=1), rests_on.block_no
    balances = dict(control_balances(connection, book_code, as_of=before, known_at=block_no))
    names = {str(account.code): account.name for account in accounts(connection, book_code, month.last_day)}
    lines = journal_lines(connection, book_code, from_date=month.first_day, as_of=month.last_day, known_at=block_no)
    sides = sorted(
        ((code, line.amount.currency, place, line, sign) for place, line in enumerate(lines)
         for code, sign in ((line.debit, 1), (line.credit, -1))),
        key=lambda each: each[:3],
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for code, currency, _, line, sign in sides:
        balance = balances.get((code, currency), Total(0, currency)) + line.amount * sign
        balances[(code, currency)] = balance
        debit, credit = (line.amount, None) if sign > 0 else (None, line.amount)
        where = (line.booking_date, line.subledger_id, line.entry_no, line.template)
        rows.append((code, names[code], currency, *where, debit, credit, balance))
    return Report(
        name="gl_detail",
        title=f"Accounts of {book_code} in detail for {month}",
        stamp=rests_on,
        columns=DETAIL_COLUMNS,
        rows=tuple(rows),
    )


def _stamp(connection: sa.Connection, book_code: str, month: Month, known_at: int | None) -> Stamp:
    return stamp(connection, book_code, as_of=month.last_day, known_at=known_at, from_date=month.first_day)
