"""What the doors themselves refuse: no database, no book, a setting or a file that cannot be read.

One class per fact, as in every package; `api/problems.py` gives each its HTTP status and its exit code.
Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from ledger.domain_error import DomainError


class SettingInvalid(DomainError, code="setting-invalid"):
    """{setting} cannot be used: {reason}"""

    setting: str
    reason: str


class DatabaseUnreachable(DomainError, code="database-unreachable"):
    """the database {where} does not answer: {reason}"""

    where: str
    reason: str


class DatabaseNotMigrated(DomainError, code="database-not-migrated"):
    """the database {where} lacks the schema of this version ({reason}); run `loanbook migrate`"""

    where: str
    reason: str


class DatabaseRoleRefused(DomainError, code="database-role-refused"):
    """the role of {where} may not do this: {reason}. LOANBOOK_DATABASE_URL names the role loanbook_app,
    LOANBOOK_OWNER_DATABASE_URL one that may create roles, LOANBOOK_READER_DATABASE_URL one that only reads"""

    where: str
    reason: str


class TaskFailed(DomainError, code="task-failed"):
    """the task {task} cannot be done: {reason}"""

    task: str
    reason: str


class DatabaseTrouble(DomainError, code="database-trouble"):
    """the database {where} could not do it now, and nothing was kept: {reason}"""

    where: str
    reason: str


class GuardsDiffer(DomainError, code="guards-differ"):
    """the guards of the database {where} differ from those of this version in {count} places: {differences}. Run
    `loanbook migrate` if the schema is older than the program; if not, somebody changed it: put it back as its owner,
    then run `loanbook verify`"""

    where: str
    count: int
    differences: str


class DigestsForeign(DomainError, code="digests-foreign"):
    """the digests in {folder} were published of other books ({finding}). Where the database was made anew on purpose,
    move that folder away or choose another with --out; where it was not, it was restored or rewritten"""

    folder: str
    finding: str


class NoBooksHere(DomainError, code="no-books-here"):
    """there are no books in {state_dir} yet; run `loanbook init`, or set LOANBOOK_DATABASE_URL or
    LOANBOOK_STATE_DIR"""

    state_dir: str


class BookMissing(DomainError, code="book-missing"):
    """the database has no book yet; run `loanbook init`"""


class BookAmbiguous(DomainError, code="book-ambiguous"):
    """there are several books ({known}); say which one by --book, LOANBOOK_BOOK or the parameter book"""

    known: tuple[str, ...]


class ServerNotEmbedded(DomainError, code="server-not-embedded"):
    """LOANBOOK_DATABASE_URL is set: that server is not ours to {action}"""

    action: str


class FileUnusable(DomainError, code="file-unusable"):
    """{path}: {reason}"""

    path: str
    reason: str


class InputMalformed(DomainError, code="input-malformed"):
    """{place}: {reason}"""

    place: str
    reason: str


class CursorInvalid(DomainError, code="cursor-invalid"):
    """the cursor is not one that this query gave out: {reason}"""

    reason: str


class IdempotencyKeyMissing(DomainError, code="idempotency-key-missing"):
    """a call that changes something needs the header Idempotency-Key: {reason}"""

    reason: str


class BindingRefused(DomainError, code="binding-refused"):
    """{host} can be reached from other machines, and there is no authentication: add --without-authentication
    if a proxy in front of it checks who calls"""

    host: str


class PortUnusable(DomainError, code="port-unusable"):
    """{host}:{port} cannot be listened on: {reason}"""

    host: str
    port: int
    reason: str
