"""A lead as a source sends it, what was found in it, and a first draft of a report of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import Field

from service.domain.figures import Figure
from service.domain.reading import CountFound, Findings
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome, Precision
from service.formats.reports import Identifier, Instant, LongText, Strict, WebAddress

Json = dict[str, Any]
_LONGEST_TITLE: Final = 200
_FINE: Final = frozenset({Precision.EXACT, Precision.SETTLEMENT, Precision.DISTRICT})


class LeadIn(Strict):
    """Something a source wrote. It says nothing to the tracker before a person has read it."""

    id: Identifier | None = None
    title: Annotated[str, Field(max_length=500)] = ""
    text: LongText = ""
    url: WebAddress | None = None
    published: Instant | None = None
    """An instant."""
    language: Annotated[str, Field(max_length=40)] | None = None
    """As the source declares it (BCP 47)."""

    def told(self) -> str:
        """What is read: title and text, of which the findings' places are counted."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class FoundOut(Strict):
    """Where something stands: from `start` to before `end`, in characters of what was read."""

    start: int
    end: int
    text: str


class DateOut(FoundOut):
    edtf: str


class PlaceOut(FoundOut):
    place: str


class WeaponOut(FoundOut):
    weapon: str
    calibre_mm: float | None = None


class FigureOut(Strict):
    low: int
    best: int
    high: int | None


class CountOut(FoundOut):
    """`figure` is null where the words hold no number; a count that is denied is nobody's claim."""

    outcome: str | None
    group: str | None
    words: str | None
    figure: FigureOut | None
    denied: bool


class FindingsOut(Strict):
    """What rules found in a lead, for a person to check (docs/formats/leads.md)."""

    language: str | None
    dates: list[DateOut]
    places: list[PlaceOut]
    weapons: list[WeaponOut]
    counts: list[CountOut]


def findings_out(findings: Findings) -> FindingsOut:
    return FindingsOut(
        language=findings.language,
        dates=[DateOut(**asdict(found)) for found in findings.dates],
        places=[PlaceOut(**asdict(found)) for found in findings.places],
        weapons=[WeaponOut(**asdict(found)) for found in findings.weapons],
        counts=[
            CountOut(
                **{
                    **asdict(found),
                    "outcome": found.outcome and found.outcome.value,
                    "group": found.group and found.group.value,
                }
            )
            for found in findings.counts
        ],
    )


def draft_of(lead: LeadIn, findings: Findings, claimant: str | None, theatre: Theatre) -> Json:
    """What of a `ReportIn` the findings settle, for a person to correct and complete.

    `when` and `where` are there only where one date and one place is found; a count only where its
    outcome is told once for its group and nobody denies it. Who is to blame, whose the people were
    and what a report is worth is never drafted.
    """
    draft: Json = {}
    dates = {found.edtf for found in findings.dates}
    if len(dates) == 1:
        draft["when"] = dates.pop()
    place = _only_place((found.place for found in findings.places), theatre)
    if place is not None:
        draft["where"] = {"place": place}
    if claimant is not None:
        draft["claimant"] = claimant
    if weapons := _weapons(findings, theatre):
        draft["weapons"] = weapons
    if casualties := _casualties(findings.counts):
        draft["casualties"] = casualties
    if lead.published is not None:
        draft["reported"] = lead.published
    draft["sources"] = [source_of(lead)]
    return draft


def _only_place(ids: Iterable[str], theatre: Theatre) -> str | None:
    """The one place, or the only one that is more than a region."""
    found = set(ids)
    fine = {
        each
        for each in found
        if (place := theatre.gazetteer.get(each)) is not None and place.precision in _FINE
    }
    chosen = fine or found
    return next(iter(chosen)) if len(chosen) == 1 else None


def _weapons(findings: Findings, theatre: Theatre) -> list[str | Json]:
    """Each class once, without those that only say less than another one found."""
    uses = dict.fromkeys((found.weapon, found.calibre_mm) for found in findings.weapons)
    broader = {
        ancestor
        for weapon, _ in uses
        for ancestor in theatre.weapons.tree.path(weapon)
        if ancestor != weapon
    }
    measured = {weapon for weapon, calibre in uses if calibre is not None}
    return [
        weapon if calibre is None else {"weapon": weapon, "calibre_mm": calibre}
        for weapon, calibre in uses
        if weapon not in broader and (calibre is not None or weapon not in measured)
    ]


def _casualties(counts: Iterable[CountFound]) -> list[Json]:
    told: dict[tuple[str | None, Outcome], set[tuple[Figure | None, str | None]]] = {}
    denied = set()
    for count in counts:
        if count.denied:
            denied.add(count.outcome)
        elif count.outcome is not None and count.words is not None:
            group = count.group.value if count.group else None
            told.setdefault((group, count.outcome), set()).add((count.figure, count.words))
    lines: dict[str | None, Json] = {}
    for (group, outcome), figures in told.items():
        if len({figure for figure, _ in figures}) > 1 or denied & {outcome, None}:
            continue
        figure, words = min(figures, key=lambda each: each[1] or "")
        lines.setdefault(group, {"group": group} if group else {})[outcome.value] = _said(
            figure, words
        )
    return list(lines.values())


def _said(figure: Figure | None, words: str | None) -> int | Json:
    if figure is None:
        return {"words": words}
    if figure.low == figure.high:
        bare = (words or "").isdigit()
        return figure.low if bare else {"low": figure.low, "high": figure.high, "words": words}
    bounds: Mapping[str, Any] = {"low": figure.low, "high": figure.high, "words": words}
    return {name: value for name, value in bounds.items() if value is not None}


def source_of(lead: LeadIn) -> Json:
    """A lead as a document behind a report; without a title its first words are one."""
    title = " ".join((lead.title or lead.text).split())
    source: Json = {"title": title[:_LONGEST_TITLE] or "untitled"}
    if lead.published is not None:
        source["published"] = lead.published
    if lead.url is not None:
        source["url"] = lead.url
    return source
