"""Ids: UUID version 7 (RFC 9562), so that what is newer sorts later."""

from uuid_utils import uuid7


def new_id() -> str:
    return str(uuid7())
