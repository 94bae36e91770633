"""Answers as JSON, and which other format is asked for by `format=` or `Accept`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import orjson
from fastapi import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from service.domain.method import METHOD_VERSION
from service.domain.theatre import Theatre
from service.formats import tabular
from service.formats.exports.registry import MEDIA

Format = Literal["json", "csv", "ndjson", "geojson", "parquet", "xlsx"]
_JSON: Final = "application/json"
_NAMES: Final = {**MEDIA, _JSON: "json", "application/*": "json", "*/*": "json"}


def json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, media_type=_JSON, headers=dict(headers or {}))


def csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """Rows under columns of their own, as they are read."""
    return StreamingResponse(
        tabular.write(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def format_of(request: Request, asked: str | None) -> str:
    """`format=` decides, then what `Accept` prefers (RFC 9110, 12.5.1); JSON where it names
    nothing that is made here."""
    if asked is not None:
        return asked
    wanted: list[tuple[float, int, str]] = []
    for at, each in enumerate(request.headers.get("accept", "").lower().split(",")):
        media, *parameters = (part.strip() for part in each.split(";"))
        if media in _NAMES and (weight := _weight(parameters)) > 0:
            wanted.append((-weight, at, _NAMES[media]))
    return min(wanted, default=(0, 0, "json"))[2]


def _weight(parameters: Sequence[str]) -> float:
    given = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 0.0


def merged(request: Request, into: str) -> Response:
    """Leads on to what an item was merged into, where the same is asked of it. Not for good: a
    merge can be undone."""
    query = f"?{request.url.query}" if request.url.query else ""
    parent, _, _ = request.scope["path"].rpartition("/")
    return RedirectResponse(f"{parent}/{into}{query}", 307)


def listed(items: Sequence[Any], following: str | None) -> dict[str, Any]:
    return {"items": items, "next": following}


def provenance(theatre: Theatre, *links: str) -> dict[str, str]:
    """By which rules figures are made and under which licence they are given out, as headers
    (RFC 8288), for formats that have no room for it; with other links."""
    licence = [f'<{theatre.licence}>; rel="license"'] if theatre.licence else []
    told = [*links, *licence]
    return {"X-Method-Version": METHOD_VERSION, **({"Link": ", ".join(told)} if told else {})}


def next_link(request: Request, cursor: str | None) -> list[str]:
    """The next page as a link."""
    if cursor is None:
        return []
    return [f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"']
