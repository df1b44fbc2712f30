"""Why a file of the clearing house is refused: one class per fact, with line, field and figures.

A file is refused whole at its first fault. Account numbers are shown by their last four characters.
Next: `servicing/nacha/reading.py` and `rules.py`, which raise these.
"""

from __future__ import annotations

from datetime import date

from ledger.domain_error import DomainError, Minor

# --- The lines --------------------------------------------------------------------------------------------


class AchByteRefused(DomainError, code="ach-byte-refused"):
    """line {line}, position {position}: the byte {byte} is not a printable ASCII character"""

    line: int
    position: int
    byte: str


class AchRecordLength(DomainError, code="ach-record-length"):
    """line {line} has {length} characters; a record has {expected}"""

    line: int
    length: int
    expected: int


class AchRecordUnexpected(DomainError, code="ach-record-unexpected"):
    """line {line}: {found}, where {expected} is expected"""

    line: int
    found: str
    expected: str


class AchPaddingDiffers(DomainError, code="ach-padding-differs"):
    """after line {line}, the file control, come {found} lines of nines; {records} records need {expected}"""

    line: int
    records: int
    found: int
    expected: int


class AchFieldInvalid(DomainError, code="ach-field-invalid"):
    """line {line}, {field} (positions {positions}): {value} {reason}"""

    line: int
    field: str
    positions: str
    value: str
    reason: str


# --- What the control records state -----------------------------------------------------------------------


class AchHashDiffers(DomainError, code="ach-hash-differs"):
    """line {line}, entry hash: {stated} is stated, the entries give {counted}"""

    line: int
    stated: str
    counted: str


class AchTotalDiffers(DomainError, code="ach-total-differs"):
    """line {line}, {field}: {stated} {currency} is stated, the entries sum to {counted}"""

    line: int
    field: str
    stated: Minor
    counted: Minor
    currency: str


class AchCountDiffers(DomainError, code="ach-count-differs"):
    """line {line}, {field}: {stated} is stated, counted are {counted}"""

    line: int
    field: str
    stated: int
    counted: int


class AchControlDiffers(DomainError, code="ach-control-differs"):
    """line {line}, {field}: the batch control says {stated}, the batch header {header}"""

    line: int
    field: str
    stated: str
    header: str


# --- What the records say ---------------------------------------------------------------------------------


class AchCheckDigitDiffers(DomainError, code="ach-check-digit-differs"):
    """line {line}, {field} (positions {positions}): the check digit of routing number {routing} should be {expected}"""

    line: int
    field: str
    positions: str
    routing: str
    expected: int


class AchCodeUnknown(DomainError, code="ach-code-unknown"):
    """line {line}: there is no {kind} {value}"""

    line: int
    kind: str
    value: str


class AchTraceRepeated(DomainError, code="ach-trace-repeated"):
    """line {line}: trace number {trace} stands on line {first_line} already"""

    line: int
    trace: str
    first_line: int


class AchTraceNotAscending(DomainError, code="ach-trace-not-ascending"):
    """line {line}: trace number {trace} does not follow {before}"""

    line: int
    trace: str
    before: str


class AchAmountRefused(DomainError, code="ach-amount-refused"):
    """line {line}: {amount} {currency} under transaction code {transaction_code} is refused: {reason}"""

    line: int
    transaction_code: str
    amount: Minor
    currency: str
    reason: str


class AchEntryRefused(DomainError, code="ach-entry-refused"):
    """line {line}: transaction code {transaction_code} in a {sec} batch of service class {service_class}: {reason}"""

    line: int
    transaction_code: str
    sec: str
    service_class: str
    reason: str


class AchAddendaRefused(DomainError, code="ach-addenda-refused"):
    """line {line}: the entry has {count} addenda records; {reason}"""

    line: int
    count: int
    reason: str


class AchNotBankingDay(DomainError, code="ach-not-banking-day"):
    """line {line}, effective entry date: {on} is no day on which the Federal Reserve settles"""

    line: int
    on: date


class AchEffectiveDateMissing(DomainError, code="ach-effective-date-missing"):
    """line {line}, effective entry date: a batch that is sent must have one"""

    line: int


class AchPaymentTypeMissing(DomainError, code="ach-payment-type-missing"):
    """line {line}, payment type (positions 77-78): {value} is neither R nor S, which {sec} asks for"""

    line: int
    value: str
    sec: str


class AchNotUpperCase(DomainError, code="ach-not-upper-case"):
    """line {line}, {field}: {value} has lower-case letters"""

    line: int
    field: str
    value: str


class AchNotOurs(DomainError, code="ach-not-ours"):
    """line {line}, {field}: {value} is nothing to send: {reason}"""

    line: int
    field: str
    value: str
    reason: str


# --- Before there is a file -------------------------------------------------------------------------------


class AchTextRefused(DomainError, code="ach-text-refused"):
    """{text} cannot be written in ASCII: there is no spelling for {character}"""

    text: str
    character: str


class AchCorrectionUnreadable(DomainError, code="ach-correction-unreadable"):
    """the corrected data of {change_code} are {data}: {reason}"""

    change_code: str
    data: str
    reason: str


class AchProgramInvalid(DomainError, code="ach-program-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class AchNothingToSend(DomainError, code="ach-nothing-to-send"):
    """nothing of book {book} is to be sent by {on}, or {skipped} payments that are due cannot be"""

    book: str
    on: date
    skipped: int


# --- What comes back --------------------------------------------------------------------------------------


class AchForwardEntry(DomainError, code="ach-forward-entry"):
    """line {line}: entry {trace} is on its way forward; what is taken in are returns and notifications of change"""

    line: int
    trace: str


class AchItemUnknown(DomainError, code="ach-item-unknown"):
    """there is no item {item_no} in received file {file_no}"""

    file_no: int
    item_no: int


class AchItemSettled(DomainError, code="ach-item-settled"):
    """item {item_no} of received file {file_no} is settled: {how}"""

    file_no: int
    item_no: int
    how: str


class AchItemMismatch(DomainError, code="ach-item-mismatch"):
    """item {item_no} of received file {file_no} is no return of payment {payment_id}: {reason}"""

    file_no: int
    item_no: int
    payment_id: int
    reason: str


class AchEntryUnknown(DomainError, code="ach-entry-unknown"):
    """no entry of book {book} was sent under trace number {trace}"""

    book: str
    trace: str


class AchFileUnknown(DomainError, code="ach-file-unknown"):
    """no file {file_no} was sent"""

    file_no: int


class AchReversalRefused(DomainError, code="ach-reversal-refused"):
    """entry {trace} cannot be reversed: {reason}"""

    trace: str
    reason: str


class AchTraceNotSent(DomainError, code="ach-trace-not-sent"):
    """no loan is named for entry {trace} of the file"""

    trace: str


class AchFileSealed(DomainError, code="ach-file-sealed"):
    """file {file_no} was sent, and its text is under a key for bank account numbers that is no longer set"""

    file_no: int


class AchReasonUnknown(DomainError, code="ach-reason-unknown"):
    """there is no return reason or change code {reason}"""

    reason: str
