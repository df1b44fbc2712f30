"""Everything the ledger refuses: one class per fact, with its figures as fields.

`code` is what a program may rely on; `sqlstate` is the state under which the database refuses the same fact
by itself, and `BY_SQLSTATE` maps it back. Amounts called `Minor` are minor units of the field `currency`,
and are shown in the major unit. Never here: HTTP statuses, which one table in `api/` knows.
Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from ledger.domain_error import DomainError, Minor, from_dict

# The three names that come from next door; every class below is meant for import too.
__all__ = ["DomainError", "Minor", "from_dict"]

# --- Accounts and the chart -------------------------------------------------------------------------------


class AccountUnknown(DomainError, code="account-unknown", sqlstate="LB001"):
    """account {account} is not in the chart of accounts"""

    account: str


class AccountClosed(DomainError, code="account-closed", sqlstate="LB002"):
    """account {account} is closed since {closed_on}; booking date {booking_date} is refused"""

    account: str
    closed_on: date
    booking_date: date


class AccountOfOtherBook(DomainError, code="account-of-other-book", sqlstate="LB003"):
    """account {account} belongs to book {book}, but the entry is of book {expected_book}"""

    account: str
    book: str
    expected_book: str


class CurrencyNotTaken(DomainError, code="currency-not-taken", sqlstate="LB004"):
    """account {account} takes {expected} only, not {currency}"""

    account: str
    currency: str
    expected: str


class BalanceWouldGoContra(DomainError, code="balance-would-go-contra", sqlstate="LB015"):
    """account {account} of subledger {subledger_id} holds {balance} {currency} on its normal side;
    a change of {change} would turn it to the other"""

    subledger_id: int
    account: str
    balance: Minor
    change: Minor
    currency: str


class ControlAccountRefusesManual(DomainError, code="control-account-refuses-manual", sqlstate="LB016"):
    """account {account} is a control account: only its subledger posts to it, manual journals do not"""

    account: str


class AccountExists(DomainError, code="account-exists", sqlstate="LB029"):
    """account {account} exists already"""

    account: str


class AccountIsHeader(DomainError, code="account-is-header", sqlstate="LB033"):
    """account {account} is a header that only adds up the accounts below it; post to one of those"""

    account: str


class AccountNotOpenYet(DomainError, code="account-not-open-yet", sqlstate="LB034"):
    """account {account} opens on {opened_from}; booking date {booking_date} is refused"""

    account: str
    opened_from: date
    booking_date: date


class MemorandumMixed(DomainError, code="memorandum-mixed", sqlstate="LB036"):
    """{debit} against {credit}: a memorandum account is posted against another memorandum account only"""

    debit: str
    credit: str


class AccountDefinitionInvalid(DomainError, code="account-definition-invalid"):
    """account {account}: {reason}"""

    account: str
    reason: str


class ChartInvalid(DomainError, code="chart-invalid"):
    """{file}, {place}: {reason}"""

    file: str
    place: str
    reason: str
    further: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Return every mistake of the file, the first one first."""
        return "; ".join((super().message, *self.further))


class RoleUnmapped(DomainError, code="role-unmapped"):
    """role {role} has no account in role map {role_map}"""

    role: str
    role_map: str


class RoleMapUnknown(DomainError, code="role-map-unknown"):
    """the chart has no role map {role_map}; it has {known}"""

    role_map: str
    known: tuple[str, ...]


# --- Money ------------------------------------------------------------------------------------------------


class CurrencyUnknown(DomainError, code="currency-unknown"):
    """{currency} is not a currency of ISO 4217 that has a minor unit"""

    currency: str


class CurrencyMismatch(DomainError, code="currency-mismatch"):
    """{left} and {right} are two currencies: they are neither added nor compared"""

    left: str
    right: str


class MoneyMalformed(DomainError, code="money-malformed"):
    """'{text}' is not an amount such as 1234.50"""

    text: str


class FractionalMinorUnit(DomainError, code="fractional-minor-unit"):
    """{text} {currency} has more decimals than {currency} takes ({exponent})"""

    text: str
    currency: str
    exponent: int


class AmountOutOfRange(DomainError, code="amount-out-of-range", sqlstate="LB026"):
    """amount {amount} is past the limit of {limit} minor units (signed 64 bit)"""

    amount: int
    limit: int


class AmountNotPositive(DomainError, code="amount-not-positive", sqlstate="LB005"):
    """amount {amount} is refused: it must be one minor unit or more"""

    amount: int


class AllocationImpossible(DomainError, code="allocation-impossible"):
    """{amount} cannot be divided: {reason}"""

    amount: str
    reason: str


# --- Dates and periods ------------------------------------------------------------------------------------


class MonthMalformed(DomainError, code="month-malformed"):
    """'{text}' is not a month such as 2026-03"""

    text: str


class DateRangeBackwards(DomainError, code="date-range-backwards"):
    """the range from {from_date} to {to_date} ends before it begins"""

    from_date: date
    to_date: date


class PeriodIsClosed(DomainError, code="period-closed", sqlstate="LB007"):
    """book {book} is closed through {closed_through}; booking date {booking_date} is refused"""

    book: str
    booking_date: date
    closed_through: date


class BookingBeforeBookOpened(DomainError, code="booking-before-book-opened", sqlstate="LB008"):
    """book {book} opens on {opened_on}; booking date {booking_date} is refused"""

    book: str
    booking_date: date
    opened_on: date


class BookingDateRefused(DomainError, code="booking-date-refused", sqlstate="LB018"):
    """booking date {booking_date} is refused on business date {business_date}: {reason}"""

    booking_date: date
    business_date: date
    reason: str


class PeriodUnknown(DomainError, code="period-unknown", sqlstate="LB031"):
    """book {book} has no period {month}"""

    book: str
    month: str


class PeriodTransitionRefused(DomainError, code="period-transition-refused", sqlstate="LB023"):
    """period {month} of book {book} is {state} and cannot become {wanted}: {reason}"""

    book: str
    month: str
    state: str
    wanted: str
    reason: str


class BookUnknown(DomainError, code="book-unknown", sqlstate="LB025"):
    """there is no book {book}"""

    book: str


class BookExists(DomainError, code="book-exists"):
    """there is a book {book} already"""

    book: str


# --- Subledgers, entries, postings ------------------------------------------------------------------------


class SubledgerUnknown(DomainError, code="subledger-unknown", sqlstate="LB009"):
    """there is no subledger {subledger_id}"""

    subledger_id: int


class SubledgerFrozen(DomainError, code="subledger-frozen", sqlstate="LB010"):
    """subledger {subledger_id} is frozen and takes no entries"""

    subledger_id: int


class SubledgerExists(DomainError, code="subledger-exists", sqlstate="LB024"):
    """subledger {subledger_id} exists already"""

    subledger_id: int


class SameAccountBothSides(DomainError, code="same-account-both-sides", sqlstate="LB006"):
    """account {account} stands on both sides of one posting"""

    account: str


class EntryEmpty(DomainError, code="entry-empty", sqlstate="LB019"):
    """the entry has no posting: every amount is zero or nets to zero"""


class EntryTooLong(DomainError, code="entry-too-long"):
    """the entry has {postings} postings; an entry holds {limit} at most"""

    postings: int
    limit: int


class EntryUnbalanced(DomainError, code="entry-unbalanced"):
    """debits - credits should be {zero} {currency} but is {difference}: debits {debits}, credits {credits}"""

    currency: str
    debits: Minor
    credits: Minor
    difference: Minor


class EntryIncomplete(DomainError, code="entry-incomplete", sqlstate="LB020"):
    """entry {entry_no} of subledger {subledger_id} declares {expected} postings but {found} were found"""

    subledger_id: int
    entry_no: int
    expected: int
    found: int


class EntryUnknown(DomainError, code="entry-unknown", sqlstate="LB013"):
    """subledger {subledger_id} has no entry {entry_no}"""

    subledger_id: int
    entry_no: int


class EntryAlreadyReversed(DomainError, code="entry-already-reversed", sqlstate="LB012"):
    """entry {entry_no} of subledger {subledger_id} is reversed already, by entry {reversed_by}"""

    subledger_id: int
    entry_no: int
    reversed_by: int


class ReversalOfReversal(DomainError, code="reversal-of-reversal", sqlstate="LB014"):
    """entry {entry_no} of subledger {subledger_id} is itself a reversal: book the event anew instead"""

    subledger_id: int
    entry_no: int


class ReversalNotExact(DomainError, code="reversal-not-exact", sqlstate="LB035"):
    """a reversal of entry {entry_no} of subledger {subledger_id} must be its own pairs, swapped,
    and nothing else"""

    subledger_id: int
    entry_no: int


class TextRefused(DomainError, code="text-refused"):
    """{field} is refused: {reason}"""

    field: str
    reason: str


# --- Templates --------------------------------------------------------------------------------------------


class TemplateUnknown(DomainError, code="template-unknown"):
    """there is no posting template {name} version {version}"""

    name: str
    version: int | None


class TemplateInvalid(DomainError, code="template-invalid"):
    """posting template {template}: {reason}"""

    template: str
    reason: str


class TemplateRowUnresolved(DomainError, code="template-row-unresolved", sqlstate="LB030"):
    """posting template {template} needs an account for role {role}, and none is mapped"""

    template: str
    role: str


class AmountNameUnknown(DomainError, code="amount-name-unknown"):
    """posting template {template} has no amount called {name}; it takes {expected}"""

    template: str
    name: str
    expected: tuple[str, ...]


class AmountNameMissing(DomainError, code="amount-name-missing"):
    """posting template {template} needs the amount {name}, if only as zero"""

    template: str
    name: str


class TemplateAmountNegative(DomainError, code="template-amount-negative"):
    """posting template {template}: amount {name} is {amount} {currency}, and may not be negative"""

    template: str
    name: str
    amount: Minor
    currency: str


class NarrationWordMissing(DomainError, code="narration-word-missing"):
    """the narration of posting template {template} needs the word {name}"""

    template: str
    name: str


# --- Requests, batches, approvals -------------------------------------------------------------------------


class RequestKeyReused(DomainError, code="request-key-reused", sqlstate="LB011"):
    """request key {request_key} was used for another input: {field} was {stored} and is now {given}"""

    request_key: str
    field: str
    stored: str
    given: str


class BatchMismatch(DomainError, code="batch-mismatch", sqlstate="LB027"):
    """batch {request_key} is refused as a whole: {reason}"""

    request_key: str
    reason: str


class ApprovalMissing(DomainError, code="approval-missing", sqlstate="LB022"):
    """{action} by {actor} needs the approval of a second person; the approver given is {approver}"""

    action: str
    actor: str
    approver: str | None


class ManualJournalState(DomainError, code="manual-journal-state", sqlstate="LB032"):
    """manual journal {journal_id} is {state} and cannot become {wanted}"""

    journal_id: int
    state: str
    wanted: str


class ManualJournalUnknown(DomainError, code="manual-journal-unknown"):
    """there is no manual journal {journal_id}"""

    journal_id: int


class MalformedRow(DomainError, code="malformed-row"):
    """{file}, row {row}: {field} '{value}' is refused: {reason}"""

    file: str
    row: int
    field: str
    value: str
    reason: str


# --- Integrity of what is stored --------------------------------------------------------------------------


class IsolationLevelRefused(DomainError, code="isolation-level-refused", sqlstate="LB017"):
    """posting runs at READ COMMITTED only, not at {level}"""

    level: str


class ImmutableRow(DomainError, code="immutable-row", sqlstate="LB021"):
    """{operation} on {table} is refused: what is written there stays; correct it by a new entry"""

    table: str
    operation: str


class SealBroken(DomainError, code="seal-broken", sqlstate="LB028"):
    """seal block {block_no} does not hold: {reason}"""

    block_no: int
    reason: str


class BlockUnknown(DomainError, code="block-unknown"):
    """there is no seal block {block_no}; the latest is {latest}"""

    block_no: int
    latest: int


class DigestNotDelivered(DomainError, code="digest-not-delivered"):
    """the digest of block {block_no} was not taken by {url}: {reason}"""

    block_no: int
    url: str
    reason: str


class EvidenceTargetRefused(DomainError, code="evidence-target-refused"):
    """the bundle cannot be written to {target}: {reason}"""

    target: str
    reason: str


class SigningKeyInvalid(DomainError, code="signing-key-invalid"):
    """the key that signs evidence is refused: {reason}"""

    reason: str


class TrialBalanceUnequal(DomainError, code="trial-balance-unequal"):
    """the trial balance does not agree in {currency}: debits {debits}, credits {credits},
    difference {difference}"""

    currency: str
    debits: Minor
    credits: Minor
    difference: Minor


class BalanceSheetUnequal(DomainError, code="balance-sheet-unequal"):
    """the balance sheet does not agree in {currency}: assets {assets}, liabilities and equity {claims},
    difference {difference}"""

    currency: str
    assets: Minor
    claims: Minor
    difference: Minor


BY_SQLSTATE: Mapping[str, type[DomainError]] = MappingProxyType(
    {cls.sqlstate: cls for cls in DomainError.__subclasses__() if cls.sqlstate is not None}
)
"""The class of each refusal that the database makes by itself."""
