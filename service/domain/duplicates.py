"""Which incidents a new report might be about. A hint for people: nothing is merged by it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from service.domain.sectors import Sectors
from service.domain.when import When

# Coarser dates overlap with too much to hint at anything.
LONGEST_SPAN: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is compared of a report or an incident."""

    incident: str
    when: When
    sector: str | None
    weapons: frozenset[str]


def possible_duplicates(new: Trace, others: Iterable[Trace], sectors: Sectors) -> list[str]:
    """Incidents at overlapping times of a few days, in nested sectors below the whole theatre,
    with no weapon against it: both name weapons and share none."""
    if not _is_narrow(new.when) or new.sector is None or sectors.tree.depth(new.sector) == 0:
        return []
    found = {
        other.incident
        for other in others
        if other.incident != new.incident
        and other.sector is not None
        and sectors.tree.depth(other.sector) > 0
        and _is_narrow(other.when)
        and new.when.overlaps(other.when.start, other.when.end)
        and (
            sectors.tree.holds(new.sector, other.sector)
            or sectors.tree.holds(other.sector, new.sector)
        )
        and not (new.weapons and other.weapons and new.weapons.isdisjoint(other.weapons))
    }
    return sorted(found)


def _is_narrow(when: When) -> bool:
    return not when.is_open and when.known_end - when.known_start <= LONGEST_SPAN
