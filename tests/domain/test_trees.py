"""Branches, depths and nearest common ancestors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.trees import Tree
from service.errors import Invalid
from tests.domain.make import moderate

PARENTS = {"root": None, "a": "root", "b": "root", "a1": "a", "a2": "a", "a1x": "a1", "other": None}
TREE = Tree(PARENTS)


@st.composite
def parents(draw: st.DrawFn) -> dict[str, str | None]:
    size = draw(st.integers(1, 8))
    chosen = {
        str(i): str(draw(st.integers(0, i - 1))) if i and draw(st.booleans()) else None
        for i in range(size)
    }
    return dict(draw(st.permutations(list(chosen.items()))))


def upwards(parents: dict[str, str | None], node: str) -> list[str]:
    found = []
    at: str | None = node
    while at is not None:
        found.append(at)
        at = parents[at]
    return found


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"a": "a"}, "own ancestor"),
        ({"a": "b", "b": "a"}, "own ancestor"),
        ({"c": "a", "a": "b", "b": "a"}, "own ancestor"),
        ({"a": "nowhere"}, "not known"),
    ],
)
def test_rings_and_unknown_parents_are_refused(
    parents: dict[str, str | None], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        Tree(parents)


def test_depth_ancestors_and_branches() -> None:
    assert TREE.path("a1x") == ("root", "a", "a1", "a1x")
    assert (TREE.depth("root"), TREE.depth("a1x")) == (0, 3)
    assert TREE.ancestor_at("a1x", 1) == "a"
    assert TREE.ancestor_at("root", 1) is None
    assert TREE.branch("a") == {"a", "a1", "a2", "a1x"}
    assert TREE.children("a") == ("a1", "a2")
    assert TREE.children("b") == ()
    assert "a" in TREE
    assert "nowhere" not in TREE


@pytest.mark.parametrize(
    ("nodes", "finest"),
    [
        ([], None),
        (["a"], "a"),
        (["root", "a1", "a"], "a1"),
        (["a1", "a2"], "a"),
        (["a1x", "a2", "a1"], "a"),
        (["a1", "b"], "root"),
        (["a", "a1", "b"], "root"),
        (["a", "other"], None),
    ],
)
def test_decision_2_the_finer_of_nested_nodes_else_the_nearest_common_ancestor(
    nodes: list[str], finest: str | None
) -> None:
    assert TREE.finest(nodes) == finest
    assert TREE.finest(nodes[::-1]) == finest


@moderate
@given(st.data(), parents())
def test_every_answer_of_a_tree_follows_from_walking_upwards(
    data: st.DataObject, parents: dict[str, str | None]
) -> None:
    tree = Tree(parents)
    for node in parents:
        ancestors = upwards(parents, node)
        assert list(tree.path(node)) == ancestors[::-1]
        assert tree.branch(node) == {n for n in parents if node in upwards(parents, n)}
        assert sorted(tree.children(node)) == sorted(n for n in parents if parents[n] == node)
    nodes = data.draw(st.lists(st.sampled_from(sorted(parents)), min_size=1, max_size=4))
    deepest = max((upwards(parents, n) for n in nodes), key=len)
    if set(nodes) <= set(deepest):
        assert tree.finest(nodes) == deepest[0]
    else:
        shared = [n for n in deepest if all(n in upwards(parents, o) for o in nodes)]
        assert tree.finest(nodes) == (shared[0] if shared else None)
