"""The bases of everything that HTTP takes in: strict, closed, and bounded.

A body is JSON: integers are integers, dates are `YYYY-MM-DD`, unknown fields are refused. A query is text,
read by the same rules once its words have become numbers and dates. Money is a whole number of minor units
beside its currency. Never: a float. Next: `api/http.py`, which reads requests into these; `api/views.py` for
what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ledger.money import MAX_MINOR, Money

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]*$")]
"""A code, a name of a template, a key: one word."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text for people."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

Minor = Annotated[int, Field(gt=0, le=MAX_MINOR)]
"""An amount above zero, in minor units."""

DecimalText = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?$")]
"""A rate as decimal text: no sign, no exponent, never a JSON number."""


def _read(pattern: str, form: str, convert: Callable[[str], Any]) -> BeforeValidator:
    """Convert text of one documented form and refuse any other; pydantic by itself takes many."""
    expression = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not expression.fullmatch(value):
            raise ValueError(f"it is not written as {form}")
        try:
            return convert(value)
        except ValueError:
            raise ValueError(f"there is no such {form}") from None

    return BeforeValidator(check)


Day = Annotated[date, _read(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "YYYY-MM-DD", date.fromisoformat)]
Moment = Annotated[
    AwareDatetime,
    _read(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)", "YYYY-MM-DDThh:mm:ssZ", datetime.fromisoformat),
]

# How a query, which is text, writes what JSON has types for.
WHOLE = _read(r"-?[0-9]{1,19}", "a whole number", int)
FlagText = Annotated[bool, _read("true|false", "true or false", lambda text: text == "true")]
AmountText = Annotated[int, WHOLE, Field(gt=0, le=MAX_MINOR)]
IdentifierText = Annotated[int, WHOLE, Field(gt=0, le=MAX_MINOR)]
KnownAt = Annotated[
    str, _read(r"[0-9]{1,9}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)", "a block or YYYY-MM-DDThh:mm:ssZ", str)
]
"""The number of a seal block, or a moment that is mapped to one."""
NumberText = Annotated[int, WHOLE, Field(gt=0, lt=2**31)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Query(BaseModel):
    """The query of a request: text, which its types convert."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BookQuery(Query):
    """What every reading call takes: which book, where there are several."""

    book: Code | None = None


class ChangeQuery(BookQuery):
    """What every changing call takes: whether to do it, or only to show what would be done."""

    dry_run: FlagText = False


class MoneyIn(Body):
    """An amount above zero."""

    amount: Minor
    currency: CurrencyCode

    @property
    def money(self) -> Money:
        """Return it as money.

        Raises: CurrencyUnknown.
        """
        return Money(self.amount, self.currency)


class BalanceIn(Body):
    """An amount of zero or more."""

    amount: Annotated[int, Field(ge=0, le=MAX_MINOR)]
    currency: CurrencyCode

    @property
    def money(self) -> Money:
        """Return it as money.

        Raises: CurrencyUnknown.
        """
        return Money(self.amount, self.currency)


By = Literal["booking", "effective"]
