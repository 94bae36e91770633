"""However many a step is about: lists are cut to what a database takes, and what is derived is
derived once."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Actor, Role
from service.store import journal, tables
from service.store.journal import Author
from service.work import accounts, disclosure, embargoes, placing, reference, reports, revising
from tests.harness import Service

Json = dict[str, Any]
MANY = 600
NOBODY = [f"01985f0e-8a5c-7c3e-9d2a-{n:012x}" for n in range(MANY)]
ADMIN = Actor("the admin", Role.ADMIN)


def report(**fields: Any) -> Json:
    return {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


@pytest.fixture
def longest(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many values each statement was sent with; rows that are written one by one apart."""
    sizes: list[int] = [0]

    def note(*event: Any) -> None:
        _, _, _, parameters, _, executemany = event
        if not executemany and parameters is not None:
            sizes.append(len(parameters))

    sa.event.listen(service.database.engine, "before_cursor_execute", note)
    yield sizes
    sa.event.remove(service.database.engine, "before_cursor_execute", note)


def test_long_lists_are_asked_for_in_parts(service: Service, longest: list[int]) -> None:
    told = service.post(report())
    with service.database.reading() as session:
        shown = disclosure.shown_incidents(session, [*NOBODY, told["incident"]], 0)
        known = disclosure._shown_reports(session, [*NOBODY, told["id"]], ADMIN)
    assert (shown, known) == ({told["incident"]}, {told["id"]})
    assert max(longest) < MANY


def test_a_family_of_hundreds_is_derived_moved_and_recounted(
    service: Service, longest: list[int]
) -> None:
    told = service.post(report())
    around = service.post(report(claimant="residents"))["incident"]
    theatre_of = reference.load

    def grow(session: Any) -> None:
        root = told["incident"]
        session.execute(
            sa.insert(tables.Incident),
            [
                {"id": i, "root_id": root, "parent_id": root, "episode": False, "counted": True}
                | {"level": 0}
                for i in NOBODY
            ],
        )
        accounts.refresh_incidents(session, [root, *NOBODY], theatre_of(session))

    def move(session: Any) -> None:
        content = {**placing.NOTHING, "part_of": around}
        author = Author("the admin", service.clock())
        placing.place(session, told["incident"], content, "r", theatre_of(session), author)

    service.database.write(grow)
    service.database.write(move)
    with service.database.reading() as session:
        roots = session.scalars(sa.select(tables.Incident.root_id).distinct()).all()
    assert roots == [around]
    assert service.wrong_accounts() == []
    assert max(longest) < MANY


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What reports were revised for, once per refresh."""
    seen: list[set[str]] = []
    refresh = accounts.refresh_incidents

    def noted(session: Any, incidents: Any, theatre: Any) -> None:
        seen.append(set(incidents))
        refresh(session, incidents, theatre)

    monkeypatch.setattr(accounts, "refresh_incidents", noted)
    return seen


def test_a_merge_derives_accounts_once(service: Service, refreshed: list[set[str]]) -> None:
    first, *others = [service.post(report(summary=f"{n}")) for n in range(4)]
    del refreshed[:]
    service.act(
        f"/v1/incidents/{first['incident']}/merge",
        {"incidents": [other["incident"] for other in others], "reason": "the same night"},
    )
    assert refreshed == [{told["incident"] for told in (first, *others)}]
    assert service.wrong_accounts() == []


def test_embargoes_that_end_together_derive_accounts_once_and_keep_hints_at_each_other(
    service: Service, refreshed: list[set[str]]
) -> None:
    """Each was compared with the others while both were hidden; together they come out."""
    hidden = {"disclosure": {"embargo": "2022-12-01T00:00Z"}}
    for_good = service.post(report(disclosure={"visibility": "restricted"}))
    told = [service.post(report(summary=f"{n}", **hidden)) for n in range(3)]
    kept = [service.get(f"/v1/reports/{each['id']}", Role.ADMIN) for each in told]
    assert all(for_good["incident"] in each["possible_duplicates"] for each in kept)
    service.clock.advance(days=100)
    del refreshed[:]
    theatres = service.client.app.state.context.theatres
    assert embargoes.end(service.database, theatres, service.clock()) == 3
    incidents = [each["incident"] for each in told]
    # Once for all, and once more since all lose what stays hidden.
    assert refreshed == [set(incidents)] * 2
    shown = [service.get(f"/v1/reports/{each['id']}") for each in told]
    assert [each["possible_duplicates"] for each in shown] == [
        sorted(incidents[:number]) for number in range(3)
    ]
    assert [each["revision"] for each in shown] == [2, 2, 2]
    with service.database.reading() as session:
        for each in told:
            kept = journal.latest_content(session, reports.REPORT, each["id"])
            assert kept is not None
            assert for_good["incident"] not in kept["possible_duplicates"]
    assert service.wrong_accounts() == []


def test_revising_nothing_writes_nothing(service: Service) -> None:
    before = service.state()

    def nothing(session: Any) -> None:
        author = Author("the admin", service.clock())
        revising.revise_all(session, [], "r", reference.load(session), author)

    service.database.write(nothing)
    assert service.state() == before
