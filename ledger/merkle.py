"""The Merkle tree of RFC 9162, section 2.1, over SHA-256: a root over many leaves, and proof of one of them.

Leaves and inner nodes are hashed under distinct prefixes, so that neither can be passed off as the other. An
auditor holding a root checks one leaf with a handful of hashes, and sees none of the other leaves.
Never: storage. Next: `ledger/canonical.py`, which gives the leaves their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over the leaves, which are given as they are, not hashed.

    Takes any number of leaves in one pass, holding one hash per level.
    """
    # (height, hash) of the perfect subtrees to the left, tallest first; equals merge as in a binary counter.
    subtrees: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, node = 0, leaf_hash(leaf)
        while subtrees and subtrees[-1][0] == height:
            node = node_hash(subtrees.pop()[1], node)
            height += 1
        subtrees.append((height, node))
    if not subtrees:
        return EMPTY_ROOT
    _, node = subtrees.pop()
    while subtrees:
        node = node_hash(subtrees.pop()[1], node)
    return node


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the hashes beside the path from one leaf, counted from zero, up to the root.

    Raises: IndexError if there is no such leaf.
    Source: RFC 9162, 2.1.3.1.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of a tree of {len(leaves)}")
    level = [leaf_hash(leaf) for leaf in leaves]
    proof: list[bytes] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        level = _level_above(level)
        index //= 2
    return tuple(proof)


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Tell whether the proof leads from this leaf, at this place in a tree of this size, to the root.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            return False
        if position % 2 == 1 or position == last:
            node = node_hash(sibling, node)
            # A node without a sibling is handed up as it is, until it is a right child.
            while position % 2 == 0 and position != 0:
                position, last = position // 2, last // 2
        else:
            node = node_hash(node, sibling)
        position, last = position // 2, last // 2
    return last == 0 and node == expected_root


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs if len(level) % 2 == 0 else [*pairs, level[-1]]
