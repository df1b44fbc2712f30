"""Many debits against many credits become postings, each a debit and a credit.

Manual journals and opening balances arrive as lines; this one function pairs them, the same way every time.
Never: a rounding difference made good. What does not balance to the minor unit is refused.
Next: `ledger/journal.py`, where `lines_of` draws the postings as lines again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ledger.chart import AccountCode, Side
from ledger.errors import EntryEmpty, EntryUnbalanced
from ledger.journal import Line, Posting
from ledger.money import Money


def pair(lines: Iterable[Line]) -> tuple[Posting, ...]:
    """Pair debits with credits, currency by currency, in the order in which accounts first appear.

    The lines of an account are netted first, so that it stands on one side only. Of d debited and c
    credited accounts come at most d + c - 1 postings. Cash 100 against interest 10 and principal 90 gives
    two postings: 10 and 90.

    Raises: EntryUnbalanced with both totals and the difference; EntryEmpty if everything nets to nothing;
    AmountOutOfRange if a total is past 64 bits.
    """
    by_currency: dict[str, list[Line]] = {}
    for line in lines:
        by_currency.setdefault(line.money.currency, []).append(line)
    for currency, group in by_currency.items():
        _refuse_unbalanced(currency, group)
    postings = tuple(posting for currency, group in by_currency.items() for posting in _paired(_net(group), currency))
    if not postings:
        raise EntryEmpty()
    return postings


def _refuse_unbalanced(currency: str, lines: Iterable[Line]) -> None:
    lines = tuple(lines)
    debits = Money.sum((line.money for line in lines if line.side is Side.DEBIT), currency)
    credits = Money.sum((line.money for line in lines if line.side is Side.CREDIT), currency)
    if debits != credits:
        raise EntryUnbalanced(
            currency=currency,
            debits=debits.minor,
            credits=credits.minor,
            difference=debits.minor - credits.minor,
        )


def _net(lines: Iterable[Line]) -> dict[AccountCode, int]:
    """Return debits less credits by account, in minor units, in order of first appearance."""
    net: dict[AccountCode, int] = {}
    for line in lines:
        signed = line.money.minor if line.side is Side.DEBIT else -line.money.minor
        net[line.account] = net.get(line.account, 0) + signed
    return net


def _paired(net: Mapping[AccountCode, int], currency: str) -> Iterator[Posting]:
    """Walk down the debits and the credits side by side, each time posting what both still have open."""
    credited = iter([(account, -minor) for account, minor in net.items() if minor < 0])
    credit, open_credit = AccountCode(""), 0
    for debit, minor in net.items():
        open_debit = max(minor, 0)
        while open_debit:
            if not open_credit:
                credit, open_credit = next(credited)
            amount = min(open_debit, open_credit)
            yield Posting(debit=debit, credit=credit, money=Money(amount, currency))
            open_debit -= amount
            open_credit -= amount
