"""Public histories of real loans, where the folder is there: beside the project, never in it.

Next: `tests/unit/servicing/test_lending_club.py`, `tests/unit/servicing/test_ally_histories.py`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data"


def public_file(name: str) -> Path:
    """Return a public file; skip the test where there is none."""
    file = FOLDER / name
    if not file.is_file():
        pytest.skip(f"the public data is not there: {FOLDER}")
    return file


def public_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a public file; skip the test where there is none."""
    with public_file(name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
