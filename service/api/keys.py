"""API keys: made, changed and revoked by those who manage them, and looked at by their holders."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.api import answers
from service.api.access import KeyManager, KeyReader, Known
from service.api.requests import Context, Ctx, StrictRoute
from service.api.shapes.common import refusals
from service.api.shapes.keys import KEY, LIST_OF_KEYS, NEW_KEY, OWN_KEY
from service.domain.access import Act, Actor
from service.formats.keys import KeyChange, KeyIn
from service.formats.reports import Code
from service.store import tables
from service.store.journal import Author
from service.work import keys

router = APIRouter(route_class=StrictRoute, tags=["keys"], prefix="/keys")
Name = Annotated[Code, Path()]
_CHANGING = refusals(403, 404, 408, 409, 413, 415, 422)
# What is answered holds a secret, or says who there is.
_NOT_KEPT = {"Cache-Control": "no-store"}


@router.post(
    "",
    status_code=201,
    summary="Make a key",
    responses={201: NEW_KEY, **refusals(403, 408, 409, 413, 415, 422)},
)
def post_key(wanted: KeyIn, manager: KeyManager, context: Ctx) -> Response:
    """Make a key and show it, once: it is kept as a hash only.

    A name whose key was revoked gets a new one.
    """
    author = _author(manager, context)

    def work(session: Session) -> dict[str, Any]:
        key = keys.create(
            session,
            wanted.name,
            wanted.role,
            author,
            context.new_id,
            read_only=wanted.read_only,
            expires_at=wanted.end(),
        )
        return {"key": key, **keys.described(keys.named(session, wanted.name))}

    return answers.json(context.database.write(work), 201, _NOT_KEPT)


@router.get("", summary="List keys", responses={200: LIST_OF_KEYS, **refusals(403, 422)})
def list_keys(_: KeyReader, context: Ctx) -> Response:
    """All keys, oldest first, with those that are expired or revoked; never the keys themselves."""
    with context.database.reading() as session:
        items = [keys.described(key) for key in keys.listed(session)]
    return answers.json(answers.listed(items, None), headers=_NOT_KEPT)


@router.get("/self", summary="Get one's own key", responses={200: OWN_KEY, **refusals(422)})
def get_own_key(actor: Known, context: Ctx) -> Response:
    """What the key that the request is made with may do, what it sees, and until when."""
    with context.database.reading() as session:
        key = keys.described(keys.named(session, actor.name or ""))
    return answers.json(_own(actor, key), headers=_NOT_KEPT)


@router.patch("/{name}", summary="Change a key", responses={200: KEY, **_CHANGING})
def patch_key(name: Name, change: KeyChange, manager: KeyManager, context: Ctx) -> Response:
    """Change what a key allows; it counts from the next request that is made with it.

    Refused where nobody would be left who can manage keys.
    """
    author = _author(manager, context)
    return _changed(context, lambda session: keys.change(session, name, author, **change.given()))


@router.post("/{name}/revoke", summary="Revoke a key", responses={200: KEY, **_CHANGING})
def revoke_key(name: Name, manager: KeyManager, context: Ctx) -> Response:
    """Make a key useless from now on; twice changes nothing.

    Refused where nobody would be left who can manage keys.
    """
    author = _author(manager, context)
    return _changed(context, lambda session: keys.revoke(session, name, author))


def _changed(context: Context, change: Callable[[Session], tables.Key]) -> Response:
    def work(session: Session) -> dict[str, Any]:
        key = change(session)
        keys.keep_a_manager(session, context.now())
        return keys.described(key)

    return answers.json(context.database.write(work), headers=_NOT_KEPT)


def _author(manager: Actor, context: Context) -> Author:
    return Author(manager.name or "", context.now(), manager.role)


def _own(actor: Actor, key: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": actor.name,
        "role": actor.role,
        "read_only": actor.read_only,
        "expires_at": key["expires_at"],
        "may": [act for act in Act if actor.may(act)],
        "sees": actor.sees,
    }
