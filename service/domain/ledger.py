"""An append-only Merkle tree over the record, by RFC 9162 (Certificate Transparency 2.0).

Hashes are SHA-256, 32 bytes. A leaf is hashed with a leading 0x00 and a node with 0x01, so that
neither can stand for the other. Whoever holds an old root can check that a newer tree only adds.

A complete subtree is named by its level and its index there: it holds the 2^level leaves that
begin at index * 2^level. Such a subtree never changes again, so that its hash can be kept, and
every root and proof is made from about log2(size) of them.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

Subtree = tuple[int, int]
Lookup = Callable[[int, int], bytes]
"""The hash of a complete subtree by its level and index; level 0 are the leaf hashes."""

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class Broken(RuntimeError):
    """What is kept of the ledger contradicts itself or what was signed or published."""


class Growing:
    """A tree that leaves are added to. It keeps the complete subtrees that make it up, largest
    first, of which there are at most log2(size) + 1."""

    def __init__(self, size: int = 0, made_of: Sequence[bytes] = ()) -> None:
        """A tree as it is, from the hashes of `subtrees(0, size)`."""
        self.size = size
        self._made_of = list(made_of)

    def add(self, leaf: bytes) -> list[tuple[Subtree, bytes]]:
        """Add a leaf hash; return the subtrees above level 0 that it completes, lowest first."""
        level, index = 0, self.size
        self._made_of.append(leaf)
        self.size += 1
        completed = []
        while index % 2:
            level, index = level + 1, index // 2
            right, left = self._made_of.pop(), self._made_of.pop()
            self._made_of.append(node_hash(left, right))
            completed.append(((level, index), self._made_of[-1]))
        return completed

    def root(self) -> bytes:
        return _joined(self._made_of) if self._made_of else EMPTY_ROOT


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162, 2.1.1: a leading 0x00, so that no inner node can pass for a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(begin: int, end: int) -> list[Subtree]:
    """The complete subtrees that make up the leaves from `begin` up to `end`, largest first.

    `begin` is 0 or a multiple of the largest power of two in their number, as it is wherever a
    tree is split.
    """
    found = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def root_of(size: int, node: Lookup) -> bytes:
    """The root of the first `size` leaves (2.1.1); of none, the hash of nothing."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Lookup) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root (2.1.3.1), lowest first."""
    begin, end, steps = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            steps.append(_range_hash(middle, end, node))
            end = middle
        else:
            steps.append(_range_hash(begin, middle, node))
            begin = middle
    return steps[::-1]


def consistency_proof(older: int, newer: int, node: Lookup) -> list[bytes]:
    """The hashes that show the first `older` of `newer` leaves to be a tree's beginning (2.1.4.1);
    none where nothing needs to be shown."""
    if not older:
        return []
    begin, end, steps = 0, newer, []
    while older != end:
        middle = begin + _split(end - begin)
        if older <= middle:
            steps.append(_range_hash(middle, end, node))
            end = middle
        else:
            steps.append(_range_hash(begin, middle, node))
            begin = middle
    # Where nothing lies before it, it is the older tree itself, whose root the asker has.
    if begin:
        steps.append(_range_hash(begin, end, node))
    return steps[::-1]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf to the root of a tree of `size` (2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    node, last, current = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node % 2 or node == last:
            current = node_hash(step, current)
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            current = node_hash(current, step)
        node, last = node // 2, last // 2
    return last == 0 and current == root


def extends(
    older: int, newer: int, older_root: bytes, newer_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows the newer tree to hold the older one as its beginning (2.1.4.2)."""
    if not 0 <= older <= newer or not _are_hashes(older_root, newer_root, *proof):
        return False
    if older == newer:
        return not proof and older_root == newer_root
    if older == 0 or not proof:
        # Everything begins with nothing.
        return older == 0 and not proof and older_root == EMPTY_ROOT
    steps = list(proof)
    if older & (older - 1) == 0:
        steps.insert(0, older_root)
    node, last = older - 1, newer - 1
    while node % 2:
        node, last = node // 2, last // 2
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            after = node_hash(after, step)
        node, last = node // 2, last // 2
    return last == 0 and before == older_root and after == newer_root


def _are_hashes(*values: bytes) -> bool:
    # A longer leaf beside a shorter step would be hashed from the same bytes.
    return all(len(value) == HASH_BYTES for value in values)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_hash(begin: int, end: int, node: Lookup) -> bytes:
    return _joined([node(*subtree) for subtree in subtrees(begin, end)])


def _joined(hashes: Sequence[bytes]) -> bytes:
    """The hash over subtrees that stand side by side, largest first."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))
