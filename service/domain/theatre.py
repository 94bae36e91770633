"""A theatre: everything about one ceasefire that is reference data, as one value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

from service.domain.periods import Bucket, NamedPeriod
from service.domain.places import Gazetteer, fold
from service.domain.sectors import Sector, Sectors
from service.domain.validity import Validity
from service.domain.vocabulary import ClaimantKind, Group, Outcome
from service.domain.weapons import Weapons


@dataclass(frozen=True, slots=True)
class Party:
    """A side in the conflict, named by language (ISO 639); `also` are names that data sets give
    it."""

    id: str
    names: Mapping[str, str]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who asserts. `party` is set where it speaks for one."""

    id: str
    name: str
    kind: ClaimantKind
    party: str | None = None
    validity: Validity = field(default_factory=Validity)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """A ceasefire, truce or mandate; `date` is in EDTF."""

    id: str
    name: str
    date: str
    fixes: str
    source: str


@dataclass(frozen=True, eq=False)
class Words:
    """What the words of reports mean in one language, for a reader that knows no grammar.

    A pattern is one or more words; one that ends in `*` is the beginning of a word.
    seed_data/README.md says what each list holds.
    """

    language: str
    script: str
    letters: str = ""
    stopwords: frozenset[str] = frozenset()
    before: Mapping[Outcome, tuple[str, ...]] = field(default_factory=dict)
    after: Mapping[Outcome, tuple[str, ...]] = field(default_factory=dict)
    either: Mapping[Outcome, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[Group | None, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    multipliers: Mapping[str, int] = field(default_factory=dict)
    single: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    qualifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    following: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    between: tuple[str, ...] = ()
    passive: tuple[str, ...] = ()
    joining: tuple[str, ...] = ()
    negators: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    weapons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ordinary: tuple[str, ...] = ()
    speaking: tuple[str, ...] = ()
    relative: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    year_words: tuple[str, ...] = ()
    day_words: tuple[str, ...] = ()
    number_endings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Theatre:
    """The reference data of one ceasefire.

    `monitored_from` is the first day that can hold a violation; `implausible_casualties` the
    count above which a report is doubted; `languages` the order in which names are offered, the
    first of them the one of `name`, and of everything that has one, `names` those in the others;
    `licence` the address of the licence that the data set is given out under.
    """

    id: str
    name: str
    zone: ZoneInfo
    monitored_from: date
    implausible_casualties: int
    languages: tuple[str, ...]
    parties: Mapping[str, Party]
    claimants: Mapping[str, Claimant]
    weapons: Weapons
    sectors: Sectors
    gazetteer: Gazetteer
    periods: Sequence[NamedPeriod]
    agreements: Sequence[Agreement] = field(default=())
    words: Sequence[Words] = field(default=())
    licence: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def day_of(self, instant: datetime) -> date:
        """The local day that an instant falls on."""
        return instant.astimezone(self.zone).date()

    def start_of_day(self, day: date) -> datetime:
        """The instant a local day begins, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def find_party(self, text: str) -> Party | None:
        """A party by its code or any of its names."""
        return self.parties.get(text) or self._parties_by_name.get(fold(text))

    def find_claimant(self, text: str) -> Claimant | None:
        """A claimant by its code or its name."""
        return self.claimants.get(text) or self._claimants_by_name.get(fold(text))

    def find_sector(self, text: str) -> Sector | None:
        """A sector by its code or its name; a name that several share finds none."""
        return self.sectors.get(text) or self._sectors_by_name.get(fold(text))

    @cached_property
    def _sectors_by_name(self) -> Mapping[str, Sector]:
        named = Counter(fold(sector.name) for sector in self.sectors)
        return {fold(s.name): s for s in self.sectors if named[fold(s.name)] == 1}

    @cached_property
    def _parties_by_name(self) -> Mapping[str, Party]:
        return {
            fold(name): p
            for p in self.parties.values()
            for name in (p.id, *p.names.values(), *p.also)
        }

    @cached_property
    def _claimants_by_name(self) -> Mapping[str, Claimant]:
        return {fold(name): c for c in self.claimants.values() for name in (c.id, c.name)}

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every folded spelling that finds one place, to its id."""
        return {
            fold(name): place.id
            for named in self.gazetteer
            for name in (named.display, *(n.name for n in named.names))
            if (place := self.gazetteer.find(name)) is not None
        }

    @cached_property
    def root(self) -> str | None:
        """The sector that is the whole theatre."""
        return next((s.id for s in self.sectors if s.parent is None), None)

    @cached_property
    def series(self) -> tuple[str, ...]:
        """Series of named periods, the main one first."""
        return tuple(dict.fromkeys(period.series for period in self.periods))

    def named_buckets(self, series: str) -> tuple[Bucket, ...]:
        return tuple(
            period.bucket
            for period in sorted(self.periods, key=lambda p: p.start)
            if period.series == series
        )

    def period(self, period_id: str) -> NamedPeriod | None:
        return next((p for p in self.periods if p.id == period_id), None)
