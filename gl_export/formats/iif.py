"""QuickBooks Desktop: an IIF file, with tabs, TRNS before the first line of a journal and SPL before the others.

Next: `gl_export/formats/receivers.py`, which has its columns.
"""

from __future__ import annotations

from gl_export.batch import GLBatch
from gl_export.formats.layout import Settings
from gl_export.formats.receivers import QUICKBOOKS_DESKTOP

_HEADINGS = tuple(cell.heading for cell in QUICKBOOKS_DESKTOP.cells)


def parts(batch: GLBatch, settings: Settings) -> tuple[bytes, ...]:
    """Return the batch as one file.

    Raises: FormatRefused.
    """
    rows: list[tuple[str, ...]] = [("!TRNS", *_HEADINGS), ("!SPL", *_HEADINGS), ("!ENDTRNS",)]
    for packed in QUICKBOOKS_DESKTOP.packed(batch, settings):
        for journal in packed:
            rows += (("TRNS" if row.place == 1 else "SPL", *QUICKBOOKS_DESKTOP.texts(row)) for row in journal)
            rows.append(("ENDTRNS",))
    return ("".join("\t".join(row) + "\r\n" for row in rows).encode(),)
