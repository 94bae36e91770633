"""Random reports and what may happen to them, done to a service as its users do."""

import csv
import io
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from service.domain.access import Role
from service.domain.vocabulary import Basis, Status
from service.errors import Conflict
from service.store import tables
from service.store.journal import Author
from service.work import placing, reference, revising
from tests.harness import Service
from tests.reckoning import OUTCOMES, Json

FIRST, LAST = date(2020, 10, 20), date(2020, 12, 20)
CLAIMANTS = ["armenian-officials", "azerbaijan-mod", "russian-peacekeepers", "a passer-by"]
PARTIES = ["armenia", "azerbaijan", "nk-de-facto", "Ruritania"]
WEAPONS = ["mortar", "small-arms", "sniper-rifle", "uav-strike", "loitering-munition", "catapult"]
SECTORS = [
    *("armenia-azerbaijan", "line-of-contact", "line-of-contact-north", "line-of-contact-south"),
    *("line-of-separation-north-east", "lachin-corridor", "rear"),
]
WORDS = ["kestrel", "lantern", "orchard"]

days = st.dates(FIRST, LAST)


@st.composite
def times(draw: st.DrawFn) -> str:
    day = draw(days)
    later = day + timedelta(days=draw(st.integers(0, 20)))
    forms = [
        *("{0}", "{0}", "{0}", "{0}T14:30+04:00", "{0}T23:30-04:00", "{0}~", "{0:%Y-%m}", "{0:%Y}"),
        *("{0}/{1}", "[{0}..{1}]", "[..{0}]", "[{0}..]", "2022-09-30"),
    ]
    return draw(st.sampled_from(forms)).format(day, later)


counts = st.one_of(
    st.integers(0, 60),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(
        lambda n: {"low": n[0], "best": n[0] + n[1], "high": sum(n)}
    ),
    st.integers(0, 60).map(lambda n: {"low": n}),
    st.sampled_from(["dozens", "several hundred", "over 5,000", "about 20", "a handful"]).map(
        lambda words: {"words": words}
    ),
)
casualties = st.lists(
    st.builds(
        lambda party, group, told: {**party, **group, **told},
        st.sampled_from([{}, *({"party": p} for p in PARTIES)]),
        st.sampled_from([{}, {"group": "military"}, {"group": "civilian"}]),
        st.dictionaries(st.sampled_from([*OUTCOMES[:2], "displaced"]), counts, max_size=2),
    ),
    max_size=3,
    unique_by=lambda line: (line.get("party"), line.get("group")),
)
places = st.one_of(
    st.sampled_from(SECTORS).map(lambda sector: {"sector": sector}),
    st.sampled_from(["Lachin", "Hadrut", "Talish", "Nowhere-on-Sea"]).map(lambda p: {"place": p}),
    st.just({"as_written": "beyond the hills"}),
    st.sampled_from(["exact", "district", "theatre"]).map(
        lambda precision: {"lat": 39.6, "lon": 46.5, "precision": precision}
    ),
    st.just(
        {"observer": {"lat": 40.2, "lon": 46.9, "bearing": 90.0, "distance_km": 5.0}},
    ),
)
stances = st.sampled_from(
    [
        *({}, {}, {}, {"stance": "corrects"}),
        {"stance": "denies", "about": {"incident": "01840000-0000-7000-8000-0000000000ff"}},
    ]
)


@st.composite
def reports_posted(draw: st.DrawFn) -> Json:
    report: Json = {
        "when": draw(times()),
        "where": draw(places),
        "claimant": draw(st.sampled_from(CLAIMANTS)),
        **draw(stances),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "casualties": casualties,
        "weapons": st.lists(st.sampled_from(WEAPONS), max_size=2, unique=True),
        "attributed_to": st.sampled_from(PARTIES),
        "reported": days.flatmap(lambda d: st.sampled_from([str(d), f"{d:%Y-%m}"])),
        "summary": st.lists(st.sampled_from(WORDS), max_size=2).map(" ".join),
    }
    names = draw(st.sets(st.sampled_from(sorted(optional))))
    return {**report, **{name: draw(optional[name]) for name in sorted({"casualties", *names})}}


numbers = st.integers(0, 99)
happenings = st.one_of(
    st.tuples(st.just("post"), reports_posted(), st.none() | numbers),
    st.tuples(st.just("post"), reports_posted(), numbers),
    st.tuples(st.just("resend"), numbers),
    st.tuples(st.just("clash"), numbers),
    st.tuples(st.just("amend"), numbers, reports_posted()),
    st.tuples(st.just("withdraw"), numbers),
    st.tuples(
        st.just("decide"), numbers, st.sampled_from(list(Status)),
        st.sampled_from([True, True, False]),
    ),
    st.tuples(st.just("upload"), st.lists(reports_posted(), max_size=3), st.booleans()),
    st.tuples(
        st.just("watch"), days, st.integers(1, 90), st.sampled_from(SECTORS),
        st.sampled_from(["full", "full", "partial", "denied"]),
    ),
    st.tuples(
        st.just("place"), numbers, st.none() | numbers,
        st.sampled_from([False, False, True]), st.sampled_from([True, True, True, False]),
    ),
    st.tuples(st.just("wait"), st.integers(1, 90)),
    st.tuples(st.just("fold")),
)  # fmt: skip


@dataclass
class Driver:
    """Does what a script says, and remembers what was answered."""

    service: Service
    receipts: list[tuple[Json, bytes]] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)

    def run(self, script: list[tuple[Any, ...]]) -> None:
        for name, *arguments in script:
            getattr(self, name)(*arguments)

    def post(self, report: Json, incident: int | None) -> None:
        posted = {"id": self.service.new_id(), **report}
        if incident is not None and self.incidents:
            posted["incident"] = self.incidents[incident % len(self.incidents)]
        answer = self._send(posted)
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        assert receipt["when"] == report["when"]
        assert receipt["incident"] == posted.get("incident", receipt["incident"])
        assert "Idempotency-Replayed" not in answer.headers
        self.receipts.append((posted, answer.content))
        self._remember(receipt["incident"])

    def resend(self, which: int) -> None:
        if self.receipts:
            posted, receipt = self.receipts[which % len(self.receipts)]
            answer = self._send(posted)
            assert (answer.status_code, answer.content) == (201, receipt)
            assert answer.headers["Idempotency-Replayed"] == "true"

    def clash(self, which: int) -> None:
        if self.receipts:
            posted, _ = self.receipts[which % len(self.receipts)]
            assert self._send({**posted, "summary": "another account"}).status_code == 409

    def amend(self, which: int, report: Json) -> None:
        self._patch(which, {"about": None, "stance": None, **report, "reason": "corrected"})

    def withdraw(self, which: int) -> None:
        self._patch(which, {"status": "withdrawn", "reason": "nobody claims it any more"})

    def decide(self, which: int, status: Status, counted: bool) -> None:
        """As a reviewer would."""
        if not self.receipts:
            return
        report_id = self.receipts[which % len(self.receipts)][0]["id"]
        author = Author("reviewer", self.service.clock())
        basis = Basis.PEACEKEEPERS if status is Status.VERIFIED else None

        def work(session: Any) -> None:
            row = session.get_one(tables.Report, report_id)
            decided = {**row.record, "status": status.value, "basis": basis, "counted": counted}
            theatre = reference.load(session)
            revising.revise(session, row, decided, "reviewed", theatre, author)

        self.service.database.write(work)

    def upload(self, several: list[Json], as_csv: bool) -> None:
        media = "text/csv" if as_csv else "application/x-ndjson"
        lines = [json.dumps(report) for report in several]
        answer = self.service.client.post(
            "/v1/reports/bulk",
            content=as_rows(several) if as_csv else "\n".join(lines),
            headers=self.service.headers(**{"Content-Type": media}),
        )
        assert answer.status_code == 200, answer.text
        *outcomes, account = map(json.loads, answer.text.splitlines())
        assert [o["outcome"] for o in outcomes] == ["created"] * len(several), answer.text
        assert account["summary"]["created"] == len(several)
        for outcome in outcomes:
            self._remember(outcome["incident"])

    def watch(self, first: date, length: int, sector: str, access: str) -> None:
        coverage = {
            "observer": "russian-peacekeepers",
            "sectors": [sector],
            "from": f"{first}T00:00+04:00",
            "to": f"{first + timedelta(days=length)}T00:00+04:00",
            "means": "posts",
            "access": access,
        }
        answer = self.service.client.post(
            "/v1/coverage", json=coverage, headers=self.service.headers()
        )
        assert answer.status_code == 201, answer.text

    def place(self, which: int, above: int | None, episode: bool, counted: bool) -> None:
        """Make an incident part of another; a ring is refused and changes nothing."""
        if not self.incidents:
            return
        incident = self.incidents[which % len(self.incidents)]
        content = {
            "title": None,
            "part_of": None if above is None else self.incidents[above % len(self.incidents)],
            "episode": episode,
            "counted": counted,
            "reason": None if counted else "an allegation",
            "note": None,
        }
        author = Author("reviewer", self.service.clock())

        def work(session: Any) -> None:
            theatre = reference.load(session)
            placing.place(session, incident, content, "grouped", theatre, author)

        with suppress(Conflict):
            self.service.database.write(work)

    def wait(self, length: int) -> None:
        self.service.clock.advance(days=length)

    def fold(self) -> None:
        self.service.fold()

    def _send(self, report: Json) -> Any:
        headers = self.service.headers(Role.REVIEWER)
        return self.service.client.post("/v1/reports", json=report, headers=headers)

    def _patch(self, which: int, change: Json) -> None:
        if not self.receipts:
            return
        path = f"/v1/reports/{self.receipts[which % len(self.receipts)][0]['id']}"
        now = self.service.client.get(path)
        headers = self.service.headers(Role.REVIEWER, **{"If-Match": now.headers["ETag"]})
        answer = self.service.client.patch(path, json=change, headers=headers)
        withdrawn = now.json()["status"] == "withdrawn"
        assert answer.status_code == (409 if withdrawn else 200), answer.text

    def _remember(self, incident: str) -> None:
        if incident not in self.incidents:
            self.incidents.append(incident)


def as_rows(several: list[Json]) -> str:
    """The same reports as CSV, one row per casualty line."""
    rows: list[dict[str, Any]] = []
    for number, report in enumerate(several):
        rest = {k: v for k, v in report.items() if k not in ("casualties", "weapons")}
        base = {"ref": str(number), "weapons": ";".join(report.get("weapons", [])), **flat(rest)}
        lines = report.get("casualties") or [{}]
        rows.extend({**base, **flat(line, "casualties.")} for line in lines)
    columns = list(dict.fromkeys(["ref", "when", "claimant", *(c for row in rows for c in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def flat(nested: Json, prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in nested.items():
        row |= (
            flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return row
