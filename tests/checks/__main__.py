"""Run the checks that are neither tests nor another tool's work: `python -m tests.checks`.

A check is a module of this folder with one function, `findings(database) -> list[str]`: a line for each thing
that is wrong, none if nothing is. All of them share one fresh, migrated database.
"""

from __future__ import annotations

import importlib
import sys

from tests.support.database import Database, create_template, fresh_database
from tests.support.servers import scratch_server

# What it proves, and the module that does it.
CHECKS = (
    ("the declared tables are what the migrations make", "tests.checks.migration_drift"),
    ("the schema can be spread over several machines", "tests.checks.shardable"),
    ("the generated reference pages are up to date", "tests.checks.generated_docs"),
)


def main() -> int:
    """Print each check with what it found; return 1 if any found something."""
    with scratch_server(durable=False) as server:
        url = server.url_for("postgres")
        create_template(url)
        with fresh_database(url) as database:
            found = [run(claim, module, database) for claim, module in CHECKS]
    return int(any(found))


def run(claim: str, module: str, database: Database) -> list[str]:
    """Run one check and print its result."""
    findings: list[str] = importlib.import_module(module).findings(database)
    print(f"{'BROKEN' if findings else 'kept  '}  {claim}")
    for finding in findings:
        print(f"        {finding}", file=sys.stderr)
    return findings


if __name__ == "__main__":
    raise SystemExit(main())
