"""Keeping what is derived from reports in step with them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Visibility
from service.domain.incidents import Account, Incident, accounts_of_family
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.formats.records import report_of
from service.store import tables
from service.store.accounts import DERIVED, load_accounts, rows_of_account, touching
from service.store.database import chunks, insert_rows
from service.store.queries import EVERYBODY
from service.work import cells
from service.work.cells import Changes


def refresh(session: Session, roots: Iterable[str], theatre: Theatre) -> None:
    """Derive the accounts of whole families anew, named by their outermost incidents, and what
    they sum to."""
    for wanted in chunks(sorted(set(roots))):
        families = load_families(session, list(wanted)).values()
        members = [incident.id for family in families for incident in family]
        changes = Changes(theatre)
        for some in chunks(members):
            _leave(session, some, changes)
        _insert(session, families, theatre, changes)
        changes.keep(session)


def derive_new(session: Session, incidents: Iterable[Incident], theatre: Theatre) -> None:
    """Derive the accounts of incidents that are part of nothing and had none before."""
    changes = Changes(theatre)
    _insert(session, [[incident] for incident in incidents], theatre, changes)
    changes.keep(session)


def _leave(session: Session, members: Sequence[str], changes: Changes) -> None:
    row = tables.Account.__table__.c
    counted = sa.select(tables.Account.__table__).where(row.incident_id.in_(members), row.counted)
    found = session.execute(counted).all()
    for (account, whose), kept in zip(load_accounts(session, found), found, strict=True):
        changes.go(account, whose, range(kept.level, kept.until_level + 1))
    _delete(session, members)


def _insert(
    session: Session, families: Iterable[list[Incident]], theatre: Theatre, changes: Changes
) -> None:
    rows: dict[sa.Table, list[dict[str, Any]]] = defaultdict(list)
    for family in families:
        for told in _told_by_family(family, theatre):
            for whose in told.by:
                changes.come(told.account, whose, told.circle)
            for table, row in told.rows(theatre):
                rows[table].append(row)
    for table in DERIVED:
        insert_rows(session, table, rows[table])


def refresh_incidents(session: Session, incidents: Iterable[str], theatre: Theatre) -> None:
    """Derive anew the families that these incidents belong to."""
    refresh(session, _roots_of(session, incidents), theatre)


def refresh_all(session: Session, theatre: Theatre) -> None:
    """Derive everything anew, as after a change of the reference data, by which what was summed
    was cut."""
    _derive(session, session.scalars(_every_root()).all(), theatre)
    cells.rebuild(session, theatre)


def mend(session: Session, incidents: Iterable[str], theatre: Theatre) -> None:
    """Derive anew families of which something kept makes no sense; their sums are left as they
    are, since nobody can tell what it added to them."""
    _derive(session, _roots_of(session, incidents), theatre)


def _derive(session: Session, roots: Iterable[str], theatre: Theatre) -> None:
    for wanted in chunks(sorted(set(roots))):
        families = load_families(session, list(wanted)).values()
        for some in chunks([incident.id for family in families for incident in family]):
            _delete(session, some)
        _insert(session, families, theatre, Changes(theatre))


def _delete(session: Session, members: Sequence[str]) -> None:
    for table in DERIVED:
        session.execute(sa.delete(table).where(table.c.incident_id.in_(members)))


def _every_root() -> sa.Select[Any]:
    return sa.select(tables.Incident.root_id).distinct()


def _roots_of(session: Session, incidents: Iterable[str]) -> list[str]:
    row = tables.Incident
    return [
        root
        for some in chunks(sorted(set(incidents)))
        for root in session.scalars(sa.select(row.root_id).where(row.id.in_(some)))
    ]


def load_families(session: Session, roots: list[str]) -> Mapping[str, list[Incident]]:
    """The incidents below each root, with their reports as the rules see them."""
    reports: dict[str, list[Report]] = defaultdict(list)
    of_roots = tables.Incident.root_id.in_(roots)
    told = (
        sa.select(tables.Report.id, tables.Report.incident_id, tables.Report.record)
        .join(tables.Incident, tables.Incident.id == tables.Report.incident_id)
        .where(of_roots)
    )
    for report_id, incident_id, record in session.execute(told):
        reports[incident_id].append(report_of(report_id, record))
    families: dict[str, list[Incident]] = defaultdict(list)
    for row in session.scalars(sa.select(tables.Incident).where(of_roots)):
        families[row.root_id].append(
            Incident(
                row.id,
                parent=row.parent_id,
                episode=row.episode,
                counted=row.counted,
                reports=tuple(reports[row.id]),
            )
        )
    return families


def roots_between(session: Session, first: date, last: date) -> Sequence[str]:
    """The outermost incidents of whose families something touches some days."""
    row, account = tables.Incident, tables.Account
    told = sa.select(account.incident_id).where(
        account.claimant == EVERYBODY, touching(first, last)
    )
    return session.scalars(sa.select(row.root_id).where(row.id.in_(told)).distinct()).all()


def differences(
    session: Session, theatre: Theatre, roots: Sequence[str] | None = None
) -> list[str]:
    """Recount every incident from its reports, or those of some families; name those whose
    derived rows say otherwise."""
    if roots is None:
        roots = session.scalars(_every_root()).all()
    wrong: set[str] = set()
    for some_roots in chunks(roots):
        families = load_families(session, list(some_roots)).values()
        members = [incident.id for family in families for incident in family]
        expected = [
            row
            for family in families
            for told in _told_by_family(family, theatre)
            for row in told.rows(theatre)
        ]
        for table in DERIVED:
            found = {
                _frozen(row)
                for some in chunks(members)
                for row in session.execute(
                    sa.select(table).where(table.c.incident_id.in_(some))
                ).mappings()
            }
            wanted = {_frozen(row) for t, row in expected if t is table}
            wrong.update(dict(row)["incident_id"] for row in found ^ wanted)
    return sorted(wrong)


def _told_of(family: Iterable[Incident]) -> list[Incident]:
    """The incidents of which, or of a part of which, some report tells: an event must not seem to
    have parts because of one that is not shown."""
    members = {incident.id: incident for incident in family}
    told: set[str] = set()
    for incident in members.values():
        above: str | None = incident.id if incident.reports else None
        while above in members and above not in told:
            told.add(above)
            above = members[above].parent
    return [incident for incident in members.values() if incident.id in told]


def _frozen(row: Mapping[Any, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset((str(name), value) for name, value in row.items())


@dataclass(frozen=True, slots=True)
class _Told:
    """An account, whose it is, and the levels of the readers who are shown it."""

    account: Account
    by: Sequence[str]
    circle: range

    def rows(self, theatre: Theatre) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
        return rows_of_account(self.account, self.by, self.circle, theatre)


def _told_by_family(family: list[Incident], theatre: Theatre) -> Iterator[_Told]:
    """Every account of the family's incidents, once for each circle of readers that is shown
    other reports than the one around it."""
    levels = sorted({r.level for incident in family for r in incident.reports})
    for level, beyond in pairwise([*levels, len(Visibility)]):
        seen = _told_of(
            family if level == levels[-1] else [_seen_at(level, each) for each in family]
        )
        circle = range(level, beyond)
        claimants = sorted({r.claimant for incident in seen for r in incident.reports})
        # What only one tells, everybody tells in the same way.
        alone = claimants if len(claimants) == 1 else []
        for account in accounts_of_family(seen, theatre.sectors).values():
            yield _Told(account, [EVERYBODY, *alone], circle)
        for claimant in claimants if not alone else []:
            told = accounts_of_family(seen, theatre.sectors, claimant=claimant)
            for account in told.values():
                yield _Told(account, [claimant], circle)


def _seen_at(level: int, incident: Incident) -> Incident:
    return replace(incident, reports=tuple(r for r in incident.reports if r.level <= level))
