"""Answers as bytes: JSON, or CSV where asked for by `format=` or `Accept`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from service.formats import tabular

Format = Literal["json", "csv"]


def json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content), status, media_type="application/json", headers=dict(headers or {})
    )


def csv(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    name: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return StreamingResponse(
        tabular.write(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


def format_of(request: Request, asked: Format | None) -> Format:
    """`format=` decides, then `Accept`; JSON where neither prefers CSV."""
    if asked is not None:
        return asked
    accepted = request.headers.get("accept", "")
    csv_at, json_at = accepted.find("text/csv"), accepted.find("application/json")
    return "csv" if csv_at >= 0 and (json_at < 0 or csv_at < json_at) else "json"


def listed(items: Sequence[Any], following: str | None) -> dict[str, Any]:
    return {"items": items, "next": following}


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The next page as a header (RFC 8288), for formats that have no room for it."""
    if cursor is None:
        return {}
    return {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}
