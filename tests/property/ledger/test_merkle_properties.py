"""The tree agrees with the recursive definition of RFC 9162 and with an implementation that is not ours."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import inclusion_proof, leaf_hash, node_hash, root, verify_inclusion

LEAVES = st.lists(st.binary(max_size=8), max_size=40)
SOME_LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def root_by_definition(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 9162, 2.1.1 defines it: split at the largest power of two below the size."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


@given(LEAVES)
def test_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root(leaves) == root(iter(leaves)) == root_by_definition(leaves)


@given(SOME_LEAVES, st.data())
def test_every_leaf_is_proved_and_no_other_in_its_place(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=8).filter(lambda leaf: leaf != leaves[index]))
    proof, expected = inclusion_proof(leaves, index), root(leaves)

    def fits(leaf: bytes) -> bool:
        return verify_inclusion(leaf, index=index, size=len(leaves), proof=proof, expected_root=expected)

    assert fits(leaves[index])
    assert not fits(other)
    assert len(proof) <= (len(leaves) - 1).bit_length()


@given(SOME_LEAVES, st.data())
def test_a_flipped_bit_anywhere_in_a_proof_is_found(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(leaves, index)
    if not proof:
        return
    step, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[step], "big") ^ 1 << bit).to_bytes(32, "big")
    touched = (*proof[:step], flipped, *proof[step + 1 :])

    assert not verify_inclusion(leaves[index], index=index, size=len(leaves), proof=touched, expected_root=root(leaves))


@given(SOME_LEAVES, st.data())
def test_tree_and_proofs_are_those_of_pymerkle(leaves: list[bytes], data: st.DataObject) -> None:
    pymerkle = pytest.importorskip("pymerkle", reason="the second implementation is not installed")
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)

    theirs = tree.prove_inclusion(index + 1)  # they count from one, and begin the path with the leaf itself

    assert tree.get_root() == root(leaves)
    assert tuple(theirs.path) == (leaf_hash(leaves[index]), *inclusion_proof(leaves, index))
    pymerkle.verify_inclusion(leaf_hash(leaves[index]), root(leaves), theirs)
