"""`loanbook document`: the documents of an application, made from what is kept.

Next: `origination/document_commands.py`; `docs/how-to/funding.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import changes, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

DOCUMENT_COLUMNS = (
    Column("kind", "Document"),
    Column("version", "Version", right=True),
    Column("format", "Format"),
    Column("made_on", "Made on"),
    Column("sha256", "SHA-256"),
)


@click.group()
def document() -> None:
    """Make the documents of an application, and take them out.

    \b
    loanbook document make 7 tila-disclosure --lender "First Lender"
    loanbook document list 7
    loanbook document save 7 tila-disclosure --to disclosure.pdf
    """


FORM = click.option("--format", "form", type=click.Choice(["html", "pdf"]), default="pdf", show_default=True)


@document.command("make")
@click.argument("application_id", type=int)
@click.argument("kind")
@FORM
@click.option("--lender", required=True, help="In whose name.")
@click.option("--reason", "reasons", multiple=True, help="A principal reason of adverse action; up to four.")
@click.option("--agency", default="", help="The agency that a notice of adverse action names.")
@changes
def make_one(
    session: Session,
    application_id: int,
    kind: str,
    form: str,
    lender: str,
    reasons: tuple[str, ...],
    agency: str,
) -> None:
    """Make promissory-note, tila-disclosure, approval-letter, adverse-action or funding-checklist.

    \b
    loanbook document make 7 promissory-note --lender "First Lender"
    """
    from api.funding import document_json
    from origination.document_commands import make_document

    def work(uow: UnitOfWork) -> dict[str, Any]:
        made = make_document(
            uow,
            session.book_code,
            application_id,
            kind,
            form=form,
            lender=lender,
            reasons=reasons,
            agency=agency,
        )
        return document_json(made)

    done = session.change(work)
    session.show(done, lambda: print_table(DOCUMENT_COLUMNS, [done]))


@document.command("list")
@click.argument("application_id", type=int)
@reads
def list_documents(session: Session, application_id: int) -> None:
    """Show which documents there are.

    \b
    loanbook document list 7
    """
    from api.funding import document_json
    from origination.document_commands import documents

    rows = [document_json(each) for each in session.read(lambda connection: documents(connection, application_id))]
    session.show({"documents": rows}, lambda: print_table(DOCUMENT_COLUMNS, rows))


@document.command("save")
@click.argument("application_id", type=int)
@click.argument("kind")
@FORM
@click.option("--version", type=int, default=1, show_default=True)
@click.option("--to", "to", type=click.Path(path_type=Path), required=True, help="The file that it is written to.")
@reads
def save(session: Session, application_id: int, kind: str, form: str, version: int, to: Path) -> None:
    """Write a document to a file, byte for byte.

    \b
    loanbook document save 7 tila-disclosure --to disclosure.pdf
    """
    from api.errors import FileUnusable
    from api.funding import document_json
    from origination.document_commands import document as one_document

    found = session.read(lambda connection: one_document(connection, application_id, kind, version, form))
    try:
        to.write_bytes(found.content or b"")
    except OSError as mistake:
        raise FileUnusable(path=str(to), reason=str(mistake.strerror)) from None
    session.show(document_json(found), lambda: print_line(f"{to}: SHA-256 {found.sha256}"))
