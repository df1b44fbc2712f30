"""The kinds of values that an application holds: how each is read, bounded, written in a file, and masked.

Values are JSON: amounts are whole minor units, days `YYYY-MM-DD`, yes and no booleans. What is refused is never
repeated in a message. Never: which product asks for what (`origination/intake/form.py`).
Next: `origination/intake/catalogue.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from ledger.domain_error import DomainError
from ledger.money import MAX_MINOR, Money
from servicing.rails.accounts import check_routing

STATES: tuple[str, ...] = tuple(
    f"{first}{second}"
    for first, seconds in (
        ("A", "KLRSZ"),
        ("C", "AOT"),
        ("D", "CE"),
        ("F", "L"),
        ("G", "AU"),
        ("H", "I"),
        ("I", "ADLN"),
        ("K", "SY"),
        ("L", "A"),
        ("M", "ADEINOPST"),
        ("N", "CDEHJMVY"),
        ("O", "HKR"),
        ("P", "AR"),
        ("R", "I"),
        ("S", "CD"),
        ("T", "NX"),
        ("U", "T"),
        ("V", "AIT"),
        ("W", "AIVY"),
    )
    for second in seconds
)
"""Two letters of the states, the district and the territories. Source: USPS Publication 28, appendix B."""

ITIN_GROUPS = (range(50, 66), range(70, 89), range(90, 93), range(94, 100))
"""The fourth and fifth digits of an individual taxpayer number, which begins with 9. Source: IRM 3.21.263.1.3."""

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", re.ASCII)
_PHONE = re.compile(r"\+?1?[2-9][0-9]{2}[2-9][0-9]{6}", re.ASCII)
_IP = re.compile(r"[0-9a-fA-F:.]{2,45}", re.ASCII)


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("it is no day written as YYYY-MM-DD") from None


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("it is no moment written as YYYY-MM-DDThh:mm:ssZ") from None
    if found.tzinfo is None:
        raise ValueError("it has no time zone")
    return found


def taxpayer_number(text: str) -> str:
    """Return nine digits of a social security or an individual taxpayer number, without dashes.

    Areas 000 and 666, groups 00 and serials 0000 are not given out; what begins with 9 is an ITIN.
    Source: SSA, POMS RM 10201.035.

    Raises: ValueError.
    """
    bare = text.replace("-", "").replace(" ", "")
    if not re.fullmatch(r"[0-9]{9}", bare, re.ASCII):
        raise ValueError("it is no number of nine digits")
    area, group, serial = bare[:3], bare[3:5], bare[5:]
    if area.startswith("9"):
        if not any(int(group) in each for each in ITIN_GROUPS):
            raise ValueError("it begins with 9, but is no individual taxpayer number")
    elif area in ("000", "666") or group == "00" or serial == "0000":
        raise ValueError("no such number is given out")
    return bare


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("it is no e-mail address")
    return text


def _phone(text: str) -> str:
    bare = re.sub(r"[\s().-]", "", text)
    if not _PHONE.fullmatch(bare):
        raise ValueError("it is no telephone number of ten digits")
    return bare[-10:]


def _state(text: str) -> str:
    if text not in STATES:
        raise ValueError("it is none of the two letters of a state")
    return text


def _routing(text: str) -> str:
    try:
        return check_routing(text)
    except DomainError:
        raise ValueError("it is no routing number") from None


def _account(text: str) -> str:
    bare = text.replace(" ", "").replace("-", "")
    if not re.fullmatch(r"[0-9A-Za-z]{4,17}", bare, re.ASCII):
        raise ValueError("it is no account number of 4 to 17 letters and digits")
    return bare


def _ip(text: str) -> str:
    if not _IP.fullmatch(text):
        raise ValueError("it is no address of the internet")
    return text


_LINE = r"^[^\x00-\x1f\x7f]+$"
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_LINE)]


def last_four(text: str) -> str:
    """Return what may be shown of a number: its last four characters, never more than half of it."""
    return f"****{text[-min(4, len(text) // 2) :]}"


def _initial(text: str) -> str:
    return f"{text[:1]}***"


def _mail(text: str) -> str:
    name, _, domain = text.partition("@")
    return f"{name[:1]}***@{domain}"


def _nothing(_text: str) -> str:
    return "***"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its type, how it is masked where it is personal, and how its JSON schema is described."""

    type: Any
    mask: Callable[[str], str] = _nothing
    of_text: Callable[[str, str], Any] = lambda text, _currency: text
    bounds: frozenset[str] = frozenset()
    schema: Mapping[str, Any] = field(default_factory=dict)


def _whole(text: str, _currency: str) -> Any:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else text


def _minor(text: str, currency: str) -> Any:
    try:
        return Money.parse(text, currency).minor
    except DomainError:
        return text


def _flag(text: str, _currency: str) -> Any:
    return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)


KINDS: Mapping[str, Kind] = {
    "text": Kind(Line, bounds=frozenset({"choices", "max_length"})),
    "name": Kind(Line, _initial),
    "whole": Kind(
        Annotated[int, Field(ge=-(2**53), le=2**53)], of_text=_whole, bounds=frozenset({"min", "max", "choices"})
    ),
    "amount": Kind(Annotated[int, Field(ge=0, le=MAX_MINOR)], of_text=_minor, bounds=frozenset({"min", "max"})),
    "flag": Kind(bool, of_text=_flag),
    "day": Kind(
        Annotated[date, BeforeValidator(_day)], lambda _text: "****-**-**", bounds=frozenset({"min_age", "max_age"})
    ),
    "moment": Kind(Annotated[datetime, BeforeValidator(_moment)]),
    "taxpayer_number": Kind(
        Annotated[Line, AfterValidator(taxpayer_number)],
        last_four,
        schema={"pattern": "^ *[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4} *$"},
    ),
    "email": Kind(Annotated[Line, AfterValidator(_email)], _mail, schema={"format": "email"}),
    "phone": Kind(Annotated[Line, AfterValidator(_phone)], last_four),
    "state": Kind(
        Annotated[Line, AfterValidator(_state)], bounds=frozenset({"choices"}), schema={"pattern": "^ *[A-Z]{2} *$"}
    ),
    "zip": Kind(Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(-[0-9]{4})?$")], _nothing),
    "routing": Kind(Annotated[Line, AfterValidator(_routing)]),
    "account_number": Kind(Annotated[Line, AfterValidator(_account)], last_four),
    "ip": Kind(Annotated[Line, AfterValidator(_ip)]),
    "digest": Kind(Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]),
}
"""Every kind by its name; `bounds` are the bounds that a product may put on it."""
