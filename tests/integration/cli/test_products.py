"""`loanbook product`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook

TOML = 'name = "personal"\ngrace_days = 10\n[late_fee]\namount = "15.00"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a product's file."""
    path = tmp_path / "personal.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def test_a_product_is_loaded_listed_and_shown(book: Loanbook, file: Path) -> None:
    first = book("product", "load", str(file), "--json").json
    assert (first["release"], first["is_new"]) == (1, True)
    file.write_text(TOML.replace("10", "15"), encoding="utf-8")
    assert "release 2, is loaded" in book("product", "load", str(file)).out

    listed = {row["name"]: row["release"] for row in book("product", "list", "--json").json["products"]}
    assert listed == {"installment": None, "lendingclub": None, "personal": 2}
    shown = book("product", "show", "personal", "--json").json
    assert shown["rules"]["grace_days"] == 15
    assert [release["release"] for release in shown["releases"]] == [2, 1]
    assert "late_fee.amount" in book("product", "show", "personal").out


def test_a_dry_run_loads_nothing(book: Loanbook, file: Path) -> None:
    book("product", "load", str(file), "--dry-run")
    assert book("product", "show", "personal", "--json", expect=2).refusal["code"] == "product-unknown"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("grace_days = 1\n", "product.name"),
        ('name = "Personal loan"\n', "product.name"),
        ('name = "x"\ngrace = [\n', "product"),
        ('name = "x"\ngrace_dayz = 1\n', "product.grace_dayz"),
    ],
)
def test_a_file_that_is_no_product_is_refused_with_the_place(book: Loanbook, file: Path, text: str, place: str) -> None:
    file.write_text(text, encoding="utf-8")
    refusal = book("product", "load", str(file), "--json", expect=2).refusal
    assert (refusal["code"], refusal["place"]) == ("product-invalid", place)
