"""What servicing refuses, one class per fact with its figures.

Never raised by the ledger; the ledger's own refusals come through unchanged.
Next: `servicing/commands.py`, which raises most of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ledger.domain_error import DomainError, Minor


class LoanUnknown(DomainError, code="loan-unknown"):
    """there is no loan {loan_id}"""

    loan_id: int


class LoanExists(DomainError, code="loan-exists"):
    """loan {external_id} is on the book already"""

    external_id: str


class TermsInvalid(DomainError, code="terms-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class DrawdownRefused(DomainError, code="drawdown-refused"):
    """loan {loan_id} cannot be drawn on {on}: {reason}"""

    loan_id: int
    on: date
    reason: str


class DrawdownExceedsCommitment(DomainError, code="drawdown-exceeds-commitment"):
    """a drawdown of {amount} {currency} is more than the {undrawn} {currency} that may still be drawn"""

    amount: Minor
    undrawn: Minor
    currency: str


class ModificationInvalid(DomainError, code="modification-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class ModificationRefused(DomainError, code="modification-refused"):
    """loan {loan_id} cannot be modified ({kind}) on {on}: {reason}"""

    loan_id: int
    kind: str
    on: date
    reason: str


class AgreementOpen(DomainError, code="agreement-open"):
    """loan {loan_id} has an agreement that is open: event {event_no}, {kind}; end it first"""

    loan_id: int
    event_no: int
    kind: str


class AgreementUnknown(DomainError, code="agreement-unknown"):
    """loan {loan_id} has no agreement that is open on {on}"""

    loan_id: int
    on: date


class DelinquencyNotPaused(DomainError, code="delinquency-not-paused"):
    """the days past due of loan {loan_id} are not paused on {on}"""

    loan_id: int
    on: date


class DelinquencyPaused(DomainError, code="delinquency-paused"):
    """the days past due of loan {loan_id} are paused since {start}"""

    loan_id: int
    start: date


class RateFixed(DomainError, code="rate-fixed"):
    """the charge of loan {loan_id} is precomputed: its rate is not reset"""

    loan_id: int


class RateKept(DomainError, code="rate-kept"):
    """interest of loan {loan_id} up to {until} was kept from its proceeds: its rate can change from that day on"""

    loan_id: int
    until: date


class RateOutOfRange(DomainError, code="rate-out-of-range"):
    """a rate of {rate} is refused; it must be 0 to {most} percent"""

    rate: str
    most: str


class IndexNameInvalid(DomainError, code="index-name-invalid"):
    """{name} cannot name an index: a letter, then up to 39 letters, digits, dots, dashes or underscores"""

    name: str


class IndexUnknown(DomainError, code="index-unknown"):
    """there is no index {name}; known are {known}"""

    name: str
    known: tuple[str, ...]


class IndexFileInvalid(DomainError, code="index-file-invalid"):
    """the file has {count} mistakes: {mistakes}"""

    count: int
    mistakes: tuple[str, ...]


class IndexValueDiffers(DomainError, code="index-value-differs"):
    """index {index} is {known} on {on}, not {given}; say that it is to be corrected"""

    index: str
    on: date
    known: str
    given: str


class IndexValueMissing(DomainError, code="index-value-missing"):
    """the reset on {reset_on} looks at index {index} from {oldest} to {observed_on}; its last value is {last}"""

    index: str
    observed_on: date
    oldest: date
    reset_on: date
    last: str


class RuleOf78TooLong(DomainError, code="rule-of-78-too-long"):
    """consumer credit from {funded_on} to {last_due_on} is longer than {months} months: no Rule of 78 (15 USC 1615)"""

    last_due_on: date
    funded_on: date
    months: int


class NothingAdvanced(DomainError, code="apr-nothing-advanced"):
    """advances: there is none, but there are payments ({payments})"""

    payments: int


class NothingPaid(DomainError, code="apr-nothing-paid"):
    """payments: there is none to repay {advanced} {currency}"""

    advanced: Minor
    currency: str


class FlowNotPositive(DomainError, code="apr-amount-not-positive"):
    """an advance or a payment of {amount} {currency} on {on} is not above zero"""

    on: date
    amount: Minor
    currency: str


class NeverPaidBack(DomainError, code="apr-never-paid-back"):
    """payments: they sum to {paid} {currency}, and never pay back the {advanced} {currency} that are advanced"""

    paid: Minor
    advanced: Minor
    currency: str


class AdvanceUnrepaid(DomainError, code="apr-advance-unrepaid"):
    """advances: the one on {on} is not repaid, the last payment is on {last_payment_on}"""

    on: date
    last_payment_on: date


class NoTimeToEarn(DomainError, code="apr-no-time"):
    """what is advanced on {on} is repaid the same day with a finance charge of {finance_charge} {currency}"""

    on: date
    finance_charge: Minor
    currency: str


class NoRateFound(DomainError, code="apr-no-rate"):
    """payments: no rate up to {bound} a unit-period makes them worth the advances"""

    bound: str


class ProductInvalid(DomainError, code="product-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class ProductUnknown(DomainError, code="product-unknown"):
    """there is no product {name}; known are {known}"""

    name: str
    known: tuple[str, ...]


class PaymentUnknown(DomainError, code="payment-unknown"):
    """loan {loan_id} has no payment {payment_id}"""

    loan_id: int
    payment_id: str


class PaymentDuplicate(DomainError, code="payment-duplicate"):
    """payment {external_id} of loan {loan_id} was taken already, as payment {payment_id}"""

    loan_id: int
    external_id: str
    payment_id: int


class PaymentUndone(DomainError, code="payment-already-undone"):
    """payment {payment_id} of loan {loan_id} was undone by event {event_no}"""

    loan_id: int
    payment_id: int
    event_no: int


class PaymentNotPositive(DomainError, code="payment-not-positive"):
    """a payment of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class PaymentExceedsPayoff(DomainError, code="payment-exceeds-payoff"):
    """a payment of {amount} {currency} is more than the {payoff} {currency} that pay the loan off on {on}"""

    amount: Minor
    payoff: Minor
    currency: str
    on: date


class PaymentRuleUnknown(DomainError, code="payment-rule-unknown"):
    """{rule}: {given} is not known; known are {known}"""

    rule: str
    given: str
    known: tuple[str, ...]


class RefundNotPositive(DomainError, code="refund-not-positive"):
    """a refund of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class RefundExceedsUnapplied(DomainError, code="refund-exceeds-unapplied"):
    """a refund of {amount} {currency} on {on} is more than the {unapplied} {currency} that can be refunded"""

    amount: Minor
    unapplied: Minor
    currency: str
    on: date


class NoCreditBalance(DomainError, code="no-credit-balance"):
    """loan {loan_id} owes {owed} {currency}: a credit balance is what is there when nothing is owed"""

    loan_id: int
    owed: Minor
    currency: str


class CreditNotPositive(DomainError, code="credit-not-positive"):
    """a credit of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class ChargebackNotPositive(DomainError, code="chargeback-not-positive"):
    """a chargeback of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class ChargebackExceedsPayment(DomainError, code="chargeback-exceeds-payment"):
    """a chargeback of {amount} {currency} is more than the {left} {currency} left of payment {payment_id}"""

    payment_id: int
    amount: Minor
    left: Minor
    currency: str


class ChargebackBeforePayment(DomainError, code="chargeback-before-payment"):
    """{effective_date} lies before the payment was made on {paid_on}"""

    effective_date: date
    paid_on: date


class PaymentChargedBack(DomainError, code="payment-charged-back"):
    """{amount} {currency} of payment {payment_id} of loan {loan_id} was charged back; reverse the chargeback first"""

    loan_id: int
    payment_id: int
    amount: Minor
    currency: str


class PayoffDateRefused(DomainError, code="payoff-date-refused"):
    """a payoff can be quoted through {first} to {last}, not through {good_through}"""

    good_through: date
    first: date
    last: date


class PayoffQuoteUnknown(DomainError, code="payoff-quote-unknown"):
    """loan {loan_id} has no payoff quote {quote_id}"""

    loan_id: int
    quote_id: str


class FeeNotPositive(DomainError, code="fee-not-positive"):
    """a fee of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class FeeDuplicate(DomainError, code="fee-duplicate"):
    """loan {loan_id} has a fee {fee_id} already"""

    loan_id: int
    fee_id: str


class FeeUnknown(DomainError, code="fee-unknown"):
    """loan {loan_id} has no fee {fee_id} on {on}"""

    loan_id: int
    fee_id: str
    on: date


class WaiverNotPositive(DomainError, code="waiver-not-positive"):
    """a waiver of {amount} {currency} is refused; it must be above zero"""

    amount: Minor
    currency: str


class WaiverExceedsOwed(DomainError, code="waiver-exceeds-owed"):
    """{amount} {currency} of {of} cannot be waived on {on}: {owed} is owed of it"""

    of: str
    amount: Minor
    owed: Minor
    currency: str
    on: date


class NotWaivable(DomainError, code="not-waivable"):
    """{of} is not waived; a fee is, or one of {known}"""

    of: str
    known: tuple[str, ...]


class BalanceNotSmall(DomainError, code="balance-not-small"):
    """{owed} {currency} is owed on {on}; the product has up to {limit} written off as a small balance"""

    owed: Minor
    limit: Minor
    currency: str
    on: date


class EventUnknown(DomainError, code="event-unknown"):
    """loan {loan_id} has no event {event_no}"""

    loan_id: int
    event_no: str


class EventNotReversible(DomainError, code="event-not-reversible"):
    """event {event_no} of loan {loan_id}, {kind}, is not reversed: {why}"""

    loan_id: int
    event_no: int
    kind: str
    why: str


class EventReversed(DomainError, code="event-already-reversed"):
    """event {event_no} of loan {loan_id} was reversed by event {by}"""

    loan_id: int
    event_no: int
    by: int


class WaterfallInvalid(DomainError, code="waterfall-invalid"):
    """the waterfall of a payment: {reason}"""

    reason: str


class SplitNotAmount(DomainError, code="split-not-amount"):
    """a payment of {amount} {currency} is to be split into {parts}; its parts must sum to it"""

    amount: Minor
    parts: Minor
    currency: str


class EffectiveDateAhead(DomainError, code="effective-date-ahead"):
    """{effective_date} lies ahead of the business date {business_date}"""

    effective_date: date
    business_date: date


class DayRunStopped(DomainError, code="day-run-stopped"):
    """{failures} loans failed one after the other, the last of them {loan_id}: {reason}"""

    failures: int
    loan_id: int
    reason: str


class EffectiveBeforeFunding(DomainError, code="effective-before-funding"):
    """{effective_date} lies before the loan was funded on {funded_on}"""

    effective_date: date
    funded_on: date


class EffectiveBeforeCutOver(DomainError, code="effective-before-cut-over"):
    """{effective_date} lies before the loan was taken over on {cut_over_on}; what happened before is in its opening"""

    effective_date: date
    cut_over_on: date


class MethodUnknown(DomainError, code="payment-method-unknown"):
    """{method} is no payment method; known are {known}"""

    method: str
    known: tuple[str, ...]


class FundedBeforeBookOpened(DomainError, code="funded-before-book-opened"):
    """a loan that was funded on {funded_on} cannot be boarded in book {book}, which opened on {opened_on}"""

    funded_on: date
    book: str
    opened_on: date


class CutOverBeforeBookOpened(DomainError, code="cut-over-before-book-opened"):
    """a loan cannot be taken over on {cut_over_on} in book {book}, which opened on {opened_on}"""

    cut_over_on: date
    book: str
    opened_on: date


class TapeUnreadable(DomainError, code="tape-unreadable"):
    """{path}: {reason}"""

    path: str
    reason: str


class TapeInvalid(DomainError, code="tape-invalid"):
    """the tape has {count} mistakes in {rows} rows: {shown}"""

    count: int
    rows: int
    shown: tuple[str, ...]
    mistakes: tuple[Mapping[str, Any], ...]


class ColumnMapInvalid(DomainError, code="column-map-invalid"):
    """the column map, {place}: {reason}"""

    place: str
    reason: str


class ControlTotalWrong(DomainError, code="control-total-wrong"):
    """the tape's {total} is {found}, not {expected} as declared"""

    total: str
    found: str
    expected: str


class ScenarioInvalid(DomainError, code="scenario-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class NothingToChargeOff(DomainError, code="nothing-to-charge-off"):
    """loan {loan_id} carries nothing on {on} that could be charged off"""

    loan_id: int
    on: date


class NotChargedOff(DomainError, code="not-charged-off"):
    """loan {loan_id} is not charged off on {on}"""

    loan_id: int
    on: date


class CommissionExceedsRecovery(DomainError, code="commission-exceeds-recovery"):
    """a commission of {commission} {currency} cannot be kept of a recovery of {amount} {currency}"""

    commission: Minor
    amount: Minor
    currency: str


class AccrualStateRefused(DomainError, code="accrual-state-refused"):
    """loan {loan_id} is {status} on {on}; it must be {needed}"""

    loan_id: int
    on: date
    status: str
    needed: str


class LossRatesInvalid(DomainError, code="loss-rates-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class LossRatesDiffer(DomainError, code="loss-rates-differ"):
    """other loss rates are in force from {effective_on} on"""

    effective_on: date


class LossRateMissing(DomainError, code="loss-rate-missing"):
    """the loss rates of {effective_on} have none for loans made in {vintage}"""

    vintage: str
    effective_on: date


class LoanSold(DomainError, code="loan-sold"):
    """loan {loan_id} is sold with its servicing since {sold_on}"""

    loan_id: int
    sold_on: date


class SaleRefused(DomainError, code="sale-refused"):
    """loan {loan_id} cannot be sold or bought back on {on}: {reason}"""

    loan_id: int
    on: date
    reason: str


class FlagRefused(DomainError, code="flag-refused"):
    """flag {flag}: {reason}"""

    flag: str
    reason: str


class RefinancingRefused(DomainError, code="refinancing-refused"):
    """loan {loan_id} cannot be refinanced on {on}: {reason}"""

    loan_id: int
    on: date
    reason: str


class CollectionPolicyInvalid(DomainError, code="collection-policy-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class CollectionPolicyMissing(DomainError, code="collection-policy-missing"):
    """no collection policy was loaded for book {book}"""

    book: str


class ContactCeased(DomainError, code="contact-ceased"):
    """the borrower of loan {loan_id} must not be contacted by {channel} since {since}: {reason}"""

    loan_id: int
    channel: str
    since: date
    reason: str


class CaseNotOpen(DomainError, code="case-not-open"):
    """loan {loan_id} has no open collection case"""

    loan_id: int


class PromiseInvalid(DomainError, code="promise-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class ContactInvalid(DomainError, code="contact-invalid"):
    """{field}: {reason}"""

    field: str
    reason: str


class DisbursementExceedsProceeds(DomainError, code="disbursement-exceeds-proceeds"):
    """loan {loan_id}: {amount} {currency} to a payee is more than the {left} of its proceeds that are left to send"""

    loan_id: int
    amount: Minor
    left: Minor
    currency: str


class FundingNotUnwound(DomainError, code="funding-not-unwound"):
    """the funding of loan {loan_id} cannot be unwound: {reason}"""

    loan_id: int
    reason: str
