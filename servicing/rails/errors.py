"""What the rails refuse, one class per fact with its figures; none of them bears an account or card number.

Next: `servicing/commands/instructions.py`, which raises most of these.
"""

from __future__ import annotations

from datetime import date

from ledger.domain_error import DomainError, Minor


class RoutingNumberInvalid(DomainError, code="routing-number-invalid"):
    """{routing} is no routing number: {reason}"""

    routing: str
    reason: str


class AccountNumberInvalid(DomainError, code="account-number-invalid"):
    """a bank account has a number of 4 to 17 letters and digits; this has {length} characters"""

    length: int


class BankAccountInvalid(DomainError, code="bank-account-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class BankAccountUnknown(DomainError, code="bank-account-unknown"):
    """loan {loan_id} has no bank account {account_no}"""

    loan_id: int
    account_no: int


class VaultKeyMissing(DomainError, code="vault-key-missing"):
    """no key is set under which account numbers and personal data are kept; set LOANBOOK_BANK_ACCOUNT_KEYS"""


class VaultKeyInvalid(DomainError, code="vault-key-invalid"):
    """key {place} of LOANBOOK_BANK_ACCOUNT_KEYS is no Fernet key: 32 bytes in URL-safe base64"""

    place: int


class VaultKeyUnknown(DomainError, code="vault-key-unknown"):
    """the number of bank account {account_no} of loan {loan_id} is under key {key_id}, which is not among those set"""

    loan_id: int
    account_no: int
    key_id: str


class MandateUnknown(DomainError, code="mandate-unknown"):
    """loan {loan_id} has no mandate {mandate_no}"""

    loan_id: int
    mandate_no: int


class MandateInvalid(DomainError, code="mandate-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class MandateEnded(DomainError, code="mandate-ended"):
    """mandate {mandate_no} of loan {loan_id} was {cause} on {ended_on}"""

    loan_id: int
    mandate_no: int
    cause: str
    ended_on: date


class AutopayHeld(DomainError, code="autopay-held"):
    """loan {loan_id} is not debited under a mandate: {flags}"""

    loan_id: int
    flags: tuple[str, ...]


class InstructionUnknown(DomainError, code="instruction-unknown"):
    """loan {loan_id} has no payment instruction {instruction_no}"""

    loan_id: int
    instruction_no: int


class InstructionInvalid(DomainError, code="instruction-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class InstructionMoveRefused(DomainError, code="instruction-move-refused"):
    """payment instruction {instruction_no} of loan {loan_id} is {status}; it cannot be {wanted}"""

    loan_id: int
    instruction_no: int
    status: str
    wanted: str


class AttemptsStopped(DomainError, code="attempts-stopped"):
    """two attempts in a row failed on loan {loan_id} for want of funds; the borrower has to authorize it anew"""

    loan_id: int


class InstructionNotSettled(DomainError, code="instruction-not-settled"):
    """payment instruction {instruction_no} of loan {loan_id} settles on {settles_on}; the business date is {on}"""

    loan_id: int
    instruction_no: int
    settles_on: date
    on: date


class TraceTaken(DomainError, code="trace-taken"):
    """trace number {trace} was given to another payment instruction"""

    trace: str


class TraceUnknown(DomainError, code="trace-unknown"):
    """no payment instruction of book {book} was sent under trace number {trace}"""

    book: str
    trace: str


class FundsHeld(DomainError, code="funds-held"):
    """{amount} {currency} is more than the {available} {currency} that may be spent; the rest waits until {until}"""

    amount: Minor
    available: Minor
    currency: str
    until: date


class ProcessorFailed(DomainError, code="processor-failed"):
    """the card processor did not answer as agreed: {reason}"""

    reason: str


class WebhookRefused(DomainError, code="webhook-refused"):
    """the message is not accepted: {reason}"""

    reason: str


class CardPaymentUnknown(DomainError, code="card-payment-unknown"):
    """no card payment of this house is known to the processor as {reference}"""

    reference: str
