"""Query parameters: filters and pages, the same for every list and sum."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from service.api.answers import Format
from service.domain.access import Actor
from service.domain.periods import Grain
from service.domain.places import fold_words
from service.domain.queries import BoundingBox, CellFilter, Clock, IncidentQuery, WatchQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import UNLOCATED, UNMAPPED, UNSTATED, Precision, Status
from service.domain.when import TimePrecision, parse_when, parse_zone
from service.errors import Invalid
from service.formats.reports import Code, Identifier
from service.store.queries import Keyset
from service.work.exports import Start

LARGEST_PAGE: Final = 500


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError("must be a whole number")
    return value


def _yes_or_no(value: Any) -> Any:
    if value not in ("true", "false", None):
        raise ValueError("must be true or false")
    return None if value is None else value == "true"


def _span_day(text: str) -> str:
    try:
        when = parse_when(text, UTC)
    except Invalid as error:
        raise ValueError(str(error)) from None
    if when.earliest or when.lasted or when.is_open or when.approximate or text.startswith("["):
        raise ValueError("must be a day, a month or a year")
    return text


Whole = Annotated[int, BeforeValidator(_digits)]
YesNo = Annotated[bool | None, BeforeValidator(_yes_or_no)]
Day = Annotated[str, AfterValidator(_span_day)]


class MomentParameters(BaseModel):
    """As of when."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=False,
        use_attribute_docstrings=True,
    )

    as_of: Annotated[Code | None, Field(max_length=40)] = None
    """What was known at an instant or at the end of a day, or after `changes:1234`, so many."""


class FilterParameters(MomentParameters):
    """Filters, the same everywhere. All that are given must hold."""

    first: Day | None = Field(default=None, alias="from", examples=["2022-08"])
    """First day, month or year; what overlaps it is selected."""
    last: Day | None = Field(default=None, alias="to", examples=["2022-09"])
    """Last day, month or year, all of it."""
    clock: Clock = Clock.EVENT
    """Which time `from` and `to` mean."""
    sector: Code | None = None
    """A sector with all below it, or `unlocated`."""
    level: Annotated[Whole, Field(ge=0, le=9)] = 1
    """Depth in the tree of sectors or weapons: 0 theatre, 1 line or area, 2 section."""
    within: Code | None = None
    """With `sector=unlocated`: the sector that is known instead, or `unlocated` for none."""
    place: Code | None = None
    """A place in any known spelling."""
    bbox: Annotated[str | None, Field(max_length=100)] = None
    """West, south, east, north in degrees (RFC 7946), of published positions."""
    weapon: Code | None = None
    """A class of weapon with all below it, `unmapped`, or `unstated`."""
    weapon_exact: YesNo = None
    """With `weapon`: the class itself, without what is below it."""
    claimant: Code | None = None
    """Incidents with a live report by this claimant."""
    party: Code | None = None
    """Whose casualties, or `unstated`."""
    attributed_to: Code | None = None
    """Incidents that some live report blames on this party."""
    status: Annotated[Status | None, Field(strict=False)] = None
    contested: YesNo = None
    min_killed: Annotated[Whole | None, Field(ge=0, le=100_000_000)] = None
    """At least so many killed, by the lowest account."""
    q: Annotated[Code | None, Field(max_length=200)] = None
    """Words that must all occur."""
    according_to: Code | None = None
    """One claimant's reports alone."""
    untold_by: Code | None = None
    """Incidents of which this claimant tells nothing that counts; of incidents and sums only."""
    time_precision: Literal["instant", "day", "month", "year"] | None = None
    """Known to lie within one of these, or more finely; of incidents and sums only."""
    place_precision: Literal["exact", "settlement", "district", "sector"] | None = None
    """Known to lie in a place at least so narrow; of incidents and sums only."""
    series: Code | None = None
    """Which series of named periods; the first of `/v1/periods` unless given."""

    def filters(self, theatre: Theatre, actor: Actor) -> IncidentQuery:
        """The question for a theatre. Raises `Invalid` for codes it does not know."""
        if self.within is not None and self.sector != UNLOCATED:
            raise Invalid("goes with sector=unlocated", "within")
        if self.weapon_exact and self.weapon is None:
            raise Invalid("goes with weapon", "weapon_exact")
        zone = theatre.zone
        return IncidentQuery(
            first=parse_when(self.first, zone).start if self.first else None,
            last=parse_when(self.last, zone).end if self.last else None,
            clock=self.clock,
            sector=_known("sector", self.sector, theatre.sectors, UNLOCATED),
            level=self.level,
            within=_known("within", self.within, theatre.sectors, UNLOCATED),
            place=_place(self.place, theatre),
            bbox=_box(self.bbox),
            weapon=_known("weapon", self.weapon, theatre.weapons, UNSTATED, UNMAPPED),
            weapon_exact=bool(self.weapon_exact),
            claimant=_claimant(self.claimant, theatre),
            party=_party(self.party, theatre),
            attributed_to=_party(self.attributed_to, theatre),
            status=self.status,
            contested=self.contested,
            min_killed=self.min_killed,
            text=_words(self.q),
            according_to=_claimant(self.according_to, theatre),
            untold_by=_claimant(self.untold_by, theatre),
            time_precision=TimePrecision(self.time_precision) if self.time_precision else None,
            place_precision=Precision(self.place_precision) if self.place_precision else None,
            sees=actor.sees.level,
            own=actor.name,
        )


class CursorParameters(BaseModel):
    """Which page."""

    model_config = FilterParameters.model_config

    limit: Annotated[Whole, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str | None, Field(max_length=300)] = None
    """`next` of the page before."""

    def after(self) -> Keyset | None:
        """Where the page before ended. Raises `Invalid` for a cursor of another question."""
        if self.cursor is None:
            return None
        try:
            value, item, mark = orjson.loads(base64.urlsafe_b64decode(self.cursor.encode()))
            moment: date | datetime = (
                datetime.fromisoformat(value).astimezone(UTC)
                if "T" in value
                else date.fromisoformat(value)
            )
            keyset = Keyset(moment, str(UUID(item)))
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise Invalid("is not a cursor", "cursor") from None
        if mark != self._mark():
            raise Invalid("belongs to another question", "cursor")
        return keyset

    def cursor_to(self, keyset: Keyset | None) -> str | None:
        if keyset is None:
            return None
        content = [keyset.value.isoformat(), keyset.id, self._mark()]
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode()

    def _mark(self) -> str:
        asked = self.model_dump_json(exclude={"cursor", "limit", "format", "hxl", "last_row"})
        return hashlib.sha256(asked.encode()).hexdigest()[:12]


class FormatParameters(BaseModel):
    """In which format."""

    model_config = FilterParameters.model_config

    format: Format | None = None
    """Before what `Accept` prefers."""
    hxl: YesNo = None
    """With `format=csv` or `xlsx`: a row of HXL hashtags below the header."""


class PageParameters(CursorParameters, FormatParameters):
    """Which page, and in which format; in another than JSON all of the list, unless `limit` is
    given."""

    last_row: Identifier | None = Field(default=None, alias="after")
    """Where all of a list is sent: begin behind the row with this id, the last that came whole."""

    @property
    def is_page(self) -> bool:
        """Whether a page is meant where all of the list could be."""
        return "limit" in self.model_fields_set

    def start(self, *, page: bool) -> Start:
        """Where to begin. Raises `Invalid` for a cursor of another question, and for a row with it
        or where a `page` is answered, which says itself where the next one begins."""
        if self.last_row is not None and (page or self.cursor is not None):
            raise Invalid("goes with all of a list in another format than JSON", "after")
        return Start(self.after(), self.last_row)


class ListParameters(FilterParameters, PageParameters):
    """Filters, and which page in which order and format."""

    period: Code | None = None
    """A named period: what touches it is selected."""
    counted: YesNo = None
    """Only what figures count, or only what they leave out."""
    order: Literal["newest", "oldest"] = "newest"

    def filters(self, theatre: Theatre, actor: Actor) -> IncidentQuery:
        query = super().filters(theatre, actor)
        if self.period is not None:
            query = during(query, self.period, theatre)
        return replace(query, counted=self.counted, oldest_first=self.order == "oldest")


class IncidentParameters(ListParameters):
    """What lists of incidents know besides: one row of an aggregate."""

    grain: Annotated[Grain | None, Field(strict=False)] = None
    """With `bucket`: the incidents of one row of an aggregate."""
    bucket: Code | None = None
    timezone: Code | None = None
    """With `bucket`: days of this time zone (IANA), of incidents known to lie in them."""

    def filters(self, theatre: Theatre, actor: Actor) -> IncidentQuery:
        query = super().filters(theatre, actor)
        if (self.grain is None) != (self.bucket is None):
            raise Invalid("goes with bucket", "grain")
        if self.grain is None or self.bucket is None:
            if self.timezone is not None:
                raise Invalid("goes with grain and bucket", "timezone")
            return query
        cell = CellFilter(self.grain, self.bucket, self.series)
        return replace(in_zone(query, self.timezone), cell=cell)


class WatchParameters(MomentParameters):
    """Which span of time and sector."""

    first: Day | None = Field(default=None, alias="from")
    """First day, month or year; what overlaps it is selected."""
    last: Day | None = Field(default=None, alias="to")
    sector: Code | None = None
    """A sector with all below it."""

    def watched(self, theatre: Theatre) -> WatchQuery:
        """Raises `Invalid` for a sector the theatre does not know."""
        zone = theatre.zone
        return WatchQuery(
            first=parse_when(self.first, zone).start if self.first else None,
            last=parse_when(self.last, zone).end if self.last else None,
            sector=_known("sector", self.sector, theatre.sectors),
        )


def during(query: IncidentQuery, period: str, theatre: Theatre) -> IncidentQuery:
    """Narrowed to a named period. Raises `Invalid` for one nobody knows."""
    known = theatre.period(period)
    if known is None:
        raise Invalid("is not a known named period", "period")
    first, last = max(query.first or known.start, known.start), query.last or known.end
    return replace(query, first=first, last=min(last, known.end))


def in_zone(query: IncidentQuery, name: str | None) -> IncidentQuery:
    """In days of a time zone. Raises `Invalid` for one that nobody knows, and where days of the
    theatre would do."""
    if name is None:
        return query
    try:
        zone = parse_zone(name)
    except Invalid as error:
        raise Invalid(str(error), "timezone") from None
    # When something was said is known to the day, and when it came is told to nobody more finely.
    if query.clock is not Clock.EVENT:
        raise Invalid("must be event with timezone", "clock")
    for day, parameter in ((query.first, "from"), (query.last, "to")):
        if day is None:
            raise Invalid("must be given with timezone", parameter)
    return replace(query, zone=zone)


def series_of(period: str, theatre: Theatre) -> str | None:
    known = theatre.period(period)
    return known.series if known else None


def _known(name: str, code: str | None, known: Any, *others: str) -> str | None:
    if code is not None and code not in known and code not in others:
        raise Invalid("is not a known code", name)
    return code


def _claimant(text: str | None, theatre: Theatre) -> str | None:
    found = theatre.find_claimant(text) if text else None
    return found.id if found else text


def _party(text: str | None, theatre: Theatre) -> str | None:
    found = theatre.find_party(text) if text else None
    return found.id if found else text


def _words(text: str | None) -> str | None:
    if text is not None and not fold_words(text):
        raise Invalid("holds no word to look for", "q")
    return text


def _place(spelling: str | None, theatre: Theatre) -> str | None:
    if spelling is None:
        return None
    found = theatre.gazetteer.find(spelling)
    if found is None:
        raise Invalid("is not a known place", "place")
    return found.id


def _box(text: str | None) -> BoundingBox | None:
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 4 or not all(re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,10})?", p) for p in parts):
        raise Invalid("must be four numbers: west,south,east,north", "bbox")
    west, south, east, north = map(float, parts)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid("must be west,south,east,north in degrees", "bbox")
    return BoundingBox(west, south, east, north)
