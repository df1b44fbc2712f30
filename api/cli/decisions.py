"""`loanbook decision`: applications decided by the active policy, replayed for ever, underwritten where it refers.

Next: `origination/decision_commands.py`; `docs/how-to/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import changes, reads, reads_installation
from api.cli.output import Column, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork
    from origination.decision_commands import Decided

IDENTIFIER = click.IntRange(1, 2**63 - 1)
REASONS = (Column("code", "Code"), Column("text", "Reason", long=True), Column("because", "Because of"))
POINTS = (Column("fact", "Fact"), Column("points", "Points", right=True), Column("most", "At most", right=True))
RULES = (Column("code", "Rule"), Column("result", "Result"))
QUEUE = (
    Column("decision_id", "Decision", right=True),
    Column("application_id", "Application", right=True),
    Column("external_id", "External id"),
    Column("outcome", "Outcome"),
    Column("score", "Score", right=True),
    Column("fired", "Rules"),
    Column("entered_by", "Entered by"),
    Column("decided_on", "On"),
)


@click.group()
def decision() -> None:
    """Decide on applications by policy, and on what the policy refers.

    \b
    loanbook decision run 17 --policy personal_loan --facts application-17.json
    loanbook decision show 5
    loanbook decision replay 5
    loanbook decision queue
    loanbook decision underwrite 5 approve
    """


@decision.command("run")
@click.argument("application", type=IDENTIFIER)
@click.option("--policy", required=True, metavar="NAME", help="Which policy decides: its active version.")
@click.option(
    "--facts",
    type=click.Path(path_type=Path),
    help="What is known, in JSON by section [default: what was entered and verified: `loanbook verification facts`].",
)
@changes
def run(session: Session, application: int, policy: str, facts: Path | None) -> None:
    """Decide on an application from what is known of it; an approval or a decline moves it.

    A file has objects by section: {"application": {"amount": 500000}, "credit_report": {"dti": "12.5"}}.

    \b
    loanbook decision run 17 --policy personal_loan --dry-run
    loanbook decision run 17 --policy personal_loan --facts application-17.json
    """
    from api.cli.files import read_text
    from api.decisions import decided_json
    from api.views import major_units
    from origination.decision_commands import decide_application
    from origination.policies.document import read_values
    from origination.verification_queries import sources_of

    given = None if facts is None else _sections(read_values(read_text(facts)))

    def work(uow: UnitOfWork) -> Decided:
        sources = sources_of(uow.connection, application) if given is None else given
        return decide_application(uow, session.book_code, application, policy, sources)

    done = session.change(work)
    document = decided_json(done, major_units)
    session.show(document, lambda: _print(document))


@decision.command("show")
@click.argument("decision_id", type=IDENTIFIER)
@reads_installation
def show(session: Session, decision_id: int) -> None:
    """Show a decision: every rule's result in order, the score, the price, the reasons.

    \b
    loanbook decision show 5 --json
    """
    from api.decisions import decision_json
    from api.views import major_units
    from origination.decision_queries import decision_view

    document = session.read(lambda connection: decision_json(decision_view(connection, decision_id), major_units))
    session.show(document, lambda: _print(document))


@decision.command("replay")
@click.argument("decision_id", type=IDENTIFIER)
@reads_installation
def replay_decision(session: Session, decision_id: int) -> None:
    """Compute a decision again from the facts and the version that it keeps; exit 1 if anything differs.

    \b
    loanbook decision replay 5
    """
    from api.decisions import replayed_json
    from origination.decision_queries import replay
    from origination.errors import DecisionDiffers

    found = session.read(lambda connection: replay(connection, decision_id))
    if found.differences:
        raise DecisionDiffers(decision_id=decision_id, places=found.differences)
    words = f"Decision {decision_id}, computed again by version {found.content_hash[:12]}, is equal."
    session.show(replayed_json(found), lambda: print_line(words))


@decision.command("page")
@click.argument("decision_id", type=IDENTIFIER)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write.")
@reads_installation
def page(session: Session, decision_id: int, out: Path) -> None:
    """Write a decision as a page that a credit officer can read: one HTML file, with nothing to fetch.

    \b
    loanbook decision page 5 --out decision-5.html
    """
    from api.decisions import decision_page
    from api.errors import FileUnusable
    from origination.decision_queries import decision_view

    text = session.read(lambda connection: decision_page(decision_view(connection, decision_id)))
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileUnusable(path=str(out), reason=error.strerror or "it cannot be written") from None
    session.show({"decision_id": decision_id, "file": str(out)}, lambda: print_line(f"Wrote {out}."))


@decision.command("queue")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only applications with a higher id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@reads
def queue(session: Session, after: int, limit: int) -> None:
    """List the applications that wait for an underwriter.

    \b
    loanbook decision queue --json
    """
    from api.decisions import referral_json
    from origination.decision_queries import referrals

    found = session.read(lambda connection: referrals(connection, session.book_code, after=after, limit=limit))
    rows = [referral_json(each) for each in found]
    session.show({"referrals": rows}, lambda: print_table(QUEUE, rows))


@decision.command("underwrite")
@click.argument("decision_id", type=IDENTIFIER)
@click.argument("verdict", type=click.Choice(["approve", "decline", "override"]))
@click.option("--reason", help="Why; an override needs one.")
@click.option("--send", "reasons", metavar="NAME", multiple=True, help="A reason of the policy to decline for.")
@changes
def underwrite_decision(
    session: Session, decision_id: int, verdict: str, reason: str | None, reasons: tuple[str, ...]
) -> None:
    """Approve or decline what the policy referred, or override it, within the limits of one's authority.

    Above them a second person decides as well, within theirs: --approver.

    \b
    loanbook decision underwrite 5 approve
    loanbook decision underwrite 5 decline --send income_unverified
    loanbook decision underwrite 6 override --reason "Salary seen on paper" --approver sue
    """
    from typing import cast

    from api.decisions import decision_json
    from api.views import major_units
    from origination.decision_commands import underwrite
    from origination.policies.authority import Verdict

    done = session.change(
        lambda uow: decision_json(
            underwrite(uow, session.book_code, decision_id, cast("Verdict", verdict), reason=reason, reasons=reasons),
            major_units,
        )
    )
    words = f"Decision {decision_id}: {verdict}. Application {done['application_id']} is {done['state']}."
    session.show(done, lambda: print_line(words))


def _sections(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    from origination.errors import FactsInvalid

    wrong = tuple(f"{name}: it is no section" for name, value in values.items() if not isinstance(value, Mapping))
    if wrong:
        raise FactsInvalid(problems=wrong)
    return dict(values)


def _print(found: Mapping[str, Any]) -> None:
    names = ("decision_id", "application_id", "state", "outcome", "role", "policy", "content_hash", "score")
    print_facts({name: found[name] for name in names})
    price = found["price"]
    if price is not None:
        print_line(f"Price: {price['amount']} over {price['term']} at {price['rate']} %, fee {price['fee']}")
    if found["missing"]:
        print_line(f"Missing: {', '.join(found['missing'])}")
    if found["reasons"]:
        print_table(REASONS, found["reasons"], title="Principal reasons")
    if found["points"]:
        print_table(POINTS, found["points"], title="Score")
    words = {True: "fired", False: "passed", None: "not computed"}
    print_table(
        RULES, [{"code": each["code"], "result": words[each["fired"]]} for each in found["rules"]], title="Rules"
    )
    underwriting = found.get("underwriting")
    if underwriting:
        print_facts({f"underwriting {name}": value for name, value in underwriting.items() if value})
