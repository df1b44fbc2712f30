"""The settings that the embedded server is given."""

from __future__ import annotations

import pytest

from ledger.embedded.configuration import GIBIBYTE, MEBIBYTE, render, settings

SMALL = {"memory_bytes": 256 * MEBIBYTE, "free_disk_bytes": GIBIBYTE, "shared_memory_bytes": 64 * MEBIBYTE}
LARGE = {"memory_bytes": 64 * GIBIBYTE, "free_disk_bytes": 900 * GIBIBYTE, "shared_memory_bytes": GIBIBYTE}


@pytest.mark.parametrize(
    ("machine", "shared_buffers", "max_wal_size"),
    [
        (SMALL, "128MB", "1024MB"),
        ({**SMALL, "memory_bytes": 4 * GIBIBYTE, "free_disk_bytes": 16 * GIBIBYTE}, "1024MB", "2048MB"),
        (LARGE, "2048MB", "8192MB"),
    ],
)
def test_a_durable_server_takes_its_share_of_the_machine(
    machine: dict[str, int], shared_buffers: str, max_wal_size: str
) -> None:
    chosen = settings(durable=True, lz4=True, **machine)

    assert (chosen["shared_buffers"], chosen["max_wal_size"]) == (shared_buffers, max_wal_size)


def test_only_a_throw_away_server_may_lose_what_was_committed() -> None:
    kept, lost = settings(durable=True, lz4=True, **LARGE), settings(durable=False, lz4=True, **LARGE)

    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert (kept[name], lost[name]) == ("on", "off")
    assert kept["listen_addresses"] == lost["listen_addresses"] == ""


def test_little_shared_memory_is_replaced_by_files() -> None:
    assert settings(durable=True, lz4=True, **SMALL)["dynamic_shared_memory_type"] == "mmap"
    assert "dynamic_shared_memory_type" not in settings(durable=True, lz4=True, **LARGE)


@pytest.mark.parametrize(("lz4", "compression"), [(True, "lz4"), (False, "off")])
def test_page_images_are_compressed_where_the_server_can(lz4: bool, compression: str) -> None:
    assert settings(durable=True, lz4=lz4, **LARGE)["wal_compression"] == compression


def test_quotes_and_backslashes_are_kept_in_the_file() -> None:
    assert "folder = 'it''s \\\\ here'" in render({"folder": "it's \\ here"}).splitlines()
