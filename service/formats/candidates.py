"""Why two accounts may be of one event, as data and in English."""

from dataclasses import fields
from datetime import date
from typing import Any, Final

from service.domain.candidates import (
    ClaimantsCompared,
    Compared,
    DaysCompared,
    FiguresCompared,
    Form,
    PointsCompared,
    Reason,
    SectorsCompared,
    TimesCompared,
    WeaponsCompared,
    WordsCompared,
)
from service.domain.figures import Figure
from service.domain.theatre import Theatre
from service.domain.when import When
from service.formats.views import figure_view

Json = dict[str, Any]

_SECTORS: Final = {
    Form.SAME_SECTOR: "both in {}",
    Form.NESTED_SECTORS: "{} lies in {}",
    Form.PARTED_SECTORS: "in {} and in {}",
}
_WEAPONS: Final = {
    Form.SAME_WEAPON: "both name {}",
    Form.NESTED_WEAPONS: "{} and {} may be the same weapon",
    Form.PARTED_WEAPONS: "one names {}, the other {}",
}


def reason_view(reason: Reason, theatre: Theatre) -> Json:
    return {
        "matter": reason.matter,
        "weight": round(reason.weight, 1),
        "says": "; ".join(sentence(each, theatre) for each in reason.told),
        "told": [
            {each.name: _value(getattr(found, each.name)) for each in fields(found)}
            for found in reason.told
        ],
    }


def sentence(found: Compared, theatre: Theatre) -> str:
    """What a comparison found; names are those of the theatre, where it knows them."""
    match found:
        case TimesCompared():
            return _times(found)
        case DaysCompared():
            return _days(found)
        case PointsCompared():
            says = "within" if found.form is Form.POINTS_WITHIN else "beyond"
            leave = f"the {found.open_km:g} km that both precisions leave open"
            return f"{found.km:g} km apart, {says} {leave}"
        case SectorsCompared():
            return _SECTORS[found.form].format(*(_sector(each, theatre) for each in found.sectors))
        case WeaponsCompared():
            return _WEAPONS[found.form].format(*(_weapon(each, theatre) for each in found.weapons))
        case FiguresCompared():
            agree = "agree" if found.form is Form.FIGURES_MEET else "exclude each other"
            return f"{found.outcome} {_figure(found.own)} and {_figure(found.other)} {agree}"
        case ClaimantsCompared():
            apart = f", {_counted(found.days, 'day')} apart" if found.days else ""
            otherwise = found.form is Form.SAME_CLAIMANT_OTHERWISE
            figures = ", with figures that exclude each other" if otherwise else ""
            return f"the same claimant speaks of both{apart}{figures}"
        case WordsCompared():
            return f"share {found.shared} of {_counted(found.words, 'word')}"


def _value(value: Any) -> Any:
    if isinstance(value, Figure):
        return figure_view(value)
    return str(value) if isinstance(value, When) else value


def _times(found: TimesCompared) -> str:
    if found.form is Form.HOURS_APART:
        return f"{found.count:,.1f} hours apart"
    return f"{_counted(found.count, 'minute')} apart"


def _days(found: DaysCompared) -> str:
    own, other = found.own, found.other
    match found.form:
        case Form.DAYS_APART:
            return f"{_counted(found.days, 'day')} between {_span(own)} and {_span(other)}"
        case Form.DAYS_OVERLAP:
            return f"{_span(own)} and {_span(other)} overlap"
    if own.start == own.end:
        return f"both on {_span(own)}"
    return f"both {'lasted' if own.lasted and other.lasted else 'within'} {_span(own)}"


def _sector(sector: str, theatre: Theatre) -> str:
    known = theatre.sectors.get(sector)
    return known.name if known else sector


def _weapon(weapon: str, theatre: Theatre) -> str:
    known = theatre.weapons.find(weapon)
    return known.name.lower() if known else weapon


def _figure(figure: Figure) -> str:
    if figure.high is None:
        return f"at least {figure.low:,}"
    return f"{figure.low:,}" if figure.low == figure.high else f"{figure.low:,} to {figure.high:,}"


def _counted(number: float, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _span(when: When) -> str:
    if when.start is None:
        return f"on or before {_day(when.known_end)}"
    if when.end is None:
        return f"on or after {_day(when.known_start)}"
    if when.start == when.end:
        return _day(when.start)
    return f"{_day(when.start)} to {_day(when.end)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
