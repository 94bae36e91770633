"""A small theatre drawn by hand, and short ways to write reports and incidents in it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings

from service.domain.aggregates import Table, aggregate
from service.domain.casualties import CasualtyLine, Cell
from service.domain.coverage import Coverage, Watch
from service.domain.figures import Figure
from service.domain.grids import Row
from service.domain.incidents import Account, Incident, accounts_of_family
from service.domain.periods import Grain, NamedPeriod, Timeline
from service.domain.places import Gazetteer, Place, PlaceName
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.domain.reports import Report
from service.domain.sectors import Sector, Sectors
from service.domain.shares import Telling
from service.domain.theatre import Claimant, Party, Theatre
from service.domain.validity import SectorSpan, Validity
from service.domain.vocabulary import Access, ClaimantKind, Group, Outcome, Stance, Status
from service.domain.weapons import Scheme, SchemeRule, WeaponClass, Weapons
from service.domain.when import When, parse_when

moderate = settings(max_examples=100, deadline=None)

ZONE = ZoneInfo("Etc/GMT-4")
NOW = datetime(2022, 9, 20, 8, tzinfo=UTC)

OLD_LINE = Validity(date(1994, 1, 1), date(2020, 11, 9))
NEW_LINE = Validity(date(2020, 11, 10), None)


def box(west: float, south: float, east: float, north: float) -> Mapping[str, Any]:
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [corners]}


SECTORS = Sectors(
    [
        Sector("theatre", "Theatre", None, Validity(), geometry=box(44, 38, 50, 42)),
        Sector("old-line", "Old line", "theatre", OLD_LINE, geometry=box(46, 39, 47, 41)),
        Sector("old-north", "North", "old-line", OLD_LINE, geometry=box(46, 40, 47, 41)),
        Sector("old-south", "South", "old-line", OLD_LINE, geometry=box(46, 39, 47, 40)),
        Sector("new-line", "New line", "theatre", NEW_LINE),
        Sector("new-east", "East", "new-line", NEW_LINE),
        Sector("corridor", "Corridor", "theatre", NEW_LINE, geometry=box(46, 39, 47, 40)),
        Sector("rear", "Rear", "theatre", Validity(), geometry=box(48, 38, 50, 42)),
    ]
)

GAZETTEER = Gazetteer(
    [
        Place(
            "shusha",
            "Shusha/Shushi",
            (
                PlaceName("Shusha", "en"),
                PlaceName("Shushi", "en"),
                PlaceName("Şuşa", "az"),
                PlaceName("Շուշի", "hy"),
                PlaceName("Шуша", "ru"),
            ),
            sectors=(SectorSpan("rear", OLD_LINE), SectorSpan("corridor", NEW_LINE)),
        ),
        Place("stepanakert", "Stepanakert/Khankendi", (PlaceName("Xankəndi", "az"),)),
        Place("lachin", "Lachin", (PlaceName("Laçın", "az"),), 39.6, 46.5),
        Place("agdam", "Agdam", (PlaceName("Ağdam", "az"), PlaceName("Агдам", "ru"))),
        Place("jabrail", "Jabrail", (PlaceName("Cəbrayıl", "az"), PlaceName("Джебраил", "ru"))),
        Place("fizuli", "Fizuli", (PlaceName("Füzuli", "az"),)),
        Place("talish", "Talish", latitude=40.5, longitude=46.5),
    ]
)

WEAPONS = Weapons(
    [
        WeaponClass("small-arms", "Small arms"),
        WeaponClass("sniper", "Sniper rifle", "small-arms"),
        WeaponClass("indirect-fire", "Indirect fire"),
        WeaponClass("mortar", "Mortar", "indirect-fire"),
        WeaponClass("artillery", "Artillery", "indirect-fire"),
        WeaponClass("uav", "Unmanned aircraft"),
        WeaponClass("uav-strike", "Strike by unmanned aircraft", "uav"),
        WeaponClass("mine", "Mine"),
    ],
    [
        Scheme(
            "withdrawal-list",
            "Weapons to be withdrawn",
            "agreement",
            (
                SchemeRule("mortar", "82 mm and above", calibre_from=82),
                SchemeRule("indirect-fire", "light", calibre_below=82),
            ),
        ),
        Scheme("salw", "Small arms and light weapons", "UN", (SchemeRule("small-arms", "small"),)),
    ],
)

CLAIMANTS = {
    claimant.id: claimant
    for claimant in (
        Claimant("armenia-mod", "Ministry of Defence", ClaimantKind.GOVERNMENT, "armenia"),
        Claimant("armenia-mfa", "Foreign Ministry", ClaimantKind.GOVERNMENT, "armenia"),
        Claimant("azerbaijan-mod", "Defence Ministry", ClaimantKind.GOVERNMENT, "azerbaijan"),
        Claimant("nk-authorities", "Stepanakert", ClaimantKind.DE_FACTO_AUTHORITY, "nk-de-facto"),
        Claimant("peacekeepers", "Peacekeepers", ClaimantKind.PEACEKEEPING_MISSION),
        Claimant("newspaper", "Newspaper", ClaimantKind.MEDIA),
    )
}

PERIODS = (
    NamedPeriod(
        "april-2016", "phases", "April 2016", date(2016, 4, 1), date(2016, 4, 7), "Etc/GMT-4", "-"
    ),
    NamedPeriod(
        "2020-war", "phases", "2020 war", date(2020, 9, 27), date(2020, 11, 9), "Etc/GMT-4", "-"
    ),
    NamedPeriod(
        "hand-over", "phases", "Hand-over", date(2020, 11, 10), date(2020, 12, 1), "Etc/GMT-4", "-"
    ),
    NamedPeriod(
        "august-2022", "phases", "August 2022", date(2022, 8, 1), date(2022, 8, 5), "Etc/GMT-4", "-"
    ),
    NamedPeriod(
        "september-2022",
        "phases",
        "September 2022",
        date(2022, 9, 13),
        date(2022, 9, 13),
        "Etc/GMT-4",
        "-",
    ),
    NamedPeriod(
        "war-until-first-truce",
        "war",
        "War until the first truce",
        date(2020, 9, 27),
        date(2020, 10, 9),
        "Etc/GMT-4",
        "-",
    ),
)

THEATRE = Theatre(
    id="theatre",
    name="Theatre",
    zone=ZONE,
    monitored_from=date(1994, 1, 1),
    implausible_casualties=10_000,
    languages=("en",),
    parties={
        "armenia": Party("armenia", {"en": "Armenia", "ru": "Армения"}),
        "azerbaijan": Party("azerbaijan", {"en": "Azerbaijan", "ru": "Азербайджан"}),
        "nk-de-facto": Party("nk-de-facto", {"en": "Nagorno-Karabakh, de facto"}),
    },
    claimants=CLAIMANTS,
    weapons=WEAPONS,
    sectors=SECTORS,
    gazetteer=GAZETTEER,
    periods=PERIODS,
    agreements=(),
)

_numbers = count()


def when(text: str) -> When:
    return parse_when(text, ZONE)


def figure(said: int | Figure) -> Figure:
    return Figure.exactly(said) if isinstance(said, int) else said


def line(
    party: str | None = None, group: Group | None = None, **said: int | Figure
) -> CasualtyLine:
    return CasualtyLine(Cell(party, group), {Outcome(o): figure(f) for o, f in said.items()})


def report(
    at: str = "2022-08-03",
    claimant: str = "newspaper",
    *lines: CasualtyLine,
    said: date = date(2022, 9, 1),
    id: str = "",  # noqa: A002
    sector: str | None = "corridor",
    weapons: Iterable[str] = (),
    blames: str | None = None,
    stance: Stance = Stance.ASSERTS,
    status: Status = Status.UNVERIFIED,
    counted: bool = True,
) -> Report:
    return Report(
        id or f"report-{next(_numbers):06}",
        claimant,
        when(at),
        When(said, said),
        datetime(said.year, said.month, said.day, 12, tzinfo=UTC),
        sector=sector,
        weapons=frozenset(weapons),
        lines=lines,
        attributed_to=blames,
        stance=stance,
        status=status,
        counted=counted,
    )


def incident(
    name: str,
    *reports: Report,
    parent: str | None = None,
    episode: bool = False,
    counted: bool = True,
) -> Incident:
    return Incident(name, parent, episode, counted, reports)


def accounts(*incidents: Incident, claimant: str | None = None) -> dict[str, Account]:
    return accounts_of_family(incidents, SECTORS, claimant=claimant)


def account(*reports: Report) -> Account:
    return accounts(incident("incident", *reports))["incident"]


def killed(told: Account, party: str | None = None) -> Figure | None:
    established = told.figures.get((party, Outcome.KILLED))
    return established.figure if established else None


def watch(*spans: tuple[str, date, date, Access]) -> Watch:
    """Coverage from the first to the last local day, both included."""
    return Watch(
        [
            Coverage(
                "observers",
                frozenset({sector}),
                datetime(first.year, first.month, first.day, tzinfo=ZONE),
                datetime(last.year, last.month, last.day, tzinfo=ZONE) + timedelta(days=1),
                "patrol",
                access,
            )
            for sector, first, last, access in spans
        ],
        SECTORS,
        ZONE,
    )


def timeline(grain: Grain, first: date, last: date, series: str = "phases") -> Timeline:
    return Timeline(grain, first, last, THEATRE.named_buckets(series))


def table(
    incidents: Iterable[Incident],
    grain: Grain,
    first: date,
    last: date,
    *by: Dimension,
    dense: bool = False,
    watched: Watch | None = None,
    **filters: Any,
) -> Table:
    """Ask as a caller does: the counted incidents that overlap the days, told by everybody."""
    incidents = tuple(incidents)
    tellings = [Telling(told) for told in accounts(*incidents).values()]
    if Dimension.CLAIMANT in by:
        tellings += [
            Telling(told, claimant)
            for claimant in sorted({r.claimant for i in incidents for r in i.reports})
            for told in accounts(*incidents, claimant=claimant).values()
        ]
    selected = [t for t in tellings if t.account.counted and t.account.when.overlaps(first, last)]
    query = AggregateQuery(IncidentQuery(first, last, **filters), grain, by, dense=dense)
    return aggregate(selected, query, timeline(grain, first, last), THEATRE, watched or watch())


def killed_in(row: Row) -> tuple[int | None, int | None, int | None]:
    total = row.figures[Outcome.KILLED]
    return total.low, total.best, total.high


def row_of(answer: Table, period: str, **keys: str) -> Row:
    (row,) = [
        row
        for row in answer.rows
        if row.period == period and keys.items() <= dict(row.keys).items()
    ]
    return row
