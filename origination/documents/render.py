"""Documents as HTML: templates filled with what a contract or a decision says, everything escaped.

A template that names what is not given is refused, so nothing is left blank unseen. Never: a clock, so the same facts
give the same bytes. Next: `origination/documents/pdf.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

KINDS: Mapping[str, str] = {
    "promissory-note": "Promissory note",
    "tila-disclosure": "Truth in Lending disclosure",
    "approval-letter": "Letter of approval",
    "adverse-action": "Notice of adverse action",
    "funding-checklist": "Funding checklist",
}
"""The kinds of documents, by the name of their template."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("origination.documents", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["grouped"] = grouped
    environment.filters["percent"] = percent
    return environment


def html_of(kind: str, facts: Mapping[str, Any]) -> str:
    """Return a document as HTML. `facts` is what its template names."""
    return _environment().get_template(f"{kind}.html").render(title=KINDS[kind], **facts)


def grouped(amount: str) -> str:
    """Return an amount with commas between thousands."""
    whole, point, rest = amount.partition(".")
    return f"{int(whole):,}{point}{rest}"


def percent(rate: str) -> str:
    """Return a rate to two places, cut off no further than it has been rounded."""
    whole, _, rest = rate.partition(".")
    return f"{whole}.{(rest + '00')[:2]}" if not rest[2:].strip("0") else f"{whole}.{rest.rstrip('0')}"
