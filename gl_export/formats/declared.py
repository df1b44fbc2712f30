"""The formats there are, as a table: a name, the ending of its files, for whom, and what renders it.

A new receiver is a new row here, over a layout of `receivers.py` or a file beside this one. The first ones need nothing
but the batch, and are what is written where nobody chooses. Next: `gl_export/formats/generic_csv.py`, the simplest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gl_export.batch import GLBatch
from gl_export.errors import FormatUnknown, ReceiversInvalid
from gl_export.formats import beancount, fbdi, generic_csv, hledger, iif, json_lines, receivers
from gl_export.formats.layout import Layout, Setting, Settings

Receivers = Mapping[str, Settings]
"""What a lender says of receivers, by the name of the format."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a batch down, in one file or in several that each hold whole journals."""

    name: str
    ending: str
    purpose: str
    parts: Callable[[GLBatch, Settings], Sequence[bytes]]
    settings: tuple[Setting, ...] = ()

    def files(self, batch: GLBatch, receivers: Receivers | None = None) -> tuple[tuple[str, bytes], ...]:
        """Return the files of a batch with their names.

        Raises: ReceiversInvalid; FormatRefused.
        """
        parts = self.parts(batch, self.told(receivers))
        if len(parts) == 1:
            return ((f"{batch.batch_id}.{self.ending}", parts[0]),)
        return tuple((f"{batch.batch_id}-{no:03d}.{self.ending}", part) for no, part in enumerate(parts, start=1))

    def told(self, receivers: Receivers | None) -> Settings:
        """Return all settings of the receiver, as the lender says or by default.

        Raises: ReceiversInvalid for one that is wanted, or that there is not.
        """
        given = (receivers or {}).get(self.name, {})
        names = [setting.name for setting in self.settings]
        for name in sorted(set(given) - set(names)):
            raise ReceiversInvalid(place=f"{self.name}.{name}", reason=f"it has {', '.join(names) or 'no settings'}")
        for setting in self.settings:
            if setting.default is None and not given.get(setting.name):
                raise ReceiversInvalid(place=f"{self.name}.{setting.name}", reason=f"it is wanted: {setting.about}")
        return {setting.name: given.get(setting.name) or setting.default or "" for setting in self.settings}


def _whole(render: Callable[[GLBatch], bytes]) -> Callable[[GLBatch, Settings], Sequence[bytes]]:
    return lambda batch, _settings: (render(batch),)


def _laid_out(layout: Layout, ending: str, purpose: str) -> Format:
    return Format(layout.name, ending, purpose, layout.parts, layout.settings)


DEFAULT = (
    Format("csv", "csv", "any general ledger that imports a spreadsheet", _whole(generic_csv.render)),
    Format("jsonl", "jsonl", "programs", _whole(json_lines.render)),
    Format("beancount", "beancount", "an independent check by beancount", _whole(beancount.render)),
    Format("hledger", "journal", "an independent check by hledger or ledger", _whole(hledger.render)),
)
FORMATS = (
    *DEFAULT,
    Format("quickbooks_desktop", "iif", "QuickBooks Desktop, as IIF", iif.parts),
    _laid_out(receivers.QUICKBOOKS_ONLINE, "qbo.csv", "QuickBooks Online"),
    _laid_out(receivers.NETSUITE, "netsuite.csv", "NetSuite"),
    _laid_out(receivers.XERO, "xero.csv", "Xero, as manual journals"),
    _laid_out(receivers.SAGE_INTACCT, "intacct.csv", "Sage Intacct"),
    Format(
        "oracle_fusion",
        "fbdi.zip",
        "Oracle Fusion, by its file-based import",
        fbdi.parts,
        receivers.ORACLE_FUSION.settings,
    ),
    _laid_out(receivers.SAP, "sap.csv", "SAP S/4HANA, for its upload of journal entries"),
)


def format_named(name: str) -> Format:
    """Return a format by its name.

    Raises: FormatUnknown.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise FormatUnknown(name=name, known=tuple(each.name for each in FORMATS))


def read_receivers(text: str) -> Receivers:
    """Read what a TOML file says of receivers: a table for each format, with texts.

    Raises: ReceiversInvalid; FormatUnknown.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        raise ReceiversInvalid(place="the file", reason=f"it is no TOML: {mistake}") from None
    for name, table in tables.items():
        format_named(name)
        if not isinstance(table, dict):
            raise ReceiversInvalid(place=name, reason="it is no table")
        for key, value in table.items():
            if not isinstance(value, str) or not value.isprintable():
                raise ReceiversInvalid(place=f"{name}.{key}", reason="it is no printable text in quotes")
    return tables
