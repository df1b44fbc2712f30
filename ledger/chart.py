"""The chart of accounts: what can be posted to, on which side it grows, and which role each account plays.

A posting template names roles (`LOAN_PRINCIPAL`); a role map names the account of each role, so that a
product can book its late fees elsewhere without a template of its own. Never: balances, or what a role
means.
Next: `ledger/chart_file.py`, which reads and writes a chart as TOML; `ledger/templates.py`, which uses roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from ledger.currencies import EXPONENTS
from ledger.errors import AccountDefinitionInvalid, AccountUnknown, ChartInvalid, RoleMapUnknown, RoleUnmapped

AccountCode = NewType("AccountCode", str)

DEFAULT_ROLE_MAP = "default"

_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}", re.ASCII)
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_ROLE = re.compile(r"[A-Z][A-Z0-9_]{0,62}", re.ASCII)


class Side(StrEnum):
    """One of the two sides of every posting."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class AccountType(StrEnum):
    """Where an account appears: balance sheet, income statement, or neither (memorandum accounts)."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"
    OFF_BALANCE = "off_balance"

    @property
    def normal_side(self) -> Side:
        """Return the side on which accounts of this type grow, unless they are contra accounts."""
        grows_on_debit = self in (AccountType.ASSET, AccountType.EXPENSE, AccountType.OFF_BALANCE)
        return Side.DEBIT if grows_on_debit else Side.CREDIT


@dataclass(frozen=True, slots=True)
class AccountDefinition:
    """What the books must know of one account.

    `code` is the account number, `slug` the name that scenarios and reports use, `currency` the only one
    taken (None: any). A `header` adds up the accounts below it and takes no posting; a `subledgered`
    account keeps a balance for each loan; one that may not go contra never turns to the side against its
    normal one; a `control` account refuses manual journals.

    Raises: AccountDefinitionInvalid.
    """

    code: AccountCode
    slug: str
    name: str
    type: AccountType
    normal_side: Side
    parent: AccountCode | None = None
    currency: str | None = None
    header: bool = False
    subledgered: bool = False
    may_go_contra: bool = True
    control: bool = False

    def __post_init__(self) -> None:
        for reason in _definition_mistakes(self):
            raise AccountDefinitionInvalid(account=self.code, reason=reason)

    def is_of_the_kind_of(self, other: AccountDefinition) -> bool:
        """Tell whether it takes the same postings as another one: all is equal but its names and its parent."""
        return replace(self, slug=other.slug, name=other.name, parent=other.parent) == other

    @property
    def is_contra(self) -> bool:
        """Tell whether the account grows on the other side than its type does, as an allowance does."""
        return self.normal_side is not self.type.normal_side


def _definition_mistakes(account: AccountDefinition) -> Iterator[str]:
    if not _CODE.fullmatch(account.code):
        yield "a code is 1 to 32 letters, digits, dots, dashes or underscores"
    if not _SLUG.fullmatch(account.slug):
        yield f"slug {account.slug!r} is not lower-case words joined by underscores"
    if not account.name.strip() or not account.name.isprintable():
        yield "the name is empty or has unprintable characters"
    if account.currency is not None and account.currency not in EXPONENTS:
        yield f"currency {account.currency!r} is not one of ISO 4217"
    if account.header and account.subledgered:
        yield "a header takes no postings, so it cannot be subledgered"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of accounts in tree order, parents before children, with its role maps.

    `roles` holds, by role map, the account of each role; a map beside the default one holds only what
    differs.

    Raises: ChartInvalid naming every mistake.
    """

    name: str
    accounts: tuple[AccountDefinition, ...]
    roles: Mapping[str, Mapping[str, AccountCode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_mistakes(f"chart {self.name}", find_mistakes(self.accounts, self.roles))
        frozen = {name: MappingProxyType(dict(roles)) for name, roles in self.roles.items()}
        object.__setattr__(self, "accounts", tuple(_tree_order(self.accounts, None)))
        object.__setattr__(self, "roles", MappingProxyType(frozen))

    def account(self, code: str) -> AccountDefinition:
        """Return the account with this code.

        Raises: AccountUnknown.
        """
        for account in self.accounts:
            if account.code == code:
                return account
        raise AccountUnknown(account=code)

    def named(self, slug: str) -> AccountDefinition:
        """Return the account with this slug.

        Raises: AccountUnknown.
        """
        for account in self.accounts:
            if account.slug == slug:
                return account
        raise AccountUnknown(account=slug)

    def ancestors(self, code: str) -> tuple[AccountDefinition, ...]:
        """Return the headers above an account, the nearest first.

        Raises: AccountUnknown.
        """
        parent = self.account(code).parent
        return () if parent is None else (self.account(parent), *self.ancestors(parent))

    def role_map(self, name: str = DEFAULT_ROLE_MAP) -> Mapping[str, AccountCode]:
        """Return the account of every role: the named map laid over the default one.

        Raises: RoleMapUnknown.
        """
        if name not in self.roles:
            raise RoleMapUnknown(role_map=name, known=tuple(self.roles))
        return MappingProxyType({**self.roles.get(DEFAULT_ROLE_MAP, {}), **self.roles[name]})

    def resolve(self, role: str, role_map: str = DEFAULT_ROLE_MAP) -> AccountCode:
        """Return the account of one role.

        Raises: RoleMapUnknown; RoleUnmapped.
        """
        try:
            return self.role_map(role_map)[role]
        except KeyError:
            raise RoleUnmapped(role=role, role_map=role_map) from None


Mistake = tuple[str, str]
"""A place in the chart, and what is wrong there."""


def find_mistakes(
    accounts: Sequence[AccountDefinition], roles: Mapping[str, Mapping[str, AccountCode]]
) -> Iterator[Mistake]:
    """Find whatever is wrong between accounts that are each right by themselves, and in the role maps."""
    by_code = {account.code: account for account in accounts}
    yield from _repeated(accounts, "code")
    yield from _repeated(accounts, "slug")
    for account in accounts:
        yield from ((f"account {account.code}", reason) for reason in _parent_mistakes(account, by_code))
    for name, mapping in roles.items():
        for role, code in mapping.items():
            yield from ((f"roles.{name}.{role}", reason) for reason in _role_mistakes(role, code, by_code))


def refuse_mistakes(file: str, mistakes: Iterable[Mistake]) -> None:
    """Raise ChartInvalid if there is a mistake: the first by itself, the others as further ones."""
    found = tuple(mistakes)
    if found:
        (place, reason), *others = found
        further = tuple(f"{place}: {reason}" for place, reason in others)
        raise ChartInvalid(file=file, place=place, reason=reason, further=further)


def _repeated(accounts: Sequence[AccountDefinition], key: str) -> Iterator[Mistake]:
    first_position: dict[str, int] = {}
    for position, account in enumerate(accounts, start=1):
        value = str(getattr(account, key))
        first = first_position.setdefault(value, position)
        if first != position:
            yield (
                f"account number {position} ({account.code})",
                f"{key} {value} is that of account number {first} too",
            )


def _parent_mistakes(account: AccountDefinition, by_code: Mapping[AccountCode, AccountDefinition]) -> Iterator[str]:
    if account.parent is None:
        return
    parent = by_code.get(account.parent)
    if parent is None:
        yield f"parent {account.parent} is not in the chart"
        return
    if not parent.header:
        yield f"parent {parent.code} is not a header"
    if parent.type is not account.type:
        yield f"it is of type {account.type}, its parent {parent.code} of type {parent.type}"
    circle = _circle(account, by_code)
    if circle and account.code == min(circle):
        yield f"its parents go round in a circle: {' -> '.join((*circle, account.code))}"


def _circle(start: AccountDefinition, by_code: Mapping[AccountCode, AccountDefinition]) -> tuple[AccountCode, ...]:
    """Return the chain of parents that leads back to the start, or nothing if it does not."""
    chain: list[AccountCode] = []
    code: AccountCode | None = start.code
    while code is not None and code in by_code and code not in chain:
        chain.append(code)
        code = by_code[code].parent
    return tuple(chain) if code == start.code else ()


def _role_mistakes(role: str, code: AccountCode, by_code: Mapping[AccountCode, AccountDefinition]) -> Iterator[str]:
    if not _ROLE.fullmatch(role):
        yield "a role is upper-case words joined by underscores"
    if code not in by_code:
        yield f"account {code} is not in the chart"
    elif by_code[code].header:
        yield f"account {code} is a header and takes no postings"


def _tree_order(accounts: Sequence[AccountDefinition], parent: AccountCode | None) -> Iterator[AccountDefinition]:
    for account in accounts:
        if account.parent == parent:
            yield account
            yield from _tree_order(accounts, account.code)
