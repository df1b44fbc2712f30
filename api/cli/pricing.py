"""`loanbook schedule` and `apr`: what a loan will ask for and what it costs, before there is a loan.

Neither touches a database. Next: `servicing/schedule.py`; `servicing/apr.py`; `docs/spec/apr.md`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.cli.options import DAY, reads_installation
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.money import Money
    from servicing.apr import Counted, Disclosure, Flow
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
CSV_NEEDED, CSV_OPTIONAL = ("on", "kind", "amount"), ("count", "frequency")

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
@takes_terms
@reads_installation
def schedule(session: Session, **given: Any) -> None:
    """Print the contract schedule of terms, with totals and what is disclosed of them.

    It needs no database, and books nothing. Amounts are in the major unit.

    \b
    loanbook schedule --amount 10000 --rate 12 --installments 12 --funded-on 2026-01-15 --first-due 2026-02-15
    loanbook schedule --amount 2500 --rate 9.5 --installments 26 --frequency biweekly \\
        --funded-on 2026-01-02 --first-due 2026-01-16 --product card.toml --json
    """
    from ledger.money import Money
    from servicing.apr import disclose_terms
    from servicing.schedule import contract_schedule

    terms = _terms(given)

    def text(minor: int) -> str:
        return Money(minor, terms.currency).format()

    rows = contract_schedule(terms)
    shown = [
        {"no": row.no, "due": row.due.isoformat(), **{name: text(getattr(row, name)) for name in _PARTS}}
        for row in rows
    ]
    totals = {name: text(sum(getattr(row, name) for row in rows)) for name in ("principal", "interest", "total")}
    disclosed = _document(_possible(lambda: disclose_terms(terms)))
    document = {"schedule": shown, "totals": totals, "disclosure": disclosed}

    def people() -> None:
        print_table(SCHEDULE_COLUMNS, [_grouped(row) for row in shown], totals=[_grouped(totals)])
        print_line("")
        _print_disclosure(disclosed)

    session.show(document, people)


_PARTS = ("principal", "interest", "total", "balance")


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
    """Compute the annual percentage rate of Regulation Z, Appendix J, of terms or of a CSV file.

    The file has the columns on, kind (advance or payment) and amount; a count and a frequency may follow, for equal
    amounts that return. `-` is standard input. Prepaid finance charges are taken off the advances by whoever writes
    it; of terms, the origination fee of the product is. It needs no database, and books nothing.

    \b
    loanbook apr --amount 10000 --rate 12 --installments 12 --funded-on 2026-01-15 --first-due 2026-02-15
    loanbook apr flows.csv --explain
      on,kind,amount,count,frequency
      2026-02-10,advance,6000.00,,
      2026-04-01,payment,200.00,36,monthly
    """
    from servicing.apr import disclose, disclose_terms

    unit = _unit_period(unit_period)
    if file is None:
        terms = _terms(given)
        found = _possible(lambda: disclose_terms(terms, unit))
    else:
        _refuse_terms_beside_a_file(given)
        advances, payments = _read_flows(file, given["currency"])
        found = _possible(lambda: disclose(advances, payments, unit))
    document = {**_document(found), **(_explanation(found) if explain else {})}

    def people() -> None:
        _print_disclosure(document)
        if explain:
            _print_explanation(document)

    session.show(document, people)


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


def _possible(work: Callable[[], Disclosure]) -> Disclosure:
    """Return a disclosure, or refuse as invalid terms what has no rate."""
    from servicing.apr import AprImpossible
    from servicing.errors import TermsInvalid

    try:
        return work()
    except AprImpossible as impossible:
        raise TermsInvalid(field=impossible.field, reason=str(impossible)) from None


def _refuse_terms_beside_a_file(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and name != "currency":
            raise click.UsageError(
                f"--{name.replace('_', '-')} is of no use beside a file", click.get_current_context()
            )


def _read_flows(file: Path, currency: str) -> tuple[list[Flow], list[Flow]]:
    """Return the advances and the payments of a CSV file.

    Raises: FileUnusable; InputMalformed naming row and column; ScenarioInvalid likewise; CurrencyUnknown.
    """
    from api.cli.files import read_text
    from api.errors import InputMalformed
    from ledger.money import Currency

    Currency.of(currency)
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), strict=True)
    found: dict[str, list[Flow]] = {"advance": [], "payment": []}
    try:
        _check_header(reader.fieldnames or ())
        for row in reader:
            place = f"row {reader.line_num}"
            if None in row or None in row.values():
                raise InputMalformed(place=place, reason="it has not as many values as the header has columns")
            values = {name: value.strip() for name, value in row.items()}
            if values["kind"] not in found:
                raise InputMalformed(place=f"{place}, column kind", reason="it is advance or payment")
            found[values["kind"]] += _flows(values, place, currency)
    except csv.Error as mistake:
        raise InputMalformed(place=f"row {reader.reader.line_num}", reason=str(mistake)) from None
    return found["advance"], found["payment"]


def _check_header(columns: Any) -> None:
    from api.errors import InputMalformed

    for name in CSV_NEEDED:
        if name not in columns:
            raise InputMalformed(place=f"row 1, column {name}", reason="it is missing")
    for name in columns:
        if name not in CSV_NEEDED + CSV_OPTIONAL or columns.count(name) > 1:
            raise InputMalformed(place=f"row 1, column {name}", reason="it is unknown, or stands twice")


def _flows(values: Mapping[str, str], place: str, currency: str) -> Iterator[Flow]:
    """Yield the flows of a row: one, or as many as it counts."""
    from api.errors import InputMalformed
    from servicing.apr import Flow
    from servicing.due_dates import PERIODS_A_YEAR, due_dates, every_days
    from servicing.scenario_values import day, money, whole

    on = day(values["on"], f"{place}, column on")
    each = money(values["amount"], f"{place}, column amount", currency)
    count = whole(values.get("count") or "1", f"{place}, column count")
    frequency = values.get("frequency") or ("monthly" if count == 1 else "")
    if not 1 <= count <= 1200:
        raise InputMalformed(place=f"{place}, column count", reason="it is 1 to 1200")
    if frequency not in PERIODS_A_YEAR and every_days(frequency) is None:
        known = ", ".join(PERIODS_A_YEAR)
        raise InputMalformed(place=f"{place}, column frequency", reason=f"it is one of {known} or days:n")
    yield from (Flow(due, each) for due in due_dates(date.min, on, frequency, count))


def _document(found: Disclosure) -> dict[str, Any]:
    return {
        "apr": str(found.apr),
        "currency": found.amount_financed.currency,
        "finance_charge": found.finance_charge.format(),
        "amount_financed": found.amount_financed.format(),
        "total_of_payments": found.total_of_payments.format(),
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
