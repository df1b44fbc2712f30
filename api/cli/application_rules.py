"""`loanbook application form` and `routing`: what applicants are asked, and where their applications go.

Next: `origination/intake/form.py`, `origination/intake/routing.py`; `docs/spec/intake.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from api.cli.default_group import DefaultGroup
from api.cli.options import changes, reads, reads_installation
from api.cli.output import Column, print_line, print_table, shown
from api.cli.session import Session

FORMS = (
    Column("product", "Product"),
    Column("title", "Title"),
    Column("release", "Release", right=True),
    Column("fields", "Fields", right=True),
    Column("verify", "Verified"),
)
ROUTES = (
    Column("row", "Row", right=True),
    Column("takes", "Takes", long=True),
    Column("workflow", "Workflow"),
    Column("queue", "Queue"),
)


@click.group("form", cls=DefaultGroup, default="list", bare=True)
def form() -> None:
    """Load what products ask of their applicants, and list the products that do.

    \b
    loanbook application form load personal.toml
    loanbook application form list
    """


@form.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def load_form(session: Session, file: Path) -> None:
    """Let a product's applications be taken by a form from the next save on; the same one changes nothing.

    \b
    loanbook application form load personal.toml --dry-run
    """
    from api.applications import release_json
    from api.cli.files import read_text
    from origination.intake.form import read_form
    from origination.intake_commands import load_form as load

    found = read_form(read_text(file))
    release, is_new = session.change(lambda uow: load(uow, found))
    _show_release(session, release_json(found.name, release, is_new=is_new), "Form")


@form.command("list")
@reads_installation
def list_forms(session: Session) -> None:
    """List the products that take applications; release 0 is a shipped form that was never used.

    \b
    loanbook application form list
    """
    from api.applications import forms_json

    found = session.read(forms_json)
    rows = [{**each, "verify": ", ".join(each["verify"])} for each in found]
    session.show({"forms": found}, lambda: print_table(FORMS, rows))


@click.group("routing", cls=DefaultGroup, default="show", bare=True)
def routing() -> None:
    """Load the table that says where applications go, and show it.

    \b
    loanbook application routing load routing.toml
    loanbook application routing show
    """


@routing.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def load_routing(session: Session, file: Path) -> None:
    """Let applications of the book go by a table; rows that are never reached are named, and refuse it.

    \b
    loanbook application routing load routing.toml --dry-run
    """
    from api.applications import release_json
    from api.cli.files import read_text
    from origination.intake.routing import read_routing
    from origination.intake_commands import load_routing as load

    found, code = read_routing(read_text(file)), session.book_code
    release, is_new = session.change(lambda uow: load(uow, code, found))
    _show_release(session, release_json("routing", release, is_new=is_new), "Table")


@routing.command("show")
@reads
def show_routing(session: Session) -> None:
    """Show the table of the book, row by row; the first that takes an application counts.

    \b
    loanbook application routing show
    """
    from origination.intake_queries import routing as find

    code = session.book_code
    table, release = session.read(lambda connection: find(connection, code))
    rows = [
        {
            "row": number,
            "takes": ", ".join(f"{name} {shown_value(value)}" for name, value in _conditions(row)) or "everything",
            "workflow": row.get("workflow", ""),
            "queue": row["queue"],
        }
        for number, row in enumerate(table.as_json()["route"], start=1)
    ]
    session.show({"release": release, **table.as_json()}, lambda: print_table(ROUTES, rows, title=f"Release {release}"))


def shown_value(value: Any) -> str:
    """Return a condition's value in words."""
    return " or ".join(map(str, value)) if isinstance(value, list) else shown(value)


def _conditions(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name.replace("_", " "), value) for name, value in row.items() if name not in ("workflow", "queue")]


def _show_release(session: Session, done: Mapping[str, Any], what: str) -> None:
    how = "is loaded" if done["is_new"] else "was loaded before: nothing changed"
    session.show(done, lambda: print_line(f"{what} {done['name']}, release {done['release']}, {how}."))
