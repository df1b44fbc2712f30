"""Evidence bundles of a real ledger: what they hold, that they come out the same, and what the verifier says."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger import offline_verifier
from ledger.errors import BlockUnknown, EvidenceTargetRefused, SigningKeyInvalid, SubledgerUnknown
from ledger.evidence import export, new_signing_key, public_key_of, read_signing_key
from ledger.offline_verifier import Audit, Bundle
from tests.support.database import ADMIN, READER, Database
from tests.support.sealed_ledger import SealedLedger, build

KEY = read_signing_key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


@pytest.fixture(scope="module")
def ledger(module_database: Database) -> SealedLedger:
    """Build the ledger once."""
    return build(module_database.engine())


@pytest.fixture
def reader(module_database: Database, ledger: SealedLedger) -> Iterator[sa.Connection]:
    """Yield a connection of somebody who may only read."""
    with module_database.engine(READER).connect() as connection:
        yield connection


def answer(path: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    status = offline_verifier.main([str(path), *arguments])
    return status, capsys.readouterr().out


def test_a_bundle_is_verified_by_the_published_digest_and_the_key(
    reader: sa.Connection, ledger: SealedLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[tuple[int, int]] = []
    made = export(
        reader, tmp_path / "bundle", signing_key=KEY, on_progress=lambda done, total: steps.append((done, total))
    )

    assert made.head == ledger.blocks[-1].digest
    assert (made.blocks, made.entries) == (3, sum(each.entry_count for each in ledger.blocks))
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    status, out = answer(made.path, "--digest", str(made.head), "--public-key", public_key_of(KEY), capsys=capsys)
    assert status == 0
    assert f"The manifest is signed with the key {public_key_of(KEY)}." in out
    assert f"VERIFIED: blocks 1 to 3, {made.entries} entries, {made.postings} postings" in out


def test_a_bundle_holds_the_files_that_its_readme_names_and_the_verifier_itself(
    reader: sa.Connection, tmp_path: Path
) -> None:
    made = export(reader, tmp_path / "bundle", signing_key=KEY)

    names = {file.name for file in made.path.iterdir()}
    assert names == {
        "README.txt", "chart.jsonl", "entries.jsonl", "manifest.json", "manifest.sig", "seal_blocks.jsonl",
        "seal_members.jsonl", "seal_totals.jsonl", "verify.py",
    }  # fmt: skip
    readme = (made.path / "README.txt").read_text()
    assert all(name in readme for name in names - {"README.txt"})
    assert (made.path / "verify.py").read_bytes() == Path(offline_verifier.__file__).read_bytes()
    manifest = json.loads((made.path / "manifest.json").read_text())
    assert manifest["books"] == [{"book_id": 1, "code": "MAIN", "name": "Main Street Lending", "base_currency": "USD"}]


def test_the_same_blocks_make_the_same_bytes(reader: sa.Connection, tmp_path: Path) -> None:
    first = export(reader, tmp_path / "a", signing_key=KEY)
    second = export(reader, tmp_path / "b", signing_key=KEY)
    export(reader, tmp_path / "a.zip", signing_key=KEY)
    export(reader, tmp_path / "b.zip", signing_key=KEY)

    for file in first.path.iterdir():
        assert file.read_bytes() == (second.path / file.name).read_bytes(), file.name
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            file.name: file.read_bytes() for file in first.path.iterdir()
        }


def test_an_export_of_earlier_blocks_stays_the_same_when_the_ledger_grows(
    reader: sa.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str], ledger: SealedLedger
) -> None:
    made = export(reader, tmp_path / "bundle", to_block=2)

    assert made.head == ledger.blocks[1].digest
    assert answer(made.path, "--digest", str(ledger.blocks[1].digest), capsys=capsys)[0] == 0
    status, out = answer(made.path, "--digest", str(ledger.blocks[2].digest), capsys=capsys)
    assert (status, "truncated after block 2" in out) == (1, True)


def test_later_blocks_alone_are_verified_against_the_block_before_them(
    reader: sa.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str], ledger: SealedLedger
) -> None:
    made = export(reader, tmp_path / "bundle", from_block=2)

    assert made.blocks == 2
    assert answer(made.path, "--digest", str(ledger.blocks[2].digest), capsys=capsys)[0] == 0
    status, out = answer(made.path, "--digest", f"1:{'00' * 32}", capsys=capsys)
    assert (status, "forked at block 1" in out) == (1, True)


def test_one_subledger_is_proved_and_no_other_is_shown(
    reader: sa.Connection, ledger: SealedLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for loan in ledger.loans:
        made = export(reader, tmp_path / f"{loan}.zip", subledger_id=loan)
        status, out = answer(made.path, "--digest", str(ledger.blocks[-1].digest), capsys=capsys)
        assert (status, f"entries, {made.postings} postings of subledger {loan}" in out) == (0, True)
        with zipfile.ZipFile(made.path) as archive:
            rows = [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]
            assert {row["subledger_id"] for row in rows} == {loan}
            assert "seal_totals.jsonl" not in archive.namelist()


def test_a_bundle_of_damaged_books_shows_the_damage(
    module_database: Database, ledger: SealedLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loan = ledger.loans[2]
    with module_database.engine(ADMIN).connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            sa.text("UPDATE ledger.journal_entry SET narration = 'x' WHERE subledger_id = :loan AND entry_no = 4"),
            {"loan": loan},
        )
        made = export(connection, tmp_path / "bundle")
        transaction.rollback()

    status, out = answer(made.path, capsys=capsys)

    assert status == 1
    assert f"edited at ({loan}, 4..5): the digest of these entries is another" in out


def test_what_cannot_be_exported_is_refused_and_leaves_nothing_behind(reader: sa.Connection, tmp_path: Path) -> None:
    with pytest.raises(BlockUnknown, match="there is no seal block 4; the latest is 3"):
        export(reader, tmp_path / "bundle", to_block=4)
    with pytest.raises(BlockUnknown):
        export(reader, tmp_path / "bundle", from_block=3, to_block=2)
    with pytest.raises(SubledgerUnknown):
        export(reader, tmp_path / "bundle", subledger_id=999)
    with pytest.raises(EvidenceTargetRefused):
        export(reader, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unsealed_ledger_has_no_evidence(database: Database, tmp_path: Path) -> None:
    with database.engine(READER).connect() as connection, pytest.raises(BlockUnknown):
        export(connection, tmp_path / "bundle")


def test_a_client_of_another_encoding_exports_the_same(
    module_database: Database, reader: sa.Connection, tmp_path: Path
) -> None:
    export(reader, tmp_path / "a")
    engine = sa.create_engine(module_database.url_for(READER), connect_args={"client_encoding": "LATIN9"})
    with engine.connect() as connection:
        export(connection, tmp_path / "b")
    engine.dispose()

    assert (tmp_path / "a" / "entries.jsonl").read_bytes() == (tmp_path / "b" / "entries.jsonl").read_bytes()
    assert Audit(Bundle(tmp_path / "b")).run().findings == []


def test_keys_are_read_as_pem_or_as_digits_and_other_kinds_are_refused() -> None:
    assert public_key_of(KEY) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert len(public_key_of(read_signing_key(new_signing_key()))) == 64
    elliptic = (
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    )
    for text in ("", "zz", "00", elliptic, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(SigningKeyInvalid):
            read_signing_key(text)
