"""`loanbook scenario`: a loan's life on one page, run through the real commands and then undone.

Next: `servicing/scenario.py` for the format; `servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.options import reads_installation
from api.cli.output import Column, print_json, print_line, print_table, shown
from api.cli.session import Session

COLUMNS = (
    Column("place", "Where"),
    Column("expected", "Expected", right=True),
    Column("got", "Got", right=True),
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@reads_installation
def scenario(session: Session, files: tuple[Path, ...]) -> int:
    """Run scenarios (YAML) and compare what happens with what they expect; exit code 1 if anything differs.

    Each runs on the real database in a transaction that is rolled back. With --json it prints what happened:
    the schedule, each event with its allocation and entries, the balances at the end.

    \b
    loanbook scenario tests/scenarios/*.yaml
    loanbook scenario loan.yaml --json
    """
    parsed = [each for file in files for each in _scenarios(file)]
    results = [_run(session, each) for each in parsed]
    if session.as_json:
        print_json(results)
    else:
        for result in results:
            _print(result)
    return 0 if all(result["ok"] for result in results) else 1


def _scenarios(file: Path) -> tuple[Any, ...]:
    """Return the scenarios of a file.

    Raises: FileUnusable, also for a file that holds none; what `parse_scenarios` raises.
    """
    from api.cli.files import read_text
    from api.errors import FileUnusable
    from servicing.scenario import parse_scenarios

    found = parse_scenarios(read_text(file), file.name)
    if not found:
        raise FileUnusable(path=str(file), reason="there is no scenario in it")
    return found


def _run(session: Session, parsed: Any) -> dict[str, Any]:
    """Run one scenario; on an embedded database that is not there yet, make it first."""
    from api.database import Role
    from api.errors import DatabaseNotMigrated, NoBooksHere
    from api.migrate import migrate
    from servicing.commands.scenario_runner import run_scenario

    def attempt() -> dict[str, Any]:
        edge = session.edge
        with edge.named_trouble():
            return run_scenario(edge.engine, parsed)

    try:
        return attempt()
    except (NoBooksHere, DatabaseNotMigrated):
        if session.settings.database_url is not None:
            raise
        migrate(session.edge_as(Role.ADMIN, create=True))
        return attempt()


def _print(result: dict[str, Any]) -> None:
    rows = [
        {"place": each["place"], "expected": shown(each["expected"]), "got": shown(each["got"])}
        for each in result["differences"]
    ]
    if not rows:
        print_line(f"as expected: {result['scenario']}")
        return
    print_table(COLUMNS, rows, title=f"DIFFERS: {result['scenario']}")
