"""How long no incident is known of, sector by sector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.domain.cells import Measures, added, counts_of
from service.domain.coverage import Covered, Watch
from service.domain.grids import Filer, Grid, Keys
from service.domain.periods import Timeline
from service.domain.queries import AggregateQuery, Dimension
from service.domain.shares import Counted, asked_for
from service.domain.theatre import Theatre
from service.domain.vocabulary import UNLOCATED

_Times = dict[tuple[date, date, bool], Measures]


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is known of the last incident in a sector, as of a day.

    It lies between the days `earliest` and `latest`: no recorded one can be later, and one at
    least is no earlier. `earliest` is `None` where none surely happened by that day, both where
    none is recorded. `open` counts those of which one side of the time is not known. `coverage` is
    that of the days after `latest` or, with nothing recorded, of all days asked for.
    """

    sector: str | None
    within: str | None
    in_force: bool | None
    earliest: date | None
    latest: date | None
    open: int
    coverage: Covered | None


@dataclass(frozen=True, slots=True)
class Quietness:
    """The answer as of a day: sectors in the order of the reference data, and all together."""

    day: date
    rows: Sequence[Quiet]
    total: Quiet

    def days(self, row: Quiet) -> tuple[int | None, int | None]:
        """At least and at most so many days have gone by since the last incident."""
        latest = None if row.latest is None else (self.day - row.latest).days
        earliest = None if row.earliest is None else (self.day - row.earliest).days
        return latest, earliest


def quietness(
    sums: Iterable[Counted],
    query: AggregateQuery,
    timeline: Timeline,
    theatre: Theatre,
    watch: Watch,
    *,
    over: bool,
) -> Quietness:
    """What sums by sector say as of a timeline's one day; `over` that no later day has begun."""
    day = timeline.last
    by_key: dict[Keys, _Times] = {}
    everything: _Times = {}
    for each, keys in Filer(query, theatre).filed(sums, asked_for(query, theatre)):
        for times in (by_key.setdefault(keys, {}), everything):
            time = each.start, each.end, each.is_open
            known = times.get(time)
            times[time] = each.measures if known is None else added(known, each.measures)
    grid = Grid(query, timeline, theatre, watch)
    filled = {("total", keys) for keys, times in by_key.items() if _events(times)}
    first = query.filters.first or theatre.monitored_from

    def told(times: _Times, sector: str | None, within: str | None) -> Quiet:
        counts = _events(times)
        known = [(start, end) for start, end, is_open in counts if not is_open]
        certain = [start for start, end in known if end <= day or over]
        latest = min(day, max(end for _, end, _ in counts)) if counts else None
        since = first if latest is None else latest + timedelta(days=1)
        entry = theatre.sectors.get(sector) if sector else None
        asked = query.filters.sector
        narrow = theatre.sectors.tree.finer(asked, sector) if sector else asked
        watched = None
        if since <= day and UNLOCATED not in (sector, asked):
            watched = watch.of(narrow or theatre.root, since, day)
        return Quiet(
            sector,
            within,
            entry.validity.overlaps(day, day) if entry else None,
            max(certain, default=None),
            latest,
            sum(count for (_, _, is_open), count in counts.items() if is_open),
            watched,
        )

    rows = []
    for _, keys in grid.positions(filled):
        place, _, within = keys[query.by.index(Dimension.SECTOR)].partition("/")
        rows.append(told(by_key.get(keys, {}), place, within or None))
    return Quietness(day, rows, told(everything, None, None))


def _events(times: _Times) -> dict[tuple[date, date, bool], int]:
    """How many incidents and episodes have each time, where any have."""
    counts = {time: sum(counts_of(measures)[:2]) for time, measures in times.items()}
    return {time: count for time, count in counts.items() if count > 0}
