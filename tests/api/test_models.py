"""What HTTP takes in is exactly what is documented, and nothing that merely looks like it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from api.models import (
    Body,
    CurrencyCode,
    Day,
    DecimalText,
    FlagText,
    Minor,
    Moment,
    NumberText,
    Query,
    ShortText,
)


class Sample(Body):
    amount: Minor = 1
    currency: CurrencyCode = "USD"
    day: Day = date(2026, 1, 1)
    rate: DecimalText = "0"
    text: ShortText = "x"


class SampleQuery(Query):
    number: NumberText = 1
    day: Day = date(2026, 1, 1)
    moment: Moment = datetime(2026, 1, 1, tzinfo=UTC)
    flag: FlagText = False


@pytest.mark.parametrize(
    "body",
    [
        '{"amount": 1, "currency": "USD"}',
        '{"amount": 9223372036854775807}',
        '{"day": "2024-02-29"}',
        '{"rate": "12.375"}',
    ],
)
def test_a_body_of_the_documented_form_is_read(body: str) -> None:
    Sample.model_validate_json(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"amount": "1"}',
        '{"amount": 1.0}',
        '{"amount": 1e2}',
        '{"amount": true}',
        '{"amount": 0}',
        '{"amount": -1}',
        '{"amount": 9223372036854775808}',
        '{"amount": NaN}',
        '{"currency": "usd"}',
        '{"currency": "USDX"}',
        '{"day": "2026-1-1"}',
        '{"day": "2026-02-29"}',
        '{"day": "2026-01-01T00:00:00"}',
        '{"day": "1767225600"}',
        '{"day": 1767225600}',
        '{"rate": 12.375}',
        '{"rate": "1e3"}',
        '{"rate": "-1"}',
        '{"rate": "1\\n"}',
        '{"text": ""}',
        '{"text": "a\\u0000b"}',
        '{"text": "a\\nb"}',
        '{"unknown": 1}',
        "[]",
        "null",
    ],
)
def test_a_body_of_any_other_form_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(body)


@pytest.mark.parametrize(
    "query",
    [
        {"number": "1.0"},
        {"number": " 1"},
        {"number": "1_0"},
        {"number": "٣"},
        {"number": "0"},
        {"number": "2147483648"},
        {"number": "9" * 5000},
        {"day": "20260101"},
        {"day": "0"},
        {"moment": "2026-01-01T00:00:00"},
        {"moment": "1767225600"},
        {"flag": "1"},
        {"flag": "True"},
        {"flag": ""},
        {"unknown": "1"},
    ],
)
def test_a_query_of_any_other_form_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SampleQuery.model_validate(query)


def test_a_query_of_the_documented_form_is_read() -> None:
    query = {"number": "7", "day": "2026-03-31", "moment": "2026-03-31T17:00:00Z", "flag": "true"}

    read = SampleQuery.model_validate(query)

    assert read == SampleQuery(number=7, day=date(2026, 3, 31), moment=datetime(2026, 3, 31, 17, tzinfo=UTC), flag=True)
