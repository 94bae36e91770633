"""The ledger: signed heads and proofs."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response

from service.api import answers
from service.api.freshness import FreshRoute
from service.api.parameters import LARGEST_PAGE, FilterParameters, Whole
from service.api.requests import Context, Ctx
from service.api.shapes.common import refusals
from service.api.shapes.ledger import (
    CHECKPOINT,
    CONSISTENCY,
    INCLUSION,
    LIST_OF_HEADS,
    SIGNED_HEAD,
)
from service.errors import Invalid, NotFound
from service.formats.checkpoint import LogKey
from service.formats.records import instant_text
from service.store.tables import Head
from service.work import ledger

router = APIRouter(prefix="/ledger", route_class=FreshRoute, tags=["ledger"])
T = TypeVar("T")
Limit = Annotated[Whole, Field(ge=1, le=LARGEST_PAGE)]
Size = Annotated[Whole, Field(ge=1)]


class HeadParameters(BaseModel):
    """Which page of heads."""

    model_config = FilterParameters.model_config

    limit: Limit = 50
    cursor: Annotated[Whole | None, Field(ge=1)] = None
    """`next` of the page before."""


class InclusionParameters(BaseModel):
    """Which leaf, in the tree of which size."""

    model_config = FilterParameters.model_config

    leaf: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """The leaf's hash, which is the `sha256` of a report's receipt."""
    size: Size | None = None
    """Leaves of the tree, such as a head's; all there are unless given."""


class ConsistencyParameters(BaseModel):
    """Which two trees."""

    model_config = FilterParameters.model_config

    first: Size
    """Leaves of the older tree."""
    second: Size | None = None
    """Leaves of the newer tree; all there are unless given."""


def _signer(request: Request) -> LogKey:
    key = request.app.state.ledger_key
    if not isinstance(key, LogKey):
        raise NotFound("Tree heads are not signed here.")
    return key


Signer = Annotated[LogKey, Depends(_signer)]


@router.get(
    "/checkpoint",
    summary="The newest signed tree head, as text",
    response_class=PlainTextResponse,
    responses={200: CHECKPOINT, **refusals(404, 422)},
)
def get_checkpoint(_: Signer, context: Ctx) -> Response:
    """A signed note in the format of C2SP tlog-checkpoint: keep it where nobody else writes."""
    return PlainTextResponse(_newest(context).checkpoint)


@router.get(
    "/head",
    summary="The newest signed tree head",
    responses={200: SIGNED_HEAD, **refusals(404, 422)},
)
def get_head(key: Signer, context: Ctx) -> Response:
    """Size, root and time, the signed note that says so, and the key that verifies it."""
    return answers.json({**_view(_newest(context)), "verifier_key": key.verifier})


@router.get(
    "/heads",
    summary="Tree heads that were signed",
    responses={200: LIST_OF_HEADS, **refusals(404, 422)},
)
def list_heads(parameters: Annotated[HeadParameters, Query()], _: Signer, context: Ctx) -> Response:
    """Every head that was ever given out, newest first."""
    with context.database.reading() as session:
        found = ledger.heads_below(session, parameters.cursor, parameters.limit + 1)
    shown = found[: parameters.limit]
    following = str(shown[-1].size) if len(found) > len(shown) else None
    return answers.json(answers.listed([_view(head) for head in shown], following))


@router.get(
    "/inclusion",
    summary="Prove that a change is in the ledger",
    responses={200: INCLUSION, **refusals(404, 422)},
)
def get_inclusion(parameters: Annotated[InclusionParameters, Query()], context: Ctx) -> Response:
    """The hashes that lead from a leaf to the root of the tree of `size` (RFC 9162, 2.1.3)."""

    def prove(session: Session) -> dict[str, Any]:
        size = _size(session, parameters.size, "size")
        position = ledger.position_of(session, parameters.leaf)
        if position is None or position >= size:
            raise NotFound("There is no such leaf in the tree of that size.")
        return {
            "position": position,
            "size": size,
            "proof": [step.hex() for step in ledger.inclusion(session, position, size)],
            "root": ledger.root(session, size).hex(),
        }

    return answers.json(_up_to_date(context, prove))


@router.get(
    "/consistency",
    summary="Prove that the ledger was only added to",
    responses={200: CONSISTENCY, **refusals(404, 422)},
)
def get_consistency(
    parameters: Annotated[ConsistencyParameters, Query()], context: Ctx
) -> Response:
    """The hashes that show the first tree to be the beginning of the second (RFC 9162, 2.1.4)."""

    def prove(session: Session) -> dict[str, Any]:
        second = _size(session, parameters.second, "second")
        first = parameters.first
        if first > second:
            raise Invalid("is more than the newer tree has", "first")
        return {
            "first": first,
            "second": second,
            "first_root": ledger.root(session, first).hex(),
            "second_root": ledger.root(session, second).hex(),
            "proof": [step.hex() for step in ledger.consistency(session, first, second)],
        }

    return answers.json(_up_to_date(context, prove))


def _up_to_date(context: Context, read: Callable[[Session], T]) -> T:
    """An answer that knows every change accepted before the question."""
    ledger.catch_up(context.database)
    with context.database.reading() as session:
        return read(session)


def _newest(context: Context) -> Head:
    with context.database.reading() as session:
        head = ledger.newest_head(session)
    if head is None:
        raise NotFound("No tree head was signed yet.")
    return head


def _size(session: Session, asked: int | None, field: str) -> int:
    size = ledger.size_of(session)
    if asked is not None and asked > size:
        raise Invalid("is more than the tree has", field)
    return asked or size


def _view(head: Head) -> dict[str, Any]:
    return {
        "size": head.size,
        "root": head.root,
        "signed_at": instant_text(head.signed_at),
        "checkpoint": head.checkpoint,
    }
