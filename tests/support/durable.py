"""A server with all its durability, for tests that kill it and look what is left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ledger.embedded.server import Server, start
from migrations.runner import migrate
from tests.support.database import ADMIN, Database, url_of

NAME = "loanbook"


class DurableServer:
    """A server of one test's own and one migrated database in it."""

    def __init__(self, state_dir: Path, bindir: Path | None) -> None:
        """Start the server and migrate a new database."""
        self.state_dir = state_dir
        self._bindir = bindir
        self.server = self._start()
        admin_url = self.server.url_for("postgres")
        with Database("postgres", admin_url).connect(ADMIN, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {NAME}")
        self.database = Database(NAME, url_of(admin_url, NAME))
        migrate(self.database.admin_url)

    def kill(self) -> None:
        """End the server as a power failure would end its process: at once, with nothing saved."""
        os.kill(self.server.pid, signal.SIGKILL)
        while Path(f"/proc/{self.server.pid}/cwd").exists():
            time.sleep(0.01)

    def restart(self) -> Server:
        """Start the server again on the same data; connections from before are gone."""
        self.database.close()
        self.server = self._start()
        return self.server

    def close(self) -> None:
        """Stop the server; its data is thrown away."""
        self.database.close()
        self.server.stop(discard=True)

    def _start(self) -> Server:
        return start(self.state_dir, durable=True, lifetime="child", bindir=self._bindir)
