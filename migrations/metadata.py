"""What the packages declare, for the migrations and the check that both agree.

Next: `migrations/env.py`.
"""

from __future__ import annotations

import importlib
from typing import Any

import sqlalchemy as sa

PACKAGES = ("ledger", "servicing", "origination", "gl_export", "api")
SCHEMAS = frozenset(PACKAGES)
MORE_TABLES = (
    "servicing.rail_tables",
    "servicing.collection_tables",
    "origination.intake_tables",
    "origination.verification_tables",
    "origination.workflow_tables",
    "origination.policy_tables",
    "origination.funding_tables",
    "gl_export.gl_statement_tables",
    "gl_export.bank_tables",
)
"""Modules that declare further tables on the metadata of their package."""


def metadata_of_every_package() -> list[sa.MetaData]:
    """Return the declared tables of each package that has some."""
    for more in MORE_TABLES:
        importlib.import_module(more)
    found = []
    for package in PACKAGES:
        try:
            module = importlib.import_module(f"{package}.tables")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.tables":
                raise
            continue
        found.append(module.metadata)
    return found


def ours_only(name: str | None, kind: str, _parents: Any) -> bool:
    """Keep alembic's comparison to the schemas of this house."""
    return kind != "schema" or name in SCHEMAS
