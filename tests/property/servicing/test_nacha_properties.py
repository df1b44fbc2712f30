"""Whatever is written is read back the same; whatever is damaged is refused or says the same as before."""

from __future__ import annotations

from datetime import date, time

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain_error import DomainError
from servicing.nacha.banking_days import effective_date
from servicing.nacha.building import Made, Originator, Payment, Purpose, build
from servicing.nacha.file import File
from servicing.nacha.reading import read
from servicing.nacha.rendering import render
from servicing.nacha.rules import Held
from servicing.nacha.totals import check_digit
from servicing.nacha.transaction_codes import AccountKind, Side, side_of

ORIGINATOR = Originator("121042882", "First Bank", "Loanbook Lending LLC", "1234567890", "1234567890")
LETTERS = "ABcxyzÀáéñüßøÆłŻďŐ0189 .-&/"
NAMES = st.text(LETTERS, max_size=40)
ROUTINGS = st.integers(1, 99999999).map(lambda number: f"{number:08d}{check_digit(f'{number:08d}')}")
ACCOUNTS = st.from_regex(r"[0-9A-Z][0-9A-Z-]{0,16}", fullmatch=True)


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    """Return a payment of any class and purpose that this house sends."""
    purpose = draw(st.sampled_from(Purpose))
    sec = draw(st.sampled_from(("PPD", "CCD", "WEB", "TEL")))
    debit = sec == "TEL" or purpose in {Purpose.RETRY, Purpose.RETURN_FEE} or draw(st.booleans())
    return Payment(
        sec=sec,
        side=Side.DEBIT if debit else Side.CREDIT,
        kind=draw(st.sampled_from((AccountKind.CHECKING, AccountKind.SAVINGS))),
        routing=draw(ROUTINGS),
        account=draw(ACCOUNTS),
        amount=0 if purpose is Purpose.PRENOTE else draw(st.integers(1, 10**10 - 1)),
        name=draw(NAMES),
        individual_id=draw(st.from_regex(r"[0-9A-Z]{0,15}", fullmatch=True)),
        payment_type=draw(st.sampled_from(("R", "S"))) if sec in {"WEB", "TEL"} else "",
        purpose=purpose,
        memo="" if sec == "TEL" else draw(NAMES),
    )


@st.composite
def files(draw: st.DrawFn) -> File:
    """Return a file of one to twelve payments, made at some moment of 2026."""
    on = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    at = draw(st.times()).replace(second=0, microsecond=0)
    effective = effective_date(on, at, same_day=False, cut_off=time(16))
    made = Made(on, at, effective, draw(st.integers(1, 9_999_900)), draw(st.sampled_from("AZ09")))
    return build(ORIGINATOR, draw(st.lists(payments(), min_size=1, max_size=12)), made)


@given(files())
def test_what_is_written_is_read_back_the_same(file: File) -> None:
    data = render(file)

    assert read(data, Held.SENT) == file
    assert {len(line) for line in data.split(b"\n")[:-1]} == {94}
    assert data.count(b"\n") % 10 == 0
    assert data.decode("ascii") == data.decode("ascii").upper()


@given(files(), st.data())
def test_a_character_written_over_is_refused_or_leaves_the_money_as_it_was(file: File, data: st.DataObject) -> None:
    written = bytearray(render(file))
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(written))
    except DomainError:
        return

    # What may change unnoticed is text and accounts; no amount, no bank, no count is protected by less than a control.
    assert moved(found) == moved(file)


def moved(file: File) -> list[tuple[str, Side | None, int]]:
    """Return bank, side of the ledger and amount of every entry."""
    return [
        (entry.routing, side_of(entry.transaction_code), entry.amount)
        for batch in file.batches
        for entry in batch.entries
    ]
