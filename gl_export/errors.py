"""What leaves the books wrongly, or not at all: one class per fact, with its figures as fields.

Amounts called `Minor` are minor units of the field `currency`. Never here: HTTP statuses or exit codes.
Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from datetime import date

from ledger.domain_error import DomainError, Minor

# --- Mapping ----------------------------------------------------------------------------------------------


class MappingIncomplete(DomainError, code="mapping-incomplete"):
    """mapping version {version} names no GL account for {missing}, which have postings; nothing was built"""

    version: int
    missing: tuple[str, ...]


class MappingInvalid(DomainError, code="mapping-invalid"):
    """GL account {gl_account} of account {account}: {reason}"""

    account: str
    gl_account: str
    reason: str


class MappingUnknown(DomainError, code="mapping-unknown"):
    """book {book} has no mapping version {version}"""

    book: str
    version: int


# --- Batches ----------------------------------------------------------------------------------------------


class BatchUnbalanced(DomainError, code="batch-unbalanced"):
    """{batch_id}, day {booking_date}: debits are {debits} {currency} and credits {credits}; the difference of
    {difference} should be {zero}"""

    batch_id: str
    booking_date: date
    debits: Minor
    credits: Minor
    difference: Minor
    currency: str


class BatchEmpty(DomainError, code="batch-empty"):
    """{batch_id} would have no lines"""

    batch_id: str


class BatchUnknown(DomainError, code="batch-unknown"):
    """book {book} has no GL batch {batch_no}"""

    book: str
    batch_no: int


class BatchLineUnknown(DomainError, code="batch-line-unknown"):
    """{batch_id} has no line {line_no}"""

    batch_id: str
    line_no: int


class BatchAltered(DomainError, code="batch-altered"):
    """{batch_id} was built with the digest {expected}, but now comes out with {found}"""

    batch_id: str
    expected: str
    found: str


class BatchAnswerRefused(DomainError, code="batch-answer-refused"):
    """batch {batch_no} is {state}: only what is delivered and not answered yet can become {wanted}"""

    batch_no: int
    state: str
    wanted: str


class FormatUnknown(DomainError, code="format-unknown"):
    """there is no export format {name}; there are {known}"""

    name: str
    known: tuple[str, ...]


class FormatRefused(DomainError, code="format-refused"):
    """{format} cannot take batch {batch_id}: {reason}"""

    format: str
    batch_id: str
    reason: str


class ReceiversInvalid(DomainError, code="receivers-invalid"):
    """the file of receivers, {place}: {reason}"""

    place: str
    reason: str


# --- Reconciliation ---------------------------------------------------------------------------------------


class TieOutBroken(DomainError, code="tie-out-broken"):
    """the books do not tie out at {places} places; the first: {account}, {left_name} {left} {currency}
    against {right_name} {right}, a difference of {difference}"""

    places: int
    account: str
    left_name: str
    left: Minor
    right_name: str
    right: Minor
    difference: Minor
    currency: str


class RollForwardBroken(DomainError, code="roll-forward-broken"):
    """{account}: opening {opening} and movements {movements} make {expected} {currency}, but the ledger
    closes at {closing}"""

    account: str
    opening: Minor
    movements: Minor
    expected: Minor
    closing: Minor
    currency: str


class ReportUnknown(DomainError, code="report-unknown"):
    """there is no report {name}; there are {known}"""

    name: str
    known: tuple[str, ...]


class GLMapInvalid(DomainError, code="gl-map-invalid"):
    """the map of the GL's file, {place}: {reason}"""

    place: str
    reason: str


class GLStatementUnknown(DomainError, code="gl-statement-unknown"):
    """book {book} has no GL statement {statement_no}"""

    book: str
    statement_no: int


class GLStatementEmpty(DomainError, code="gl-statement-empty"):
    """{file} has no row under its header"""

    file: str


class GLStatementLate(DomainError, code="gl-statement-late"):
    """{file}, row {row}: posting date {posting_date} lies outside the statement, {from_date} to {as_of}"""

    file: str
    row: int
    posting_date: date
    from_date: date
    as_of: date


class GLBreakUnknown(DomainError, code="gl-break-unknown"):
    """book {book} has no break {break_no}"""

    book: str
    break_no: int


class GLBreakCleared(DomainError, code="gl-break-cleared"):
    """break {break_no} was cleared by GL statement {statement_no}: there is nothing left to do about it"""

    break_no: int
    statement_no: int


class GLBreaksOpen(DomainError, code="gl-breaks-open"):
    """GL statement {statement_no} cannot be signed off: {count} breaks are neither timing nor resolved, break
    {break_no} of account {gl_account} first, {difference} {currency}"""

    statement_no: int
    count: int
    break_no: int
    gl_account: str
    difference: Minor
    currency: str


class GLSignOffStale(DomainError, code="gl-sign-off-stale"):
    """GL statement {statement_no} is not the newest of its kind: sign off statement {newest}"""

    statement_no: int
    newest: int


# --- Bank statements --------------------------------------------------------------------------------------


class BankStatementWrong(DomainError, code="bank-statement-wrong"):
    """{file}, {place}: {reason}"""

    file: str
    place: str
    reason: str


class BankMapInvalid(DomainError, code="bank-map-invalid"):
    """the map of the bank's file, {place}: {reason}"""

    place: str
    reason: str


class BankLineChanged(DomainError, code="bank-line-changed"):
    """{file}, {place}: the bank said before that line {key} of account {account} is {expected}, now it is {found}"""

    file: str
    place: str
    account: str
    key: str
    expected: str
    found: str


class BankLineUnknown(DomainError, code="bank-line-unknown"):
    """book {book} has no bank line {line_no}"""

    book: str
    line_no: int


class BankItemUnknown(DomainError, code="bank-item-unknown"):
    """there is no open item {item}"""

    item: str


class BankPartMatched(DomainError, code="bank-part-matched"):
    """{part} is matched already, by match {match_no}"""

    part: str
    match_no: int


class BankMatchUnequal(DomainError, code="bank-match-unequal"):
    """the bank's lines are {lines} {currency} and the open items {items}; the difference of {difference} should be
    {zero}"""

    lines: Minor
    items: Minor
    difference: Minor
    currency: str


class BankMatchUnknown(DomainError, code="bank-match-unknown"):
    """book {book} has no bank match {match_no} that stands"""

    book: str
    match_no: int


# --- The close --------------------------------------------------------------------------------------------


class CloseNotStarted(DomainError, code="close-not-started"):
    """the close of {month} of book {book} has not been started"""

    book: str
    month: str


class CloseGateRefused(DomainError, code="close-gate-refused"):
    """the close of {month} stops at {step}: {reason}"""

    month: str
    step: str
    reason: str


class CloseStepUnknown(DomainError, code="close-step-unknown"):
    """the close has no step {step}; it has {known}"""

    step: str
    known: tuple[str, ...]


class EvidenceDiffers(DomainError, code="evidence-differs"):
    """{file} was delivered with the SHA-256 {expected}, but would now come out as {found}"""

    file: str
    expected: str
    found: str


class AuditPackageRefused(DomainError, code="audit-package-refused"):
    """no audit package is written to {folder}: {reason}"""

    folder: str
    reason: str


class FecRefused(DomainError, code="fec-refused"):
    """no FEC is written, {place}: {reason}"""

    place: str
    reason: str


class DeliveryRefused(DomainError, code="delivery-refused"):
    """{path} cannot be written: {reason}"""

    path: str
    reason: str
