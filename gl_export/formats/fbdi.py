"""Oracle Fusion: the journal lines without headings, in a ZIP as its file-based import takes them.

The archive has one member and no clock, so it is the same bytes each time. Next: `gl_export/formats/receivers.py`,
which has its columns.
"""

from __future__ import annotations

import io
import zipfile

from gl_export.batch import GLBatch
from gl_export.formats.layout import Settings
from gl_export.formats.receivers import ORACLE_FUSION

MEMBER = "GlInterface.csv"
_BEGINNING_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def parts(batch: GLBatch, settings: Settings) -> tuple[bytes, ...]:
    """Return the batch as one archive.

    Raises: FormatRefused.
    """
    (lines,) = ORACLE_FUSION.parts(batch, settings)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER, _BEGINNING_OF_ZIP), lines)
    return (held.getvalue(),)
