"""Two contracts for import-linter that speak of rooms: the second part of a module's name.

Every package has the same rooms, so the rules name rooms once instead of listing modules: a new module is
pure, and may be imported by all, until pyproject.toml lists its room otherwise. Read by `lint-imports` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

BrokenImport = tuple[str, str]


def room(module: str) -> str:
    """Return the second part of a dotted name: `ledger.store.entries` is in the room `store`."""
    return module.split(".")[1] if "." in module else ""


class _RoomContract(Contract):
    """What both contracts share: a list of packages, and a report of the imports that break the rule."""

    packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = sorted(self._broken(graph))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"- {importer} imports {imported}")
        output.new_line()

    def _broken(self, graph: ImportGraph) -> Iterator[BrokenImport]:
        raise NotImplementedError

    def _modules(self, graph: ImportGraph) -> Iterator[str]:
        for package in _names(self.packages):
            yield from graph.find_descendants(package)


class PureRooms(_RoomContract):
    """A module outside the shell rooms imports no forbidden module and no shell room of any package."""

    shell_rooms = fields.ListField(subfield=fields.StringField())
    forbidden_modules = fields.ListField(subfield=fields.StringField())

    def _broken(self, graph: ImportGraph) -> Iterator[BrokenImport]:
        shell, packages = set(_names(self.shell_rooms)), set(_names(self.packages))
        forbidden = set(_names(self.forbidden_modules))
        for module in self._modules(graph):
            if room(module) in shell:
                continue
            for imported in graph.find_modules_directly_imported_by(module):
                root = imported.split(".")[0]
                if root in forbidden or (root in packages and room(imported) in shell):
                    yield module, imported


class PrivateRooms(_RoomContract):
    """A private room is imported by its own package only."""

    private_rooms = fields.ListField(subfield=fields.StringField())

    def _broken(self, graph: ImportGraph) -> Iterator[BrokenImport]:
        private = set(_names(self.private_rooms))
        for module in self._modules(graph):
            if room(module) not in private:
                continue
            for importer in graph.find_modules_that_directly_import(module):
                if importer.split(".")[0] != module.split(".")[0]:
                    yield importer, module


def _names(field: object) -> Iterable[str]:
    """Return the value of a list field; on the class it is a Field, on a contract the list that was read."""
    return cast("Any", field) or ()
