"""Posting templates: how a business event becomes an entry, in a form that an accountant can read.

A template is a narration and rows of debit role, credit role, amount name. There is no condition in it:
rows whose amount is zero drop out, and different accounting is a different event. An entry keeps the name
and version of its template, so a template once used is never edited, only followed by a next version.
Next: `ledger/chart.py`, whose role maps give each role its account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import NamedTuple

from ledger.chart import AccountCode
from ledger.errors import (
    AmountNameMissing,
    AmountNameUnknown,
    EntryEmpty,
    NarrationWordMissing,
    TemplateAmountNegative,
    TemplateInvalid,
    TemplateRowUnresolved,
    TemplateUnknown,
)
from ledger.journal import Posting
from ledger.money import Money


class Row(NamedTuple):
    """One posting to be: which role is debited, which credited, and with which amount."""

    debit_role: str
    credit_role: str
    amount_name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A named, versioned way to book one kind of event.

    The narration may hold words in braces (`Late fee of installment {installment_no}`).

    Raises: TemplateInvalid.
    """

    name: str
    version: int
    narration: str
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        for reason in _mistakes(self):
            raise TemplateInvalid(template=self.name, reason=reason)

    @property
    def roles(self) -> frozenset[str]:
        """Return every role that the rows name."""
        return frozenset(role for row in self.rows for role in (row.debit_role, row.credit_role))

    @property
    def amount_names(self) -> tuple[str, ...]:
        """Return the names of the amounts, each once, in order of the rows."""
        return tuple(dict.fromkeys(row.amount_name for row in self.rows))


def instantiate(
    template: Template, amounts: Mapping[str, Money], roles: Mapping[str, AccountCode]
) -> tuple[Posting, ...]:
    """Return the postings of an event: each row whose amount is not zero, between the accounts of its roles.

    Every amount name of the template must be given, zero included, and no other. Only roles of rows that are
    booked need an account.

    Raises: AmountNameUnknown; AmountNameMissing; TemplateAmountNegative; TemplateRowUnresolved; EntryEmpty if
    every amount is zero; SameAccountBothSides if both roles of a row are played by one account.
    """
    _check_amounts(template, amounts)
    postings = tuple(
        Posting(
            debit=_account_of(template, row.debit_role, roles),
            credit=_account_of(template, row.credit_role, roles),
            money=amounts[row.amount_name],
        )
        for row in template.rows
        if amounts[row.amount_name]
    )
    if not postings:
        raise EntryEmpty()
    return postings


def narrate(template: Template, **words: object) -> str:
    """Return the narration with its words filled in; words that it does not use are left aside.

    Raises: NarrationWordMissing.
    """
    for name in _words_of(template.narration):
        if name not in words:
            raise NarrationWordMissing(template=template.name, name=name)
    return template.narration.format_map(words)


class Templates:
    """All templates that are known, by name and version.

    Raises: TemplateInvalid if two have the same name and version.
    """

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_key: dict[tuple[str, int], Template] = {}
        for template in templates:
            if self._by_key.setdefault((template.name, template.version), template) is not template:
                reason = f"version {template.version} is declared twice"
                raise TemplateInvalid(template=template.name, reason=reason)

    def get(self, name: str, version: int | None = None) -> Template:
        """Return a template; without a version, the latest one.

        Raises: TemplateUnknown.
        """
        if version is None:
            version = max((known for known_name, known in self._by_key if known_name == name), default=None)
        if version is None or (name, version) not in self._by_key:
            raise TemplateUnknown(name=name, version=version)
        return self._by_key[name, version]

    def __iter__(self) -> Iterator[Template]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)


def as_markdown(templates: Iterable[Template]) -> str:
    """Return the templates as one Markdown table, a line per row, for the generated reference page."""
    lines = ["| event | version | debit | credit | amount | narration |", "|---|---|---|---|---|---|"]
    for template in templates:
        first_cells = (template.name, str(template.version))
        narration = template.narration.replace("|", "\\|")
        for row in template.rows:
            cells = (*first_cells, row.debit_role, row.credit_role, row.amount_name, narration)
            lines.append(f"| {' | '.join(cells)} |")
            first_cells, narration = ("", ""), ""
    return "\n".join(lines) + "\n"


def _check_amounts(template: Template, amounts: Mapping[str, Money]) -> None:
    for name, amount in amounts.items():
        if name not in template.amount_names:
            raise AmountNameUnknown(template=template.name, name=name, expected=template.amount_names)
        if amount.minor < 0:
            raise TemplateAmountNegative(
                template=template.name, name=name, amount=amount.minor, currency=amount.currency
            )
    for name in template.amount_names:
        if name not in amounts:
            raise AmountNameMissing(template=template.name, name=name)


def _account_of(template: Template, role: str, roles: Mapping[str, AccountCode]) -> AccountCode:
    try:
        return roles[role]
    except KeyError:
        raise TemplateRowUnresolved(template=template.name, role=role) from None


def _words_of(narration: str) -> Iterator[str]:
    return (name for _, name, _, _ in Formatter().parse(narration) if name is not None)


def _mistakes(template: Template) -> Iterator[str]:
    if not template.name:
        yield "it has no name"
    if template.version < 1:
        yield f"version {template.version} is below 1"
    if not template.rows:
        yield "it has no rows"
    for row in template.rows:
        if not all(row):
            yield "a row lacks a role or the name of its amount"
        if row.debit_role == row.credit_role:
            yield f"role {row.debit_role} stands on both sides of a row"
    try:
        words = tuple(_words_of(template.narration))
    except ValueError as mistake:
        yield f"the narration cannot be filled in: {mistake}"
    else:
        yield from (f"{{{word}}} in the narration is not a plain name" for word in words if not word.isidentifier())
