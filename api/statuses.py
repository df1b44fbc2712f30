"""Which status each error has outside: one table, an error class a line.

A test proves that every error class of every package stands in it once. Next: `api/problems.py`, which makes
problem documents and exit codes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from api import errors as api
from gl_export import errors as gl_export
from ledger import errors as ledger
from ledger.domain_error import DomainError
from ledger.embedded import errors as embedded
from origination import errors as origination
from servicing import errors as servicing

ERRORS_BY_STATUS: Mapping[HTTPStatus, tuple[type[DomainError], ...]] = {
    HTTPStatus.BAD_REQUEST: (
        api.BookAmbiguous,
        api.CursorInvalid,
        api.IdempotencyKeyMissing,
        api.InputMalformed,
        gl_export.FormatUnknown,
        ledger.DateRangeBackwards,
        ledger.MonthMalformed,
        ledger.TextRefused,
    ),
    HTTPStatus.FORBIDDEN: (
        ledger.ApprovalMissing,
        ledger.ControlAccountRefusesManual,
        ledger.ImmutableRow,
        origination.FundingApprovalMissing,
        origination.OwnWorkApproved,
    ),
    HTTPStatus.NOT_FOUND: (
        gl_export.BatchLineUnknown,
        gl_export.BatchUnknown,
        gl_export.CloseNotStarted,
        gl_export.CloseStepUnknown,
        gl_export.MappingUnknown,
        ledger.AccountUnknown,
        ledger.BlockUnknown,
        ledger.BookUnknown,
        ledger.EntryUnknown,
        ledger.ManualJournalUnknown,
        ledger.PeriodUnknown,
        ledger.RoleMapUnknown,
        ledger.SubledgerUnknown,
        ledger.TemplateUnknown,
        origination.ApplicationUnknown,
        servicing.LoanUnknown,
        servicing.PaymentUnknown,
        servicing.PayoffQuoteUnknown,
        servicing.ProductUnknown,
    ),
    HTTPStatus.CONFLICT: (
        gl_export.BatchEmpty,
        gl_export.CloseGateRefused,
        gl_export.RollForwardBroken,
        gl_export.TieOutBroken,
        ledger.AccountExists,
        ledger.BatchMismatch,
        ledger.BookExists,
        ledger.EntryAlreadyReversed,
        ledger.EvidenceTargetRefused,
        ledger.ManualJournalState,
        ledger.PeriodIsClosed,
        ledger.PeriodTransitionRefused,
        ledger.ReversalOfReversal,
        ledger.SubledgerExists,
        ledger.SubledgerFrozen,
        origination.ApplicationExists,
        origination.ApplicationStateRefused,
        servicing.LoanExists,
        servicing.PaymentDuplicate,
        servicing.PaymentUndone,
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        gl_export.MappingIncomplete,
        gl_export.MappingInvalid,
        ledger.AccountClosed,
        ledger.AccountDefinitionInvalid,
        ledger.AccountIsHeader,
        ledger.AccountNotOpenYet,
        ledger.AccountOfOtherBook,
        ledger.AllocationImpossible,
        ledger.AmountNotPositive,
        ledger.AmountOutOfRange,
        ledger.BalanceWouldGoContra,
        ledger.BookingBeforeBookOpened,
        ledger.BookingDateRefused,
        ledger.ChartInvalid,
        ledger.CurrencyMismatch,
        ledger.CurrencyNotTaken,
        ledger.CurrencyUnknown,
        ledger.EntryEmpty,
        ledger.EntryTooLong,
        ledger.EntryUnbalanced,
        ledger.FractionalMinorUnit,
        ledger.MalformedRow,
        ledger.MemorandumMixed,
        ledger.MoneyMalformed,
        ledger.RequestKeyReused,
        ledger.ReversalNotExact,
        ledger.RoleUnmapped,
        ledger.SameAccountBothSides,
        origination.ApplicationInvalid,
        origination.DisbursementMismatch,
        servicing.AdvanceUnrepaid,
        servicing.ColumnMapInvalid,
        servicing.ControlTotalWrong,
        servicing.CutOverBeforeBookOpened,
        servicing.EffectiveBeforeCutOver,
        servicing.EffectiveBeforeFunding,
        servicing.EffectiveDateAhead,
        servicing.FlowNotPositive,
        servicing.FundedBeforeBookOpened,
        servicing.LaterWork,
        servicing.MethodUnknown,
        servicing.NeverPaidBack,
        servicing.NoRateFound,
        servicing.NoTimeToEarn,
        servicing.NoCreditBalance,
        servicing.NothingAdvanced,
        servicing.NothingPaid,
        servicing.PaymentExceedsPayoff,
        servicing.PaymentNotPositive,
        servicing.PaymentRuleUnknown,
        servicing.PayoffDateRefused,
        servicing.ProductInvalid,
        servicing.RefundExceedsUnapplied,
        servicing.RefundNotPositive,
        servicing.RuleOf78TooLong,
        servicing.ScenarioInvalid,
        servicing.SplitNotAmount,
        servicing.TapeInvalid,
        servicing.TapeUnreadable,
        servicing.TermsInvalid,
        servicing.WaterfallInvalid,
    ),
    # What only a fault of ours or damage to the database brings about.
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        gl_export.BatchAltered,
        gl_export.BatchUnbalanced,
        gl_export.EvidenceDiffers,
        ledger.AmountNameMissing,
        ledger.AmountNameUnknown,
        ledger.BalanceSheetUnequal,
        ledger.EntryIncomplete,
        ledger.IsolationLevelRefused,
        ledger.NarrationWordMissing,
        ledger.SealBroken,
        ledger.TemplateAmountNegative,
        ledger.TemplateInvalid,
        ledger.TemplateRowUnresolved,
        ledger.TrialBalanceUnequal,
    ),
    # Nothing is wrong with the request; an operator must act.
    HTTPStatus.SERVICE_UNAVAILABLE: (
        api.BindingRefused,
        api.BookMissing,
        api.DatabaseNotMigrated,
        api.DatabaseRoleRefused,
        api.DatabaseTrouble,
        api.DatabaseUnreachable,
        api.DigestsForeign,
        api.FileUnusable,
        api.GuardsDiffer,
        api.NoBooksHere,
        api.PortUnusable,
        api.ServerNotEmbedded,
        api.SettingInvalid,
        embedded.ServerAccountMissing,
        embedded.ServerBinariesMissing,
        embedded.ServerBinariesUnusable,
        embedded.ServerDirectoryForeign,
        embedded.ServerInitializationFailed,
        embedded.ServerNotDurable,
        embedded.ServerSlow,
        embedded.ServerStartFailed,
        gl_export.DeliveryRefused,
        ledger.DigestNotDelivered,
        ledger.SigningKeyInvalid,
    ),
}

FAILED_CHECKS: frozenset[type[DomainError]] = frozenset(
    {
        api.DigestsForeign,
        api.GuardsDiffer,
        gl_export.CloseGateRefused,
        gl_export.RollForwardBroken,
        gl_export.TieOutBroken,
    }
)
"""What the command line calls a failed check besides damage: the books are not ready for what was asked."""

STATUS_OF: Mapping[type[DomainError], HTTPStatus] = MappingProxyType(
    {cls: status for status, classes in ERRORS_BY_STATUS.items() for cls in classes}
)
