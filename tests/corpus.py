"""Malformed input, as a table of values and of the ways in that each value is tried on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.api.problems import MEDIA_TYPE
from tests.harness import Service

# Planted in every body: found in an answer, it shows that the answer repeats what was sent.
MARK = "ECHO-7f3a"
HOLE = "HOLE"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class Bad:
    """A JSON value that must be refused, where it must be refused from 422 with 400."""

    name: str
    text: str
    status: int = 422
    below: str = ""
    """What is wrong lies this far below the value."""


@dataclass(frozen=True)
class Door:
    """A way in, with a hole in its body for one value."""

    name: str
    field: str
    body: Mapping[str, Any]
    path: str = "/v1/reports"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self, value: str = "null") -> bytes:
        """The body as JSON, with the hole filled."""
        written = json.dumps(self.body, ensure_ascii=False)
        return written.replace(f'"{HOLE}"', value).encode()

    def send(self, service: Service, body: bytes, **headers: str) -> Any:
        return service.client.request(
            self.method,
            self.path,
            content=body,
            headers=service.headers(**{**self.headers, **headers}),
        )

    def opened(self, path: str, revision: str) -> "Door":
        """The same door to a report that is there."""
        return Door(self.name, self.field, self.body, path, "PATCH", {"If-Match": revision})


def report(**fields: Any) -> dict[str, Any]:
    return {
        "when": "2022-08-03",
        "where": {"place": "Lachin", "as_written": f"{MARK} road"},
        "claimant": f"{MARK} claimant",
        "summary": f"{MARK} summary",
        **fields,
    }


def tally(**fields: Any) -> dict[str, Any]:
    return {
        "claimant": f"{MARK} claimant",
        "from": "2022-08-01T00:00+04:00",
        "to": "2022-08-02T00:00+04:00",
        "unit": "violations",
        "count": 45,
        "note": f"{MARK} note",
        **fields,
    }


def coverage(**fields: Any) -> dict[str, Any]:
    return {
        "observer": f"{MARK} observer",
        "sectors": ["lachin-corridor"],
        "from": "2022-08-01T00:00+04:00",
        "to": "2022-08-02T00:00+04:00",
        "means": f"{MARK} means",
        "access": "full",
        **fields,
    }


def change(**fields: Any) -> dict[str, Any]:
    return {"reason": f"{MARK} reason", "summary": f"{MARK} summary", **fields}


COUNTS = (
    Door("a report", "casualties.0.killed", report(casualties=[{"killed": HOLE}])),
    Door("a change", "casualties.0.killed", change(casualties=[{"killed": HOLE}])),
    Door("a tally", "count", tally(count=HOLE), "/v1/tallies"),
)
DEGREES = (
    Door("a report", "where.lat", report(where={"lat": HOLE, "lon": 46.6})),
    Door("a change", "where.lat", change(where={"lat": HOLE, "lon": 46.6})),
    Door(
        "an observer",
        "where.observer.lat",
        report(where={"observer": {"lat": HOLE, "lon": 46.6, "bearing": 90.0, "distance_km": 2.0}}),
    ),
)
TEXTS = (
    Door("a report", "summary", report(summary=HOLE)),
    Door("a change", "summary", change(summary=HOLE)),
    Door("a tally", "note", tally(note=HOLE), "/v1/tallies"),
    Door("coverage", "note", coverage(note=HOLE), "/v1/coverage"),
)
CODES = (
    Door("a report", "claimant", report(claimant=HOLE)),
    Door("a place", "where.place", report(where={"place": HOLE})),
    Door("a weapon", "weapons.0", report(weapons=[HOLE])),
    Door("a change", "claimant", change(claimant=HOLE)),
    Door("a tally", "claimant", tally(claimant=HOLE), "/v1/tallies"),
    Door("coverage", "observer", coverage(observer=HOLE), "/v1/coverage"),
    Door("a sector", "sectors.0", coverage(sectors=[HOLE]), "/v1/coverage"),
)
MOMENTS = (
    Door("a report", "when", report(when=HOLE)),
    Door("what was reported", "reported", report(reported=HOLE)),
    Door("a source", "sources.0.published", report(sources=[{"title": MARK, "published": HOLE}])),
    Door("a change", "when", change(when=HOLE)),
    Door("a tally", "from", tally(**{"from": HOLE}), "/v1/tallies"),
    Door("coverage", "to", coverage(to=HOLE), "/v1/coverage"),
)
WHOLE = (COUNTS[0], COUNTS[1], COUNTS[2], TEXTS[3])


def refusals(
    service: Service, doors: Sequence[Door], values: Sequence[Bad]
) -> list[tuple[str, str, str]]:
    """Try each value at each door; return what went otherwise than it must."""
    doors = [opened(service, door) for door in doors]
    before = service.state()
    wrong = []
    for door in doors:
        for bad in values:
            answer = door.send(service, door.text(bad.text))
            where = f"{door.field}.{bad.below}" if bad.below else door.field
            fields = None if bad.status == 400 else {where}
            wrong += [(door.name, bad.name, why) for why in flaws(answer, bad.status, fields)]
    wrong += [("bulk", bad.name, why) for bad in values for why in _bulk(service, doors, bad)]
    if service.state() != before:
        wrong.append(("", "", "something was stored"))
    return wrong


def opened(service: Service, door: Door) -> Door:
    if "reason" not in door.body:
        return door
    there = service.post({"when": "2022-07-01", "where": {"place": "Lachin"}, "claimant": "icrc"})
    return door.opened(f"/v1/reports/{there['id']}", '"1"')


def _bulk(service: Service, doors: Sequence[Door], bad: Bad) -> list[str]:
    """The same at the way in for many: one line is rejected, and says why."""
    door = next((d for d in doors if d.path == "/v1/reports"), None)
    if door is None:
        return []
    answer = service.client.post(
        "/v1/reports/bulk",
        content=door.text(bad.text) + b"\n",
        headers=service.headers(**{"Content-Type": NDJSON}),
    )
    if answer.status_code != 200 or MARK in answer.text:
        return [f"{answer.status_code} {answer.text}"]
    told, account = (json.loads(line) for line in answer.text.splitlines())
    summary = {"read": 1, "created": 0, "unchanged": 0, "rejected": 1}
    if told["outcome"] != "rejected" or account != {"summary": summary}:
        return [answer.text]
    named = {e["field"] for e in told["errors"]}
    where = f"{door.field}.{bad.below}" if bad.below else door.field
    return [] if bad.status == 400 or where in named else [answer.text]


def flaws(answer: Any, status: int, fields: set[str] | None = None) -> list[str]:
    """What is wrong with a refusal: its status, its shape, what it names, what it repeats."""
    wrong = []
    if answer.status_code != status:
        wrong.append(f"{answer.status_code} instead of {status}: {answer.text[:200]}")
    if answer.headers["content-type"] != MEDIA_TYPE:
        wrong.append(f"is {answer.headers['content-type']}")
        return wrong
    told = answer.json()
    if set(told) != {"type", "title", "status", "detail", "errors"}:
        wrong.append(f"has the members {sorted(told)}")
    if told["status"] != answer.status_code or not told["type"] or not told["title"]:
        wrong.append(f"does not describe itself: {told}")
    named = {e["field"] for e in told["errors"]}
    if fields is not None and not fields <= named:
        wrong.append(f"names {sorted(named)} instead of {sorted(fields)}")
    if MARK.lower() in (answer.text + str(dict(answer.headers))).lower():
        wrong.append(f"repeats what was sent: {answer.text[:200]}")
    return wrong
