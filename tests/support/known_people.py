"""Applicants whom a source knows: lines of JSON that it looks people up in, its declarations, and what they apply for.

Where a test is about what comes after the answers, a file answers; the bureau on loopback is for outages.
Next: `tests/integration/origination/test_whole_way.py`, `tests.support.how_to_pages.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from api.bureau.sources import FACTS
from tests.support.applications import whole

GOOD: dict[str, Any] = {
    "match": {"name": True, "date_of_birth": True},
    "deceased": False,
    "watchlist": False,
    "report": {
        "score": 760,
        "trade_lines": 12,
        "oldest_line_months": 150,
        "utilization": "0.12",
        "monthly_debts": "300.00",
        "revolving_balance": "900.00",
        "delinquencies_24_months": 0,
        "inquiries_6_months": 1,
        "public_records": 0,
        "bankruptcy": False,
    },
    "employment": {"status": "employed", "months": 60},
    "income": {"monthly": "7000.00", "annual": "84000.00"},
    "score": 100,
}
"""What a source says of somebody to whom the shipped policy `personal` lends."""

SSNS = {"ann": "912-70-0001", "ben": "912-70-0002", "cara": "912-70-0003"}
"""Ann is approved of, Ben is referred for a public record, Cara is declined for a bankruptcy."""

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": GOOD,
    "ben": {**GOOD, "report": {**GOOD["report"], "public_records": 1}},
    "cara": {**GOOD, "report": {**GOOD["report"], "bankruptcy": True}},
}


def write_sources(folder: Path) -> Path:
    """Write what the sources know and their declarations into a folder; return the file of these."""
    known = folder / "people.jsonl"
    lines = (json.dumps({"ssn": SSNS[name], **said}) for name, said in PEOPLE.items())
    known.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    declared = folder / "sources.toml"
    kinds = ("identity", "credit_report", "income", "fraud")
    declared.write_text("\n".join(_source(kind, known) for kind in kinds), encoding="utf-8")
    return declared


def asked_by(name: str, **changes: Any) -> dict[str, Any]:
    """Return what somebody applies with."""
    return whole(**{"applicant__ssn": SSNS[name], "applicant__last_name": name.title(), **changes})


def _source(kind: str, known: Path) -> str:
    facts = "\n".join(f'{name} = {{path = "{path}", type = "{what}"}}' for name, (path, what) in FACTS[kind].items())
    return f"""[[source]]
name = "file-{kind.replace("_", "-")}"
kind = "{kind}"
type = "file"
path = "{known}"
key = {{ssn = "{{applicant.ssn}}"}}

[source.facts]
{facts}
"""
