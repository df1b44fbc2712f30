"""Two requests under one key are the same if they ask for the same entry, however they spell it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger.chart import AccountCode
from ledger.errors import TextRefused
from ledger.fingerprint import INPUT_FIELDS, canonical_text, difference, fingerprint, key_reused
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money

PLAIN = EntryDraft(
    subledger_id=SubledgerId(7),
    template="payment_applied",
    template_version=1,
    effective_date=date(2026, 2, 15),
    actor="olga",
    request_key="payment:p1",
    postings=(Posting(AccountCode("1110"), AccountCode("1210"), Money(88_849, "USD")),),
    details={"method": "ach", "rate": Decimal("12.50"), "tags": ["a", None, True]},
)

OTHER: dict[str, Any] = {
    "subledger_id": SubledgerId(8),
    "template": "payment_reversed",
    "template_version": 2,
    "effective_date": date(2026, 2, 16),
    "postings": (Posting(AccountCode("1110"), AccountCode("1210"), Money(88_850, "USD")),),
    "reverses_no": 1,
    "corrects_no": 1,
    "source_ref": "",
    "narration": "",
    "details": {"method": "ach", "rate": Decimal("12.50"), "tags": ["a", None]},
    "booking_date": date(2026, 2, 17),
}

NOT_INPUT: dict[str, Any] = {"actor": "pete", "approved_by": "pete", "request_key": "other", "group_id": 5}


def test_every_field_of_a_draft_is_either_input_or_left_out_on_purpose() -> None:
    assert set(INPUT_FIELDS) | set(NOT_INPUT) == {field.name for field in fields(EntryDraft)}
    assert set(INPUT_FIELDS) == set(OTHER)


@pytest.mark.parametrize("field", INPUT_FIELDS)
def test_another_input_has_another_fingerprint_and_the_field_is_named(field: str) -> None:
    given = replace(PLAIN, **{field: OTHER[field]})

    assert fingerprint(given) != fingerprint(PLAIN)
    assert difference(PLAIN, given) == field


@pytest.mark.parametrize("field", NOT_INPUT)
def test_who_asks_under_which_key_is_not_the_input(field: str) -> None:
    given = replace(PLAIN, **{field: NOT_INPUT[field]})

    assert fingerprint(given) == fingerprint(PLAIN)
    assert difference(PLAIN, given) is None


def test_key_order_and_trailing_zeros_do_not_matter() -> None:
    text = '{"tags": ["a", null, true], "rate": 12.5, "method": "ach"}'
    given = replace(PLAIN, details=json.loads(text, parse_float=Decimal))

    assert fingerprint(given) == fingerprint(PLAIN)
    assert difference(PLAIN, given) is None


def test_amount_is_named_before_the_narration_when_both_differ() -> None:
    given = replace(PLAIN, narration="x", postings=OTHER["postings"])

    assert difference(PLAIN, given) == "postings"


def test_error_for_a_reused_key_shows_both_values() -> None:
    error = key_reused(PLAIN, replace(PLAIN, postings=OTHER["postings"]))

    assert str(error) == (
        "request key payment:p1 was used for another input: "
        "postings was 1110/1210 888.49 USD and is now 1110/1210 888.50 USD"
    )


def test_error_for_a_reused_key_shows_what_is_not_there() -> None:
    error = key_reused(PLAIN, replace(PLAIN, source_ref="invoice 7"))

    assert (error.field, error.stored, error.given) == ("source_ref", "(none)", "invoice 7")


def test_numbers_are_the_same_however_they_are_written() -> None:
    same = [1500, Decimal(1500), Decimal("1500.00"), Decimal("1.5e3"), Decimal("0.15E+4")]

    assert len({canonical_text(number) for number in same}) == 1
    assert len({canonical_text(number) for number in (0, Decimal("-0.00"), Decimal("0E+5"))}) == 1
    assert canonical_text(Decimal("1e999999")) == '["number","1e999999"]'


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, "1"),
        (True, 1),
        (True, "true"),
        (None, "null"),
        (None, ""),
        ([], {}),
        (["a", "b"], ["a,b"]),
        ([["a"], "b"], [["a", "b"]]),
        ({"a": {"b": 1}}, {"a": ["b", 1]}),
        ([["a", 1]], {"a": 1}),
        (15, Decimal("1.5")),
        (-1, 1),
        ("é", "e\u0301"),
    ],
)
def test_values_that_differ_have_texts_that_differ(left: Any, right: Any) -> None:
    assert canonical_text(left) != canonical_text(right)


@pytest.mark.parametrize("value", [1.0, b"x", object(), {1: "a"}, Decimal("NaN"), Decimal("Infinity"), "\x00"])
def test_what_has_no_exact_form_is_refused_by_its_place(value: Any) -> None:
    with pytest.raises(TextRefused) as refusal:
        fingerprint(replace(PLAIN, details={"outer": [0, value]}))

    assert refusal.value.field == "value.details.outer[1]"
