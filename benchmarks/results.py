"""What was promised, and what a run found of it."""

from dataclasses import dataclass
from typing import Final

PROMISES: Final = {
    "G1": "Any sum by week or coarser and sector (and status, or claimant), asked cold on SQLite, "
    "costs what its cells cost: little more over ten million incidents than over a hundred "
    "thousand, and far less than reading the incidents.",
    "G2": "The same by weapon or party.",
    "G3": "An answer that was made before, and word that nothing has changed, leave nearly as fast "
    "as fixed bytes.",
    "G4": "Twelve months of all sectors, made anew for each request, come faster than Datasette "
    "reads our own summed table.",
    "G5": "The first answer after a 201 shows what was sent, in every process.",
    "G6": "One durable report by itself, with all that follows from it, costs little more than "
    "checking it.",
    "G7": "An import costs little more than writing the bare rows, and no memory for their number.",
    "G8": "An export streams about as fast as the database is read, from the first moment, at the "
    "same memory however long it is.",
    "G9": "A page of a hundred reports on a map; the last as fast as the first.",
    "G10": "The service is ready soon.",
    "G11": "Two processes on PostgreSQL do nearly twice what one does, without errors.",
    "G12": "Who reads hardly notices an import.",
    "G13": "Making and checking all sums anew costs a few readings of the incidents, checking one "
    "day next to nothing.",
}
UNMET: Final[dict[str, str]] = {
    "G1": "An answer reads its cells and makes its rows of them, some thirty sums each, in Python; "
    "DuckDB adds up in vectors, on two threads. Where rows are few (years, named periods) the "
    "service is far ahead, where they are thousands it is not. A hundred thousand incidents fill "
    "only part of the cells, ten million nearly all, and those between units of time as well.",
    "G2": "As G1; a weapon counts under every class above it, so these are the most cells.",
    "G3": "An answer leaves only under the version of the data that was just read from the "
    "database, behind limits and the question who asks; a bare route does nothing at all, which "
    "tells where the bytes are few.",
    "G4": "As G1: Datasette hands on the rows of the database as they are, with neither links nor "
    "coverage nor ranges.",
    "G6": "A report is compared with what happened near it, its private fields are sealed, its "
    "incident derived and summed: some five milliseconds of Python, beside one of checking.",
    "G7": "As G6, for every row, and each row is read twice: once to judge the whole file before "
    "anything is recorded.",
    "G8": "A row of an export is a report as its reader may see it, made from its record; the "
    "others hand on the columns as they are kept.",
    "G9": "As G8. Asked again, a page is kept as sums are, as long as nothing was recorded.",
    "G11": "The two processes, PostgreSQL and who asks share the two cores of the machine.",
    "G13": "Accounts are recounted for each of seven cubes, and there are over fifteen wide cells "
    "to write for every incident of the smallest size; one GROUP BY only adds up, once.",
}
"""Why goals were not met by the last run that somebody looked into."""


@dataclass(frozen=True, slots=True)
class Result:
    """A ratio that was measured and the one that was promised, with what it was made of.

    `size` is of how many incidents. `told` is what both sides took, for people to read. The ratio
    should be at least `wanted` or, where `least` is false, at most.
    """

    goal: str
    what: str
    size: int
    ratio: float
    wanted: float
    told: str
    least: bool = True
    database: str = "sqlite"

    @property
    def met(self) -> bool:
        return self.ratio >= self.wanted if self.least else self.ratio <= self.wanted

    @property
    def promise(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.wanted:g}"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What a run left out, and why."""

    goal: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Raw:
    """A row of a goal's table of what was measured: the columns' names and texts."""

    goal: str
    columns: tuple[str, ...]
    row: tuple[str, ...]


Finding = Result | NotMeasured | Raw
