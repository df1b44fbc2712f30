"""Fixtures for every test that needs PostgreSQL, and the sizes of generated tests.

One server serves the whole run. Without workers it starts at the first test that asks; with workers (`-n`)
the controller starts it before them and hands out its URL. It ends with the controller, however that ends.
Next: `tests/support/servers.py`, `tests/support/database.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.database import Database, create_template, fresh_database
from tests.support.durable import DurableServer
from tests.support.servers import CHOICE, chosen_bindir, scratch_folder, scratch_server

NEEDS_POSTGRES = frozenset({"server_url", "database", "module_database", "durable_server"})
ONCE = frozenset(
    Path(__file__).parent / room
    for room in ("api", "golden", "integration/cli", "integration/servicing", "integration/origination")
)
"""Rooms whose tests run on one kind of server, but for those that are marked `twice`."""
MISSING = f"no PostgreSQL of the kind that {CHOICE} asks for is installed"

# `ci` finds the same in every run; `deep` looks elsewhere each time, and prints what reproduces a failure.
_PATIENT = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
settings.register_profile("ci", _PATIENT, max_examples=70, derandomize=True, database=None)
settings.register_profile("deep", _PATIENT, max_examples=2000, print_blob=True)
settings.load_profile("ci")

_url = pytest.StashKey[str]()
_cleanup = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server before the workers do anything."""
    config.stash[_cleanup] = ExitStack()
    distributes = config.getoption("numprocesses", None) and not config.getoption("collectonly", False)
    if distributes and not hasattr(config, "workerinput"):
        config.stash[_url] = _start_server(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the server is."""
    node.workerinput["server_url"] = node.config.stash[_url]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that this process started."""
    config.stash.get(_cleanup, ExitStack()).close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that touch a database, so that `-m postgres` finds them, and those of some rooms as `once`.

    What is `deep` is left out but for a deep run.
    """
    deep = [item for item in items if item.get_closest_marker("deep")]
    if deep and config.getoption("--hypothesis-profile") != "deep":
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if item not in deep]
    for item in items:
        if NEEDS_POSTGRES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("postgres")
        if ONCE.intersection(item.path.parents) and not item.get_closest_marker("twice"):
            item.add_marker("once")


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """Return the administrator's URL of the run's server, whose template database is migrated."""
    config = request.config
    if hasattr(config, "workerinput"):
        url = str(config.workerinput["server_url"])
    else:
        url = config.stash.setdefault(_url, "") or _start_server(config)
        config.stash[_url] = url
    if not url:
        pytest.skip(MISSING)
    return url


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """Yield a fresh, migrated database for one test."""
    with fresh_database(server_url) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(server_url: str) -> Iterator[Database]:
    """Yield a fresh, migrated database that the tests of one module share."""
    with fresh_database(server_url) as fresh:
        yield fresh


@pytest.fixture
def durable_server() -> Iterator[DurableServer]:
    """Yield a server of the test's own that keeps what was committed, to be killed and started again."""
    if chosen_bindir() is None:
        pytest.skip(MISSING)
    with scratch_folder() as folder:
        server = DurableServer(folder / "state", chosen_bindir())
        try:
            yield server
        finally:
            server.close()


def _start_server(config: pytest.Config) -> str:
    """Return the URL of a new server with its template, an empty text if there are no programs for one."""
    if chosen_bindir() is None:
        return ""
    server = config.stash[_cleanup].enter_context(scratch_server(durable=False))
    url = server.url_for("postgres")
    create_template(url)
    return url
