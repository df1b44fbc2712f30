"""The books' checks of themselves as both doors show them.

Next: `gl_export/queries/self_checks.py`; `api/cli/check.py`, `api/routes/self_checks.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from api.views import Json
from gl_export.queries.self_checks import Asked, SelfCheck


def checks_json(asked: Asked, made: Sequence[SelfCheck]) -> Json:
    """Return what was checked and what does not hold."""
    return {
        "book": asked.book_code,
        "as_of": asked.as_of.isoformat(),
        "holds": all(each.holds for each in made),
        "checks": [
            {
                "check": each.name,
                "holds": each.holds,
                "about": each.about,
                "looked_at": each.looked_at,
                "findings": list(each.findings),
            }
            for each in made
        ],
    }
