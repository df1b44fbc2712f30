"""Why the GL differs from what it was sent: each cause, worked by hand on two small batches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from gl_export.breaks import BreakState, GLBreak, Resolution, carry_forward, prove_to_zero
from gl_export.gl_comparison import (
    AccountKey,
    BreakKind,
    SentBatch,
    SentLine,
    compare_balances,
    compare_detail,
)
from gl_export.gl_file import GLRow
from ledger.money import Money

MONTH_END = date(2026, 10, 31)
DAY = date(2026, 10, 5)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def sums(**amounts: str) -> Mapping[AccountKey, Money]:
    return {(code.removeprefix("a"), "USD"): usd(text) for code, text in amounts.items()}


FIRST = SentBatch(1, "M-1", sums(a1210="1000.00", a1020="-1000.00"))
SECOND = SentBatch(2, "M-2", sums(a1210="-60.00", a1020="75.00", a4010="-15.00"))
THIRD = SentBatch(3, "M-3", sums(a1020="9.00", a4010="-9.00"))
BATCHES = (FIRST, SECOND, THIRD)
"""In all: 1210 940.00, 1020 -916.00, 4010 -24.00."""


def kinds(**found: str) -> dict[str, tuple[BreakKind, Money]]:
    return {each.gl_account: (each.kind, each.amount) for each in compare_balances(BATCHES, sums(**found))}


def test_books_that_agree_have_no_break() -> None:
    assert kinds(a1210="940.00", a1020="-916.00", a4010="-24.00") == {}


def test_the_newest_batches_are_not_there_yet() -> None:
    assert kinds(a1210="940.00", a1020="-925.00", a4010="-15.00") == {
        "1020": (BreakKind.TIMING, usd("9.00")),
        "4010": (BreakKind.TIMING, usd("-9.00")),
    }
    assert {kind for kind, _ in kinds(a1210="1000.00", a1020="-1000.00").values()} == {BreakKind.TIMING}


def test_a_batch_in_between_is_missing() -> None:
    found = kinds(a1210="1000.00", a1020="-991.00", a4010="-9.00")

    assert found == {
        "1210": (BreakKind.MISSING, usd("-60.00")),
        "1020": (BreakKind.MISSING, usd("75.00")),
        "4010": (BreakKind.MISSING, usd("-15.00")),
    }


def test_a_batch_was_posted_twice() -> None:
    found = kinds(a1210="880.00", a1020="-841.00", a4010="-39.00")

    assert {kind for kind, _ in found.values()} == {BreakKind.DUPLICATED}
    assert found["1020"] == (BreakKind.DUPLICATED, usd("-75.00"))


def test_an_amount_in_the_wrong_account_and_one_that_nothing_explains() -> None:
    wrong_account = kinds(a1210="940.00", a1020="-912.00", a4010="-28.00")
    by_itself = kinds(a1210="940.01", a1020="-916.00", a4010="-24.00")
    never_sent = kinds(a1210="940.00", a1020="-916.00", a4010="-24.00", a5200="3.00")

    assert wrong_account == {
        "1020": (BreakKind.MAPPING, usd("-4.00")),
        "4010": (BreakKind.MAPPING, usd("4.00")),
    }
    assert by_itself == {"1210": (BreakKind.AMOUNT, usd("-0.01"))}
    assert never_sent == {"5200": (BreakKind.FOREIGN, usd("-3.00"))}


def line(no: int, account: str, amount: str, day: date = DAY) -> SentLine:
    return SentLine(f"M-1-{day:%Y%m%d}-USD", "M-1", no, day, account, usd(amount))


def row(no: int, account: str, amount: str, day: date = DAY, reference: str | None = None) -> GLRow:
    return GLRow(no, account, usd(amount), day, reference)


def detail(lines: list[SentLine], rows: list[GLRow]) -> list[tuple[str, BreakKind, Money]]:
    found = compare_detail(lines, rows, window_days=5, through=MONTH_END)
    return [(each.gl_account, each.kind, each.amount) for each in found]


def test_lines_are_found_by_reference_or_by_day_and_amount() -> None:
    lines = [line(1, "1020", "5.00"), line(2, "1210", "-5.00")]

    assert detail(lines, [row(2, "1020", "5.00", reference="M-1:1"), row(3, "1210", "-5.00", reference="9")]) == []


def test_a_line_on_another_day_is_timing_with_no_amount() -> None:
    lines = [line(1, "1020", "5.00")]

    assert detail(lines, [row(2, "1020", "5.00", date(2026, 10, 7))]) == [("1020", BreakKind.TIMING, usd("0"))]
    assert detail(lines, [row(2, "1020", "5.00", date(2026, 10, 11))]) == [
        ("1020", BreakKind.MISSING, usd("5.00")),
        ("1020", BreakKind.FOREIGN, usd("-5.00")),
    ]


def test_a_line_of_the_last_days_is_on_its_way() -> None:
    late, old = line(1, "1020", "5.00", date(2026, 10, 28)), line(2, "1020", "6.00", date(2026, 10, 26))

    assert detail([late, old], []) == [
        ("1020", BreakKind.TIMING, usd("5.00")),
        ("1020", BreakKind.MISSING, usd("6.00")),
    ]


def test_a_row_that_is_there_again_is_a_duplicate() -> None:
    lines = [line(1, "1020", "5.00"), line(2, "1210", "-5.00")]
    rows = [row(2, "1020", "5.00"), row(3, "1210", "-5.00"), row(4, "1020", "5.00", reference="77")]

    assert detail(lines, rows) == [("1020", BreakKind.DUPLICATED, usd("-5.00"))]


def test_another_account_makes_two_breaks_and_another_amount_one() -> None:
    lines = [line(1, "1020", "5.00"), line(2, "1210", "-5.00")]

    assert detail(lines, [row(2, "1020", "5.00"), row(3, "1215", "-5.00", reference="M-1:2")]) == [
        ("1210", BreakKind.MAPPING, usd("-5.00")),
        ("1215", BreakKind.MAPPING, usd("5.00")),
    ]
    assert detail(lines, [row(2, "1020", "5.00"), row(3, "1210", "-5.01", reference="M-1:2")]) == [
        ("1210", BreakKind.AMOUNT, usd("0.01"))
    ]


def standing(**found: str) -> tuple[GLBreak, ...]:
    differences = compare_balances(BATCHES, sums(**found))
    return tuple(
        GLBreak(break_no=no, opened_on=DAY, difference=each, seen_in=1) for no, each in enumerate(differences, start=1)
    )


def test_a_break_is_carried_by_its_key_and_a_resolution_holds_for_its_amount() -> None:
    (first,) = standing(a1210="940.01", a1020="-916.00", a4010="-24.00")
    (again,) = compare_balances(BATCHES, sums(a1210="940.02", a1020="-916.00", a4010="-24.00"))
    resolved = GLBreak(
        break_no=1,
        opened_on=DAY,
        difference=first.difference,
        seen_in=1,
        owner="ann",
        resolution=Resolution("JE-5", None, usd("-0.01"), "ann"),
    )
    moved = GLBreak(break_no=1, opened_on=DAY, difference=again, seen_in=2, owner="ann", resolution=resolved.resolution)

    assert carry_forward((first,), (again,)).again == ((1, again),)
    assert (first.state, resolved.state, moved.state) == (BreakState.OPEN, BreakState.RESOLVED, BreakState.ASSIGNED)
    assert first.age_days(date(2026, 10, 15)) == 10


def test_the_proof_shows_what_is_explained_and_what_is_left() -> None:
    found = sums(a1210="940.01", a1020="-916.00", a4010="-24.00")
    sent = sums(a1210="940.00", a1020="-916.00", a4010="-24.00")

    proofs = {
        proof.gl_account: proof
        for proof in prove_to_zero(sent, found, standing(a1210="940.01", a1020="-916.00", a4010="-24.00"))
    }

    assert proofs["1210"].unexplained == usd("-0.01")
    assert not proofs["1020"].unexplained
