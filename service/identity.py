"""Ids: UUID version 7 (RFC 9562), so that what is newer sorts later.

Their time is cut to the day: an id is shown to everybody, and the moment somebody reports from
the field is nobody's business.
"""

import time

from uuid_utils import uuid7

_DAY = 86_400 * 10**9


def new_id() -> str:
    return str(uuid7(nanoseconds=time.time_ns() // _DAY * _DAY))
