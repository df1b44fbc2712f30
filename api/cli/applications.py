"""`loanbook application`: applications saved, submitted, shown masked, erased, and loaded from a file.

Data come from a JSON file or standard input, never from the command line, where others could read them.
Next: `api/applications.py`; `api/cli/application_files.py`; `docs/how-to/applications.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.application_files import load_file
from api.cli.application_rules import form, routing
from api.cli.options import changes, reads, reads_as, reads_installation
from api.cli.output import Column, grouped, print_facts, print_line, print_table, shown
from api.cli.session import Session

if TYPE_CHECKING:
    from origination.intake.form import Form
    from servicing.vault import Vault

CHANNELS = ("web", "mobile", "point_of_sale", "agent", "partner", "file")
LIST = (
    Column("application_id", "Application", right=True),
    Column("external_id", "Id"),
    Column("product", "Product"),
    Column("channel", "Channel"),
    Column("state", "State"),
    Column("queue", "Queue"),
    Column("entered_on", "Entered"),
)
FIELDS = (Column("path", "Field"), Column("value", "Value", long=True))
WRONG = (Column("path", "Field"), Column("reason", "Reason", long=True))
ACCESSES = (
    Column("access_no", "No", right=True),
    Column("actor", "Who"),
    Column("role", "Role"),
    Column("reason", "Why", long=True),
    Column("recorded_at", "When"),
)


@click.group()
def application() -> None:
    """Take applications in: save them in parts, submit, show and erase them.

    Personal data are kept encrypted under LOANBOOK_BANK_ACCOUNT_KEYS, and shown masked.

    \b
    loanbook application schema personal
    loanbook application save ada.json --product personal --channel web
    loanbook application save more.json --application 51 --submit
    loanbook application show 51
    loanbook application load applications.csv --product personal --errors refused.csv
    """


application.add_command(load_file)
application.add_command(form)
application.add_command(routing)


@application.command("schema")
@click.argument("product")
@reads_installation
def schema(session: Session, product: str) -> None:
    """Print the JSON schema of applications for a product.

    \b
    loanbook application schema personal
    """
    from api.cli.output import print_json
    from origination.intake.models import json_schema
    from origination.intake_commands import form_in_force

    print_json(json_schema(session.read(lambda connection: form_in_force(connection, product))))


@application.command("save")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--application", "application_id", type=int, help="The application to go on with [default: a new one].")
@click.option("--product", help="What a new one is for.")
@click.option("--channel", type=click.Choice(CHANNELS), default="agent", show_default=True, help="How a new one came.")
@click.option("--id", "external_id", help="What other systems call a new one.")
@click.option("--on-version", type=int, help="Refuse if somebody else has saved since this version.")
@click.option("--submit", is_flag=True, help="Submit it at once.")
@changes
def save(
    session: Session,
    file: Path,
    application_id: int | None,
    product: str | None,
    channel: str,
    external_id: str | None,
    on_version: int | None,
    submit: bool,
) -> None:
    """Save an application, or more of one, from a JSON file of its sections; `-` is standard input.

    What is in the file is laid over what was saved before; null takes a field away. It may lack anything, but nothing
    may be wrong: every field that is wrong is named.

    \b
    loanbook application save ada.json --product personal --channel web --id W-1001
    loanbook application save - --application 51 --submit < more.json
    """
    from api import applications
    from origination.intake_commands import Opening

    data, keys, code = read_object(file), vault_of(session), session.book_code
    if application_id is None:
        if product is None:
            raise click.UsageError("a new application needs --product")
        opening = Opening(product=product, channel=channel, external_id=external_id)
        with _wrong_fields_listed(session):
            done = session.change(lambda uow: applications.take(uow, keys, code, opening, data, submit=submit))
    else:
        number = application_id
        with _wrong_fields_listed(session):
            done = session.change(
                lambda uow: applications.save(uow, keys, code, number, data, on_version=on_version, submit=submit)
            )
    _go_on(session, keys, done["submission"])
    session.show(done, lambda: _print_saved(done))


@application.command("submit")
@click.argument("application_id", type=int)
@changes
def submit(session: Session, application_id: int) -> None:
    """Submit an application as it was saved last: it is checked whole, looked up for repeats, and routed.

    \b
    loanbook application submit 51 --dry-run
    """
    from api import applications

    keys, code = vault_of(session), session.book_code
    with _wrong_fields_listed(session):
        done = session.change(lambda uow: applications.submit(uow, keys, code, application_id))
    _go_on(session, keys, done)
    session.show(done, lambda: print_line(_went(done)))


@application.command("withdraw")
@click.argument("application_id", type=int)
@click.option("--reason", required=True)
@changes
def withdraw(session: Session, application_id: int, reason: str) -> None:
    """Withdraw an application that was submitted.

    \b
    loanbook application withdraw 51 --reason "Found another lender"
    """
    from api import applications

    code = session.book_code
    done = session.change(lambda uow: applications.withdraw(uow, code, application_id, reason=reason))
    session.show(done, lambda: print_line(f"Application {application_id} is {done['state']}."))


@application.command("show")
@click.argument("application_id", type=int)
@click.option("--unmask", is_flag=True, help="Show personal data as they are, and write down who looked.")
@click.option("--role", help="In which role: underwriter, funder, fraud or privacy.")
@click.option("--reason", help="Why they are looked at.")
@reads_as
def show(session: Session, application_id: int, unmask: bool, role: str | None, reason: str | None) -> None:
    """Show an application: where it stands, its data, its consents, and who has seen it unmasked.

    \b
    loanbook application show 51
    loanbook application show 51 --unmask --role underwriter --reason "Call back about the employer"
    """
    from api.applications import application_json
    from origination.intake_commands import form_in_force
    from origination.intake_queries import intake_view
    from origination.personal_data import reveal

    code, data = session.book_code, None
    if unmask:
        if role is None or reason is None:
            raise click.UsageError("--unmask needs --role and --reason")
        in_role, why, own = role, reason, vault_of(session)
        data = session.change(lambda uow: reveal(uow, own, code, application_id, role=in_role, reason=why))
    keys = vault_or_none(session)
    view = session.read(lambda connection: intake_view(connection, code, application_id, vault=keys))
    form = session.read(lambda connection: form_in_force(connection, view.intake.product))
    document = application_json(view, data)
    session.show(document, lambda: _print(document, form, has_keys=keys is not None))


@application.command("list")
@click.option("--queue", help="Those of a queue.")
@click.option("--drafts/--submitted", default=None, help="Those that were not submitted yet, or that were.")
@click.option("--after", type=int, default=0, help="Those after this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True)
@reads
def list_applications(session: Session, queue: str | None, drafts: bool | None, after: int, limit: int) -> None:
    """List applications in the order in which they were opened.

    \b
    loanbook application list --queue senior_underwriting
    """
    from api.applications import applications_json

    code = session.book_code
    found = session.read(
        lambda connection: applications_json(connection, code, queue=queue, drafts=drafts, after=after, limit=limit)
    )
    session.show(found, lambda: print_table(LIST, found["applications"]))


@application.command("erase")
@click.argument("application_id", type=int)
@click.option("--reason", required=True, help="Who asked for it, and how.")
@changes
def erase(session: Session, application_id: int, reason: str) -> None:
    """Erase the personal data of an application; all else stays, and so does the record of the erasure.

    Before the end of the time for which records are kept it takes --approver, a second person.

    \b
    loanbook application erase 51 --reason "Letter of 3 March" --approver carol
    """
    from api.applications import erasure_json
    from origination.personal_data import erase as erase_data

    code = session.book_code
    done = session.change(lambda uow: erase_data(uow, code, application_id, reason=reason))
    document = erasure_json(application_id, done)
    text = f"Personal data of application {application_id} were erased on {done.erased_on} (rows: {done.rows_erased})."
    session.show(document, lambda: print_line(text))


def _go_on(session: Session, vault: Vault, sent: dict[str, Any] | None) -> None:
    """Let an application that was started on its workflow go on by itself, and add where it stands then."""
    from api.workflows import go_on, now
    from origination.workflow_queries import workflow_of

    if sent is not None and sent["workflow_started"] and not session.dry_run:
        code, number = session.book_code, sent["application_id"]
        go_on(session.edge, vault, code, number)
        state = session.read(lambda connection: workflow_of(connection, code, number, now=now())).position.state
        sent["stands_at"] = list(state.steps)
        sent["result"] = state.result


def read_object(file: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises: FileUnusable.
    """
    from api.cli.files import read_text
    from api.errors import FileUnusable

    try:
        found = json.loads(read_text(file))
    except (ValueError, RecursionError):
        raise FileUnusable(path=str(file), reason="it is no JSON") from None
    if not isinstance(found, dict):
        raise FileUnusable(path=str(file), reason="it is no JSON object")
    return found


def vault_of(session: Session) -> Vault:
    """Return the vault.

    Raises: VaultKeyMissing; VaultKeyInvalid.
    """
    from api.settings import secret_text
    from servicing.vault import Vault

    return Vault.of_keys(secret_text(session.settings.bank_account_keys))


def vault_or_none(session: Session) -> Vault | None:
    """Return the vault, if keys are set."""
    return None if session.settings.bank_account_keys is None else vault_of(session)


@contextmanager
def _wrong_fields_listed(session: Session) -> Iterator[None]:
    """Print the fields that are wrong or missing as a table, and refuse with the first of them."""
    from origination.intake.errors import ApplicationFieldsInvalid

    try:
        yield
    except ApplicationFieldsInvalid as refused:
        if session.as_json or len(refused.problems) == 1:
            raise
        print_table(WRONG, refused.fields, title="Wrong or missing")
        told = (refused.problems[0], f"and {refused.count - 1} more")
        raise ApplicationFieldsInvalid(count=refused.count, problems=told, fields=refused.fields) from None


def _print_saved(done: Mapping[str, Any]) -> None:
    print_line(f"Application {done['application_id']} ({done['external_id']}) is saved, version {done['version_no']}.")
    if done["submission"]:
        print_line(_went(done["submission"]))


def _went(sent: Mapping[str, Any]) -> str:
    repeats = ", ".join(map(str, sent["duplicate_of"]))
    told = f"; it repeats {repeats}" if repeats else ""
    return (
        f"Application {sent['application_id']} is submitted: queue {sent['queue']}, workflow {sent['workflow']},"
        f" by row {sent['route_no']}{told}.{_stands(sent)}"
    )


def _stands(sent: Mapping[str, Any]) -> str:
    """Return where an application stands after all that went on by itself; nothing if none did."""
    if sent.get("result"):
        return f" It is over: {sent['result']}."
    return f" It stands at {', '.join(sent['stands_at'])}." if sent.get("stands_at") else ""


def _value(form: Form, path: str, value: Any) -> str:
    from ledger.currencies import amount_text

    field = form.definitions.get(path)
    if field is not None and field.kind == "amount" and isinstance(value, int):
        return f"{grouped(amount_text(value, form.currency))} {form.currency}"
    return shown(value)


def _print(document: Mapping[str, Any], form: Form, *, has_keys: bool) -> None:
    from origination.intake.documents import flat

    sent = document["submission"] or {}
    names = ("application_id", "external_id", "product", "channel", "state", "entered_by", "entered_on")
    print_facts(
        {
            **{name.replace("_", " "): document[name] for name in names},
            "versions": len(document["versions"]),
            "queue": sent.get("queue"),
            "workflow": sent.get("workflow"),
            "repeats": ", ".join(map(str, sent.get("duplicate_of", []))) or None,
            "erased on": document["erasure"] and document["erasure"]["erased_on"],
        }
    )
    rows = [{"path": path, "value": _value(form, path, value)} for path, value in flat(document["data"]).items()]
    print_table(FIELDS, rows, title="Data" if has_keys else "Data, without what is personal: no key is set")
    if document["accesses"]:
        print_table(ACCESSES, document["accesses"], title="Seen unmasked")
