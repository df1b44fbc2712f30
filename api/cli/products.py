"""`loanbook product`: the rules that loans share, loaded from TOML, release after release.

Next: `servicing/commands/products.py`; `servicing/product.py` for the keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from api.cli.options import changes_installation, reads_installation
from api.cli.output import Column, print_line, print_table, shown
from api.cli.session import Session

LIST = (
    Column("name", "Product"),
    Column("release", "Release", right=True),
    Column("actor", "Loaded by"),
    Column("recorded_at", "At"),
    Column("content_hash", "Content hash"),
)
RULES = (Column("rule", "Rule"), Column("value", "Value"))


@click.group()
def product() -> None:
    """Load products and look at them; a loan keeps the rules that it was boarded with.

    \b
    loanbook product load personal.toml
    loanbook product list
    loanbook product show installment
    """


@product.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@changes_installation
def load(session: Session, file: Path) -> None:
    """Let new loans have the rules of a TOML file; the same rules again change nothing.

    \b
    loanbook product load personal.toml
    loanbook product load personal.toml --dry-run
    """
    from api.cli.files import read_text
    from api.products import loaded_json
    from servicing.commands.products import load_product
    from servicing.product import read_product

    found = read_product(read_text(file))
    loaded = session.change(lambda uow: load_product(uow, found))
    what = "is loaded" if loaded.is_new else "was loaded before: nothing changed"
    session.show(loaded_json(loaded), lambda: print_line(f"Product {loaded.name}, release {loaded.release}, {what}."))


@product.command("list")
@reads_installation
def list_products(session: Session) -> None:
    """List every product with its latest release; those without one are shipped, and nobody loaded them.

    \b
    loanbook product list --json
    """
    from api.products import products_json

    rows = session.read(products_json)
    cut = [{**row, "content_hash": row["content_hash"][:12], "release": row["release"] or "shipped"} for row in rows]
    session.show({"products": rows}, lambda: print_table(LIST, cut))


@product.command("show")
@click.argument("name")
@reads_installation
def show(session: Session, name: str) -> None:
    """Show the rules that new loans of a product get, and the releases before.

    \b
    loanbook product show installment
    """
    from api.products import product_json

    document = session.read(lambda connection: product_json(connection, name))
    release = "shipped" if document["release"] is None else f"release {document['release']}"
    title = f"{name}, {release}"
    session.show(document, lambda: print_table(RULES, list(_rows(document["rules"])), title=title))


def _rows(rules: dict[str, Any], before: str = "") -> Iterator[dict[str, str]]:
    for name, value in rules.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{before}{name}.")
        elif value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list) else shown(value)
            yield {"rule": f"{before}{name}", "value": text}
