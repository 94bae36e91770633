"""Recounting what is derived, and putting it right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from service.domain.access import Visibility
from service.domain.cells import Cell
from service.domain.theatre import Theatre
from service.store import journal, summing
from service.store.journal import Author, Change
from service.work import accounts, cells

REPAIR: Final = "repair"


@dataclass(frozen=True, slots=True)
class Differences:
    """Incidents whose accounts, and cells whose sums, are not what a recount gives."""

    incidents: Sequence[str]
    cells: Sequence[Cell]

    def __bool__(self) -> bool:
        return bool(self.incidents or self.cells)


def differences(session: Session, theatre: Theatre, day: date | None = None) -> Differences:
    """Recount accounts from reports and then sums from accounts: all, or what touches a day."""
    roots = None if day is None else accounts.roots_between(session, day, day)
    wrong = accounts.differences(session, theatre, roots)
    if wrong:
        # What follows from something wrong says nothing.
        return Differences(wrong, ())
    if day is None:
        return Differences((), list(summing.differences(session, theatre)))
    return Differences((), list(summing.differences_between(session, theatre, day, day)))


def repair(session: Session, found: Differences, theatre: Theatre, author: Author) -> None:
    """Derive anew what differs. That figures were wrong and are no longer is itself recorded, so
    that nobody goes on with an answer from before."""
    accounts.mend(session, found.incidents, theatre)
    told = {
        "incidents": len(found.incidents),
        "cells": len([*summing.differences(session, theatre)]),
    }
    cells.rebuild(session, theatre)
    number = journal.latest_revisions(session, REPAIR).get(REPAIR, 0) + 1
    level = Visibility.RESTRICTED.level
    journal.append(session, [Change(REPAIR, REPAIR, number, told, level=level)], author)
