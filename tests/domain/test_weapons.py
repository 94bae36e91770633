"""Classes are found by code or name; schemes are derived from class and calibre."""

import pytest

from service.domain.vocabulary import UNMAPPED
from service.domain.weapons import WeaponUse
from tests.domain.make import WEAPONS


@pytest.mark.parametrize("text", ["mortar", "Mortar", "MORTAR", " mor-tar"])
def test_a_class_is_found_by_its_code_or_name(text: str) -> None:
    found = WEAPONS.find(text)
    assert found is not None
    assert found.id == "mortar"


def test_other_words_find_no_class() -> None:
    assert WEAPONS.find("catapult") is None
    assert "catapult" not in WEAPONS


def test_a_class_above_the_level_stands_for_itself_and_an_unknown_one_is_unmapped() -> None:
    assert WEAPONS.at_level("mortar", 0) == "indirect-fire"
    assert WEAPONS.at_level("mortar", 1) == "mortar"
    assert WEAPONS.at_level("mine", 1) == "mine"
    assert WEAPONS.at_level("catapult", 1) == UNMAPPED


@pytest.mark.parametrize(
    ("use", "memberships"),
    [
        (WeaponUse("mortar", 120), {"withdrawal-list": "82 mm and above"}),
        (WeaponUse("mortar", 82), {"withdrawal-list": "82 mm and above"}),
        (WeaponUse("mortar", 60), {}),
        (WeaponUse("artillery", 76), {"withdrawal-list": "light"}),
        (WeaponUse("artillery", 122), {}),
        (WeaponUse("indirect-fire", 60), {"withdrawal-list": "light"}),
        (WeaponUse("mortar"), {}),
        (WeaponUse("indirect-fire", 120), {}),
        (WeaponUse("sniper"), {"salw": "small"}),
        (WeaponUse("catapult", 120), {}),
    ],
)
def test_membership_of_schemes_follows_from_calibre_and_a_class_own_rule_before_its_parents(
    use: WeaponUse, memberships: dict[str, str]
) -> None:
    assert WEAPONS.memberships(use) == memberships
