"""A report as it is posted, and as it is recorded."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    model_validator,
)

from service.domain.access import Visibility
from service.domain.casualties import CasualtyLine, Cell
from service.domain.disclosure import Disclosure, PlaceShown
from service.domain.drafts import Draft, DraftLine, Observer, Source, Where
from service.domain.figures import LARGEST_COUNT, Figure, figure_from_words
from service.domain.screening import is_unusual
from service.domain.vocabulary import Group, Outcome, Precision, Stance
from service.domain.weapons import WeaponUse
from service.domain.when import TimePrecision, parse_when
from service.errors import Invalid

# Names that Pydantic puts into the path of an error though no document holds them.
UNION_TAGS: Final = frozenset({"number", "range", "code", "use"})

_NOT_TEXT: Final = re.compile("[\0\ud800-\udfff]")
_NOT_IN_HOSTS: Final = re.compile(r"[@\s<>\"\\]")


def _clean(text: str) -> str:
    """NFC. A NUL cannot be stored everywhere, a lone surrogate is not text."""
    if _NOT_TEXT.search(text):
        raise ValueError("holds characters that are not text")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _plain(text: str) -> str:
    """Outer spaces, which spreadsheets leave behind, are dropped; control characters refused."""
    plain = text.strip(" \u00a0")
    if not plain.isprintable() and any(is_unusual(c) or c in "\n\r\t" for c in plain):
        raise ValueError("holds control characters")
    if not plain:
        raise ValueError("is too short")
    return plain


def is_web_address(text: str) -> bool:
    """Whether it leads to a host of the web, and says so: before a host a user and a password may
    stand, which would be published with it and mislead about where it leads."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https") and bool(host) and not _NOT_IN_HOSTS.search(parts.netloc)
    )


def _web(text: str) -> str:
    if not is_web_address(text):
        raise ValueError("must be a web address such as https://example.org/news, without a user")
    return text


def _telling(text: str) -> str:
    """A reason of nothing but spaces is none."""
    if not text.strip():
        raise ValueError("is too short")
    return text


def _uuid(text: str) -> str:
    try:
        value = UUID(text)
    except ValueError:
        raise ValueError("is not a UUID") from None
    if str(value) != text.lower() or value.int in (0, (1 << 128) - 1):
        raise ValueError("is not a UUID")
    return str(value)


Code = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(_clean), AfterValidator(_plain)
]
ShortText = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_clean)]
LongText = Annotated[str, Field(max_length=20_000), AfterValidator(_clean)]
WebAddress = Annotated[str, Field(max_length=2_000), AfterValidator(_clean), AfterValidator(_web)]
Reason = Annotated[ShortText, AfterValidator(_telling)]
LongReason = Annotated[LongText, Field(min_length=1), AfterValidator(_telling)]
Identifier = Annotated[
    str,
    Field(json_schema_extra={"format": "uuid"}, min_length=36, max_length=36),
    AfterValidator(_uuid),
]
Number = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]
# What CSV and JSON give as text is an enumeration's value, which strict mode would not take.
StanceText = Annotated[Stance, Field(strict=False)]
GroupText = Annotated[Group, Field(strict=False)]
PrecisionText = Annotated[Precision, Field(strict=False)]
OutcomeText = Annotated[Outcome, Field(strict=False)]
VisibilityText = Annotated[Visibility, Field(strict=False)]
PlaceShownText = Annotated[PlaceShown, Field(strict=False)]


def instant_of(text: str) -> datetime:
    """An instant written with its offset. Raises `ValueError`."""
    try:
        when = parse_when(text, UTC)
    except Invalid as error:
        raise ValueError(str(error)) from None
    if when.precision is not TimePrecision.INSTANT or when.earliest is None:
        raise ValueError("must be an instant such as 2020-07-27T00:01+03:00")
    return when.earliest


def _instant(text: str) -> str:
    instant_of(text)
    return text


Instant = Annotated[Code, AfterValidator(_instant)]


class Strict(BaseModel):
    """Nothing is coerced, nothing unknown is taken, nothing sent comes back in an error."""

    model_config = ConfigDict(
        strict=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    def posted(self) -> dict[str, Any]:
        """What was sent, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)


class CountIn(Strict):
    """A count that is not exact: `{"low": 49}` is at least 49; words keep what was written."""

    low: Number | None = None
    best: Number | None = None
    """Left out, it is `low`."""
    high: Number | None = None
    """Left out, the count is open at the top."""
    words: ShortText | None = None
    """The words of the source; alone, they give the bounds that docs/method.md lists."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        bounds = [b for b in (self.low, self.best, self.high) if b is not None]
        if bounds != sorted(bounds):
            raise ValueError("must have low, best and high in order")
        if self.low is None and bounds:
            raise ValueError("must give low where it gives best or high")
        if not bounds and self.words is None:
            raise ValueError("must give a bound or words")
        return self

    def figure(self) -> Figure | None:
        if self.low is None:
            return figure_from_words(self.words or "")
        return Figure(self.low, self.low if self.best is None else self.best, self.high)


def _count_tag(value: Any) -> str:
    return "range" if isinstance(value, dict | CountIn) else "number"


Count = Annotated[
    Annotated[Number, Tag("number")] | Annotated[CountIn, Tag("range")], Discriminator(_count_tag)
]


class CasualtiesIn(Strict):
    """Counts of one party and group; leave out what the claimant leaves out."""

    party: Code | None = None
    group: GroupText | None = None
    killed: Count | None = None
    wounded: Count | None = None
    missing: Count | None = None
    captured: Count | None = None
    displaced: Count | None = None

    def to_line(self) -> DraftLine:
        figures: dict[Outcome, Figure] = {}
        words: dict[Outcome, str] = {}
        unreadable = False
        for outcome in Outcome:
            count = getattr(self, outcome.value)
            if isinstance(count, CountIn):
                figure = count.figure()
                if count.words is not None:
                    words[outcome] = count.words
                    unreadable = unreadable or figure is None
            else:
                figure = None if count is None else Figure.exactly(count)
            if figure is not None:
                figures[outcome] = figure
        return DraftLine(CasualtyLine(Cell(self.party, self.group), figures, words), unreadable)


class ObserverIn(Strict):
    """Where the observer stood. Private: kept, and never given out."""

    lat: Degrees
    lon: Degrees
    bearing: Degrees
    """Degrees clockwise from north."""
    distance_km: Degrees


class WhereIn(Strict):
    """A place in any spelling, a sector, a position, or an observer's position and bearing."""

    place: Code | None = None
    sector: Code | None = None
    lat: Degrees | None = None
    lon: Degrees | None = None
    precision: PrecisionText | None = None
    observer: ObserverIn | None = None
    as_written: ShortText | None = None

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("must give lat and lon together")
        return self

    def to_where(self) -> Where:
        seen = self.observer
        return Where(
            place=self.place,
            sector=self.sector,
            latitude=self.lat,
            longitude=self.lon,
            precision=self.precision,
            observer=Observer(seen.lat, seen.lon, seen.bearing, seen.distance_km) if seen else None,
            as_written=self.as_written,
        )


class WeaponIn(Strict):
    """A weapon with its calibre in millimetres."""

    weapon: Code
    calibre_mm: Annotated[float, Field(gt=0, le=2_000, allow_inf_nan=False)] | None = None


def _weapon_tag(value: Any) -> str:
    return "use" if isinstance(value, dict | WeaponIn) else "code"


WeaponItem = Annotated[
    Annotated[Code, Tag("code")] | Annotated[WeaponIn, Tag("use")], Discriminator(_weapon_tag)
]


class SourceIn(Strict):
    """A document behind the report."""

    title: ShortText
    publisher: ShortText | None = None
    published: Code | None = None
    """ISO 8601 or EDTF."""
    url: WebAddress | None = None
    locator: ShortText | None = None
    """Where in it."""


class DisclosureIn(Strict):
    """Who may see the report, from when, and how exactly where; left out, the key decides."""

    visibility: VisibilityText | None = None
    embargo: Instant | None = None
    """Until then only reviewers see it."""
    place: PlaceShownText | None = None
    """`settlement` and `grid` publish the nearest settlement or the middle of a cell."""

    def to_disclosure(self, default: Disclosure) -> Disclosure:
        return Disclosure(
            self.visibility or default.visibility,
            instant_of(self.embargo) if self.embargo else default.embargo,
            self.place or default.place,
        )


class ShownIn(Strict):
    """What of a report is only about showing it, and says nothing else."""

    disclosure: DisclosureIn | None = None


class AboutIn(Strict):
    """What a denial or correction speaks of."""

    report: Identifier | None = None
    incident: Identifier | None = None
    outcomes: list[OutcomeText] = Field(default_factory=list, max_length=5)
    """Which outcomes; empty means all of it."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.report is None) == (self.incident is None):
            raise ValueError("must name either a report or an incident")
        return self


_EXAMPLES: Final[list[JsonValue]] = [
    {
        "id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e20",
        "when": "2022-08-03",
        "where": {"place": "Lachin", "as_written": "near the Lachin road"},
        "weapons": ["uav-strike", {"weapon": "mortar", "calibre_mm": 82}],
        "casualties": [
            {"party": "nk-de-facto", "group": "military", "killed": 2, "wounded": 19},
        ],
        "claimant": "nk-de-facto-authorities",
        "attributed_to": "azerbaijan",
        "reported": "2022-08-03",
        "summary": "Positions near the road were attacked.",
        "sources": [{"title": "Evening statement", "published": "2022-08-03"}],
    },
    {
        "when": "2022-09-13T09:30+04:00",
        "where": {"lat": 39.84, "lon": 45.67, "precision": "settlement"},
        "casualties": [
            {"party": "armenia", "killed": {"low": 49, "words": "at least 49"}},
            {"party": "azerbaijan", "wounded": {"low": 3, "best": 5, "high": 12}},
        ],
        "claimant": "a local newspaper",
    },
    {
        "when": "[2016-04-01..2016-04-07]",
        "where": {"sector": "line-of-contact-north"},
        "casualties": [{"group": "civilian", "missing": {"words": "several"}}],
        "claimant": "residents",
    },
]


class ReportIn(Strict):
    """One claimant's account of an event."""

    model_config = ConfigDict(json_schema_extra={"examples": _EXAMPLES})

    id: Identifier | None = None
    """Made by the client; sending the same report again under it changes nothing.

    Whoever sees the report sees it: version 7 would tell the moment it was made, version 4 tells
    nothing.
    """
    when: Code
    """ISO 8601 or EDTF, such as `2022-08-03`, `2017-02`, `[..2022-08-03]`."""
    timezone: Code | None = None
    """IANA name, for times of day written without an offset."""
    where: WhereIn
    claimant: Code
    """Who says so: a code of `/v1/claimants`, or any name."""
    weapons: list[WeaponItem] = Field(default_factory=list, max_length=50)
    casualties: list[CasualtiesIn] = Field(default_factory=list, max_length=50)
    attributed_to: Code | None = None
    """The party that the claimant blames."""
    stance: StanceText = Stance.ASSERTS
    about: AboutIn | None = None
    reported: Code | None = None
    """When the claimant said it; left out, the first source's date, else the day of receipt."""
    summary: LongText | None = None
    sources: list[SourceIn] = Field(default_factory=list, max_length=50)
    incident: Identifier | None = None
    """The incident it may belong to: a suggestion, unless the key may link."""
    disclosure: DisclosureIn | None = None

    @model_validator(mode="after")
    def _scoped(self) -> Self:
        if self.stance is Stance.DENIES and self.about is None:
            raise ValueError("a denial must say in about what it denies")
        return self

    def to_draft(self) -> Draft:
        return Draft(
            when=self.when,
            where=self.where.to_where(),
            claimant=self.claimant,
            timezone=self.timezone,
            weapons=tuple(
                WeaponUse(w.weapon, w.calibre_mm) if isinstance(w, WeaponIn) else WeaponUse(w)
                for w in self.weapons
            ),
            casualties=tuple(line.to_line() for line in self.casualties),
            attributed_to=self.attributed_to,
            stance=self.stance,
            reported=self.reported,
            summary=self.summary,
            sources=tuple(
                Source(s.title, s.publisher, s.published, s.url, s.locator) for s in self.sources
            ),
        )
