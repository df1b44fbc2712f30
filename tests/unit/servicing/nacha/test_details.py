"""Names in ASCII, and what notifications of change correct."""

from __future__ import annotations

import pytest

from servicing.nacha.corrections import Correction, read_correction, write_correction
from servicing.nacha.errors import AchCorrectionUnreadable, AchTextRefused
from servicing.nacha.text import ach_text
from servicing.nacha.transaction_codes import AccountKind


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("José Núñez", "JOSE NUNEZ"),
        ("Weiß", "WEISS"),
        ("Łukasz Żółć", "LUKASZ ZOLC"),
        ("Søren Ægir Þórsson", "SOREN AEGIR THORSSON"),
        ("Ǿre", "ORE"),
        ("  Ann   O\N{RIGHT SINGLE QUOTATION MARK}Neil\t", "ANN O'NEIL"),
        ("ﬁrst–last", "FIRST-LAST"),  # noqa: RUF001 - the dash is what is tested
        ("", ""),
    ],
)
def test_a_name_is_spelled_in_upper_case_ascii(name: str, written: str) -> None:
    assert ach_text(name) == written


def test_a_name_is_cut_to_its_field_and_never_ends_with_a_space() -> None:
    assert ach_text("Maximilian Alexander B Smith", 22) == "MAXIMILIAN ALEXANDER B"
    assert ach_text("Maximilian Alexandra Bo", 21) == "MAXIMILIAN ALEXANDRA"


def test_a_script_without_a_spelling_is_refused() -> None:
    with pytest.raises(AchTextRefused) as refused:
        ach_text("Ann 李")

    assert refused.value.character == "李"


CORRECTIONS = [
    ("C01", "1918171614", Correction(account="1918171614")),
    ("C02", "091000019", Correction(routing="091000019")),
    ("C03", "091000019   744-5678-99", Correction(routing="091000019", account="744-5678-99")),
    ("C04", "ANN ONEIL-SMITH", Correction(name="ANN ONEIL-SMITH")),
    ("C05", "37", Correction(transaction_code="37")),
    ("C06", "744-5678-99         37", Correction(account="744-5678-99", transaction_code="37")),
    (
        "C07",
        "0910000191234567890123456727",
        Correction(routing="091000019", account="12345678901234567", transaction_code="27"),
    ),
    ("C09", "L-1001", Correction(individual_id="L-1001")),
]


@pytest.mark.parametrize(("code", "data", "correction"), CORRECTIONS)
def test_corrected_data_are_read_by_their_code_and_written_again(code: str, data: str, correction: Correction) -> None:
    assert read_correction(code, data) == correction
    assert write_correction(code, correction) == data


def test_the_kind_of_account_follows_from_the_transaction_code() -> None:
    assert read_correction("C05", "37").account_kind is AccountKind.SAVINGS
    assert read_correction("C01", "1").account_kind is None


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("C01", "123456789012345678"),
        ("C02", "091000018"),
        ("C02", "9100001"),
        ("C03", "091000019"),
        ("C05", "25"),
        ("C06", "744-5678-99"),
        ("C07", "091000019"),
        ("C08", "X"),
        ("C13", "X"),
    ],
)
def test_data_that_do_not_hold_what_the_code_promises_are_refused(code: str, data: str) -> None:
    with pytest.raises(AchCorrectionUnreadable) as refused:
        read_correction(code, data)

    assert code != "C01" or data not in refused.value.message
