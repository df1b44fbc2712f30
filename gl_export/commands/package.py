"""The close package of a month: the reports that finance files, on one seal block, and a list of them.

Drawn from sealed data alone, so that it comes out the same at any later time. Never: a clock.
Next: `gl_export/reports/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gl_export.delivery import DeliveredFile, deliver, sha256_of
from gl_export.errors import EvidenceDiffers
from gl_export.formats import beancount
from gl_export.queries.batches import batches
from gl_export.queries.tie_out import tie_out
from gl_export.rendering import Report, to_csv, to_json
from gl_export.reports.declared import REPORTS
from gl_export.reports.stamps import stamp
from ledger.dates import Month
from ledger.queries.trial_balance import trial_balance

LIST_NAME = "package.json"
CHECKSUMS_NAME = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Package:
    """What a package is drawn from: the block it rests on, the digest of the close, and its batches."""

    book_code: str
    month: Month
    run_no: int
    block_no: int
    trial_balance_digest: str
    batch_ids: tuple[str, ...]


def write_package(
    connection: sa.Connection, package: Package, folder: Path, *, before: Mapping[str, str] | None = None
) -> tuple[DeliveredFile, ...]:
    """Write the reports of a closed month and the list of them; `before` is how they were delivered before.

    Raises: EvidenceDiffers if the trial balance or a file is not that of the close; TieOutBroken; RollForwardBroken;
    DeliveryRefused.
    """
    digest = _prove(connection, package)
    files = tuple(_contents(connection, package))
    rests_on = stamp(connection, package.book_code, as_of=package.month.last_day, known_at=package.block_no)
    document = {
        "book": package.book_code,
        "month": str(package.month),
        "run": package.run_no,
        "block_no": rests_on.block_no,
        "block_hash": rests_on.block_hash,
        "trial_balance_digest": digest,
        "batches": list(package.batch_ids),
        "files": {name: sha256_of(content) for name, content in files},
    }
    listed = (LIST_NAME, (json.dumps(document, indent=1) + "\n").encode())
    return deliver(folder, (*files, listed), checksums=CHECKSUMS_NAME, before=before)


def _prove(connection: sa.Connection, package: Package) -> str:
    """Refuse a package that is not of the closed books, or in which two books differ; return the digest."""
    as_of, known_at = package.month.last_day, package.block_no
    found = trial_balance(connection, package.book_code, as_of=as_of, known_at=known_at).balance
    digest = found.digest().hex()
    if digest != package.trial_balance_digest:
        raise EvidenceDiffers(file="the trial balance", expected=package.trial_balance_digest, found=digest)
    tie_out(connection, package.book_code, as_of=as_of, known_at=known_at).prove()
    return digest


def _contents(connection: sa.Connection, package: Package) -> Iterator[tuple[str, bytes]]:
    for report in _reports(connection, package):
        yield f"{report.name}.csv", to_csv(report)
        yield f"{report.name}.json", to_json(report)
    sent = [each.prove() for each in batches(connection, package.book_code, through_block=package.block_no)]
    if sent:
        title = f"{package.book_code} through {package.month}"
        yield "general_ledger.beancount", beancount.render_all(sent, title=title)


def _reports(connection: sa.Connection, package: Package) -> Iterator[Report]:
    for report in REPORTS:
        yield report.draw(connection, package.book_code, as_of=package.month.last_day, known_at=package.block_no)
