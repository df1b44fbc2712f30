"""One client that pays: a process of its own, each payment a command in a transaction of its own.

`python -m tests.bench.payer URL FIRST COUNT DAY` pays a loan after the other, from the first; it says "ready", and waits
for a line. Next: `tests/bench/servicing.py`.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from functools import partial

from ledger.db import create_engine
from ledger.money import Money
from ledger.unit_of_work import run
from servicing.commands.payments import take_payment
from tests.bench.loans import ACTOR, CURRENCY


def main(url: str, first: int, count: int, day: date) -> None:
    """Pay so many loans, after a few others that only warm up."""
    engine = create_engine(url, pool_size=1)

    def pay(loan_id: int, *, dry_run: bool) -> None:
        work = partial(
            take_payment,
            loan_id=loan_id,
            amount=Money(47_073, CURRENCY),
            effective_date=day,
            method="ach",
            external_id=f"bench-{day}",
            request_key=f"bench-{day}",
        )
        run(engine, work, actor=ACTOR, dry_run=dry_run)

    for number in range(10):
        pay(first + number % count, dry_run=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started = time.perf_counter()
    for number in range(count):
        pay(first + number, dry_run=False)
    sys.stdout.write(f"{time.perf_counter() - started}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), date.fromisoformat(sys.argv[4]))
