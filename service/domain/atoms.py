"""How finely sums may be cut in which incidents count that their reader is not shown."""

from dataclasses import fields
from typing import Final

from service.domain.grids import sector_key
from service.domain.periods import Grain
from service.domain.queries import (
    AggregateQuery,
    Dimension,
    IncidentQuery,
)
from service.domain.theatre import Theatre
from service.domain.when import When, month_bounds
from service.errors import Invalid

# How finely sums with hidden incidents are cut: by month and to the first depth of sectors.
_ATOM_DEPTH: Final = 1
_ALONG_ATOMS: Final = frozenset({Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.TOTAL})
# Of a question's filters those that may cut such sums, and who asks.
_CUTS_ALONG_ATOMS: Final = frozenset({"first", "last", "sector", "level", "sees", "own"})
_PARAMETERS: Final = {"text": "q", "zone": "timezone"}


def atom_of(when: When, sector: str | None, theatre: Theatre) -> str:
    """The cell of time and place that no question cuts which `must_cut_along_atoms` lets through.

    The months of both ends, the same for nearly all, tell what becomes of it in every bucket of
    whole months; an end that is open counts as a month of its own.
    """
    months = [f"{day:%Y-%m}" if day else ".." for day in (when.start, when.end)]
    key, within = sector_key(sector, _ATOM_DEPTH, theatre)
    return "/".join([*months, key, within or ""])


def must_cut_along_atoms(query: AggregateQuery, theatre: Theatre) -> None:
    """Raises `Invalid` for a question that would tell incidents of one atom apart."""
    filters, nothing = query.filters, IncidentQuery()
    tree = theatre.sectors.tree
    for field_, fits, rule in (
        ("window", query.window is None, "must be left out"),
        ("running", query.since is None, "must be left out"),
        ("compare", query.compare is None, "must be left out"),
        ("complete", query.complete_on is None, "must be left out"),
        ("period", query.grain in _ALONG_ATOMS, "must be month, quarter, year or total"),
        ("by", {*query.by} <= {Dimension.SECTOR}, "must be sector or nothing"),
        ("level", filters.level <= _ATOM_DEPTH, "must be 0 or 1"),
        (
            "from",
            filters.first in (None, filters.first and month_bounds(filters.first)[0]),
            "must be the first day of a month",
        ),
        (
            "to",
            filters.last in (None, filters.last and month_bounds(filters.last)[1]),
            "must be the last day of a month",
        ),
        (
            "sector",
            filters.sector is None
            or (filters.sector in tree and tree.depth(filters.sector) <= _ATOM_DEPTH),
            "must be the theatre or a line",
        ),
        ("series", query.series is None, "must be left out"),
        *(
            (
                _PARAMETERS.get(each.name, each.name),
                getattr(filters, each.name) == getattr(nothing, each.name),
                "must be left out",
            )
            for each in fields(filters)
            if each.name not in _CUTS_ALONG_ATOMS
        ),
    ):
        if not fits:
            raise Invalid(f"{rule} with include=restricted", field_)
