"""The tree is that of RFC 9162: known roots, and a proof for every leaf that fits no other."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, node_hash, root, verify_inclusion

# The leaves and roots of the reference tests of Certificate Transparency, whose tree (RFC 6962) is that of
# RFC 9162: google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_root_is_the_published_one(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


def test_tree_without_leaves_has_the_hash_of_nothing_and_no_proof() -> None:
    assert root([]) == EMPTY_ROOT == sha256(b"").digest()
    with pytest.raises(IndexError):
        inclusion_proof([], 0)


@pytest.mark.parametrize("size", range(1, 20))
def test_every_leaf_has_a_proof_that_fits_no_other_place(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    expected = root(leaves)

    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        fits = [
            verify_inclusion(leaf, index=place, size=size, proof=proof, expected_root=expected)
            for place in range(-1, size + 2)
        ]
        assert [place - 1 for place, fit in enumerate(fits) if fit] == [index]


def test_a_proof_that_was_touched_fits_nothing() -> None:
    leaves = [bytes([number]) for number in range(11)]
    expected, proof = root(leaves), inclusion_proof(leaves, 6)

    def fits(leaf: bytes, *, size: int = 11, path: tuple[bytes, ...] = proof, against: bytes = expected) -> bool:
        return verify_inclusion(leaf, index=6, size=size, proof=path, expected_root=against)

    assert fits(leaves[6])
    assert not fits(leaves[7])
    assert not fits(leaves[6], size=64)
    assert not fits(leaves[6], path=proof[:-1])
    assert not fits(leaves[6], path=(*proof, bytes(32)))
    assert not fits(leaves[6], path=(bytes(32), *proof[1:]))
    assert not fits(leaves[6], against=bytes(32))


def test_an_inner_node_cannot_be_passed_off_as_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert root([b"a", b"b"]) == node_hash(left, right)
    assert root([left + right]) != node_hash(left, right)
