"""Files that others wrote: every valid one is read, every broken one refused, and each odd one as the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain_error import DomainError
from servicing.nacha.reading import read
from servicing.nacha.rendering import render
from servicing.nacha.rules import Held
from tests.support.public_data import FOLDER

FILES = FOLDER / "ach"
# `docs/spec/nacha.md`, files of others.
ODD = {
    "20110805A.ach": "ach-code-unknown",
    "gateway-odfi-return.ach": "ach-record-unexpected",
    "harness-20230809-144155-102000021-2Batches.ach": "ach-field-invalid",
    "return-PPD-custom-reason-code.ach": "ach-record-length",
    "txp-debit.ach": "ach-field-invalid",
}


def files(*kinds: str) -> list[Path]:
    """Return the public files of kinds, in order; one that is not there stands for them where they are missing."""
    found = sorted(file for kind in kinds for file in (FILES / kind).glob("*.ach"))
    return found or [FILES / kinds[0] / "missing.ach"]


def content(file: Path) -> bytes:
    """Return what a file holds; skip the test where the folder is not there."""
    if not file.is_file():
        pytest.skip(f"the public data is not there: {FILES}")
    return file.read_bytes()


@pytest.mark.parametrize("file", files("valid", "returns_noc"), ids=lambda file: file.name)
def test_a_valid_file_is_read_and_written_again(file: Path) -> None:
    found = read(content(file))

    assert read(render(found, Held.RECEIVED)) == found


@pytest.mark.parametrize("file", files("valid"), ids=lambda file: file.name)
def test_a_valid_file_is_written_as_it_was(file: Path) -> None:
    data = content(file)

    # No effective date is six zeros there, and six blanks here.
    assert render(read(data), Held.RECEIVED).rstrip() == data.rstrip().replace(b"000000   1", b"         1")


@pytest.mark.parametrize("file", files("broken"), ids=lambda file: file.name)
def test_a_broken_file_is_refused(file: Path) -> None:
    data = content(file)

    with pytest.raises(DomainError, match="line"):
        read(data)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_ends_as_the_page_says(name: str) -> None:
    data = content(FILES / "odd" / name)

    with pytest.raises(DomainError) as refused:
        read(data)

    assert refused.value.code == ODD[name]
