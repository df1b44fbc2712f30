"""`loanbook seal`, `verify` and `evidence`: what is sealed can be proved, and what was changed is found."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.cli.conftest import Loanbook, post
from tests.support.database import Database


def test_what_was_posted_is_sealed_once(book: Loanbook) -> None:
    post(book, "1020", "3010", "5000.00")

    tried = book("seal", "--dry-run", "--json").json
    block = book("seal", "--json").json["block"]

    assert tried["block"]["block_no"] == block["block_no"] == 1
    assert (block["entry_count"], len(block["block_hash"])) == (1, 64)
    assert book("seal", "--json").json["block"] is None
    assert "sealed already" in book("seal").out


def test_digests_are_published_and_verified_against(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "digests.jsonl"
    post(book, "1020", "3010", "5000.00")
    block = book("seal", "--json", LOANBOOK_DIGEST_FILE=str(file)).json["block"]

    assert json.loads(file.read_text()) == {"block_no": 1, "block_hash": block["block_hash"]}
    unanchored = book("verify", "--json").json
    anchored = book("verify", "--json", LOANBOOK_DIGEST_FILE=str(file)).json
    by_hand = book("verify", "--digest", f"1:{block['block_hash']}", "--json").json

    assert unanchored["verdict"] == "consistent but unanchored"
    assert anchored["verdict"] == by_hand["verdict"] == "verified against published digests"


def test_a_database_that_departs_from_what_was_published_is_damaged_and_not_sealed_on(
    book: Loanbook, tmp_path: Path
) -> None:
    file = tmp_path / "digests.jsonl"
    post(book, "1020", "3010", "5000.00")
    file.write_text('{"block_no": 1, "block_hash": "' + "0" * 64 + '"}\n')

    book("seal")
    post(book, "1020", "3010", "1.00")
    refused = book("seal", "--json", LOANBOOK_DIGEST_FILE=str(file), expect=1).json
    found = book("verify", "--json", LOANBOOK_DIGEST_FILE=str(file), expect=1).json

    served = book("serve", "--port", "0", "--json", LOANBOOK_DIGEST_FILE=str(file), expect=1).json

    assert served == refused
    assert refused["findings"][0]["code"] == found["findings"][0]["code"] == "forked-at-block"
    assert found["verdict"] == "damaged"
    assert book("verify", "--json").json["blocks"] == 1


def test_a_digest_file_that_was_asked_for_must_be_there(book: Loanbook, tmp_path: Path) -> None:
    missing = str(tmp_path / "digests.jsonl")

    assert book("verify", "--digests", missing, "--json", expect=2).refusal["code"] == "file-unusable"
    assert book("verify", "--json", LOANBOOK_DIGEST_FILE=missing).json["verdict"] == "consistent but unanchored"


def test_a_digest_that_a_crash_cut_short_is_completed_by_the_next_seal(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "digests.jsonl"
    post(book, "1020", "3010", "5000.00")
    book("seal", LOANBOOK_DIGEST_FILE=str(file))
    whole = file.read_text()
    file.write_text(whole[:40])

    book("seal", LOANBOOK_DIGEST_FILE=str(file))

    assert file.read_text() == whole


def test_a_digest_file_that_cannot_be_written_is_named_and_the_seal_stands(book: Loanbook) -> None:
    post(book, "1020", "3010", "5000.00")

    refused = book("seal", "--json", LOANBOOK_DIGEST_FILE="/proc/digests.jsonl", expect=2).refusal

    assert (refused["code"], refused["path"]) == ("file-unusable", "/proc/digests.jsonl")
    assert book("verify", "--json").json["blocks"] == 1


def test_every_command_that_seals_publishes_and_heeds_what_was_published(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "digests.jsonl"
    variables = {"LOANBOOK_DIGEST_FILE": str(file), "LOANBOOK_OUT_DIR": str(tmp_path)}
    post(book, "1020", "3010", "5000.00")

    book("export", **variables)
    after_export = file.read_text().count("\n")
    post(book, "1020", "3010", "1.00")
    book("day", "advance", "2026-02-01")
    book("close", "2026-01", "--approver", "carol", **variables)
    after_close = file.read_text().count("\n")
    post(book, "1020", "3010", "1.00")
    book("day", "advance", "2026-03-01")
    book("period", "close", "2026-02", **variables)
    after_period = file.read_text().count("\n")
    file.write_text('{"block_no": 1, "block_hash": "' + "0" * 64 + '"}\n')

    assert 1 == after_export < after_close < after_period
    for command in (("export",), ("period", "close", "2026-02"), ("close", "2026-02", "--approver", "carol")):
        refused = book(*command, "--json", **variables, expect=1)
        assert refused.json["findings"][0]["code"] == "forked-at-block", command


def test_an_altered_amount_is_found(book: Loanbook, database: Database) -> None:
    post(book, "1020", "3010", "5000.00")
    book("seal")
    with database.connect("loanbook_admin", autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE ledger.posting SET amount = amount + 1")

    found = book("verify", expect=1)

    assert "damaged" in found.out
    assert "Finding" in found.out


def test_a_digest_of_another_form_is_refused(book: Loanbook) -> None:
    for text in ("1", "x:00", "1:zz", f"0:{'0' * 64}", "1:" + "0" * 62):
        assert book("verify", "--digest", text, "--json", expect=2).refusal["code"] == "input-malformed"


def test_a_bundle_is_exported_signed_and_verified(book: Loanbook, tmp_path: Path) -> None:
    post(book, "1020", "3010", "5000.00")
    block = book("seal", "--json").json["block"]
    key = tmp_path / "key.pem"
    public = book("evidence", "new-key", str(key), "--json").json["public_key"]
    bundle = str(tmp_path / "evidence.zip")

    made = book("evidence", "export", bundle, "--json", LOANBOOK_SIGNING_KEY_FILE=str(key)).json
    proof = ("--digest", f"1:{block['block_hash']}", "--public-key", public)
    verified = book("evidence", "verify", bundle, *proof, "--json").json

    assert key.stat().st_mode & 0o777 == 0o600
    assert (made["entries"], made["public_key"]) == (1, public)
    assert verified["verdict"].startswith("VERIFIED")
    file = tmp_path / "digests.jsonl"
    file.write_text('{"block_no": 1, "block_hash": "' + block["block_hash"] + '"}\n')
    assert book("evidence", "verify", bundle, "--digests", str(file), "--json").json["verdict"].startswith("VERIFIED")
    wrong = book("evidence", "verify", bundle, "--digest", "1:" + "0" * 64, expect=1)
    assert "forked at block 1" in wrong.out


def test_a_key_is_not_written_over(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("mine")

    assert book("evidence", "new-key", str(file), "--json", expect=2).refusal["code"] == "file-unusable"
    assert file.read_text() == "mine"


def test_what_is_no_bundle_and_where_none_can_be_is_refused(book: Loanbook, tmp_path: Path) -> None:
    assert book("evidence", "verify", str(tmp_path), "--json", expect=2).refusal["code"] == "file-unusable"
    nothing = book("evidence", "export", str(tmp_path / "e"), "--json", expect=2).refusal
    assert nothing["code"] == "block-unknown", "nothing was sealed yet"
    post(book, "1020", "3010", "1")
    book("seal")
    there = book("evidence", "export", str(tmp_path), "--json", expect=2).refusal
    assert there["code"] == "evidence-target-refused"
