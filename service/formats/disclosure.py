"""What a reader is shown of a report's record. Every door hands records out through here."""

from typing import Any, Final

from service.domain.disclosure import PlaceShown
from service.domain.theatre import Theatre
from service.domain.vocabulary import Flag
from service.formats.records import (
    disclosure_of,
    disclosure_to_json,
    local_day,
    open_flags,
    start_text,
)

Json = dict[str, Any]

# Who sent and who reviewed it: nobody is shown that.
_NOBODY: Final[Json] = {"authors": [], "reviewers": {}}
_ORIGIN_FIELDS: Final = ("source", "key", "licence", "kept")


def disclosed(record: Json, theatre: Theatre, *, everything: bool = False) -> Json:
    """A record as it may be handed out: to those who see `everything`, or as it is published.

    Nobody is shown who sent or reviewed it, where an observer stood, or more of the moment it
    came than the day. What is published holds the place as it may be shown, and no text that
    seems to name a person until that is cleared.
    """
    posted, read = dict(record["posted"]), dict(record["resolved"])
    where = dict(posted["where"])
    where.pop("observer", None)
    if not everything:
        read |= record["published"]
        if record["disclosure"]["place"] != PlaceShown.EXACT:
            # What is written of a place may say more than the place that is shown.
            where = {"place": read["place"]} if read["place"] else {}
            read["unmapped"] = [path for path in read["unmapped"] if "where" not in path]
        if Flag.PERSONAL_DATA in open_flags(record):
            posted.pop("summary", None)
            where.pop("as_written", None)
            where = _without_words(where, read)
    posted["where"] = where
    zone = theatre.zone
    return {
        **record,
        **_origin_shown(record, everything=everything),
        **_NOBODY,
        "posted": posted,
        "resolved": read,
        "received_at": start_text(local_day(record["received_at"], zone), zone),
    }


def _origin_shown(record: Json, *, everything: bool) -> Json:
    """The source's own codes may say more of the place, and name people, as its words may; its
    digest tells whoever guesses what is kept back that the guess is right."""
    origin = record.get("origin")
    if origin is None:
        return {}
    shown = {name: origin[name] for name in _ORIGIN_FIELDS}
    if everything or shown_whole(record):
        return {"origin": shown}
    return {"origin": {**shown, "key": None, "kept": {}}}


def shown_whole(record: Json) -> bool:
    """Whether whoever is shown a report is shown its place and its words as they are."""
    whole = record["disclosure"]["place"] == PlaceShown.EXACT
    return whole and Flag.PERSONAL_DATA not in open_flags(record)


def summary_shown(record: Json) -> str:
    """The summary of a record as `disclosed` publishes it; empty where it has none."""
    if Flag.PERSONAL_DATA in open_flags(record):
        return ""
    return record["posted"].get("summary") or ""


def narrowed(then: Json, now: Json, theatre: Theatre) -> Json:
    """An earlier record of a report under the disclosure of then and of now: no more of it is
    shown than is of the present one."""
    both = disclosure_of(then).and_also(disclosure_of(now))
    part = disclosure_to_json(both, then["resolved"], theatre.gazetteer)
    cleared = then["cleared"]
    if Flag.PERSONAL_DATA in open_flags(now):
        cleared = [flag for flag in cleared if flag != Flag.PERSONAL_DATA]
    return {**then, **part, "cleared": cleared}


def _without_words(where: Json, read: Json) -> Json:
    """A sector or place that nobody knows is only words."""
    unknown = {path.rpartition(".")[2] for path in read["unmapped"] if path.startswith("where.")}
    return {name: value for name, value in where.items() if name not in unknown}
