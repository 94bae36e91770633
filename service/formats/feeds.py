"""How a source is declared: in `feeds.toml`, over the API, or by the options of one import."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from service.domain.access import Visibility
from service.domain.imports import Tolerance
from service.errors import Invalid
from service.formats.imports.entries import Format, Reading
from service.formats.imports.registry import format_named
from service.formats.reference import naming, read_toml
from service.formats.reports import Code, ShortText, Strict, VisibilityText
from service.formats.validation import parse

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
# Nothing else of the environment: whoever declares a feed also says whom it is sent to.
_VARIABLE: Final = re.compile(r"env:CEASEFIRE_FEED_[A-Z0-9_]{1,80}")
_RHYTHM: Final = re.compile(r"([1-9][0-9]{0,3})([hd])")
_TIMES_ASKED: Final = 3


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be small letters, digits, dots and hyphens")
    return text


def _schedule(text: str) -> str:
    try:
        CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        raise ValueError("is not a schedule such as 17 4 * * *") from None
    return text


def _rhythm(text: str) -> str:
    if not _RHYTHM.fullmatch(text):
        raise ValueError("must be a number of hours or days, such as 36h or 45d")
    return text


Name = Annotated[str, AfterValidator(_name)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PlanIn(Strict):
    """How a file is read and what of it is recorded."""

    source: Name
    """By this and its own ids, what comes again is known again; feeds may share one."""
    format: Code
    """A name of docs/imports.md."""
    claimant: Code | None = None
    """Who says what the file says, where the format knows nobody."""
    licence: ShortText | None = None
    """Shown with every report from it."""
    visibility: VisibilityText | None = None
    """The widest circle that its rows may be passed on to; never widened for one of them."""
    mapping: dict[str, JsonValue] | None = None
    """What the columns become, for formats that ask for it."""
    encoding: Code = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    timezone: Code | None = None
    part: bool = False
    """Whether a file lists only some of what the source has, so that nothing is ever missing."""
    atomic: bool = False
    """Whether one row that cannot be taken keeps out all."""
    max_changed: Share = 0.2
    max_gone: Share = 0.2
    max_rejected: Share = 0.2

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            form = self.form
        except Invalid:
            raise ValueError("format is not a known one") from None
        if self._counts and self.circle is not Visibility.PUBLIC:
            raise ValueError("visibility must be public: counts and watches are shown to everybody")
        if form.restricted and self.visibility is Visibility.PUBLIC:
            raise ValueError("visibility cannot be public: its licence does not allow that")
        return self

    @property
    def form(self) -> Format:
        """Raises `Invalid` for a format that is not known."""
        return format_named(self.format)

    @property
    def _counts(self) -> bool:
        """Whether it gives tallies and coverage, which have no circle of their own."""
        kind = (self.mapping or {}).get("kind", "report")
        return self.format == "wide" or kind != "report"

    @property
    def circle(self) -> Visibility:
        """Whom its rows may be passed on to."""
        if self.visibility is not None:
            return self.visibility
        return Visibility.RESTRICTED if self.form.restricted else Visibility.PUBLIC

    @property
    def terms(self) -> str | None:
        """The licence that its rows come under."""
        return self.licence or self.form.default_licence

    @property
    def reading(self) -> Reading:
        return Reading(
            claimant=self.claimant,
            encoding=self.encoding,
            delimiter=self.delimiter,
            timezone=self.timezone,
            mapping=self.mapping,
        )

    @property
    def tolerance(self) -> Tolerance:
        return Tolerance(self.max_changed, self.max_gone, self.max_rejected)

    def plan(self) -> dict[str, Any]:
        """What an import has to keep in order to be read again, as JSON values."""
        return self.model_dump(mode="json", include=set(PlanIn.model_fields), exclude_unset=True)


class FeedIn(PlanIn):
    """A source that is asked again and again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://example.org/events.csv",
                    "source": "example",
                    "format": "ucdp-ged",
                    "claimant": "ucdp",
                    "licence": "CC BY 4.0",
                    "schedule": "17 4 * * *",
                    "rhythm": "45d",
                    "headers": {"x-access-token": "env:CEASEFIRE_FEED_EXAMPLE"},
                }
            ]
        }
    )

    url: Annotated[str, Field(max_length=2_000)]
    hosts: list[Code] = Field(default_factory=list, max_length=20)
    """Hosts besides that of the address that it may send us on to."""
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Sent along; a value is `env:CEASEFIRE_FEED_…`, the variable that holds it."""
    schedule: Annotated[str, AfterValidator(_schedule)] | None = None
    """Five fields of cron, in UTC; left out, it is asked only when somebody says so."""
    rhythm: Annotated[str, AfterValidator(_rhythm)] | None = None
    """How long it may stay as it is before it counts as stale; left out, three times asked."""
    deadline_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    max_bytes: Annotated[int, Field(gt=0, le=2_000_000_000)] = 50 * 1024 * 1024

    @model_validator(mode="after")
    def _askable(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("url must be an address such as https://example.org/events.csv")
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or not _VARIABLE.fullmatch(value):
                raise ValueError("headers must be names with env:CEASEFIRE_FEED_…, never a secret")
        return self

    def header_values(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The headers with their secrets. Raises `Invalid` where a variable is not set."""
        values = {}
        for name, value in self.headers.items():
            variable = value.removeprefix("env:")
            if not environment.get(variable):
                raise Invalid(f"needs the variable {variable}", "headers")
            values[name] = environment[variable]
        return values

    def next_run(self, after: datetime) -> datetime | None:
        """When it is asked next."""
        if self.schedule is None:
            return None
        return next(CronSim(self.schedule, after.astimezone(UTC)), None)

    def patience(self, now: datetime) -> timedelta | None:
        """How long it may stay as it is; `None` where nothing says so."""
        if self.rhythm is not None:
            number, unit = _RHYTHM.fullmatch(self.rhythm).groups()  # type: ignore[union-attr]
            return timedelta(hours=int(number) * (24 if unit == "d" else 1))
        first = self.next_run(now)
        second = self.next_run(first) if first else None
        return _TIMES_ASKED * (second - first) if first and second else None


def read_feeds(path: Path) -> dict[str, FeedIn]:
    """The feeds that a file declares, by name. Raises `Invalid` naming the file and the feed.

    A mapping may be the name of a TOML file beside it.
    """
    feeds: dict[str, FeedIn] = {}
    for i, entry in enumerate(read_toml(path).get("feed", ())):
        with naming(f"{path.name}.{entry.get('name', i)}"):
            name, told = entry.pop("name"), dict(entry)
            if isinstance(told.get("mapping"), str):
                told["mapping"] = read_toml(path.parent / told["mapping"])
            if name in feeds:
                raise Invalid("stands twice", "name")
            feeds[parse_name(name)] = parse(FeedIn, {"source": name, **told})
    return feeds


def parse_name(name: str) -> str:
    """A name of a feed. Raises `Invalid`."""
    try:
        return _name(name)
    except ValueError as error:
        raise Invalid(str(error), "name") from None
