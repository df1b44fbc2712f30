"""`loanbook schedule` and `apr`: what a loan will ask for and what it costs, before there is a loan.

Neither touches a database. Next: `servicing/schedule.py`; `servicing/apr.py`; `docs/spec/apr.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.cli.options import DAY, reads_installation
from api.cli.output import Column, amount, grouped, print_facts, print_json, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.money import Money
    from servicing.apr import Counted, Disclosure
    from servicing.pricing_file import PricingFile
    from servicing.terms import Terms
    from servicing.unit_periods import UnitPeriod

F = TypeVar("F", bound=Callable[..., Any])

SCHEDULE_COLUMNS = (
    Column("no", "No", right=True),
    Column("due", "Due"),
    amount("principal", "Principal"),
    amount("interest", "Interest"),
    amount("total", "Total"),
    amount("balance", "Balance"),
)
COUNTED_COLUMNS = (
    Column("kind", "Kind"),
    Column("on", "On"),
    amount("amount", "Amount"),
    Column("unit_periods", "Unit-periods", right=True),
    Column("fraction", "And", right=True),
)
AMOUNTS = frozenset({"principal", "interest", "total", "balance", "amount"})
NEEDED = ("amount", "rate", "installments", "funded_on", "first_due")

TERM_OPTIONS = (
    click.option("--amount", metavar="AMOUNT", help="The principal."),
    click.option("--rate", metavar="PERCENT", help="The contract rate, in percent a year."),
    click.option("--installments", metavar="COUNT", help="How many there are."),
    click.option(
        "--frequency",
        help="weekly, biweekly, semimonthly, monthly, quarterly, semiannual, annual or days:n [default: monthly].",
    ),
    click.option("--funded-on", type=DAY, help="When the money goes out."),
    click.option("--first-due", type=DAY, help="When the first installment is due."),
    click.option("--installment-amount", metavar="AMOUNT", help="An agreed installment [default: it is computed]."),
    click.option(
        "--balloon", metavar="AMOUNT", help="What the last installment asks for on top, under amortization balloon."
    ),
    click.option(
        "--product",
        metavar="NAME|FILE",
        help="A product that is shipped, or a TOML file of one [default: installment].",
    ),
    click.option("--currency", default="USD", show_default=True, help="The currency of all amounts."),
)


def takes_terms(command: F) -> F:
    """Give a command the options that make up a loan's terms."""
    for option in reversed(TERM_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@takes_terms
@reads_installation
def schedule(session: Session, file: Path | None, **given: Any) -> None:
    """Print the contract schedule of terms, with totals and what is disclosed of them.

    The terms are those of the options, or of a YAML file with the product and loan keys of a scenario; `-` is standard
    input. Of a file, --json prints the bare list of installments. It needs no database, and books nothing. Amounts
    are in the major unit.

    \b
    loanbook schedule --amount 10000 --rate 12 --installments 12 --funded-on 2026-01-15 --first-due 2026-02-15
    loanbook schedule --amount 2500 --rate 9.5 --installments 26 --frequency biweekly \\
        --funded-on 2026-01-02 --first-due 2026-01-16 --product card.toml --json
    loanbook schedule loan.yaml
    """
    from servicing.schedule import schedule_json

    if file is None:
        terms = _terms(given)
        session.show(_schedule_document(terms), lambda: _print_schedule(terms))
        return
    _refuse_terms_beside_a_file(given)
    found = [each.terms_asked_for() for each in _pricing_files(file)]
    if session.as_json:
        shown = [schedule_json(terms) for terms in found]
        print_json(shown[0] if len(shown) == 1 else shown)
        return
    for terms in found:
        _print_schedule(terms)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@takes_terms
@click.option(
    "--unit-period",
    metavar="UNIT",
    help="day, week, semimonth, month, year, or several such as `4 weeks` [default: found from the dates].",
)
@click.option("--explain", is_flag=True, help="Show the unit-period, and where it counts each advance and payment.")
@reads_installation
def apr(session: Session, file: Path | None, unit_period: str | None, *, explain: bool, **given: Any) -> None:
    """Compute the annual percentage rate of Regulation Z, Appendix J, of terms, of a YAML file or of a CSV file.

    A YAML file has advances and payments, each {on, amount} or {on, amount, count, frequency}, and a unit_period if
    it is not to be found from the dates; or the product and loan keys of a scenario. A CSV file has the columns on,
    kind (advance or payment) and amount; a count and a frequency may follow, for equal amounts that return. `-` is
    standard input. Prepaid finance charges are taken off the advances by whoever writes the file; of terms, the
    origination fee of the product is. It needs no database, and books nothing.

    \b
    loanbook apr --amount 10000 --rate 12 --installments 12 --funded-on 2026-01-15 --first-due 2026-02-15
    loanbook apr flows.csv --explain
      on,kind,amount,count,frequency
      2026-02-10,advance,6000.00,,
      2026-04-01,payment,200.00,36,monthly
    loanbook apr flows.yaml --json
      advances: [{on: 2026-02-10, amount: 6000.00}]
      payments: [{on: 2026-04-01, amount: 200.00, count: 36, frequency: monthly}]
    """
    from servicing.apr import disclose_terms

    unit = _unit_period(unit_period)
    if file is None:
        found, bare = [disclose_terms(_terms(given), unit)], False
    else:
        _refuse_terms_beside_a_file(given)
        found, bare = _disclosures_of(file, given["currency"], unit)
    documents = [_document(each, explain=explain) for each in found]
    if session.as_json:
        shown = [{key: each[key] for key in each if key != "currency" or not bare} for each in documents]
        print_json(shown[0] if len(shown) == 1 else shown)
        return
    for document in documents:
        _print_disclosure(document)
        if explain:
            _print_explanation(document)


def _disclosures_of(file: Path, currency: str, unit: UnitPeriod | None) -> tuple[list[Disclosure], bool]:
    """Return what is disclosed of each document of a file, and whether it is one that says its own currency.

    Raises: FileUnusable; what reading and disclosing raise.
    """
    from api.cli.files import read_text
    from api.cli.flows import looks_like_csv, read_flows
    from servicing.apr import disclose

    text = read_text(file)
    if file.suffix == ".csv" or looks_like_csv(text):
        return [disclose(*read_flows(text, currency), unit)], False
    return [each.disclosure(unit) for each in _pricing_files(file, text)], True


def _pricing_files(file: Path, text: str | None = None) -> tuple[PricingFile, ...]:
    """Return the documents of a YAML file.

    Raises: FileUnusable if there is none; what `parse_pricing` raises.
    """
    from api.cli.files import read_text
    from api.errors import FileUnusable
    from servicing.pricing_file import parse_pricing

    found = parse_pricing(read_text(file) if text is None else text, "file" if str(file) == "-" else file.name)
    if not found:
        raise FileUnusable(path=str(file), reason="there is no loan in it, and no advance")
    return found


def _schedule_document(terms: Terms) -> dict[str, Any]:
    """Return the schedule of terms, its totals, and what is disclosed of them."""
    from ledger.money import Money
    from servicing.apr import disclose_terms
    from servicing.schedule import contract_schedule

    def text(minor: int) -> str:
        return Money(minor, terms.currency).format()

    rows = contract_schedule(terms)
    return {
        "schedule": [
            {"no": row.no, "due": row.due.isoformat(), **{name: text(getattr(row, name)) for name in _PARTS}}
            for row in rows
        ],
        "totals": {name: text(sum(getattr(row, name) for row in rows)) for name in _PARTS[:-1]},
        "disclosure": _document(disclose_terms(terms)),
    }


def _print_schedule(terms: Terms) -> None:
    document = _schedule_document(terms)
    rows = [_grouped(row) for row in document["schedule"]]
    print_table(SCHEDULE_COLUMNS, rows, totals=[_grouped(document["totals"])])
    print_line("")
    _print_disclosure(document["disclosure"])


_PARTS = ("principal", "interest", "total", "balance")


def _terms(given: Mapping[str, Any]) -> Terms:
    """Return the terms of the options, read as a scenario file's are."""
    from servicing.scenario import parse_terms

    for name in NEEDED:
        if given[name] is None:
            raise click.MissingParameter(
                ctx=click.get_current_context(), param_type="option", param_hint=f"--{name.replace('_', '-')}"
            )
    loan = {
        "principal": given["amount"],
        "rate": given["rate"],
        "installments": given["installments"],
        "frequency": given["frequency"],
        "funded_on": given["funded_on"].isoformat(),
        "first_due_on": given["first_due"].isoformat(),
        "installment_amount": given["installment_amount"],
        "balloon": given["balloon"],
    }
    return parse_terms(_product(given["product"] or "installment"), loan, given["currency"])


def _product(name: str) -> Mapping[str, Any]:
    """Return the keys of a product: of a file, if it is named like one, else of one that is shipped."""
    import tomllib

    from api.cli.files import read_text
    from api.errors import FileUnusable
    from servicing.product import shipped

    if not name.endswith(".toml"):
        return shipped(name).as_json()
    try:
        return tomllib.loads(read_text(Path(name)))
    except tomllib.TOMLDecodeError as mistake:
        raise FileUnusable(path=name, reason=f"it is not TOML: {mistake}") from None


def _unit_period(text: str | None) -> UnitPeriod | None:
    from servicing.unit_periods import parse_unit_period

    try:
        return None if text is None else parse_unit_period(text)
    except ValueError as mistake:
        raise click.BadParameter(str(mistake), click.get_current_context(), param_hint="--unit-period") from None


def _refuse_terms_beside_a_file(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and name != "currency":
            raise click.UsageError(
                f"--{name.replace('_', '-')} is of no use beside a file", click.get_current_context()
            )


def _document(found: Disclosure, *, explain: bool = False) -> dict[str, Any]:
    return {
        "apr": str(found.apr),
        "currency": found.amount_financed.currency,
        "finance_charge": found.finance_charge.format(),
        "amount_financed": found.amount_financed.format(),
        "total_of_payments": found.total_of_payments.format(),
        **(_explanation(found) if explain else {}),
    }


def _explanation(found: Disclosure) -> dict[str, Any]:
    return {
        "unit_period": str(found.unit_period),
        "unit_periods_a_year": str(found.unit_period.a_year),
        "unit_period_rate": f"{found.unit_rate:f}",
        "begins_on": found.begins_on.isoformat(),
        "irregular": found.is_irregular,
        "tolerance": str(found.tolerance),
        "advances": [_counted(each) for each in found.advances],
        "payments": [_counted(each) for each in found.payments],
    }


def _counted(each: Counted) -> dict[str, Any]:
    money: Money = each.amount
    return {
        "on": each.on.isoformat(),
        "amount": money.format(),
        "unit_periods": each.whole,
        "fraction": str(each.fraction),
    }


def _print_disclosure(document: Mapping[str, Any]) -> None:
    currency = document["currency"]
    amounts = {
        name.replace("_", " "): f"{grouped(document[name]):>14} {currency}"
        for name in ("finance_charge", "amount_financed", "total_of_payments")
    }
    print_facts({"annual percentage rate": f"{document['apr']:>14} %", **amounts})


def _print_explanation(document: Mapping[str, Any]) -> None:
    print_line("")
    names = ("unit_period", "unit_periods_a_year", "unit_period_rate", "begins_on", "irregular", "tolerance")
    print_facts({name.replace("_", " "): document[name] for name in names})
    print_line("")
    rows = [{"kind": kind, **_grouped(each)} for kind in ("advance", "payment") for each in document[f"{kind}s"]]
    print_table(
        COUNTED_COLUMNS, [{**row, "fraction": "" if row["fraction"] == "0" else row["fraction"]} for row in rows]
    )


def _grouped(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: grouped(value) if name in AMOUNTS else value for name, value in row.items()}
