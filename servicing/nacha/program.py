"""A lender's program at the clearing house, as a TOML file says it: who sends, by when, and how often it tries again.

Never: a secret; account numbers of borrowers are elsewhere. Next: `docs/how-to/ach.md`, an example.
"""

from __future__ import annotations

import tomllib
from datetime import time

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from servicing.nacha.building import Originator
from servicing.nacha.errors import AchProgramInvalid
from servicing.nacha.representment import RETRIES_MOST, RetryPolicy
from servicing.nacha.text import ach_text
from servicing.nacha.totals import check_digit


class Retries(BaseModel):
    """How a debit that came back for want of funds is sent again.

    `waits` are banking days after the return, one for each retry; `paydays` days of the month, if any.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    waits: list[int] = Field(default=[3, 5], max_length=RETRIES_MOST)
    paydays: list[int] = []

    @field_validator("waits", "paydays")
    @classmethod
    def _days(cls, days: list[int]) -> list[int]:
        if not all(1 <= day <= 31 for day in days):
            raise ValueError("days are 1 to 31")
        return days


class Program(BaseModel):
    """Who sends, to which bank, by which cut-off (eastern time), and how.

    With `prenotes`, a bank account is tried out before the first debit goes to it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bank_routing: str = Field(pattern=r"^[0-9]{9}$")
    bank_name: str = Field(min_length=1, max_length=100)
    company_name: str = Field(min_length=1, max_length=100)
    company_id: str = Field(pattern=r"^[0-9A-Z]{1,10}$")
    origin: str = Field(pattern=r"^[ 0-9A-Z]{10}$")
    description: str = Field(default="LOAN PMT", pattern=r"^[0-9A-Z][0-9A-Z ]{0,9}$")
    cut_off: time = time(16, 0)
    same_day: bool = False
    prenotes: bool = False
    retries: Retries = Retries()

    @field_validator("bank_routing")
    @classmethod
    def _routing(cls, routing: str) -> str:
        if int(routing[8]) != check_digit(routing):
            raise ValueError(f"its check digit should be {check_digit(routing)}")
        return routing

    @field_validator("bank_name", "company_name")
    @classmethod
    def _name(cls, name: str) -> str:
        ach_text(name)
        return name

    @property
    def originator(self) -> Originator:
        """Return who sends."""
        return Originator(
            self.bank_routing, self.bank_name, self.company_name, self.company_id, self.origin, self.description
        )

    @property
    def retry_policy(self) -> RetryPolicy:
        """Return when debits are sent again."""
        return RetryPolicy(tuple(self.retries.waits), tuple(self.retries.paydays))


def read_program(text: str) -> Program:
    """Return the program that a TOML file says.

    Raises: AchProgramInvalid naming the field; AchTextRefused.
    """
    try:
        return Program.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as mistake:
        raise AchProgramInvalid(field="file", reason=str(mistake)) from None
    except ValidationError as invalid:
        first = invalid.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise AchProgramInvalid(field=field, reason=first["msg"].removeprefix("Value error, ")) from None
