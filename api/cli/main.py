"""The entry point of `loanbook`: which commands there are, and how each way of ending becomes an exit code.

0 done, 1 a check failed, 2 bad input or a refusal, 70 a fault of ours (with its traceback). An error is one
line on stderr, with `--json` one JSON object. A command's module is loaded when it is used, so that `--help`
is quick: nothing heavy may be imported here. Next: `api/cli/session.py`, what every command works with.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from ledger.domain_error import DomainError

DONE, CHECK_FAILED, BAD_INPUT, OUR_FAULT, INTERRUPTED = 0, 1, 2, 70, 130

# In the order of `loanbook --help`: name, where its command is, what it does.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": (
        "api.cli.books:init",
        "Create a book with its chart of accounts, and the database if there is none.",
    ),
    "migrate": ("api.cli.books:migrate", "Bring the database to the newest schema."),
    "demo": ("api.cli.demo:demo", "Live three months of a portfolio, and close each of them."),
    "serve": ("api.cli.serve:serve", "Serve the HTTP API on this machine."),
    "board": ("api.cli.boarding:board", "Board the loans of a tape, and check it first."),
    "application": ("api.cli.applications:application", "Take applications in: save, submit, show and erase them."),
    "verification": ("api.cli.verification:verification", "Ask sources about applicants, and keep what came of it."),
    "bureau": ("api.cli.bureau:bureau", "Run a bureau for trying out, on this machine."),
    "workflow": ("api.cli.workflow:workflow", "Declare the ways that applications go, and send applications on them."),
    "task": ("api.cli.task:task", "Claim and complete the tasks of people."),
    "offer": ("api.cli.offers:offer", "Make offers for an approved application, and accept one."),
    "contract": ("api.cli.offers:contract", "Show the contract of an application, and prove it."),
    "funding": ("api.cli.funding:funding", "Approve, prepare, fund and cancel a contract."),
    "document": ("api.cli.documents:document", "Make the documents of an application, and take them out."),
    "product": ("api.cli.products:product", "Load the rules that loans share, and look at them."),
    "index": ("api.cli.rates:index", "Load the values that variable rates look at, and show them."),
    "policy": ("api.cli.policies:policy", "Load, check and activate what decides on applications, and backtest it."),
    "decision": ("api.cli.decisions:decision", "Decide on applications, replay decisions, underwrite referrals."),
    "allowance": ("api.cli.allowance:allowance", "Load rates of loss, and see what they require of the loans."),
    "rate": ("api.cli.rates:rate", "Reset the rate of a loan, or of all that follow an index."),
    "loan": ("api.cli.loans:loan", "Show a loan, take a payment, undo one."),
    "fee": ("api.cli.fees:fee", "Charge a fee to a loan."),
    "waive": ("api.cli.fees:waive", "Waive a fee or interest, with the approval of a second person."),
    "write-off": ("api.cli.fees:write_off", "Write off what is left of a loan and too little to collect."),
    "payoff": ("api.cli.payoffs:payoff", "Quote what pays a loan off, and pay it."),
    "credit": ("api.cli.credits:credit", "Pay a loan down: the lender out of goodwill, or a merchant."),
    "chargeback": ("api.cli.credits:chargeback", "Take back a payment, in part or whole."),
    "collections": ("api.cli.collections:collections", "Collect what is past due: cases, contacts, promises."),
    "charge-off": ("api.cli.losses:charge_off", "Charge a loan off, with the approval of a second person."),
    "charge-off-reversal": ("api.cli.losses:charge_off_reversal", "Reverse a charge-off, as if it had never been."),
    "recovery": ("api.cli.losses:recovery", "Take what was recovered of a loan that is charged off."),
    "non-accrual": ("api.cli.losses:non_accrual", "Let the interest of a loan be no income from a day on."),
    "return-to-accrual": ("api.cli.losses:return_to_accrual", "Let the interest of a loan be income again."),
    "refinance": ("api.cli.refinancing:refinance", "Pay a loan off with a new one."),
    "sell": ("api.cli.sales:sell", "Sell a loan or a claim, with the approval of a second person."),
    "buy-back": ("api.cli.sales:buy_back", "Buy back a loan that was sold."),
    "flag": ("api.cli.sales:flag", "Note a bankruptcy or a death on a loan, with what it holds."),
    "refund": ("api.cli.payoffs:refund", "Send unapplied cash back to the borrower."),
    "modify": ("api.cli.modifications:modify", "Modify the contract of a loan: term, rate, dates, arrears."),
    "trial-plan": ("api.cli.agreements:trial_plan", "Agree on trial payments, and on what follows if they come."),
    "settlement": ("api.cli.agreements:settlement", "Agree that less than the balance settles a loan."),
    "end-agreement": ("api.cli.agreements:end", "End a trial plan or a settlement that is open."),
    "delinquency": (
        "api.cli.agreements:delinquency",
        "Show how far behind a loan was, pause its days past due, and count them again.",
    ),
    "accelerate": ("api.cli.modifications:accelerate", "Let all that a loan owes fall due."),
    "bank-account": ("api.cli.bank_accounts:bank_account", "Keep the bank accounts of borrowers, encrypted."),
    "mandate": ("api.cli.bank_accounts:mandate", "Keep what borrowers have authorized to be debited."),
    "instruction": ("api.cli.instructions:instruction", "Schedule payments by a rail, and follow them."),
    "autopay": ("api.cli.instructions:autopay", "Schedule what mandates ask for."),
    "card-processor": ("api.cli.cards:card_processor", "Run a card processor for trying out, on this machine."),
    "draw": ("api.cli.drawdowns:draw", "Pay out more of a loan that is disbursed in parts."),
    "run-day": ("api.cli.loans:run_day", "Run the daily cycle: interest, late fees, days past due."),
    "scenario": ("api.cli.scenario:scenario", "Run a loan's life from a file and compare it with what was expected."),
    "schedule": ("api.cli.pricing:schedule", "Print the contract schedule of terms, before there is a loan."),
    "apr": ("api.cli.pricing:apr", "Compute the annual percentage rate of terms, or of advances and payments."),
    "account": ("api.cli.accounts:account", "List, open, rename and close accounts."),
    "day": ("api.cli.books:day", "Show the business date, or move it forward."),
    "post": ("api.cli.post:post", "Post a journal by hand: one proposes, another approves."),
    "entry": ("api.cli.entries:entry", "Show one entry with its lines, or reverse it."),
    "journal": ("api.cli.entries:journal", "Search the journal."),
    "balance": ("api.cli.entries:balance", "Show the balances of a loan, or of any subledger."),
    "trial-balance": (
        "api.cli.statements:trial_balance",
        "Show debits and credits of every account on a day.",
    ),
    "statement": ("api.cli.statements:statement", "Show what moved an account, with its running balance."),
    "period": ("api.cli.periods:period", "List, open, soft-close, close and reopen months."),
    "seal": ("api.cli.seals:seal", "Seal what was posted since the last seal."),
    "verify": ("api.cli.seals:verify", "Recompute every seal, balance and total, and report what differs."),
    "check": ("api.cli.check:check", "Check that the books balance, agree with each other and with the engine."),
    "evidence": ("api.cli.evidence:evidence", "Export bundles that prove the journal, and verify them."),
    "audit": ("api.cli.audit:audit", "Test entries, draw samples, look at digits and people."),
    "settle": ("api.cli.settle:settle", "Book that the bank settled what went over the rails on a day."),
    "bank": ("api.cli.bank:bank", "Settle what went over the rails with the bank, line by line."),
    "ach": ("api.cli.ach:ach", "Read files of the clearing house, and take in returns."),
    "close": ("api.cli.close:close", "Close a month, step by step, each leaving its evidence."),
    "gl": ("api.cli.gl:gl", "Reconcile with what the general ledger says of itself."),
    "export": ("api.cli.export:export", "Write batches for the general ledger."),
    "reconcile": ("api.cli.reports:reconcile", "Prove that loans, control accounts and the exported GL agree."),
    "report": ("api.cli.reports:report", "Draw a report: as a table, as CSV, or as JSON."),
    "db": ("api.cli.db:db", "Start, stop and enter the embedded database server."),
}


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are used, and whose `main` ends with this house's exit
    codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(__import__(module, fromlist=[attribute]), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> NoReturn:
        """Run the command line and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            status = super().main(arguments, *more, **extra)
        except BaseException as ending:
            status = _exit_code(ending, as_json="--json" in arguments)
        sys.exit(status if isinstance(status, int) else DONE)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Settings come from the environment (LOANBOOK_DATABASE_URL, LOANBOOK_STATE_DIR, LOANBOOK_BOOK, "
    "LOANBOOK_ACTOR and others): see docs/reference/settings.md. "
    "Exit codes: 0 done, 1 a check failed, 2 bad input or a refusal.",
)
@click.version_option(package_name="loanbook")
def main() -> None:
    """A double-entry ledger core with loan origination and servicing on top.

    \b
    loanbook init                      a book with a chart of accounts
    loanbook trial-balance             what its accounts hold
    loanbook COMMAND --help            what a command does, with examples
    """


def _exit_code(ending: BaseException, *, as_json: bool) -> int:
    match ending:
        case click.exceptions.Exit():
            return ending.exit_code
        case click.Abort() | KeyboardInterrupt():
            sys.stderr.write("interrupted\n")
            return INTERRUPTED
        case click.exceptions.NoArgsIsHelpError():
            sys.stderr.write(f"{ending.format_message()}\n")
            return BAD_INPUT
        case click.ClickException():
            return _refuse({"code": "usage", "title": "Usage", "message": _usage(ending)}, as_json=as_json)
        case BrokenPipeError():
            # Whoever read us has seen enough.
            _forget_output()
            return DONE
        case OSError():
            # A file, a folder or the terminal that cannot be used: the system says which and why.
            place = ending.filename or "a file or the terminal"
            message = f"{place}: {ending.strerror or ending}"
            _forget_output()
            return _refuse({"code": "file-unusable", "title": "File unusable", "message": message}, as_json=as_json)
    error = _domain_error(ending)
    if error is None:
        if not isinstance(ending, Exception):
            raise ending
        sys.excepthook(type(ending), ending, ending.__traceback__)
        return OUR_FAULT
    from api.problems import exit_code_of

    # A note says where in what was given, such as the row of a file.
    message = ": ".join((*getattr(error, "__notes__", ()), error.message))
    _refuse({**error.to_dict(), "message": message}, as_json=as_json)
    return exit_code_of(error)


def _forget_output() -> None:
    """Leave what is still buffered unwritten: at exit it would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _domain_error(ending: BaseException) -> DomainError | None:
    # An error of ours cannot have been raised without its module; what was never loaded need not be loaded
    # now.
    module = sys.modules.get("ledger.domain_error")
    return ending if module is not None and isinstance(ending, module.DomainError) else None


def _usage(error: click.ClickException) -> str:
    """Return click's own message on one line, with the command whose help explains it."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return message if context is None else f"{message} (see: {context.command_path} --help)"


def _refuse(document: Mapping[str, Any], *, as_json: bool) -> int:
    if as_json:
        sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"error: {' '.join(str(document['message']).split())}\n")
    return BAD_INPUT
