"""Why entries come back and what is wrong with them: every R and C code with what it asks of the originator.

A return reason says whether the same debit may be sent again, whether the receiver must authorize anew, whether the
account is of no use any more, how long the receiver's bank may take, and in which return rates it counts.
Source: Nacha Operating Rules, appendix four and five, and subsection 2.17.2; `docs/spec/nacha.md`.
Next: `servicing/nacha/representment.py`, `return_rates.py` and `corrections.py`, which act by these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Who sends the code: the receiver's bank, the originator's in answer, or the receiver's in answer to that."""

    RETURN = "return"
    DISHONORED = "dishonored return"
    CONTESTED = "contested dishonored return"


class Group(StrEnum):
    """The return rate that a code counts in, beside the overall one."""

    UNAUTHORIZED = "unauthorized"
    ADMINISTRATIVE = "administrative"


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One reason of a return and its policy.

    `represent`: the same debit may be sent again as it is. `authorize`: nothing more without a new authorization.
    `block`: the account cannot be used until its details or its standing change. `late`: the receiver's bank has 60
    days. `overall`: counted in the overall return rate. A code with none of these is sent again once its cause is
    corrected, as a new entry.
    """

    code: str
    name: str
    represent: bool = False
    authorize: bool = False
    block: bool = False
    late: bool = False
    group: Group | None = None
    overall: bool = True
    stage: Stage = Stage.RETURN

    @property
    def lacks_funds(self) -> bool:
        """Tell whether the debit failed for want of money. Source: 12 CFR 1041.8(b)(2)."""
        return self.represent

    @property
    def policy(self) -> str:
        """Return in a word what follows for the debit and its account."""
        if self.stage is not Stage.RETURN:
            return "review"
        if self.authorize:
            return "stop until authorized anew"
        if self.block:
            return "block the account"
        return "send again" if self.represent else "correct the cause"


@dataclass(frozen=True, slots=True)
class ChangeCode:
    """One code of a notification of change: what is corrected, or why a notification is refused."""

    code: str
    name: str
    refuses: bool = False


def _dishonored(code: str, name: str) -> ReturnCode:
    return ReturnCode(code, name, overall=False, stage=Stage.DISHONORED)


def _contested(code: str, name: str) -> ReturnCode:
    return ReturnCode(code, name, overall=False, stage=Stage.CONTESTED)


_UNAUTHORIZED, _ADMINISTRATIVE = Group.UNAUTHORIZED, Group.ADMINISTRATIVE

_RETURNS = (
    ReturnCode("R01", "Insufficient funds", represent=True),
    ReturnCode("R02", "Account closed", block=True, group=_ADMINISTRATIVE),
    ReturnCode("R03", "No account, or account not located", block=True, group=_ADMINISTRATIVE),
    ReturnCode("R04", "Invalid account number", block=True, group=_ADMINISTRATIVE),
    ReturnCode(
        "R05",
        "Unauthorized corporate debit to a consumer account",
        authorize=True,
        late=True,
        group=_UNAUTHORIZED,
    ),
    ReturnCode("R06", "Returned at the request of the originating bank"),
    ReturnCode("R07", "Authorization revoked", authorize=True, late=True, group=_UNAUTHORIZED),
    ReturnCode("R08", "Payment stopped", authorize=True),
    ReturnCode("R09", "Uncollected funds", represent=True),
    ReturnCode(
        "R10", "Originator not known, or not authorized to debit", authorize=True, late=True, group=_UNAUTHORIZED
    ),
    ReturnCode("R11", "Debit not in accordance with the authorization", late=True, group=_UNAUTHORIZED),
    ReturnCode("R12", "Branch sold to another institution", block=True),
    ReturnCode("R13", "Bank does not take part in the network", block=True),
    ReturnCode("R14", "Representative payee deceased or unable to continue", block=True),
    ReturnCode("R15", "Beneficiary or account holder deceased", block=True),
    ReturnCode("R16", "Account frozen, or returned by order of OFAC", block=True),
    ReturnCode("R17", "File record edit, or account number under questionable circumstances", block=True),
    ReturnCode("R18", "Improper effective entry date"),
    ReturnCode("R19", "Amount field error"),
    ReturnCode("R20", "Account takes no such entries", block=True),
    ReturnCode("R21", "Invalid company identification"),
    ReturnCode("R22", "Invalid individual identification"),
    ReturnCode("R23", "Credit refused by the receiver", block=True),
    ReturnCode("R24", "Duplicate entry"),
    ReturnCode("R25", "Addenda error"),
    ReturnCode("R26", "Mandatory field error"),
    ReturnCode("R27", "Trace number error"),
    ReturnCode("R28", "Check digit of the routing number wrong", block=True),
    ReturnCode("R29", "Corporate customer advises not authorized", authorize=True, group=_UNAUTHORIZED),
    ReturnCode("R30", "Bank not in the check truncation program"),
    ReturnCode("R31", "Return by agreement, corporate entries"),
    ReturnCode("R32", "Bank cannot settle", block=True),
    ReturnCode("R33", "Return of a destroyed check entry", late=True),
    ReturnCode("R34", "Bank's participation limited", block=True),
    ReturnCode("R35", "Improper debit entry"),
    ReturnCode("R36", "Improper credit entry"),
    ReturnCode("R37", "Source document presented for payment", late=True),
    ReturnCode("R38", "Payment stopped on the source document", authorize=True, late=True),
    ReturnCode("R39", "Improper source document, or presented for payment"),
    ReturnCode("R40", "Enrollment returned by a federal agency"),
    ReturnCode("R41", "Enrollment: invalid transaction code"),
    ReturnCode("R42", "Enrollment: routing number or check digit wrong"),
    ReturnCode("R43", "Enrollment: invalid account number"),
    ReturnCode("R44", "Enrollment: invalid individual identification"),
    ReturnCode("R45", "Enrollment: invalid name"),
    ReturnCode("R46", "Enrollment: invalid representative payee indicator"),
    ReturnCode("R47", "Enrollment: duplicate"),
    ReturnCode("R50", "Re-presented check: not accepted under state law", overall=False),
    ReturnCode(
        "R51",
        "Re-presented check: item ineligible, or entry improper",
        authorize=True,
        late=True,
        group=_UNAUTHORIZED,
        overall=False,
    ),
    ReturnCode("R52", "Re-presented check: payment stopped on the item", authorize=True, late=True, overall=False),
    ReturnCode("R53", "Re-presented check: item presented as well", late=True, overall=False),
    _dishonored("R61", "Misrouted return"),
    _dishonored("R62", "Return of an erroneous or reversing debit"),
    _dishonored("R67", "Duplicate return"),
    _dishonored("R68", "Untimely return"),
    _dishonored("R69", "Field errors"),
    _dishonored("R70", "Return by agreement not accepted, or not requested"),
    _contested("R71", "Misrouted dishonored return"),
    _contested("R72", "Untimely dishonored return"),
    _contested("R73", "Original return was timely"),
    _contested("R74", "Corrected return"),
    _contested("R75", "Return was no duplicate"),
    _contested("R76", "No errors found"),
    _contested("R77", "Dishonored return R62 not accepted"),
    ReturnCode("R80", "International: coding error"),
    ReturnCode("R81", "International: gateway does not take part"),
    ReturnCode("R82", "International: foreign bank not identified", block=True),
    ReturnCode("R83", "International: foreign bank cannot settle"),
    ReturnCode("R84", "International: not processed by the gateway"),
    ReturnCode("R85", "International payment coded as a domestic one"),
)
_CHANGES = (
    ChangeCode("C01", "Account number"),
    ChangeCode("C02", "Routing number"),
    ChangeCode("C03", "Routing number and account number"),
    ChangeCode("C04", "Name of the receiver"),
    ChangeCode("C05", "Transaction code"),
    ChangeCode("C06", "Account number and transaction code"),
    ChangeCode("C07", "Routing number, account number and transaction code"),
    ChangeCode("C08", "Foreign bank identification"),
    ChangeCode("C09", "Individual identification"),
    ChangeCode("C13", "Addenda format"),
    ChangeCode("C14", "Class for outbound international payments"),
    ChangeCode("C61", "Misrouted notification of change", refuses=True),
    ChangeCode("C62", "Incorrect trace number", refuses=True),
    ChangeCode("C63", "Incorrect company identification", refuses=True),
    ChangeCode("C64", "Incorrect individual identification", refuses=True),
    ChangeCode("C65", "Incorrectly formatted corrected data", refuses=True),
    ChangeCode("C66", "Incorrect discretionary data", refuses=True),
    ChangeCode("C67", "Routing number is not that of the entry", refuses=True),
    ChangeCode("C68", "Account number is not that of the entry", refuses=True),
    ChangeCode("C69", "Incorrect transaction code", refuses=True),
)
RETURN_CODES: Mapping[str, ReturnCode] = MappingProxyType({each.code: each for each in _RETURNS})
CHANGE_CODES: Mapping[str, ChangeCode] = MappingProxyType({each.code: each for each in _CHANGES})


def name_of(code: str) -> str:
    """Return the name of an R or C code that is known."""
    return RETURN_CODES[code].name if code in RETURN_CODES else CHANGE_CODES[code].name
