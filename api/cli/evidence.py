"""`loanbook evidence`: bundles that prove the journal to anybody, without this database.

Next: `ledger/evidence.py`; `ledger/offline_verifier.py`, which lies in every bundle.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.options import reads_installation
from api.cli.output import print_facts, print_line
from api.cli.seals import DIGEST_FILES, DIGESTS
from api.cli.session import Session

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@click.group()
def evidence() -> None:
    """Export bundles that prove the journal without a database, and verify them.

    \b
    loanbook evidence export out/evidence.zip
    loanbook evidence verify out/evidence.zip --digest 12:9f86d081884c7d65...
    """


@evidence.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--from-block", type=int, default=1, show_default=True, help="The first block of the bundle.")
@click.option("--to-block", type=int, help="The last one [default: the latest].")
@click.option("--subledger", "subledger_id", type=int, help="Of one loan only, with its proofs.")
@reads_installation
def export(session: Session, target: Path, from_block: int, to_block: int | None, subledger_id: int | None) -> None:
    """Write a bundle: entries, postings, seals, chart, manifest, and the script that verifies them.

    A new folder, or a zip file if the name ends so. The manifest is signed if LOANBOOK_SIGNING_KEY_FILE is set. Made
    twice of the same blocks it is the same, byte for byte. A bundle of one subledger shows nothing of the others.

    \b
    loanbook evidence export out/evidence.zip
    loanbook evidence export out/loan-7.zip --subledger 7
    """
    from api.cli.progress import progress
    from api.views import plain
    from ledger.evidence import export as write_bundle

    key = _signing_key(session)
    with progress("Evidence", quiet=session.as_json) as advance:
        made = session.read(
            lambda connection: write_bundle(
                connection,
                target,
                from_block=from_block,
                to_block=to_block,
                subledger_id=subledger_id,
                signing_key=key,
                on_progress=advance,
            )
        )
    facts = {**plain(made), "head": str(made.head)}
    session.show(facts, lambda: print_facts({name.replace("_", " "): value for name, value in facts.items()}))


def _signing_key(session: Session) -> Ed25519PrivateKey | None:
    from api.cli.files import read_text
    from ledger.evidence import read_signing_key

    file = session.settings.signing_key_file
    return None if file is None else read_signing_key(read_text(file))


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@DIGEST_FILES
@DIGESTS
@click.option("--public-key", metavar="HEX", help="The signer's key, got from elsewhere than the bundle.")
@reads_installation
def verify(
    session: Session, bundle: Path, files: tuple[Path, ...], known: tuple[str, ...], public_key: str | None
) -> int:
    """Verify a bundle by the same code that lies in it; exit code 1 if anything is wrong.

    It needs no database; an auditor runs `python3 verify.py` of the bundle instead.

    \b
    loanbook evidence verify out/evidence.zip --digests digests.jsonl
    loanbook evidence verify out/evidence.zip --digest 12:9f86d081884c7d65...
    """
    from api.cli.sealing import read_digest_files
    from api.errors import FileUnusable, InputMalformed
    from ledger import offline_verifier as offline

    if public_key is not None and re.fullmatch(r"[0-9a-fA-F]{64}", public_key) is None:
        raise InputMalformed(place="--public-key", reason="a public key is 64 hexadecimal digits")
    held = [(digest.block_no, digest.block_hash.hex()) for digest in read_digest_files(files)]
    try:
        held += [offline.parse_digest(each) for each in known]
        audit = offline.Audit(offline.Bundle(bundle)).run()
    except (offline.Unreadable, OSError) as error:
        raise FileUnusable(path=str(bundle), reason=f"it cannot be verified: {error}") from None
    signature = offline.check_signature(audit, public_key)
    verdict = offline.verdict(audit, offline.check_digests(audit, held))
    findings = [str(finding) for finding in audit.findings]
    document = {"verdict": verdict, "signature": signature, "findings": findings}
    session.show(document, lambda: print_line("\n".join([signature, *(f"- {each}" for each in findings), verdict])))
    return 1 if findings else 0


@evidence.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
@reads_installation
def new_key(session: Session, file: Path) -> None:
    """Make a key that signs evidence, and print its public half, which auditors are given.

    \b
    loanbook evidence new-key /etc/loanbook/evidence.pem
    """
    from api.errors import FileUnusable
    from ledger.evidence import new_signing_key, public_key_of, read_signing_key

    text = new_signing_key()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise FileUnusable(path=str(file), reason=error.strerror or "it cannot be written") from None
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    public = public_key_of(read_signing_key(text))
    session.show(
        {"file": str(file), "public_key": public}, lambda: print_line(f"Wrote {file}; its public key is {public}")
    )
