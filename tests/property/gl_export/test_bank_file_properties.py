"""Whatever becomes of a bank's file on its way: it is read and foots, or it is refused with a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gl_export.bank.csv_file import BankCsvMap, parse_bank_map
from gl_export.bank.reading import read_bank_file
from ledger.domain_error import DomainError
from tests.unit.gl_export.test_bank_files import BAI2, CAMT, CSV, CSV_MAP, OFX

COLUMNS = parse_bank_map(CSV_MAP)
FILES = ((BAI2, None), (CAMT, None), (OFX, None), (CSV, COLUMNS))
BITS = ("", ",", "/", "\n", "-", '"', "<", ">", "&", "0", "9", "\0", "\N{ARABIC-INDIC DIGIT THREE}", "X", "UT8")
changes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(BITS)), min_size=1, max_size=4)


@pytest.mark.parametrize(("content", "columns"), FILES, ids=["bai2", "camt", "ofx", "csv"])
@given(changes)
def test_a_damaged_file_is_read_or_refused(
    content: str, columns: BankCsvMap | None, made: list[tuple[float, int, str]]
) -> None:
    for share, length, bit in made:
        place = int(share * len(content))
        content = content[:place] + bit + content[place + length :]

    try:
        found = read_bank_file(content.encode(), "f", currency="USD", columns=columns)
    except DomainError:
        return

    for statement in found:
        if statement.opening is not None and statement.closing is not None:
            moved = sum(line.amount.minor for line in statement.lines)
            assert statement.opening.minor + moved == statement.closing.minor
