"""A product as people and programs see it: the release in force under a name, and its rules.

Never: what a rule means (`docs/spec/`). Next: `servicing/queries.py`; `api/cli/products.py`; `api/routes/products.py`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from servicing.commands.products import Loaded
from servicing.product import shipped, shipped_names
from servicing.queries import ProductRelease, product_named, product_releases

Json = dict[str, Any]


def loaded_json(loaded: Loaded) -> Json:
    """Return what loading a product came to."""
    return {
        "name": loaded.name,
        "release": loaded.release,
        "content_hash": loaded.content_hash,
        "is_new": loaded.is_new,
    }


def products_json(connection: sa.Connection) -> list[Json]:
    """Return every product with its latest release, by name; those without one are shipped, and nobody loaded them."""
    rows = {name: _shipped_json(name) for name in shipped_names()}
    rows |= {release.name: _release_json(release) for release in reversed(product_releases(connection))}
    return [rows[name] for name in sorted(rows)]


def product_json(connection: sa.Connection, name: str) -> Json:
    """Return a product with the rules that new loans get, and its releases, the latest first.

    Raises: ProductUnknown.
    """
    product = product_named(connection, name)
    releases = product_releases(connection, name)
    return {
        **(_release_json(releases[0]) if releases else _shipped_json(name)),
        "rules": product.as_json(),
        "releases": [_release_json(release) for release in releases],
    }


def _release_json(release: ProductRelease) -> Json:
    return {
        "name": release.name,
        "release": release.release,
        "content_hash": release.content_hash,
        "actor": release.actor,
        "recorded_at": release.recorded_at.isoformat(),
    }


def _shipped_json(name: str) -> Json:
    return {
        "name": name,
        "release": None,
        "content_hash": shipped(name).content_hash(),
        "actor": None,
        "recorded_at": None,
    }
