"""Tests by the name that pytest writes for them, so that a list of them can point to no test that is not there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def resolved(reference: str) -> Callable[..., Any]:
    """Return the test of a file and a name, as pytest writes it."""
    file, _, name = reference.partition("::")
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    function = getattr(module, name, None)
    assert callable(function) and name.startswith("test_"), reference
    found: Callable[..., Any] = function
    return found
