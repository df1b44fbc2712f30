"""The stand-alone verifier finds five thousand random changes to a bundle whose manifest was made to agree with them.

The bundles come from the pure modules of the ledger, with which the verifier shares no code. What agrees with itself
again, a tail that was cut off or a chain that was written anew, is found against a digest that is held outside.
"""

from __future__ import annotations

import ast
import copy
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger import offline_verifier
from ledger.offline_verifier import Audit, Bundle, Finding, Unreadable, check_digests, main, signed
from tests.support.bundles import INCOME, Books, Files, Row, line, sample_books, write_bundle

SEEDS = (
    *range(20260101, 20260103),
    *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(20260103, 20260111)),
)
CHANGES_PER_SEED, CUTS_PER_SEED, REWRITES_PER_SEED = 460, 20, 20


def audit(folder: Path, *digests: str) -> list[Finding]:
    try:
        found = Audit(Bundle(folder)).run()
    except Unreadable as error:
        return [Finding("unreadable", str(folder), str(error))]
    check_digests(found, map(offline_verifier.parse_digest, digests))
    return found.findings


def digest_of(files: Files, block_no: int) -> str:
    return f"{block_no}:{files['seal_blocks.jsonl'][block_no - 1]['block_hash']}"


# --- What holds ------------------------------------------------------------------------------------------------------


def test_a_true_bundle_is_verified_against_a_digest_held_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sample_books().files()
    folder = write_bundle(tmp_path / "bundle", files)

    assert main([str(folder), "--digest", digest_of(files, 3)]) == 0
    assert "\nVERIFIED: blocks 1 to 3, 48 entries" in capsys.readouterr().out


def test_without_a_digest_it_is_consistent_but_unanchored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_bundle(tmp_path / "bundle", sample_books().files())

    assert main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert "CONSISTENT BUT UNANCHORED" in out
    assert "VERIFIED" not in out


def test_a_digest_of_an_earlier_block_anchors_no_more_than_that_block(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sample_books().files()
    folder = write_bundle(tmp_path / "bundle", files)

    assert main([str(folder), "--digest", digest_of(files, 2)]) == 0
    assert "VERIFIED through block 2; consistent but unanchored after it" in capsys.readouterr().out


def test_a_bundle_of_later_blocks_is_verified_against_the_block_before_it_or_one_of_its_own(tmp_path: Path) -> None:
    files = sample_books().files()
    for name in ("entries", "seal_members", "seal_blocks", "seal_totals"):
        files[f"{name}.jsonl"] = [row for row in files[f"{name}.jsonl"] if row["block_no"] > 1]
    folder = write_bundle(tmp_path / "bundle", files)
    whole = sample_books().files()

    assert audit(folder, digest_of(whole, 1), digest_of(whole, 3)) == []
    assert [str(each) for each in audit(folder, "1:" + "00" * 32)] == [
        f"forked at block 1: the digest held outside is {'00' * 32}"
    ]


def test_one_subledger_is_proved_without_the_others(tmp_path: Path) -> None:
    books = sample_books()
    files = books.files_of(105)
    folder = write_bundle(tmp_path / "bundle", files, scope="subledger", subledger_id=105)

    assert {row["subledger_id"] for row in files["entries.jsonl"]} == {105}
    assert audit(folder, digest_of(files, 3)) == []


def test_a_proof_of_another_place_is_refused(tmp_path: Path) -> None:
    files = sample_books().files_of(105)
    files["seal_members.jsonl"][1]["proof"]["index"] += 1

    (finding,) = audit(write_bundle(tmp_path / "bundle", files, scope="subledger", subledger_id=105))

    assert str(finding) == "edited at (105, 3): its proof does not lead to the root of block 2"


# --- What does not ---------------------------------------------------------------------------------------------------


def test_an_edited_entry_is_named(tmp_path: Path) -> None:
    files = sample_books().files()
    files["entries.jsonl"][3]["narration"] = "nothing to see here"

    (finding,) = audit(write_bundle(tmp_path / "bundle", files))

    assert str(finding) == "edited at (101, 2): its hash is another"


def test_an_edited_entry_whose_hash_was_made_to_fit_is_named_by_its_run(tmp_path: Path) -> None:
    files, books = sample_books().files(), sample_books()
    books.sealed[0][3]["narration"] = "nothing to see here"
    files["entries.jsonl"] = books.files()["entries.jsonl"]

    (finding,) = audit(write_bundle(tmp_path / "bundle", files))

    assert str(finding) == "edited at (101, 1..2): the digest of these entries is another"


def test_a_missing_entry_is_named(tmp_path: Path) -> None:
    files = sample_books().files()
    del files["entries.jsonl"][3]

    findings = audit(write_bundle(tmp_path / "bundle", files))

    assert str(findings[0]) == "missing at (101, 2): the member is of entries 1 to 2"


def test_a_missing_member_takes_its_entries_along(tmp_path: Path) -> None:
    files = sample_books().files()
    del files["seal_members.jsonl"][1]

    findings = [str(each) for each in audit(write_bundle(tmp_path / "bundle", files))]

    assert "edited at (101, 1): it is out of its place" in findings
    assert "missing at (101, 1): the next member begins with entry 3" in findings


def test_a_bundle_that_ends_before_the_published_block_is_truncated(tmp_path: Path) -> None:
    books = sample_books()
    published = digest_of(books.files(), 3)
    del books.sealed[2]

    (finding,) = audit(write_bundle(tmp_path / "bundle", books.files()), published)

    assert str(finding) == "truncated after block 2: a digest of block 3 was published"


def test_a_chain_that_was_written_anew_is_forked_at_the_first_block_that_differs(tmp_path: Path) -> None:
    books = sample_books()
    published = [digest_of(books.files(), number) for number in (1, 2, 3)]
    books.sealed[1][0]["postings"][0][3] += 1

    (finding,) = audit(write_bundle(tmp_path / "bundle", books.files()), *published)

    assert (finding.kind, finding.place) == ("forked", "at block 2")


def test_an_account_that_the_chart_does_not_have_is_found(tmp_path: Path) -> None:
    books = sample_books()
    books.sealed[2][0]["postings"][0][1] = INCOME + 1

    (finding,) = audit(write_bundle(tmp_path / "bundle", books.files()))

    assert str(finding) == "edited at (100, 4): account 5 is not in the chart of its book"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_of_a_bundle_is_found(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    books = sample_books(loans=5)
    original = books.files()
    digest = digest_of(original, 3)

    for done in range(CHANGES_PER_SEED):
        files = copy.deepcopy(original)
        what = choose.choices([_change_field, _move_line, _change_posting], weights=[7, 2, 1])[0](choose, files)
        assert audit(write_bundle(tmp_path / "bundle", files)), f"seed {seed}, change {done}: {what}"

    for _ in range(CUTS_PER_SEED):
        shorter = Books(books.chart, books.sealed[: choose.randint(1, 2)])
        (finding,) = audit(write_bundle(tmp_path / "bundle", shorter.files()), digest)
        assert (finding.kind, finding.place) == ("truncated", f"after block {len(shorter.sealed)}")

    for _ in range(REWRITES_PER_SEED):
        rewritten = copy.deepcopy(books)
        block = choose.randrange(3)
        entry = choose.choice(rewritten.sealed[block])
        entry[choose.choice(["narration", "actor", "request_key", "source_ref"])] = f"changed {choose.random()}"
        folder = write_bundle(tmp_path / "bundle", rewritten.files())
        assert audit(folder) == []
        (finding,) = audit(folder, *(digest_of(original, number) for number in (1, 2, 3)))
        assert (finding.kind, finding.place) == ("forked", f"at block {block + 1}")

    print(
        f"seed {seed}: {CHANGES_PER_SEED} changes, {CUTS_PER_SEED} cuts and {REWRITES_PER_SEED} rewritten chains found"
    )


def _change_field(choose: random.Random, files: Files) -> str:
    name = choose.choice(sorted(files))
    number = choose.randrange(len(files[name]))
    row = files[name][number]
    key = choose.choice([key for key in row if key != "postings"])
    before = row[key]
    row[key] = _other(choose, before)
    return f"{name}, line {number + 1}, {key}: {before!r} became {row[key]!r}"


def _other(choose: random.Random, value: Any) -> Any:
    match value:
        case None:
            return choose.choice([1, "", "x", 0])
        case bool():
            return choose.choice([not value, None, int(value)])
        case int():
            return choose.choice([value + 1, value - 1, -value or 1, str(value), float(value), None, 2**63, 2**31 - 1])
        case _:
            flipped = _flip(choose, value)
            return choose.choice([flipped, value + "0", value[:-1] if value else "x", None, value.upper() + " ", 7])


def _flip(choose: random.Random, value: str) -> str:
    if not value:
        return "x"
    at = choose.randrange(len(value))
    return value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]


def _move_line(choose: random.Random, files: Files) -> str:
    name = choose.choice(sorted(files))
    rows = files[name]
    at = choose.randrange(len(rows))
    match choose.choice(["deleted", "doubled", "swapped"]):
        case "deleted":
            del rows[at]
            return f"{name}, line {at + 1} was deleted"
        case "doubled":
            rows.insert(choose.randrange(len(rows)), copy.deepcopy(rows[at]))
            return f"{name}, line {at + 1} was put in once more"
        case _:
            other = (at + choose.randrange(1, len(rows))) % len(rows)
            rows[at], rows[other] = rows[other], rows[at]
            return f"{name}, lines {at + 1} and {other + 1} changed places"


def _change_posting(choose: random.Random, files: Files) -> str:
    entry = choose.choice(files["entries.jsonl"])
    posting = choose.choice(entry["postings"])
    column = choose.randrange(len(posting))
    before = posting[column]
    posting[column] = _other(choose, before)
    if choose.random() < 0.2:
        entry["postings"].append([len(entry["postings"]) + 1, 1, 2, 5, "USD", entry["booking_date"]])
    return f"entry {entry['subledger_id']}, {entry['entry_no']}: {before!r} became {posting[column]!r}"


# --- Files and the manifest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_byte_that_was_changed_is_found_by_the_manifest(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    folder = write_bundle(tmp_path / "bundle", sample_books(loans=2).files())

    for _ in range(20):
        file = choose.choice(sorted(folder.glob("*.jsonl")))
        data = file.read_bytes()
        at = choose.randrange(len(data))
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << choose.randrange(8)]) + data[at + 1 :])
        assert any(file.name in each.place for each in audit(folder))
        file.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "chart.jsonl").unlink(), "missing chart.jsonl: the manifest lists it"),
        (
            lambda folder: (folder / "more.jsonl").write_text("{}\n"),
            "edited more.jsonl: its hash is not the one in the manifest",
        ),
    ],
)
def test_files_that_are_missing_or_came_later_are_found(
    tmp_path: Path, change: Callable[[Path], object], expected: str
) -> None:
    folder = write_bundle(tmp_path / "bundle", sample_books(loans=2).files())

    change(folder)

    assert str(audit(folder)[0]) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"last_block": 4},
        {"last_block": 2},
        {"first_block": 2},
        {"head_hash": "00" * 32},
        {"previous_hash": "00" * 32},
        {"counts": {"blocks": 3}},
        {"counts": {"blocks": 3, "members": 6, "entries": 8, "postings": 16, "changes": 5}},
        {"scope": "subledger"},
    ],
)
def test_a_manifest_that_says_something_else_is_found(tmp_path: Path, changed: Row) -> None:
    assert audit(write_bundle(tmp_path / "bundle", sample_books(loans=2).files(), **changed))


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"format": "loanbook-evidence", "version": 2}',
        '{"format": "loanbook-evidence", "version": 1}',
        "\xff",
    ],
)
def test_what_is_no_bundle_cannot_be_read_and_says_why(
    tmp_path: Path, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text(manifest, encoding="latin-1")

    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("cannot verify: manifest.json")


@pytest.mark.parametrize("digest", ["3", "3:zz", "0:" + "00" * 32, "3:00", '{"block_no": 3}', "x:" + "00" * 32])
def test_a_digest_that_is_none_is_refused(tmp_path: Path, digest: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_bundle(tmp_path / "bundle", sample_books(loans=2).files())

    assert main([str(folder), "--digest", digest]) == 2
    assert "is not BLOCK:HASH" in capsys.readouterr().err


def test_published_digests_are_read_from_a_file(tmp_path: Path) -> None:
    files = sample_books(loans=2).files()
    folder = write_bundle(tmp_path / "bundle", files)
    published = tmp_path / "digests.jsonl"
    lines = [line({"block_no": row["block_no"], "block_hash": row["block_hash"]}) for row in files["seal_blocks.jsonl"]]

    published.write_text("".join(lines))
    assert main([str(folder), "--digests", str(published)]) == 0
    published.write_text("".join([*lines, line({"block_no": 4, "block_hash": "00" * 32})]))
    assert main([str(folder), "--digests", str(published)]) == 1


# --- Signatures ------------------------------------------------------------------------------------------------------

# RFC 8032, 7.1, tests 1, 2 and 3: secret key, public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public_key", "message", "signature"), RFC_8032)
def test_signatures_of_the_standard_hold(public_key: str, message: str, signature: str) -> None:
    key, text, proof = map(bytes.fromhex, (public_key, message, signature))

    assert signed(key, text, proof)
    assert not signed(key, text + b"\x00", proof)


def test_signatures_are_accepted_exactly_where_the_library_accepts_them() -> None:
    choose = random.Random(8032)

    for _ in range(60):
        key = Ed25519PrivateKey.from_private_bytes(choose.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), choose.randbytes(choose.randrange(100))
        signature = bytearray(key.sign(message))
        if choose.random() < 0.6:
            signature[choose.randrange(64)] ^= 1 << choose.randrange(8)
        assert signed(public, message, bytes(signature)) == _library_accepts(public, message, bytes(signature))


def _library_accepts(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_only_the_key_given_counts_not_the_one_in_the_bundle(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "bundle", sample_books(loans=2).files())
    ours, theirs = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2))
    signature = {
        "public_key": theirs.public_key().public_bytes_raw().hex(),
        "signature": theirs.sign((folder / "manifest.json").read_bytes()).hex(),
    }
    (folder / "manifest.sig").write_text(json.dumps(signature))

    assert main([str(folder), "--public-key", theirs.public_key().public_bytes_raw().hex()]) == 0
    assert main([str(folder), "--public-key", ours.public_key().public_bytes_raw().hex()]) == 1
    assert main([str(folder), "--public-key", "no key"]) == 1


# --- The script by itself --------------------------------------------------------------------------------------------


def test_the_script_runs_alone_on_a_zip_with_nothing_of_the_project_in_reach(tmp_path: Path) -> None:
    files = sample_books(loans=2).files()
    folder = write_bundle(tmp_path / "bundle", files)
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    script = tmp_path / "verify.py"
    script.write_bytes(Path(offline_verifier.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", str(script), str(tmp_path / "bundle.zip"), "--digest", digest_of(files, 3)]

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "VERIFIED: blocks 1 to 3" in done.stdout


def test_the_script_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(offline_verifier.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= sys.stdlib_module_names
