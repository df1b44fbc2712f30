"""The databases that other tests are given: migrated, fresh, and with the three roles that production has."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.support.database import ADMIN, APP, OWNER, READER, Database
from tests.support.durable import DurableServer

CURRENT_USER = sa.text("SELECT current_user")


@pytest.mark.parametrize("role", [ADMIN, OWNER, APP, READER])
def test_each_role_connects_as_itself(module_database: Database, role: str) -> None:
    with module_database.engine(role).connect() as connection:
        assert connection.scalar(CURRENT_USER) == role


@pytest.mark.parametrize("role", [OWNER, APP, READER])
def test_no_role_of_the_program_is_a_superuser(module_database: Database, role: str) -> None:
    with module_database.connect(role) as connection:
        assert connection.execute("SHOW is_superuser").fetchone() == ("off",)


def test_a_copy_keeps_what_was_granted_on_the_original(database: Database) -> None:
    query = "SELECT has_database_privilege(current_database(), 'CREATE')"
    with database.connect(OWNER) as owner:
        assert owner.execute(query).fetchone() == (True,)
    with database.connect(APP) as app:
        assert app.execute(query).fetchone() == (False,)


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_leaves_another_does_not_find(database: Database, turn: int) -> None:
    with database.connect(ADMIN) as admin:
        admin.execute(f"CREATE TABLE public.left_behind AS SELECT {turn} AS turn")
        assert admin.execute("SELECT turn FROM public.left_behind").fetchone() == (turn,)


def test_a_durable_server_keeps_what_was_committed_when_it_is_killed(durable_server: DurableServer) -> None:
    with durable_server.database.engine(ADMIN).begin() as connection:
        connection.execute(sa.text("CREATE TABLE public.kept AS SELECT 42 AS answer"))

    durable_server.kill()
    durable_server.restart()

    with durable_server.database.engine(ADMIN).connect() as connection:
        assert connection.scalar(sa.text("SELECT answer FROM public.kept")) == 42
