"""The close package of a month: the reports that finance files, on one seal block, and a list of them.

Drawn from sealed data alone, so that it comes out the same at any later time. Never: a clock.
Next: `gl_export/reports/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gl_export.delivery import DeliveredFile, deliver, sha256_of
from gl_export.errors import EvidenceDiffers
from gl_export.formats import beancount
from gl_export.html import to_html
from gl_export.queries.batches import batches
from gl_export.queries.tie_out import tie_out
from gl_export.rendering import Report, to_csv, to_json
from gl_export.reports.declared import REPORTS
from gl_export.reports.stamps import stamp
from gl_export.xlsx import to_xlsx
from ledger.dates import Month
from ledger.queries.trial_balance import trial_balance

LIST_NAME = "package.json"
CHECKSUMS_NAME = "SHA256SUMS"
READABLE_FOLDER = "readable"
"""Where the workbook and the page lie within the folder of a month."""


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
    """Write the reports of a closed month, the list of them, and a workbook and a page of them for people.

    `before` is how they were delivered before: then only those files are written, and must come out the same. What is
    for people shows the same figures and is not held against anything.

    Raises: EvidenceDiffers if the trial balance or a file is not that of the close; TieOutBroken; RollForwardBroken;
    DeliveryRefused.
    """
    digest = _prove(connection, package)
    reports = tuple(_reports(connection, package))
    files = tuple(each for each in _contents(connection, package, reports) if before is None or each[0] in before)
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
    delivered = deliver(folder, (*files, listed), checksums=CHECKSUMS_NAME, before=before)
    deliver(folder / READABLE_FOLDER, _readable(package, reports), checksums=CHECKSUMS_NAME)
    return delivered


def _prove(connection: sa.Connection, package: Package) -> str:
    """Refuse a package that is not of the closed books, or in which two books differ; return the digest."""
    as_of, known_at = package.month.last_day, package.block_no
    found = trial_balance(connection, package.book_code, as_of=as_of, known_at=known_at).balance
    digest = found.digest().hex()
    if digest != package.trial_balance_digest:
        raise EvidenceDiffers(file="the trial balance", expected=package.trial_balance_digest, found=digest)
    tie_out(connection, package.book_code, as_of=as_of, known_at=known_at).prove()
    return digest


def _readable(package: Package, reports: Sequence[Report]) -> Iterator[tuple[str, bytes]]:
    name, title = f"close-{package.month}", f"Close of {package.book_code}, {package.month}"
    yield f"{name}.xlsx", to_xlsx(reports, title=title)
    yield f"{name}.html", to_html(reports, title=title)


def _contents(connection: sa.Connection, package: Package, reports: Sequence[Report]) -> Iterator[tuple[str, bytes]]:
    for report in reports:
        yield f"{report.name}.csv", to_csv(report)
        yield f"{report.name}.json", to_json(report)
    sent = [each.prove() for each in batches(connection, package.book_code, through_block=package.block_no)]
    if sent:
        title = f"{package.book_code} through {package.month}"
        yield "general_ledger.beancount", beancount.render_all(sent, title=title)


def _reports(connection: sa.Connection, package: Package) -> Iterator[Report]:
    for report in (each for each in REPORTS if each.in_package):
        yield report.draw(connection, package.book_code, as_of=package.month.last_day, known_at=package.block_no)
