"""A lender's program at the clearing house, read from TOML with every mistake named."""

from __future__ import annotations

from datetime import time

import pytest

from servicing.nacha.errors import AchProgramInvalid
from servicing.nacha.program import read_program
from servicing.nacha.representment import RetryPolicy

TEXT = """bank_routing = "121042882"
bank_name = "First Bank"
company_name = "Loanbook Lending LLC"
company_id = "1234567890"
origin = "1234567890"
"""


def test_what_is_left_out_has_a_default() -> None:
    program = read_program(TEXT)

    assert (program.cut_off, program.same_day, program.description) == (time(16), False, "LOAN PMT")
    assert program.retry_policy == RetryPolicy((3, 5), ())
    assert program.originator.bank_routing == "121042882"


def test_retries_and_the_cut_off_are_the_lenders() -> None:
    program = read_program(TEXT + "cut_off = 14:30:00\n[retries]\nwaits = [2]\npaydays = [1, 15]\n")

    assert program.cut_off == time(14, 30)
    assert program.retry_policy == RetryPolicy((2,), (1, 15))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("bank_routing = ", "file"),
        (TEXT.replace("121042882", "121042881"), "bank_routing"),
        (TEXT.replace("1234567890", "12345678901"), "company_id"),
        (TEXT + 'description = "Loan Pmt"\n', "description"),
        (TEXT + "[retries]\nwaits = [3, 5, 7]\n", "retries.waits"),
        (TEXT + "[retries]\npaydays = [32]\n", "retries.paydays"),
        (TEXT + "speed = 1\n", "speed"),
        (TEXT.replace('bank_name = "First Bank"\n', ""), "bank_name"),
    ],
)
def test_a_mistake_is_named_by_its_field(text: str, field: str) -> None:
    with pytest.raises(AchProgramInvalid) as refused:
        read_program(text)

    assert refused.value.field == field
