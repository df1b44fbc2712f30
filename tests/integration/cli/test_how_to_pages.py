"""What the how-to pages on applications show is what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.console_blocks import blocks_of
from tests.support.database import Database
from tests.support.how_to_pages import PAGES, masked, printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_shows_is_what_is_printed(page: Path, database: Database, tmp_path: Path) -> None:
    output = printed(database, tmp_path)

    for block in blocks_of(page.read_text(encoding="utf-8")):
        for step in block:
            assert masked(output(step.command)) == masked(step.output), step.command
