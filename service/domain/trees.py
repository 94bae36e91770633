"""Trees of codes: sectors and weapons are asked for by branch and by depth."""

from collections.abc import Collection, Mapping
from functools import cached_property

from service.errors import Invalid


class Tree:
    """Codes with parents. Raises `Invalid` for an unknown parent or a ring."""

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        self._parents = dict(parents)
        self._paths: dict[str, tuple[str, ...]] = {}
        # Asked again for every row of an answer.
        self._branches: dict[str, frozenset[str]] = {}
        for node in self._parents:
            self._paths[node] = self._trace(node)

    def __contains__(self, node: object) -> bool:
        return node in self._parents

    def path(self, node: str) -> tuple[str, ...]:
        """From the root down to the node itself."""
        return self._paths[node]

    def depth(self, node: str) -> int:
        """0 for a root."""
        return len(self._paths[node]) - 1

    def ancestor_at(self, node: str, depth: int) -> str | None:
        """The node's ancestor (or itself) at `depth`; `None` where the node is above it."""
        path = self._paths[node]
        return path[depth] if depth < len(path) else None

    def holds(self, ancestor: str, node: str) -> bool:
        """Whether `node` is `ancestor` or lies below it."""
        return ancestor in self._paths[node]

    def finer(self, asked: str | None, node: str) -> str:
        """`asked` where it is `node` or lies below it, else `node`."""
        return asked if asked and node in self._paths.get(asked, ()) else node

    def branch(self, node: str) -> frozenset[str]:
        """The node and all below it."""
        if node not in self._branches:
            below = (other for other, path in self._paths.items() if node in path)
            self._branches[node] = frozenset(below)
        return self._branches[node]

    def children(self, node: str) -> tuple[str, ...]:
        return self._children.get(node, ())

    def finest(self, nodes: Collection[str]) -> str | None:
        """The finest of nested nodes; of others, their nearest common ancestor, if any."""
        result: str | None = None
        for node in nodes:
            if result is None or self.holds(result, node):
                result = node
            elif not self.holds(node, result):
                return self._common([*nodes])
        return result

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {}
        for node, parent in self._parents.items():
            if parent is not None:
                below.setdefault(parent, []).append(node)
        return {node: tuple(children) for node, children in below.items()}

    def _common(self, nodes: list[str]) -> str | None:
        shared: str | None = None
        for level in zip(*(self._paths[node] for node in nodes), strict=False):
            if len(set(level)) > 1:
                break
            shared = level[0]
        return shared

    def _trace(self, node: str) -> tuple[str, ...]:
        path = [node]
        while (parent := self._parents[path[-1]]) is not None:
            if parent not in self._parents:
                raise Invalid("names a parent that is not known", path[-1])
            if parent in path:
                raise Invalid("is its own ancestor", node)
            path.append(parent)
        return tuple(reversed(path))
