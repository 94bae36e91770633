"""Routes that do nothing but answer with bytes: the most that this way of serving can do.

`BODY` in the environment names a file of bytes.
"""

import os
from pathlib import Path

from fastapi import FastAPI, Response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as PlainResponse
from starlette.routing import Route

_BODY = Path(os.environ["BODY"]).read_bytes()


async def _answer(_: Request) -> PlainResponse:
    return PlainResponse(_BODY, media_type="application/json")


starlette = Starlette(routes=[Route("/", _answer)])
fastapi = FastAPI()


@fastapi.get("/")
async def unchanged() -> Response:
    """What is not sent again."""
    return Response(status_code=304, headers={"ETag": '"1"'})
