"""The server's settings: one set for real use, which keeps what was committed, and one for throw-away tests.

Written to `loanbook.conf` beside the server's own file at each start; `ALTER SYSTEM` still overrides them.
Pure but for two questions to the machine at the end: how much memory, how much disk.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE

COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "jit": "off",
}

# A page is written whole to the log at its first change after a checkpoint, and posting touches scattered
# pages: checkpoints far apart save most of the log, and compressing the pages by lz4 much of the rest.
# (pglz, which every server has, costs more time than it saves.) Recovery takes longer, and never loses more.
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "checkpoint_timeout": "30min",
    "checkpoint_completion_target": "0.9",
    "wal_buffers": "64MB",
}

THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "30min",
    "shared_buffers": "128MB",
    "autovacuum": "off",
}


def settings(
    *, durable: bool, lz4: bool, memory_bytes: int, free_disk_bytes: int, shared_memory_bytes: int
) -> dict[str, str]:
    """Return the settings by name; a quarter of the memory, up to 2 GiB, goes to PostgreSQL's own cache.

    `lz4` tells whether the server was built with it.
    """
    chosen = {**COMMON, **(DURABLE if durable else THROW_AWAY)}
    if durable:
        chosen["shared_buffers"] = _mebibytes(memory_bytes // 4, least=128 * MEBIBYTE, most=2 * GIBIBYTE)
        chosen["max_wal_size"] = _mebibytes(free_disk_bytes // 8, least=1 * GIBIBYTE, most=8 * GIBIBYTE)
        # Files of the log that are there already are used again, which is quicker than to make them.
        chosen["min_wal_size"] = _mebibytes(free_disk_bytes // 32, least=256 * MEBIBYTE, most=2 * GIBIBYTE)
        chosen["wal_compression"] = "lz4" if lz4 else "off"
    if shared_memory_bytes < GIBIBYTE:
        # Containers give 64 MB of shared memory, too little for one parallel query; files do as well.
        chosen["dynamic_shared_memory_type"] = "mmap"
    return chosen


def render(chosen: dict[str, str]) -> str:
    """Return the text of a configuration file."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in sorted(chosen.items())}
    lines = [f"{name} = '{value}'" for name, value in quoted.items()]
    return "\n".join(["# Written at each start; change settings by ALTER SYSTEM instead.", *lines, ""])


def settings_for_machine(data: Path, *, durable: bool, lz4: bool) -> dict[str, str]:
    """Return the settings for this machine and the disk that holds `data`."""
    return settings(
        durable=durable,
        lz4=lz4,
        memory_bytes=_memory_bytes(),
        free_disk_bytes=shutil.disk_usage(data).free,
        shared_memory_bytes=_shared_memory_bytes(),
    )


def _memory_bytes() -> int:
    """Return the machine's memory, or the container's limit where that is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical


def _shared_memory_bytes() -> int:
    """Return the size of the file system for shared memory; without one the kernel sets no such limit."""
    folder = Path("/dev/shm")  # noqa: S108  # only measured
    return shutil.disk_usage(folder).total if folder.is_dir() else sys.maxsize


def _mebibytes(amount: int, *, least: int, most: int) -> str:
    return f"{max(least, min(most, amount)) // MEBIBYTE}MB"
