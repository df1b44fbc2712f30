"""Records 7: what is added to an entry. The kind stands in its positions 2-3 and, of returns, in the reason.

05 is free text; 99 a return, a dishonored return or a contested one; 98 a notification of change, or its refusal.
Each kind has a file of its own beside this one. Next: `servicing/nacha/reason_codes.py`, which tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from servicing.nacha.addenda_05 import NOTE, Note
from servicing.nacha.addenda_98 import CHANGE, Change
from servicing.nacha.addenda_98_refused import REFUSED_CHANGE, RefusedChange
from servicing.nacha.addenda_99 import RETURNED, Returned
from servicing.nacha.addenda_99_contested import CONTESTED, Contested
from servicing.nacha.addenda_99_dishonored import DISHONORED, Dishonored
from servicing.nacha.errors import AchCodeUnknown
from servicing.nacha.fields import Layout
from servicing.nacha.reason_codes import CHANGE_CODES, RETURN_CODES, Stage

Addendum = Note | Returned | Dishonored | Contested | Change | RefusedChange

LAYOUTS: Mapping[type, Layout] = MappingProxyType(
    {
        Note: NOTE,
        Returned: RETURNED,
        Dishonored: DISHONORED,
        Contested: CONTESTED,
        Change: CHANGE,
        RefusedChange: REFUSED_CHANGE,
    }
)
BY_STAGE: Mapping[Stage, type] = MappingProxyType(
    {Stage.RETURN: Returned, Stage.DISHONORED: Dishonored, Stage.CONTESTED: Contested}
)


def read_addendum(text: str, line: int) -> Addendum:
    """Return the addenda record of a line.

    Raises: AchCodeUnknown; AchFieldInvalid.
    """
    kind = _kind_of(text, line)
    found: Addendum = kind(**LAYOUTS[kind].read(text, line))
    return found


def write_addendum(addendum: Addendum, line: int) -> str:
    """Return the line of an addenda record.

    Raises: AchCodeUnknown for a reason of another stage; AchFieldInvalid.
    """
    written = LAYOUTS[type(addendum)].write(addendum, line)
    if _kind_of(written, line) is not type(addendum):
        raise AchCodeUnknown(line=line, kind=f"reason of {LAYOUTS[type(addendum)].title}", value=written[3:6])
    return written


def _kind_of(text: str, line: int) -> type:
    type_code, reason = text[1:3], text[3:6]
    if type_code == "05":
        return Note
    if type_code == "98":
        if reason not in CHANGE_CODES:
            raise AchCodeUnknown(line=line, kind="change code", value=reason)
        return RefusedChange if CHANGE_CODES[reason].refuses else Change
    if type_code == "99":
        if reason not in RETURN_CODES:
            raise AchCodeUnknown(line=line, kind="return reason code", value=reason)
        return BY_STAGE[RETURN_CODES[reason].stage]
    raise AchCodeUnknown(line=line, kind="addenda type code", value=type_code)
