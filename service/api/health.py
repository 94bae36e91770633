"""Whether the process lives, and whether it can serve."""

from fastapi import APIRouter
from starlette.responses import Response

from service.api import answers
from service.api.requests import Ctx, StrictRoute
from service.api.shapes.common import refusals
from service.api.shapes.operation import HEALTH
from service.store.schema import check_schema

router = APIRouter(route_class=StrictRoute, tags=["health"], prefix="/health")


@router.get("/live", summary="Is the process alive?", responses={200: HEALTH, **refusals(422)})
def live() -> Response:
    """Answers as long as the process does."""
    return answers.json({"status": "ok"})


@router.get("/ready", summary="Can it serve?", responses={200: HEALTH, **refusals(422, 503)})
def ready(context: Ctx) -> Response:
    """Whether the database answers, has the schema of this version, and holds a theatre."""
    check_schema(context.database)
    with context.database.reading() as session:
        theatre = context.theatres.current(session)
    return answers.json({"status": "ok", "theatre": theatre.id})
