"""The currencies of ISO 4217 and how many decimals each has.

A table and one function on plain integers, so that the errors can print amounts without knowing `Money`.
Never: arithmetic on amounts. Metals, bond units and test codes are left out: they have no minor unit.
Next: `ledger/money.py`, the value that the rest of the code passes around.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# ISO 4217 list one, as published on 2026-01-01: decimals -> codes.
_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
        CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
        HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
        MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
        RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
        USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
)


def amount_text(minor: int, currency: str, *, grouping: bool = False) -> str:
    """Write minor units as a decimal of the currency's own length: 150 of USD is `1.50`, of JPY `150`.

    With `grouping`, thousands are parted by commas. An unknown currency is written without decimals.
    """
    exponent = EXPONENTS.get(currency, 0)
    sign = "-" if minor < 0 else ""
    whole, fraction = divmod(abs(minor), 10**exponent)
    whole_text = f"{whole:,}" if grouping else str(whole)
    return f"{sign}{whole_text}.{fraction:0{exponent}}" if exponent else f"{sign}{whole_text}"
