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


class DeliveryRefused(DomainError, code="delivery-refused"):
    """{path} cannot be written: {reason}"""

    path: str
    reason: str
