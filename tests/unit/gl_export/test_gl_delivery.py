"""Files arrive whole or not at all, and the checksum file says what arrived."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gl_export.delivery import deliver
from gl_export.errors import DeliveryRefused

FILES = (("a.csv", b"one\n"), ("b with space.json", b"{}\n"))


def test_files_lie_with_a_checksum_file_that_the_standard_tool_reads(tmp_path: Path) -> None:
    delivered = deliver(tmp_path / "new" / "folder", FILES, checksums="SHA256SUMS")

    folder = tmp_path / "new" / "folder"
    assert [file.name for file in delivered] == ["a.csv", "b with space.json", "SHA256SUMS"]
    assert [file.size_bytes for file in delivered[:2]] == [4, 3]
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=False)
    assert checked.returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "a.csv", "b with space.json"]


def test_the_same_file_again_is_left_as_it_is_and_another_replaces_it(tmp_path: Path) -> None:
    deliver(tmp_path, FILES, checksums="sums")
    before = (tmp_path / "a.csv").stat()

    deliver(tmp_path, FILES, checksums="sums")
    assert (tmp_path / "a.csv").stat().st_ino == before.st_ino

    deliver(tmp_path, (("a.csv", b"two\n"),), checksums="sums")
    assert (tmp_path / "a.csv").read_bytes() == b"two\n"
    assert (tmp_path / "a.csv").stat().st_ino != before.st_ino


def test_what_a_killed_writer_left_aside_is_cleared_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f".a.csv.{gone.pid}.part").write_bytes(b"half")
    (tmp_path / f".a.csv.{os.getppid()}.part").write_bytes(b"half")
    (tmp_path / f".other.csv.{gone.pid}.part").write_bytes(b"half")

    deliver(tmp_path, FILES, checksums="sums")

    left = sorted(path.name for path in tmp_path.iterdir() if path.name.endswith(".part"))
    assert left == sorted([f".a.csv.{os.getppid()}.part", f".other.csv.{gone.pid}.part"])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DeliveryRefused) as refusal:
        deliver(tmp_path / "file" / "folder", FILES, checksums="sums")

    assert refusal.value.path.endswith("a.csv")


@pytest.mark.parametrize("name", ["../out.csv", "sub/a.csv", "..", "/etc/passwd", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeliveryRefused):
        deliver(tmp_path, ((name, b"x"),), checksums="sums")

    assert list(tmp_path.iterdir()) == []
