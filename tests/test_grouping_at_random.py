"""Whatever people merge, split, link, undo and decide: every report belongs to one incident,
nothing is part of itself, and the sums are those of the incidents that are listed."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from service.domain.access import Role
from service.store import tables
from tests.harness import Databases, Service

Json = dict[str, Any]
LIVE = ("unverified", "corroborated", "verified")
OUTCOMES = ("killed", "wounded")
Bounds = tuple[int, int, int]

numbers = st.integers(0, 99)
told = st.fixed_dictionaries(
    {
        "when": st.sampled_from(
            ["2022-08-03", "2022-08-03", "2022-08-04", "2022-08", "2021-05-01"]
        ),
        "claimant": st.sampled_from(["icrc", "residents", "azerbaijan-mod", "a passer-by"]),
        "killed": st.integers(0, 9),
    }
)
steps = st.one_of(
    st.tuples(st.just("post"), told, st.none() | numbers),
    st.tuples(st.just("merge"), numbers, st.lists(numbers, min_size=1, max_size=2)),
    st.tuples(st.just("split"), numbers, st.lists(st.booleans(), min_size=4, max_size=4)),
    st.tuples(st.just("move"), numbers, st.lists(numbers, min_size=1, max_size=2)),
    st.tuples(st.just("part_of"), numbers, st.none() | numbers),
    st.tuples(st.just("undo"), numbers),
    st.tuples(st.just("undo"), st.integers(-2, -1)),
    st.tuples(st.just("review"), numbers, st.sampled_from([*LIVE, "refuted", "unverifiable"])),
    st.tuples(st.just("withdraw"), numbers),
)


@dataclass
class Desk:
    """Does what a script says, and remembers how things were before each step."""

    service: Service
    reports: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    before: dict[str, tuple[Any, int]] = field(default_factory=dict)
    changes: int = 0

    def post(self, report: Json, where: int | None) -> None:
        posted = {
            "when": report["when"],
            "where": {"place": "Lachin"},
            "claimant": report["claimant"],
            "casualties": [{"killed": report["killed"]}],
        }
        if where is not None and self.incidents:
            posted["incident"] = self.incidents[where % len(self.incidents)]
        receipt = self.service.post(posted, Role.ADMIN)
        self.reports.append(receipt["id"])
        self.know(receipt["incident"])
        self.changes += 1

    def merge(self, into: int, others: list[int]) -> None:
        self.group(f"{self.incident(into)}/merge", incidents=[self.incident(n) for n in others])

    def split(self, which: int, mask: list[bool]) -> None:
        incident = self.incident(which)
        inside = sorted(r for r, (i, *_) in self.kept().items() if i == incident)
        chosen = [r for r, apart in zip(inside, mask, strict=False) if apart]
        if chosen:
            self.group(f"{incident}/split", reports=chosen)

    def move(self, into: int, which: list[int]) -> None:
        chosen = [self.reports[n % len(self.reports)] for n in which]
        self.group(f"{self.incident(into)}/links", reports=chosen)

    def part_of(self, which: int, above: int | None) -> None:
        whole = None if above is None else self.incident(above)
        self.group(f"{self.incident(which)}/links", part_of=whole)

    def undo(self, which: int) -> None:
        if not self.taken:
            return
        step = self.taken[
            which if which < 0 <= len(self.taken) + which else which % len(self.taken)
        ]
        before, changes = self.before[step]
        done = self.ask(f"/v1/groupings/{step}/undo", {"reason": "a mistake"})
        if done and changes + 2 == self.changes:
            assert listed(self.service) == before

    def review(self, which: int, status: str) -> None:
        report = self.reports[which % len(self.reports)]
        basis = {"basis": "peacekeepers"} if status in LIVE[1:] else {}
        revision = self.kept()[report][2]
        body = {"status": status, "reason": "decided", **basis}
        headers = self.service.headers(Role.REVIEWER, **{"If-Match": f'"{revision}"'})
        path = f"/v1/reports/{report}/reviews"
        self.accepted(self.service.client.post(path, json=body, headers=headers))

    def withdraw(self, which: int) -> None:
        report = self.reports[which % len(self.reports)]
        body = {"status": "withdrawn", "reason": "nobody claims it any more"}
        revision = self.kept()[report][2]
        headers = self.service.headers(Role.ADMIN, **{"If-Match": f'"{revision}"'})
        path = f"/v1/reports/{report}"
        self.accepted(self.service.client.patch(path, json=body, headers=headers))

    def group(self, path: str, **said: Any) -> None:
        self.ask(f"/v1/incidents/{path}", {"reason": "so it seems", **said})

    def ask(self, path: str, body: Json) -> bool:
        before = listed(self.service), self.changes
        headers = self.service.headers(Role.REVIEWER)
        answer = self.service.client.post(path, json=body, headers=headers)
        if not self.accepted(answer):
            assert listed(self.service) == before[0]
            return False
        step = answer.json()
        self.taken.append(step["id"])
        self.before[step["id"]] = before
        for incident in step["incidents"]:
            self.know(incident)
        return True

    def accepted(self, answer: Any) -> bool:
        assert answer.status_code in (200, 201, 403, 409, 422), answer.text
        self.changes += answer.is_success
        return bool(answer.is_success)

    def incident(self, number: int) -> str:
        return self.incidents[number % len(self.incidents)]

    def know(self, incident: str) -> None:
        if incident not in self.incidents:
            self.incidents.append(incident)

    def kept(self) -> dict[str, tuple[str, str, int]]:
        """Of each report its incident, its status and its revision."""
        row = tables.Report
        with self.service.database.reading() as session:
            found = session.execute(sa.select(row.id, row.incident_id, row.status, row.revision))
            return {report: (incident, s, number) for report, incident, s, number in found}


def listed(service: Service) -> list[bytes]:
    return [
        service.client.get(path).content
        for path in (
            "/v1/incidents?order=oldest&limit=200",
            "/v1/aggregates?period=month&by=sector,status&fill=none",
        )
    ]


def check(desk: Desk) -> None:
    service = desk.service
    assert service.wrong_accounts() == []
    row = tables.Incident
    with service.database.reading() as session:
        found = session.execute(sa.select(row.id, row.parent_id, row.merged_into, row.root_id))
        incidents = {i: (above, into, root) for i, above, into, root in found}
    kept = desk.kept()
    # No report is lost, and each belongs to one incident that is not merged into another.
    assert sorted(kept) == sorted(desk.reports)
    assert all(incidents[incident][1] is None for incident, *_ in kept.values())
    for incident, (above, into, root) in incidents.items():
        assert into is None or above is None
        assert ends(incident, {i: a for i, (a, *_) in incidents.items()}) == root
        ends(incident, {i: into for i, (_, into, _) in incidents.items()})
        assert above is None or incidents[above][1] is None
    check_sums(desk, {i: above for i, (above, *_) in incidents.items()})


def ends(start: str, above: dict[str, str | None]) -> str:
    """Where a line ends: it never comes back to where it was."""
    seen, here = {start}, start
    while (following := above[here]) is not None:
        assert following not in seen
        seen.add(following)
        here = following
    return here


def check_sums(desk: Desk, above: dict[str, str | None]) -> None:
    """The total is a plain sum over the incidents that are listed."""
    items = desk.service.get("/v1/incidents", counted="true", limit=200)["items"]
    answer = desk.service.aggregates(period="total", by="", fill="none")["total"]
    shown = {
        name: answer[name] or 0
        for name in ("incidents", "episodes", "reports", "possible_duplicates")
    }
    assert shown == {
        "incidents": sum(not item["episode"] for item in items),
        "episodes": sum(item["episode"] for item in items),
        "reports": sum(status in LIVE for _, status, _ in desk.kept().values()),
        "possible_duplicates": sum(item["possible_duplicate"] for item in items),
    }
    parts: dict[str | None, list[str]] = defaultdict(list)
    for incident, whole in above.items():
        parts[whole].append(incident)
    for outcome in OUTCOMES:
        figures = {item["id"]: item["figures"][outcome] for item in items}

        def adds(incident: str, figures: Json = figures) -> Bounds | None:
            """What an incident and all below it add: beyond its parts only the remainder."""
            below = plus([adds(part, figures) for part in parts[incident]])
            figure = figures.get(incident)
            if figure is None:
                return below
            own = (figure["low"], figure["best"], figure["high"])
            if below is None:
                return own
            low, best, high = sorted(max(0, o - b) for o, b in zip(own, below, strict=True))
            return plus([below, (low, best, high)])

        wanted = plus([adds(incident) for incident in parts[None]])
        figure = answer["figures"][outcome]
        assert (figure["low"], figure["best"], figure["high"]) == (wanted or (None,) * 3)


def plus(many: list[Bounds | None]) -> Bounds | None:
    known = [one for one in many if one is not None]
    low, best, high = (sum(one[n] for one in known) for n in range(3))
    return (low, best, high) if known else None


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(told, min_size=3, max_size=4), st.lists(steps, min_size=6, max_size=14))
def test_after_every_step_all_holds(
    databases: Databases, backend: str, first: list[Json], script: list[tuple[Any, ...]]
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            desk = Desk(service)
            for report in first:
                desk.post(report, None)
            for name, *arguments in script:
                note(f"{name} {arguments}")
                getattr(desk, name)(*arguments)
                check(desk)
        finally:
            service.close()
