"""The tree against RFC 9162's own definitions, and against published vectors."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.domain.ledger import (
    EMPTY_ROOT,
    Growing,
    Lookup,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    subtrees,
)

# The leaves and roots of the tests of certificate-transparency (merkle_tree_test.cc).
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
SIZES = st.integers(1, 130)


# The definitions, as RFC 9162 writes them.


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def defined_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def defined_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*defined_path(index, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(index - k, leaves[k:]), defined_root(leaves[:k])]


def defined_subproof(older: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    if older == len(leaves):
        return [] if known else [defined_root(leaves)]
    k = split(len(leaves))
    if older <= k:
        return [*defined_subproof(older, leaves[:k], known=known), defined_root(leaves[k:])]
    return [*defined_subproof(older - k, leaves[k:], known=False), defined_root(leaves[:k])]


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % number) for number in range(count)]


def kept(leaves: Sequence[bytes]) -> Lookup:
    """Complete subtrees only, as a store has them."""
    tree = Growing()
    known = {(0, index): leaf for index, leaf in enumerate(leaves)}
    for leaf in leaves:
        known.update(tree.add(leaf))
    return lambda level, index: known[level, index]


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size: int) -> None:
    assert root_of(size, kept(LEAVES)) == ROOTS[size]
    tree = Growing()
    for leaf in LEAVES[:size]:
        tree.add(leaf)
    assert tree.root() == ROOTS[size]


def test_the_published_proofs_come_out_and_verify() -> None:
    node = kept(LEAVES)
    for (index, size), steps in INCLUSION.items():
        proof = inclusion_proof(index, size, node)
        assert [step.hex() for step in proof] == [*steps]
        assert includes(LEAVES[index], index, size, proof, ROOTS[size])
    for (older, newer), steps in CONSISTENCY.items():
        proof = consistency_proof(older, newer, node)
        assert [step.hex() for step in proof] == [*steps]
        assert extends(older, newer, ROOTS[older], ROOTS[newer], proof)


@pytest.mark.parametrize("size", [*range(1, 18), 63, 64, 65])
def test_every_proof_is_the_one_that_is_defined_and_verifies(size: int) -> None:
    leaves = some_leaves(size)
    node, root = kept(leaves), defined_root(leaves)
    assert root_of(size, node) == root
    for index in range(size):
        proof = inclusion_proof(index, size, node)
        assert proof == defined_path(index, leaves)
        assert includes(leaves[index], index, size, proof, root)
    for older in range(1, size + 1):
        proof = consistency_proof(older, size, node)
        assert proof == defined_subproof(older, leaves, known=True)
        assert extends(older, size, defined_root(leaves[:older]), root, proof)


@given(size=st.integers(0, 300), more=st.integers(0, 300))
@settings(max_examples=50)
def test_a_tree_grows_from_its_largest_subtrees_alone(size: int, more: int) -> None:
    leaves = some_leaves(size + more)
    node = kept(leaves[:size])
    tree = Growing(size, [node(*subtree) for subtree in subtrees(0, size)])
    completed = dict(pair for leaf in leaves[size:] for pair in tree.add(leaf))
    assert tree.size == size + more
    assert tree.root() == defined_root(leaves)
    whole = kept(leaves)
    assert all(whole(*subtree) == known for subtree, known in completed.items())
    below = sum((size + more) >> level for level in range(1, 12))
    assert len(completed) == below - sum(size >> level for level in range(1, 12))


@given(begin=st.integers(0, 40), size=st.integers(0, 5000))
def test_subtrees_cover_a_range_without_gap(begin: int, size: int) -> None:
    start = begin << size.bit_length()
    at = start
    for level, index in subtrees(start, start + size):
        assert index << level == at
        at += 1 << level
    assert at == start + size
    assert len(subtrees(start, start + size)) == size.bit_count()


def test_a_proof_asks_for_few_subtrees() -> None:
    size, asked = 1_000_003, []

    def node(level: int, index: int) -> bytes:
        asked.append((level, index))
        assert (index + 1) << level <= size
        return bytes(32)

    for prove in (
        lambda: inclusion_proof(size - 1, size, node),
        lambda: inclusion_proof(0, size, node),
        lambda: consistency_proof(654_321, size, node),
        lambda: root_of(size, node),
    ):
        asked.clear()
        prove()
        assert len(asked) <= 40


@st.composite
def spoilt_inclusions(draw: st.DrawFn) -> tuple[bytes, int, int, list[bytes], bytes]:
    """A true statement with one part of it changed."""
    size = draw(SIZES)
    index = draw(st.integers(0, size - 1))
    leaves = some_leaves(size)
    proof = inclusion_proof(index, size, kept(leaves))
    truth = (leaves[index], index, size, proof, defined_root(leaves))
    leaf, at, count, steps, root = truth
    kind = draw(st.sampled_from(["leaf", "index", "size", "step", "order", "length", "root"]))
    steps = list(steps)
    if kind == "leaf":
        leaf = flipped(draw, leaf)
    elif kind == "index":
        at = draw(st.integers(-2, size + 2))
    elif kind == "size":
        count = draw(st.integers(-1, 2 * size + 2))
        # Beside the same path, a tree of another size may well have the same root: it is the root
        # that says which tree is meant.
        assume(len(inclusion_path(at, count)) != len(steps) or count < at)
    elif kind == "step" and steps:
        place = draw(st.integers(0, len(steps) - 1))
        steps[place] = flipped(draw, steps[place])
    elif kind == "order" and len(steps) > 1:
        steps = draw(st.permutations(steps))
    elif kind == "length":
        steps = steps[:-1] if draw(st.booleans()) else [*steps, bytes(32)]
    else:
        root = flipped(draw, root)
    spoilt = (leaf, at, count, steps, root)
    assume(spoilt != truth)
    return spoilt


def inclusion_path(index: int, size: int) -> list[bytes]:
    return inclusion_proof(index, size, lambda *_: bytes(32)) if 0 <= index < size else []


def flipped(draw: st.DrawFn, value: bytes) -> bytes:
    bit = draw(st.integers(0, 8 * len(value) - 1))
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


@given(spoilt_inclusions())
@settings(max_examples=300)
def test_a_changed_inclusion_never_verifies(
    spoilt: tuple[bytes, int, int, list[bytes], bytes],
) -> None:
    assert not includes(*spoilt)


@st.composite
def spoilt_extensions(draw: st.DrawFn) -> tuple[int, int, bytes, bytes, list[bytes]]:
    newer = draw(st.integers(2, 130))
    older = draw(st.integers(1, newer - 1))
    leaves = some_leaves(newer)
    proof = consistency_proof(older, newer, kept(leaves))
    before, after = defined_root(leaves[:older]), defined_root(leaves)
    kind = draw(st.sampled_from(["older", "newer", "step", "order", "length", "history"]))
    steps = list(proof)
    if kind == "older":
        before = flipped(draw, before)
    elif kind == "newer":
        after = flipped(draw, after)
    elif kind == "step":
        place = draw(st.integers(0, len(steps) - 1))
        steps[place] = flipped(draw, steps[place])
    elif kind == "order":
        steps = draw(st.permutations(steps))
        assume(steps != proof)
    elif kind == "length":
        steps = steps[:-1] if draw(st.booleans()) else [*steps, bytes(32)]
    else:
        # One of the old leaves is another one now, and everything else is made for that.
        leaves[draw(st.integers(0, older - 1))] = leaf_hash(b"rewritten")
        after = defined_root(leaves)
        steps = consistency_proof(older, newer, kept(leaves))
    return older, newer, before, after, steps


@given(spoilt_extensions())
@settings(max_examples=300)
def test_a_changed_history_never_verifies(
    spoilt: tuple[int, int, bytes, bytes, list[bytes]],
) -> None:
    assert not extends(*spoilt)


def test_nonsense_never_verifies() -> None:
    root, leaf = ROOTS[8], LEAVES[0]
    proof = inclusion_proof(0, 8, kept(LEAVES))
    assert not includes(leaf, 0, 0, [], EMPTY_ROOT)
    assert not includes(leaf, -1, 8, proof, root)
    assert not includes(leaf, 8, 8, proof, root)
    assert not includes(leaf, 1, 8, proof, root)
    # Hashed from the same bytes, cut at another place.
    assert not includes(leaf + proof[0][:1], 0, 8, [proof[0][1:], *proof[1:]], root)
    assert not extends(8, 6, ROOTS[8], ROOTS[6], [])
    assert not extends(0, 8, ROOTS[1], root, [])
    assert not extends(-1, 8, EMPTY_ROOT, root, [])
    assert not extends(3, 3, ROOTS[3], ROOTS[4], [])
    assert extends(0, 8, EMPTY_ROOT, root, [])
    assert extends(3, 3, ROOTS[3], ROOTS[3], [])
