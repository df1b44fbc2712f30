"""Puts files into a folder whole: written aside, flushed, renamed, and at last announced by a checksum file.

A reader never sees half a file under its final name, however the writer ends. The same file delivered again is left
as it is. Never: what is in a file. Next: `gl_export/commands/batches.py`.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gl_export.errors import DeliveryRefused, EvidenceDiffers

NamedContent = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """A file that lies where it was wanted, with the SHA-256, in hexadecimal, of its content."""

    name: str
    size_bytes: int
    sha256: str


def deliver(
    folder: Path, files: Iterable[NamedContent], *, checksums: str, before: Mapping[str, str] | None = None
) -> tuple[DeliveredFile, ...]:
    """Write files in their order and, last, one named `checksums` that `sha256sum --check` reads; return all of them.

    With `before`, the SHA-256 of each file as it was delivered, nothing is written unless all come out the same.
    Raises: EvidenceDiffers; DeliveryRefused with what the operating system says.
    """
    named = tuple(files)
    lines = "".join(f"{sha256_of(content)}  {name}\n" for name, content in named)
    named = (*named, (checksums, lines.encode()))
    if before is not None:
        for name, content in named:
            if before.get(name) != sha256_of(content):
                raise EvidenceDiffers(file=name, expected=str(before.get(name)), found=sha256_of(content))
    return tuple(deliver_file(folder, name, content) for name, content in named)


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def deliver_file(folder: Path, name: str, content: bytes) -> DeliveredFile:
    """Write one file whole.

    Raises: DeliveryRefused with what the operating system says.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise DeliveryRefused(path=name, reason="it is not the plain name of a file")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / name, content)
    except OSError as error:
        raise DeliveryRefused(path=str(folder / name), reason=error.strerror or str(error)) from error
    return DeliveredFile(name, len(content), sha256_of(content))


def _put(target: Path, content: bytes) -> None:
    if target.is_file() and target.read_bytes() == content:
        return
    _clear_left_over(target)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _clear_left_over(target: Path) -> None:
    """Remove what writers of this file who were killed had written aside; their process is gone."""
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        writer = part.name.rsplit(".", 2)[1]
        if not (writer.isdigit() and _runs(int(writer))):
            part.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power failure, where the system can flush a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
