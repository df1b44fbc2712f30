"""Files that a person names: read and written with errors that say which file and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from api.errors import FileUnusable


def read_text(path: Path) -> str:
    """Return the text of a file, its lines ended by a line feed each; `-` is standard input.

    Raises: FileUnusable.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        content: bytes = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        # A byte order mark, which spreadsheets write, is no part of the text.
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise FileUnusable(path=name, reason=error.strerror or "it cannot be read") from None
    except UnicodeDecodeError as error:
        raise FileUnusable(path=name, reason=f"byte {error.start + 1} is not UTF-8") from None
    if "\0" in text:
        raise FileUnusable(path=name, reason=f"character {text.index(chr(0)) + 1} is NUL: this is no text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def usable_folder(folder: Path) -> None:
    """Make a folder, and see that files can be written into it, before any work is done for them.

    Raises: FileUnusable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(path=str(folder), reason=error.strerror or "it cannot be made") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileUnusable(path=str(folder), reason="it cannot be written to")
