"""`loanbook collections`, as the how-to page goes through it; the page shows what the commands print."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "collections.md"


def test_the_page_on_collections_shows_what_the_commands_print(book: Loanbook, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    policy = tmp_path / "policy.toml"
    policy.write_text(next(text for kind, text in blocks if kind == "toml"))
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    first = ids(book)[0]
    shown = "".join(text for kind, text in blocks if kind == "text").replace("loan 7", f"loan {first}")

    printed = book("collections", "policy", str(policy)).out
    assert printed.strip() in shown
    book("day", "advance", "2026-03-01")
    book("run-day")
    listed = book("collections", "list", "--queue", "early", "--json").json["cases"]
    (own,) = [case for case in listed if str(case["loan_id"]) == first]
    assert (own["queue"], own["owner"], own["dpd"]) == ("early", "ana", 14)
    assert "Next action" in book("collections", "list").out

    made = book("collections", "promise", first, "400", "--by", "2026-03-06", "--json").json["promises"]
    assert (made[0]["amount"], made[0]["status"]) == ("400.00", "open")
    contact = ("collections", "contact", first, "--channel", "call", "--outcome", "left a message")
    assert book(*contact).out.strip() in shown
    assert book("collections", "cease", first, "--channel", "call", "--reason", "asked in writing").out.strip() in shown
    refused = book(*contact, "--json", expect=2).refusal
    assert refused["code"] == "contact-ceased"
    assert refused["message"] in shown
    assert book("collections", "allow", first, "--channel", "call", "--reason", "agreed").out.strip() in shown
    book("collections", "assign", first, "--owner", "eva", "--action", "visit", "--on", "2026-03-09")
    book("day", "advance", "2026-03-07")
    book("run-day")

    found = book("collections", "show", first, "--json").json
    assert found["promises"][0]["status"] == "broken"
    assert found["cases"][0]["owner"] == "eva"
    assert "promise_broken" in book("collections", "show", first).out
