"""Cursors come back as they went out, with the question that they belong to, or not at all."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import CursorInvalid
from api.pagination import decode_journal, encode, encode_journal
from ledger.queries.journal import JournalKey

QUESTION = {"book": "main", "account": None, "booked_from": date(2026, 1, 1)}


@given(st.dates(), st.integers(1, 2**63 - 1), st.integers(1, 2**31 - 1))
def test_a_key_survives_its_cursor(day: date, subledger_id: int, entry_no: int) -> None:
    key = JournalKey(day, subledger_id, entry_no)

    assert decode_journal(encode_journal(key, QUESTION), QUESTION) == key


def test_a_cursor_of_another_question_is_refused() -> None:
    cursor = encode_journal(JournalKey(date(2026, 1, 2), 1, 1), QUESTION)

    with pytest.raises(CursorInvalid, match="other filters"):
        decode_journal(cursor, {**QUESTION, "account": "1020"})


def test_what_is_not_asked_for_does_not_count_as_a_filter() -> None:
    key = JournalKey(date(2026, 1, 2), 1, 1)

    assert decode_journal(encode_journal(key, QUESTION), {**QUESTION, "text": None}) == key


@given(st.text())
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(CursorInvalid):
        decode_journal(text, QUESTION)


@pytest.mark.parametrize("key", [(), ("2026-01-02",), ("2026-13-02", 1, 1), (1, 2, 3), ("2026-01-02", "1", 1)])
def test_a_cursor_with_another_key_is_refused(key: tuple[object, ...]) -> None:
    with pytest.raises(CursorInvalid):
        decode_journal(encode(key, QUESTION), QUESTION)


def test_the_first_and_the_last_page_have_no_cursor() -> None:
    assert decode_journal(None, QUESTION) is None
    assert encode_journal(None, QUESTION) is None
