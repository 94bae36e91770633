"""Weapons: a tree of classes; membership of schemes is derived, never stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from service.domain.places import fold
from service.domain.trees import Tree
from service.domain.vocabulary import UNMAPPED


@dataclass(frozen=True, slots=True)
class WeaponClass:
    """A class of weapon."""

    id: str
    name: str
    parent: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SchemeRule:
    """A branch of the tree that a scheme covers, within calibres in millimetres [from, below)."""

    weapon: str
    category: str
    calibre_from: float | None = None
    calibre_below: float | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A classification of others: UNROCA, SALW, an agreement's withdrawal list."""

    id: str
    name: str
    source: str
    rules: tuple[SchemeRule, ...]


@dataclass(frozen=True, slots=True, order=True)
class WeaponUse:
    """A class, with the calibre in millimetres where known."""

    weapon: str
    calibre_mm: float | None = None


_USES = 1_000


class Weapons:
    """The weapon tree and the schemes read over it."""

    def __init__(self, classes: Iterable[WeaponClass], schemes: Iterable[Scheme] = ()) -> None:
        self._by_id = {weapon.id: weapon for weapon in classes}
        self.tree = Tree({weapon.id: weapon.parent for weapon in self._by_id.values()})
        self.schemes = tuple(schemes)
        self._known_memberships = lru_cache(_USES)(self._memberships)
        self._by_name = {
            fold(name): weapon
            for weapon in self._by_id.values()
            for name in (weapon.id, weapon.name)
        }

    def __contains__(self, weapon: object) -> bool:
        return weapon in self._by_id

    def __iter__(self) -> Iterator[WeaponClass]:
        return iter(self._by_id.values())

    def find(self, text: str) -> WeaponClass | None:
        """A class by its code or its name."""
        return self._by_id.get(text) or self._by_name.get(fold(text))

    def at_level(self, weapon: str, level: int) -> str:
        """The weapon's ancestor at a depth, or the weapon itself where it is above it.

        What matched no class is `unmapped`.
        """
        if weapon not in self.tree:
            return UNMAPPED
        return self.tree.ancestor_at(weapon, level) or weapon

    def memberships(self, use: WeaponUse) -> dict[str, str]:
        """Scheme → category. A class's own rule holds before its parents'.

        A rule bound to a calibre needs the calibre to be known.
        """
        # Many reports name the same few weapons.
        return {**self._known_memberships(use)}

    def _memberships(self, use: WeaponUse) -> dict[str, str]:
        found: dict[str, str] = {}
        path = self.tree.path(use.weapon) if use.weapon in self.tree else ()
        for scheme in self.schemes:
            for weapon in reversed(path):
                rules = [rule for rule in scheme.rules if rule.weapon == weapon]
                fitting = [rule for rule in rules if self._fits(rule, use.calibre_mm)]
                if fitting:
                    found[scheme.id] = fitting[0].category
                if rules:
                    break
        return found

    @staticmethod
    def _fits(rule: SchemeRule, calibre: float | None) -> bool:
        if rule.calibre_from is None and rule.calibre_below is None:
            return True
        if calibre is None:
            return False
        return (rule.calibre_from is None or rule.calibre_from <= calibre) and (
            rule.calibre_below is None or calibre < rule.calibre_below
        )
