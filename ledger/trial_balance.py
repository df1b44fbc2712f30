"""The trial balance, and the two statements that are read off it.

Built from the debits and credits of each account; it proves by construction that they agree, currency by
currency. Over a period's activity it gives the income statement, over everything to a day the balance sheet.
Never: a query, or a rate between currencies. Next: `ledger/chart.py` for types and normal sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.chart import AccountDefinition, AccountType, Chart, Side
from ledger.errors import BalanceSheetUnequal, CurrencyMismatch, TrialBalanceUnequal
from ledger.money import Money, Total


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """What was debited and credited to one account in one currency.

    Raises: CurrencyMismatch.
    """

    account: AccountDefinition
    debits: Money
    credits: Money

    def __post_init__(self) -> None:
        if self.debits.currency != self.credits.currency:
            raise CurrencyMismatch(left=self.debits.currency, right=self.credits.currency)

    @property
    def currency(self) -> str:
        """Return the currency of the row."""
        return self.debits.currency

    @property
    def debit_balance(self) -> Money:
        """Return by how much debits exceed credits, or zero: the left column."""
        return max(self.debits - self.credits, Total.zero(self.currency))

    @property
    def credit_balance(self) -> Money:
        """Return by how much credits exceed debits, or zero: the right column."""
        return max(self.credits - self.debits, Total.zero(self.currency))

    def balance_on(self, side: Side) -> Money:
        """Return the balance counted positive on one side, negative on the other."""
        return self.debits - self.credits if side is Side.DEBIT else self.credits - self.debits


@dataclass(frozen=True, slots=True)
class Totals:
    """The foot of the trial balance in one currency: turnover, and the two balance columns."""

    currency: str
    debits: Money
    credits: Money
    debit_balances: Money
    credit_balances: Money


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The rows by account code and currency, one for each pair; `trial_balance` builds it.

    Raises: TrialBalanceUnequal if debits and credits of a currency differ.
    """

    rows: tuple[TrialBalanceRow, ...]

    def __post_init__(self) -> None:
        for totals in self.totals:
            if totals.debits != totals.credits:
                raise TrialBalanceUnequal(
                    currency=totals.currency,
                    debits=totals.debits.minor,
                    credits=totals.credits.minor,
                    difference=totals.debits.minor - totals.credits.minor,
                )

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return the currencies that occur, in alphabetical order."""
        return tuple(sorted({row.currency for row in self.rows}))

    @property
    def totals(self) -> tuple[Totals, ...]:
        """Return the totals of each currency."""
        return tuple(_totals(self.rows, currency) for currency in self.currencies)

    def canonical_text(self) -> str:
        r"""Return the one text of this trial balance, over which its digest is taken.

        The first line is `trial balance 1`; then, for every account and currency with any debit or credit, in
        the order of code and currency by code point, a line of code, currency, debits and credits in minor
        units, parted by tabs. Every line ends with `\n`; the encoding is UTF-8.
        """
        lines = ["trial balance 1"]
        for row in self.rows:
            if row.debits or row.credits:
                cells = (row.account.code, row.currency, str(row.debits.minor), str(row.credits.minor))
                lines.append("\t".join(cells))
        return "\n".join(lines) + "\n"

    def digest(self) -> bytes:
        """Return the SHA-256 of the canonical text."""
        return hashlib.sha256(self.canonical_text().encode()).digest()


def trial_balance(rows: Iterable[TrialBalanceRow]) -> TrialBalance:
    """Return the trial balance of the rows, those of one account and currency added up.

    Raises: TrialBalanceUnequal.
    """
    by_key: dict[tuple[str, str], TrialBalanceRow] = {}
    for row in rows:
        key = (row.account.code, row.currency)
        by_key[key] = _added(by_key[key], row) if key in by_key else row
    return TrialBalance(tuple(by_key[key] for key in sorted(by_key)))


def _added(left: TrialBalanceRow, right: TrialBalanceRow) -> TrialBalanceRow:
    return TrialBalanceRow(left.account, left.debits + right.debits, left.credits + right.credits)


def _totals(rows: Iterable[TrialBalanceRow], currency: str) -> Totals:
    chosen = [row for row in rows if row.currency == currency]
    return Totals(
        currency,
        debits=Total.sum((row.debits for row in chosen), currency),
        credits=Total.sum((row.credits for row in chosen), currency),
        debit_balances=Total.sum((row.debit_balance for row in chosen), currency),
        credit_balances=Total.sum((row.credit_balance for row in chosen), currency),
    )


@dataclass(frozen=True, slots=True)
class RolledUpRow:
    """An account in the tree of the chart; the figures of a header are the sums of everything below it."""

    row: TrialBalanceRow
    depth: int


def roll_up(balance: TrialBalance, chart: Chart) -> tuple[RolledUpRow, ...]:
    """Return headers and accounts in the order of the chart, for every currency in which they have a figure.

    Raises: AccountUnknown if the trial balance has an account that the chart has not.
    """
    sums: dict[tuple[str, str], TrialBalanceRow] = {}
    for row in balance.rows:
        for account in (chart.account(row.account.code), *chart.ancestors(row.account.code)):
            key = (account.code, row.currency)
            own = TrialBalanceRow(account, row.debits, row.credits)
            sums[key] = _added(sums[key], own) if key in sums else own
    return tuple(
        RolledUpRow(sums[account.code, currency], depth=len(chart.ancestors(account.code)))
        for account in chart.accounts
        for currency in balance.currencies
        if (account.code, currency) in sums
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a statement: accounts with their amounts, contra accounts negative, and the total."""

    lines: tuple[tuple[AccountDefinition, Money], ...]
    total: Money


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """Income less expenses, in one currency."""

    income: Section
    expenses: Section

    @property
    def net_income(self) -> Money:
        """Return what was earned; a loss is negative."""
        return self.income.total - self.expenses.total


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """Assets against liabilities and equity, in one currency, with the memoranda apart.

    `current_earnings` is what income and expense accounts hold and no year-end has moved to equity yet.

    Raises: BalanceSheetUnequal.
    """

    assets: Section
    liabilities: Section
    equity: Section
    current_earnings: Money
    off_balance: Section

    def __post_init__(self) -> None:
        assets, claims = self.assets.total, self.liabilities_and_equity
        if assets != claims:
            raise BalanceSheetUnequal(
                currency=assets.currency,
                assets=assets.minor,
                claims=claims.minor,
                difference=assets.minor - claims.minor,
            )

    @property
    def total_equity(self) -> Money:
        """Return equity with the current earnings in it."""
        return self.equity.total + self.current_earnings

    @property
    def liabilities_and_equity(self) -> Money:
        """Return the total that stands against the assets."""
        return self.liabilities.total + self.total_equity


def income_statement(balance: TrialBalance, currency: str) -> IncomeStatement:
    """Return income and expenses of the trial balance, which is taken over the period in question."""
    return IncomeStatement(
        income=_section(balance, currency, AccountType.INCOME),
        expenses=_section(balance, currency, AccountType.EXPENSE),
    )


def balance_sheet(balance: TrialBalance, currency: str) -> BalanceSheet:
    """Return the balance sheet of a trial balance that is taken over everything up to a day.

    Raises: BalanceSheetUnequal if an entry was booked between a memorandum account and one of the sheet.
    """
    return BalanceSheet(
        assets=_section(balance, currency, AccountType.ASSET),
        liabilities=_section(balance, currency, AccountType.LIABILITY),
        equity=_section(balance, currency, AccountType.EQUITY),
        current_earnings=income_statement(balance, currency).net_income,
        off_balance=_section(balance, currency, AccountType.OFF_BALANCE),
    )


def _section(balance: TrialBalance, currency: str, account_type: AccountType) -> Section:
    lines = tuple(_section_lines(balance, currency, account_type))
    return Section(lines, total=Total.sum((amount for _, amount in lines), currency))


def _section_lines(
    balance: TrialBalance, currency: str, account_type: AccountType
) -> Iterator[tuple[AccountDefinition, Money]]:
    for row in balance.rows:
        if row.currency == currency and row.account.type is account_type:
            yield row.account, row.balance_on(account_type.normal_side)
