"""Which database, and as which role: the one that a setting names, or the embedded server's.

The embedded server is started when a command needs it and attached to when it runs; it outlives the command
until `loanbook db stop`. Only `init`, `migrate` and `db start` create one where there is none. Next:
`ledger/embedded/server.py`; `api/edge.py`, which opens connections.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from api.errors import NoBooksHere, ServerNotEmbedded, SettingInvalid
from api.settings import Settings
from ledger.embedded import server as embedded
from ledger.embedded.layout import layout_of

DATABASE = "loanbook"
DRIVER = "postgresql+psycopg"
_ALIASES = frozenset({"postgres", "postgresql", DRIVER})


class Role(StrEnum):
    """As whom to connect. `ADMIN` may create roles; with a database url it is whoever the owner's url
    names."""

    APP = "loanbook_app"
    OWNER = "loanbook_owner"
    READER = "loanbook_reader"
    ADMIN = embedded.ADMIN


def database_url(
    settings: Settings,
    role: Role,
    *,
    create: bool = False,
    on_start: Callable[[embedded.Server], None] | None = None,
) -> sa.URL:
    """Return the url for a role, with the embedded server started if it is the one to use.

    Raises: NoBooksHere if there is none yet and `create` is off; SettingInvalid; what starting a server
    raises.
    """
    configured = _configured_url(settings, role)
    if configured is not None:
        return configured
    if not create and not layout_of(settings.state_dir).data.exists():
        raise NoBooksHere(state_dir=str(settings.state_dir))
    server = start_embedded(settings)
    if server.started and on_start is not None:
        on_start(server)
    return sa.make_url(server.url_for(DATABASE, role))


def start_embedded(settings: Settings) -> embedded.Server:
    """Start the embedded server, or find it running, with its database in it.

    Raises: ServerNotEmbedded if a database url is set; what starting a server raises.
    """
    state_dir = embedded_state_dir(settings, "start")
    try:
        server = embedded.start(state_dir, bindir=settings.pg_bindir)
    except OSError as error:
        reason = f"the embedded server cannot keep its data there: {error.strerror or error}"
        raise SettingInvalid(setting="LOANBOOK_STATE_DIR", reason=f"{state_dir}: {reason}") from error
    _create_database(server)
    return server


def embedded_state_dir(settings: Settings, action: str) -> Path:
    """Return the embedded server's folder for an action on the server itself.

    Raises: ServerNotEmbedded if a database url is set.
    """
    if settings.database_url is not None:
        raise ServerNotEmbedded(action=action)
    return settings.state_dir


def place_of(url: sa.URL) -> str:
    """Return what may be shown of a url: never its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _configured_url(settings: Settings, role: Role) -> sa.URL | None:
    if settings.database_url is None:
        return None
    if role in (Role.OWNER, Role.ADMIN) and settings.owner_database_url is not None:
        return _parsed("LOANBOOK_OWNER_DATABASE_URL", settings.owner_database_url.get_secret_value())
    if role is Role.READER and settings.reader_database_url is not None:
        return _parsed("LOANBOOK_READER_DATABASE_URL", settings.reader_database_url.get_secret_value())
    return _parsed("LOANBOOK_DATABASE_URL", settings.database_url.get_secret_value())


def _parsed(setting: str, text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise SettingInvalid(setting=setting, reason="it is not a url such as postgresql://user@host/name") from None
    if url.drivername not in _ALIASES:
        raise SettingInvalid(setting=setting, reason=f"{url.drivername} is not PostgreSQL, the only database there is")
    return url.set(drivername=DRIVER)


def _create_database(server: embedded.Server) -> None:
    """Create the database where it is missing; two starters at once are let in one by one."""
    import psycopg

    with psycopg.connect(server.libpq_url_for("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(hashtext('loanbook database'))")
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
