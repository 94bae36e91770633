"""The feed of everything that changed, for mirrors and for whoever checks the ledger."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.api import answers
from service.api.access import Reader
from service.api.freshness import FreshRoute
from service.api.parameters import LARGEST_PAGE, FilterParameters, Whole
from service.api.requests import Ctx
from service.api.shapes.changes import CHANGES, ENTRIES_OF_LEDGER
from service.api.shapes.common import refusals
from service.work import changes

router = APIRouter(route_class=FreshRoute, tags=["changes"])


class FeedParameters(BaseModel):
    """From where on."""

    model_config = FilterParameters.model_config

    after: Annotated[Whole, Field(ge=0, le=2**53)] = 0
    """How many changes are known already: `next` of the page before."""
    limit: Annotated[Whole, Field(ge=1, le=LARGEST_PAGE)] = 100


@router.get("/changes", summary="Read what changed", responses={200: CHANGES, **refusals(422)})
def get_changes(
    parameters: Annotated[FeedParameters, Query()], actor: Reader, context: Ctx
) -> Response:
    """Every change in the order of the ledger, with the whole content after it.

    What the reader may not see is `hidden`; what was shown once and is no longer, `withheld`. Ask
    again with `after` set to `next`; it is where the feed ends now where nothing is new.
    """
    with context.sequenced() as view:
        items = changes.page(view.session, parameters.after, parameters.limit, actor, view.theatre)
    return answers.json({"items": items, "next": parameters.after + len(items)})


@router.get(
    "/ledger/entries",
    summary="Read the leaves of the ledger",
    responses={200: ENTRIES_OF_LEDGER, **refusals(422)},
)
def get_entries(
    parameters: Annotated[FeedParameters, Query()], actor: Reader, context: Ctx
) -> Response:
    """Every leaf's hash and, where the reader may see it, the entry that it is the hash of, with
    the salts and values of what may be opened of its sealed fields."""
    with context.sequenced() as view:
        items = changes.entries(
            view.session, parameters.after, parameters.limit, actor, view.theatre
        )
    return answers.json({"items": items, "next": parameters.after + len(items)})
