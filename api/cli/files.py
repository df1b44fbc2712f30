"""Files that a person names: read and written with errors that say which file and why."""

from __future__ import annotations

import sys
from pathlib import Path

from api.errors import FileUnusable


def read_text(path: Path) -> str:
    """Return the text of a file; `-` is standard input.

    Raises: FileUnusable.
    """
    try:
        # A byte order mark, which spreadsheets write, is no part of the text.
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileUnusable(path=str(path), reason=error.strerror or "it cannot be read") from None
    except UnicodeDecodeError as error:
        raise FileUnusable(path=str(path), reason=f"byte {error.start + 1} is not UTF-8") from None
