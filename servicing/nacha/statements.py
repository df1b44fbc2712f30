"""Compare what control records state with what the records above them come to.

Never corrected: a file whose hash or totals are wrong is not the file that its sender meant to send.
Next: `servicing/nacha/totals.py`.
"""

from __future__ import annotations

from servicing.nacha.batch_control import BatchControl
from servicing.nacha.errors import AchControlDiffers, AchCountDiffers, AchHashDiffers, AchTotalDiffers
from servicing.nacha.file import Batch, File
from servicing.nacha.file_control import FileControl
from servicing.nacha.totals import batch_control, file_control

CURRENCY = "USD"
COPIED = ("service_class", "company_id", "odfi", "number")
COUNTS = ("batch_count", "entry_count", "block_count")
TOTALS = ("debit_total", "credit_total")


def compare_batch(stated: BatchControl, batch: Batch, line: int) -> None:
    """Refuse a batch control that differs from its batch.

    Raises: AchControlDiffers; AchCountDiffers; AchHashDiffers; AchTotalDiffers.
    """
    counted = batch_control(batch)
    for name in COPIED:
        said, header = str(getattr(stated, name)).strip(), str(getattr(counted, name)).strip()
        if said != header:
            raise AchControlDiffers(line=line, field=_label(name), stated=said, header=header)
    _compare(stated, counted, line)


def compare_file(stated: FileControl, file: File, line: int) -> None:
    """Refuse a file control that differs from its file.

    Raises: AchCountDiffers; AchHashDiffers; AchTotalDiffers.
    """
    _compare(stated, file_control(file), line)


def _compare(stated: BatchControl | FileControl, counted: BatchControl | FileControl, line: int) -> None:
    for name in COUNTS:
        said, found = getattr(stated, name, None), getattr(counted, name, None)
        if said is not None and found is not None and said != found:
            raise AchCountDiffers(line=line, field=_label(name), stated=said, counted=found)
    if stated.entry_hash != counted.entry_hash:
        raise AchHashDiffers(line=line, stated=stated.entry_hash, counted=counted.entry_hash)
    for name in TOTALS:
        said, found = getattr(stated, name), getattr(counted, name)
        if said != found:
            raise AchTotalDiffers(line=line, field=_label(name), stated=said, counted=found, currency=CURRENCY)


def _label(name: str) -> str:
    return name.replace("_", " ")
