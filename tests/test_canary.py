"""Canaries: something unique in every private field, and every door asked for it in every role.

Routes and their parameters come from the service's own description: one that is not known here
fails, so that nothing new goes without being asked.
"""

import base64
import io
import json
import logging
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.formats.checkpoint import new_key
from service.identity import new_id
from service.store import tables
from service.work import ledger
from service.work.reports import REPORT
from tests import pictures
from tests.harness import Databases, Service

Json = dict[str, Any]

MONITOR, STRANGER, SENDER, JUDGE = "zqmonitor", "zqstranger", "zqimporter", "zqjudge"
FEED = "zqfeed"
AGENT, ADDRESS = "zqagent/5.0", "203.0.113.77"
TRACES = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Forwarded": f"for={ADDRESS}"}
# When the monitor sends: a day that may be known, and a time of day that may not.
SENT = datetime(2022, 10, 4, 5, 43, 21, 678913, UTC)

# Who may be shown what. Everybody else, and every log and count, holds none of it.
NOBODY: frozenset[str] = frozenset()
REVIEWERS = frozenset({"reviewer", "admin"})
OWNER = REVIEWERS | {"monitor"}
IMPORTERS = REVIEWERS | {"importer"}
MAY_RUN = IMPORTERS
PARTNERS = OWNER | {"partner"}
PARTNERS_ALONE = REVIEWERS | {"partner"}
ALL = PARTNERS | {"anonymous", "stranger", "importer"}
# Names of keys are for admins to manage, and for their holders.
NAMES = {"GET /v1/keys": {"admin"}, "GET /v1/keys/self": ALL}


@dataclass(frozen=True)
class Canary:
    """Something that was planted, who may be shown it, and where it is shown anyway."""

    name: str
    text: str
    allowed: frozenset[str]
    but_at: Mapping[str, Iterable[str]] = field(default_factory=dict)

    def may_be_seen(self, viewer: str, route: str) -> bool:
        return viewer in self.allowed or viewer in self.but_at.get(route, ())


@dataclass(frozen=True)
class Spot:
    """Coordinates that were planted; either number alone may stand for another place."""

    name: str
    numbers: tuple[float, float]
    allowed: frozenset[str]

    def is_in(self, found: frozenset[str]) -> bool:
        """Both to three decimals, some 100 m; what is published instead is farther away."""
        return {f"{math.trunc(number * 1000) / 1000:.3f}" for number in self.numbers} <= found


def word(name: str) -> str:
    return f"zq{name}qz"


class Plants:
    """Puts canaries everywhere, and remembers what may be seen of them by whom."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.canaries: list[Canary] = []
        self.spots: list[Spot] = []
        self.reports: dict[str, str] = {}
        self.incidents: dict[str, str] = {}
        self.imports: dict[str, str] = {}
        self.leads: list[str] = []
        self.photos: dict[str, str] = {}
        self.sizes: list[int] = []
        self.start = self.size()
        self.keys = {
            "monitor": service.make_key(MONITOR, Role.MONITOR),
            "stranger": service.make_key(STRANGER, Role.MONITOR),
            "importer": service.make_key(SENDER, Role.IMPORTER),
            "reviewer": service.make_key(JUDGE, Role.REVIEWER),
            "partner": service.key(Role.PARTNER),
            "admin": service.key(Role.ADMIN),
        }
        for name in (MONITOR, STRANGER, SENDER, JUDGE):
            self.canaries.append(Canary(f"key {name}", name, NOBODY, NAMES))
        for name, text in (("agent", "zqagent"), ("address", "203.0.113.")):
            self.canaries.append(Canary(name, text, NOBODY))
        for text in (".678913", "05:43", "09:43", "5:43:21", str(int(SENT.timestamp()))):
            self.canaries.append(Canary("the moment of sending", text, NOBODY))

    def word(self, name: str, allowed: frozenset[str]) -> str:
        self.canaries.append(Canary(name, word(name), allowed))
        return word(name)

    def spot(self, name: str, allowed: frozenset[str], lat: float, lon: float) -> Json:
        self.spots.append(Spot(name, (lat, lon), allowed))
        return {"lat": lat, "lon": lon}

    def headers(self, viewer: str, **more: str) -> dict[str, str]:
        if viewer == "anonymous":
            return self.service.headers(Role.ANONYMOUS, **TRACES, **more)
        return self.service.headers(key=self.keys[viewer], **TRACES, **more)

    def send(self, name: str, report: Json, viewer: str = "monitor") -> Json:
        clock = self.service.clock
        now = clock.now
        if viewer not in ("monitor", "stranger"):
            # The moment of others is recorded.
            clock.now = now.replace(hour=16, minute=0, second=0, microsecond=0)
        answer = self.service.client.post("/v1/reports", json=report, headers=self.headers(viewer))
        clock.now = now
        assert answer.status_code == 201, answer.text
        told: Json = answer.json()
        self.reports[name], self.incidents[name] = told["id"], told["incident"]
        return told

    def change(self, name: str, viewer: str = "monitor", **changes: Any) -> Json:
        path = f"/v1/reports/{self.reports[name]}"
        now = self.service.client.get(path, headers=self.headers(viewer))
        answer = self.service.client.patch(
            path,
            json={"reason": "Changed.", **changes},
            headers=self.headers(viewer, **{"If-Match": now.headers["etag"]}),
        )
        assert answer.status_code == 200, answer.text
        changed: Json = answer.json()
        return changed

    def act(self, path: str, content: Json, **headers: str) -> Json:
        answer = self.service.client.post(
            path, json=content, headers=self.headers("reviewer", **headers)
        )
        assert answer.status_code == 201, answer.text
        acted: Json = answer.json()
        return acted

    def stage(self) -> None:
        """Remember how much the ledger holds, to ask for what was known then."""
        self.sizes.append(self.size())

    def size(self) -> int:
        ledger.catch_up(self.service.database)
        with self.service.database.reading() as session:
            return ledger.size_of(session)

    def whole(self, name: str, allowed: frozenset[str], at: tuple[float, float]) -> Json:
        """A report with a canary in every field that takes words, and figures like no other's."""
        spot = self.spot(f"{name} position", allowed, *at)
        texts = {
            each: self.word(f"{name}{each}", allowed)
            for each in (
                *("claimant", "summary", "title", "publisher", "locator", "url", "words"),
                *("weapon", "party", "blamed", "written"),
            )
        }
        return {
            "when": "2022-08-17",
            "where": {**spot, "as_written": texts["written"]},
            "claimant": texts["claimant"],
            "weapons": [texts["weapon"]],
            "casualties": [
                {
                    "party": texts["party"],
                    "killed": {"low": 7654, "high": 7655, "words": texts["words"]},
                }
            ],
            "attributed_to": texts["blamed"],
            "summary": f"Seen {texts['summary']}.",
            "sources": [
                {
                    "title": texts["title"],
                    "publisher": texts["publisher"],
                    "locator": texts["locator"],
                    "url": f"https://example.org/{texts['url']}",
                }
            ],
        }

    def hide(self, name: str, allowed: frozenset[str]) -> None:
        """The ids of what is not shown."""
        self.canaries += [
            Canary(f"{name} id", self.reports[name], allowed),
            Canary(f"{name} incident", self.incidents[name], allowed),
        ]


def public(place: str = "exact") -> Json:
    return {"disclosure": {"visibility": "public", "place": place}}


def hidden(visibility: str = "restricted") -> Json:
    return {"disclosure": {"visibility": visibility, "place": "exact"}}


def plant(service: Service) -> Plants:
    plants = Plants(service)
    service.clock.now = SENT
    plant_what_is_public_in_part(plants)
    plants.stage()
    plant_what_few_see(plants)
    plants.stage()
    plant_earlier_revisions(plants)
    plants.stage()
    service.clock.now = SENT.replace(day=5, hour=14, minute=0, second=0, microsecond=0)
    plant_decisions(plants)
    plants.stage()
    plant_imports(plants)
    plants.stage()
    plant_photos(plants)
    plants.stage()
    return plants


def plant_photos(plants: Plants) -> None:
    """Photos that say where they were taken: before a reviewer looked at them, released, and taken
    back; of reports of which everybody is shown the whole, a part, or nothing."""
    for number, (name, report, steps, allowed) in enumerate(
        [
            ("unreleased", "refined", [], REVIEWERS),
            ("released", "refined", ["release"], ALL),
            ("taken back", "refined", ["release", "withdrawal"], REVIEWERS),
            ("of a part", "phone", ["release"], OWNER),
            ("of few", "restricted", ["release"], OWNER),
        ]
    ):
        exif = plants.word(f"exif{number}", REVIEWERS)
        content = pictures.jpeg(exif, size=(100 + 10 * number, 80))
        answer = plants.service.client.post(
            f"/v1/reports/{plants.reports[report]}/photos",
            params={"sha256": pictures.sha256(content)},
            content=content,
            headers=plants.headers("monitor", **{"Content-Type": "image/jpeg"}),
        )
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        plants.photos[name] = receipt["id"]
        for step in steps:
            reason = plants.word(f"{step}{number}", ALL if name == "released" else REVIEWERS)
            path = f"/v1/photos/{receipt['id']}/{step}"
            told = plants.service.client.post(
                path, json={"reason": reason}, headers=plants.headers("reviewer")
            )
            assert told.status_code == 200, told.text
        plants.canaries += [
            Canary(f"photo {name}", receipt["sha256"], REVIEWERS),
            Canary(f"copy {name}", receipt["copy_sha256"], allowed),
        ]
        if "withdrawal" not in steps:
            # Whoever was told of a release is told that it is over.
            plants.canaries.append(Canary(f"photo id {name}", receipt["id"], allowed))


def plant_imports(plants: Plants) -> None:
    """Sources whose rows are for few, what was not taken of them, and what they wrote."""
    service = plants.service
    circle = {"visibility": "restricted", "licence": plants.word("licence", MAY_RUN)}
    secret = f"env:CEASEFIRE_FEED_{word('variable').upper()}"
    service.declare(FEED, url=f"https://{word('host')}.example/", headers={"x": secret}, **circle)
    plants.canaries += [
        Canary("feed", FEED, MAY_RUN),
        Canary("host", word("host"), MAY_RUN),
        Canary("variable", word("variable").upper(), MAY_RUN),
    ]
    report = plants.whole("licensed", REVIEWERS, (39.1471, 46.4973))
    bad = {**report, "id": str(uuid4()), "when": plants.word("never", REVIEWERS)}
    lines = [json.dumps({**report, "id": str(uuid4())}), json.dumps(bad)]
    ran = service.run(FEED, "\n".join(lines))
    assert (ran["account"]["created"], ran["account"]["rejected"]) == (1, 1)
    plants.imports["licensed"] = ran["id"]
    [told] = service.get("/v1/reports", Role.ADMIN, q=word("licensedsummary"))["items"]
    plants.reports["licensed"], plants.incidents["licensed"] = told["id"], told["incident"]
    plants.hide("licensed", REVIEWERS)
    leads = f"{FEED}leads"
    service.declare(leads, format="rss", **circle)
    title, text = plants.word("leadtitle", REVIEWERS), plants.word("leadtext", REVIEWERS)
    entry = f"<item><guid>1</guid><title>{title}</title><description>{text}</description></item>"
    ran = service.run(leads, f"<rss version='2.0'><channel>{entry}</channel></rss>")
    plants.imports["leads"] = ran["id"]
    plants.leads = [told["id"] for told in service.get("/v1/leads", Role.ADMIN)["items"]]
    plants.canaries.append(Canary("lead id", plants.leads[0], REVIEWERS))


def plant_what_is_public_in_part(plants: Plants) -> None:
    open_word = plants.word("openly", ALL)
    for place, lat, lon in (("grid", 39.7166, 46.4291), ("settlement", 39.7391, 46.5873)):
        written = plants.word(f"{place}written", OWNER)
        where = {**plants.spot(place, OWNER, lat, lon), "as_written": written}
        report = {"when": "2022-08-03", "where": where, "claimant": "residents", **public(place)}
        plants.send(place, {**report, "summary": open_word})
    # Nothing else lies there: that it is found would tell of this one.
    plants.send(
        "named",
        {
            "when": "2022-08-04",
            "where": {"place": "Hadrut", "as_written": plants.word("namedwritten", OWNER)},
            "claimant": "residents",
            **public("grid"),
        },
    )
    stood = {"bearing": 123.4567, "distance_km": 7.6543}
    plants.canaries += [Canary(name, str(n), NOBODY) for name, n in stood.items()]
    stood |= plants.spot("observer", NOBODY, 39.8137, 46.7719)
    report = {"when": "2022-08-05", "where": {"observer": stood}, "claimant": "residents"}
    plants.send("observer", {**report, **public()})
    phone = plants.word("phone", OWNER)
    plants.send(
        "phone",
        {
            "when": "2022-08-06",
            "where": {"place": "Lachin", "as_written": plants.word("phonewritten", OWNER)},
            "claimant": "residents",
            "summary": f"Ask {phone}, +374 91 234 567 890.",
            **public(),
        },
    )
    for path, content in (
        (
            "/v1/tallies",
            {
                "claimant": "residents",
                "from": "2022-08-01T00:00+04:00",
                "to": "2022-08-02T00:00+04:00",
                "unit": "shots",
                "count": 45,
            },
        ),
        (
            "/v1/coverage",
            {
                "observer": "residents",
                "sectors": ["lachin-corridor"],
                "from": "2022-08-01T00:00+04:00",
                "to": "2022-08-08T00:00+04:00",
                "means": "a post",
                "access": "partial",
            },
        ),
    ):
        answer = plants.service.client.post(path, json=content, headers=plants.headers("monitor"))
        assert answer.status_code == 201, answer.text


def plant_what_few_see(plants: Plants) -> None:
    for name, allowed, at, disclosure in (
        ("restricted", OWNER, (39.5317, 46.9283), hidden()),
        ("partners", PARTNERS, (39.4719, 46.8317), hidden("partners")),
        (
            "embargoed",
            OWNER,
            (39.3371, 46.7293),
            {"disclosure": {"embargo": "2023-01-01T00:00Z", "visibility": "public"}},
        ),
        ("withdrawn", OWNER, (39.2913, 46.6271), hidden()),
    ):
        plants.send(name, {**plants.whole(name, allowed, at), **disclosure})
        plants.hide(name, allowed)
    plants.change("withdrawn", status="withdrawn", reason=plants.word("withdrawal", OWNER))
    report = {**plants.whole("imported", IMPORTERS, (39.1931, 46.5283)), **hidden()}
    plants.send("imported", report, "importer")
    plants.hide("imported", IMPORTERS)
    # Beside the restricted one, told by others in public and in private.
    near = {
        "when": "2022-08-17",
        "where": {"lat": 39.5331, "lon": 46.9261},
        "claimant": "icrc",
        "casualties": [{"killed": 3}],
    }
    told = plants.send("near", {**near, "where": {"place": "Shushi"}, **public()}, "importer")
    assert told["possible_duplicates"] == []
    private = plants.send("privately", {**near, **hidden()}, "stranger")
    plants.canaries.append(
        Canary("privately id", private["id"], REVIEWERS | {"stranger"}),
    )
    assert "possible_duplicate" not in private["flags"]
    line = json.dumps({**near, **hidden()})
    answer = plants.service.client.post(
        "/v1/reports/bulk",
        content=line,
        headers=plants.headers("stranger", **{"Content-Type": "application/x-ndjson"}),
    )
    assert "possible_duplicate" not in answer.text


def plant_earlier_revisions(plants: Plants) -> None:
    def report(name: str, **fields: Any) -> Json:
        given = {"when": "2022-09-07", "where": {"place": "Shushi"}, "claimant": "residents"}
        return {**given, **fields}

    # More open before, and less open before.
    plants.send("closed", report("closed", summary=plants.word("closed", OWNER), **public()))
    plants.change("closed", disclosure={"visibility": "restricted"})
    plants.send("opened", report("opened", summary=plants.word("unopened", OWNER), **hidden()))
    plants.change(
        "opened",
        summary=plants.word("opened", ALL),
        disclosure={"visibility": "public"},
    )
    spot = plants.spot("coarsened", OWNER, 40.0417, 46.2213)
    plants.send("coarsened", report("coarsened", where=spot, **public()))
    plants.change("coarsened", disclosure={"place": "grid"})
    spot = plants.spot("refined", OWNER, 40.1873, 46.3771)
    where = {**spot, "as_written": plants.word("refined", OWNER)}
    plants.send("refined", report("refined", where=where, **public("grid")))
    plants.change(
        "refined",
        where={"lat": 40.2791, "lon": 46.1177, "as_written": None},
        disclosure={"place": "exact"},
    )
    summary = f"Call {plants.word('called', OWNER)}: +374 91 234 567 890."
    plants.send("called", report("called", summary=summary, **public()))
    plants.change("called", summary="Nobody is named.")


def plant_decisions(plants: Plants) -> None:
    """What a reviewer adds to what few may see."""
    evidence = [{"title": plants.word("evidence", OWNER), "sha256": "ab" * 32}]
    plants.act(
        f"/v1/reports/{plants.reports['restricted']}/reviews",
        {
            "grade": "B2",
            "reason": plants.word("decision", OWNER),
            "evidence": evidence,
        },
        **{"If-Match": '"1"'},
    )
    plants.act(
        f"/v1/incidents/{plants.incidents['restricted']}/links",
        {
            "title": plants.word("incidenttitle", REVIEWERS),
            "note": plants.word("incidentnote", REVIEWERS),
            "reason": plants.word("incidentreason", REVIEWERS),
        },
    )
    plants.act(
        f"/v1/incidents/{plants.incidents['imported']}/links",
        {"title": plants.word("firsttitle", REVIEWERS), "reason": "Named."},
    )
    # It is shown from now on, under another title.
    plants.act(
        f"/v1/incidents/{plants.incidents['imported']}/links",
        {"title": "An evening", "reason": "Named otherwise."},
    )
    told = plants.send(
        "joined",
        {
            "when": "2022-08-17",
            "where": {"place": "Shushi"},
            "claimant": "icrc",
            "incident": plants.incidents["imported"],
        },
        "reviewer",
    )
    assert told["incident"] == plants.incidents["imported"]
    plants.canaries = [c for c in plants.canaries if c.text != told["incident"]]
    # A public incident that is part of a hidden one, and one that has a hidden part.
    plants.act(
        f"/v1/incidents/{plants.incidents['near']}/links",
        {"part_of": plants.incidents["withdrawn"], "reason": "Part of it."},
    )
    plants.act(
        f"/v1/incidents/{plants.incidents['embargoed']}/links",
        {"part_of": plants.incidents["phone"], "reason": "Part of it."},
    )


def text_of(answer: Any) -> str:
    """All that an answer says, in whatever format."""
    content = io.BytesIO(answer.content)
    media = answer.headers.get("content-type", "")
    if media.endswith("parquet"):
        table = pq.read_table(content)
        return f"{table.schema.metadata} {table.to_pylist()}"
    if media.endswith("spreadsheetml.sheet"):
        with zipfile.ZipFile(content) as archive:
            return "\n".join(archive.read(name).decode() for name in archive.namelist())
    return str(answer.text)


# Asking.

PATHS = {
    "report_id": lambda plants: [*plants.reports.values()],
    "incident_id": lambda plants: [*plants.incidents.values()],
    "name": lambda _: [MONITOR, "nobody", FEED],
    "import_id": lambda plants: [*plants.imports.values()],
    "lead_id": lambda plants: [*plants.leads],
    "photo_id": lambda plants: [*plants.photos.values()],
    "step_id": lambda plants: [plants.incidents["restricted"]],
    "collection_id": lambda _: ["incidents", "sectors"],
    "sector_id": lambda _: ["lachin-corridor"],
}
# For each parameter what it is asked with, one at a time; hidden values are tried further below.
ASKED: Mapping[str, list[str]] = {
    "format": ["csv", "ndjson", "geojson", "parquet", "xlsx"],
    "hxl": ["true"],
    "limit": ["1", "500"],
    "cursor": ["zqcursor"],
    "from": ["2022-08-17"],
    "to": ["2022-08-16"],
    "clock": ["reported", "received"],
    "sector": ["unlocated", "lachin-corridor"],
    "level": ["0", "2"],
    "within": ["unlocated"],
    "place": ["Hadrut", "zqplace"],
    "bbox": ["46.92,39.53,46.93,39.54"],
    "weapon": ["unmapped", "unstated"],
    "weapon_exact": ["true"],
    "claimant": ["residents"],
    "observer": ["residents"],
    "party": ["unstated"],
    "attributed_to": ["armenia"],
    "status": ["withdrawn", "unverified"],
    "contested": ["false"],
    "min_killed": ["7000"],
    "q": [word("openly"), "zqnowhere"],
    "according_to": ["residents"],
    "untold_by": ["residents"],
    "time_precision": ["day"],
    "place_precision": ["exact", "sector"],
    "window": ["3"],
    "running": ["border-delimitation-2022"],
    "compare": ["previous"],
    "complete": ["true"],
    "timezone": ["Europe/London"],
    "claimants": ["residents,armenian-officials"],
    "series": ["phases", "zqseries"],
    "as_of": [],
    "period": ["day", "year", "zqperiod"],
    "by": ["claimant", "weapon,party", "status", ""],
    "fill": ["none"],
    "include": ["restricted"],
    "counted": ["true", "false"],
    "order": ["oldest"],
    "grain": ["year"],
    "bucket": ["2022"],
    "unit": ["shots"],
    "access": ["partial"],
    "after": ["0", "100"],
    "leaf": ["0" * 64],
    "size": ["1"],
    "first": ["1"],
    "second": ["2"],
    "atomic": ["true"],
    "feed": [FEED, "nobody"],
    "state": ["open", "taken"],
    "source": [FEED, "nobody"],
    "kind": ["town", "zqkind"],
    "datetime": ["2022-08-17T00:00:00Z/..", "2022-08-17"],
}
VIEWERS = ("anonymous", "partner", "monitor", "stranger", "importer", "reviewer", "admin")
# Who is asked with every parameter; the others are shown as much as one of these, or everything.
VARIED = ("anonymous", "partner", "monitor")
UUID_7 = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# To three decimals.
NUMBERS = re.compile(r"(?<![\w.])-?[0-9]{1,3}\.[0-9]{3}")
# Counts and the service's own description are nobody's to find anything in.
FEATURES = "/v1/ogc/collections/incidents/items"
SECTORS = "GET /v1/ogc/collections/sectors/items"
REFERENCE = {
    "GET /v1/sectors",
    "GET /v1/places",
    "GET /v1/outlines",
    SECTORS,
    f"{SECTORS}/{{sector_id}}",
}
NOT_EVEN_REVIEWERS = {"GET /metrics", "GET /openapi.json", "GET /v1/ogc/api"}
DAY_MILLISECONDS = 86_400_000
FORMATTER = logging.Formatter("%(name)s %(message)s")


@dataclass
class Crawl:
    """Asks every door, and looks through everything that comes back."""

    plants: Plants
    leaks: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    known: dict[str, tuple[list[Canary], list[Spot], list[str]]] = field(default_factory=dict)

    def ask(
        self,
        viewer: str,
        route: str,
        path: str,
        query: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        method = route.partition(" ")[0]
        headers = {**self.plants.headers(viewer), **more.pop("headers", {})}
        answer = self.plants.service.client.request(
            method, path, params=query, headers=headers, follow_redirects=False, **more
        )
        self.asked.add(route)
        where = f"{viewer} at {route} {path} {dict(query or {})}: {answer.status_code}"
        assert answer.status_code < 500, where
        sent = " ".join([path, *(query or {}).values(), str(more.get("content", ""))])
        self.look(viewer, route, f"{answer.headers}\n{text_of(answer)}", where, sent)
        return answer

    def look(self, viewer: str, route: str, text: str, where: str, sent: str = "") -> None:
        """Nothing that its reader may not see, neither in plain text nor in a cursor."""
        canaries, spots, moments = self.found_in(text)
        # What somebody sent themselves may come back to them, but for what was refused.
        if route.startswith("POST"):
            sent = sent.replace(word("refused"), "")
        for canary in canaries:
            self.seen.add((canary.name, viewer))
            allowed = canary.may_be_seen(viewer, route) and route not in NOT_EVEN_REVIEWERS
            if not allowed and canary.text not in sent:
                self.leaks.add(f"{canary.name} ({canary.text}) to {where}")
        for spot in spots:
            self.seen.add((spot.name, viewer))
            if viewer not in spot.allowed and route not in REFERENCE:
                self.leaks.add(f"{spot.name} to {where}")
        if route not in NOT_EVEN_REVIEWERS:
            self.leaks |= {f"the moment in id {each} to {where}" for each in moments}

    def found_in(self, text: str) -> tuple[list[Canary], list[Spot], list[str]]:
        """What is in a text, which many are shown alike."""
        if text not in self.known:
            whole = "\n".join([text, unquote_plus(text), *decoded(text)])
            numbers = frozenset(number for number in NUMBERS.findall(whole))
            self.known[text] = (
                [canary for canary in self.plants.canaries if canary.text in whole],
                [spot for spot in self.plants.spots if spot.is_in(numbers)],
                [each for each in {*UUID_7.findall(whole)} if tells_the_time(each)],
            )
        return self.known[text]


def tells_the_time(identifier: str) -> bool:
    """Whether an id of version 7 holds more of it than the day."""
    return int(identifier.replace("-", "")[:12], 16) % DAY_MILLISECONDS != 0


def decoded(text: str) -> Iterator[str]:
    """What may be cursors, read."""
    for found in re.findall(r"[\w-]{24,}={0,2}", text):
        try:
            yield base64.urlsafe_b64decode(found + "=" * (-len(found) % 4)).decode()
        except ValueError:
            continue


@contextmanager
def everything_logged() -> Iterator[set[str]]:
    """All that is logged by whomever, at any level."""
    lines: set[str] = set()

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # What the test's own client says of its requests is not the service's.
            if not record.name.startswith(("httpx", "httpcore")):
                lines.add(FORMATTER.format(record))

    root, handler = logging.getLogger(), Kept()
    known = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    levels = {logger: (logger.level, logger.disabled) for logger in [root, *known]}
    for logger in levels:
        # What the database's rows hold is logged by no setting, only by a change of the code.
        rows = logger.name.startswith("sqlalchemy")
        logger.setLevel(logging.INFO if rows else logging.DEBUG)
        logger.disabled = False
    # Statements are many; only our own handler is to look at them.
    statements = logging.getLogger("sqlalchemy")
    statements.propagate = False
    for logger in (root, statements):
        logger.addHandler(handler)
    try:
        yield lines
    finally:
        statements.propagate = True
        for logger in (root, statements):
            logger.removeHandler(handler)
        for logger, (level, disabled) in levels.items():
            logger.setLevel(level)
            logger.disabled = disabled


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def parameters(operation: Json, where: str) -> list[Json]:
    return [p for p in operation.get("parameters", []) if p["in"] == where]


def paths_of(plants: Plants, path: str, operation: Json) -> list[str]:
    names = [p["name"] for p in parameters(operation, "path")]
    values = [PATHS[name](plants) for name in names]
    return [path.format(**dict(zip(names, each, strict=True))) for each in product(*values)]


def crawl_reading(crawl: Crawl, document: Json) -> None:
    """Every route that only reads, with each of its parameters, in every role."""
    reading = [
        (path, operation) for method, path, operation in operations(document) if method == "GET"
    ]
    for viewer, (path, operation) in product(VIEWERS, reading):
        varied = viewer in VARIED and "{" not in path
        route = f"GET {path}"
        names = {p["name"]: p["required"] for p in parameters(operation, "query")}
        needed = {name: ASKED[name][0] for name, required in names.items() if required}
        for filled in paths_of(crawl.plants, path, operation):
            crawl.ask(viewer, route, filled, needed)
            for name, value in ((n, v) for n in names for v in ASKED[n]):
                if varied or name in ("format", "limit"):
                    crawl.ask(viewer, route, filled, {**needed, name: value})
    for viewer in VIEWERS:
        for path in ("/", "/docs", "/v1/nowhere", "/v1/reports/zqid"):
            crawl.ask(viewer, f"GET {path}", path)


def crawl_pages(crawl: Crawl) -> None:
    """Every list to its end, page by page, and behind every figure."""
    for viewer in VIEWERS:
        for path in ("/v1/changes", "/v1/ledger/entries"):
            since = {"after": str(crawl.plants.start), "limit": "500"}
            answer = crawl.ask(viewer, f"GET {path}", path, since)
            assert answer.json()["next"] > crawl.plants.sizes[-1] - 1
        for path in ("/v1/reports", "/v1/incidents"):
            for query in ({"limit": "3"}, {"limit": "4", "clock": "received", "format": "csv"}):
                asked: str | None = path
                given: Mapping[str, str] | None = query
                while asked:
                    answer = crawl.ask(viewer, f"GET {path}", asked, given)
                    if "format" in query:
                        link = answer.links.get("next")
                        asked, given = (link["url"] if link else None), None
                    else:
                        cursor = answer.json()["next"]
                        asked, given = (path if cursor else None), {**query, "cursor": cursor or ""}
        following: str | None = f"{FEATURES}?limit=3"
        while following:
            links = crawl.ask(viewer, f"GET {FEATURES}", following).json()["links"]
            following = next((each["href"] for each in links if each["rel"] == "next"), None)
        for by in ("sector", "claimant"):
            sums = crawl.ask(
                viewer, "GET /v1/aggregates", "/v1/aggregates", {"by": by, "fill": "none"}
            )
            for cell in [sums.json()["total"], *sums.json()["cells"]]:
                crawl.ask(viewer, "GET /v1/incidents", cell["incidents_url"])


def crawl_the_past(crawl: Crawl, document: Json) -> None:
    """The same of earlier moments: what is hidden now is hidden then, and the other way round."""
    plants = crawl.plants
    # Each is asked for together, since an earlier state is made anew and only a few are kept.
    moments = [*(f"changes:{size}" for size in plants.sizes), "2022-10-04"]
    told = ("closed", "opened", "coarsened", "refined", "called", "imported")
    for moment in moments:
        for method, path, operation in operations(document):
            names = {p["name"]: p["required"] for p in parameters(operation, "query")}
            if method != "GET" or "as_of" not in names:
                continue
            needed = {name: ASKED[name][0] for name, required in names.items() if required}
            if path == "/v1/aggregates/quiet":
                needed["to"] = "2022-10-04"
            given = {"report_id": plants.reports, "incident_id": plants.incidents}
            items = [
                path.format(**{name: ids[each] for name, ids in given.items()}) for each in told
            ]
            for viewer in ("anonymous", "partner"):
                for filled in dict.fromkeys(items):
                    asked = {"as_of": moment, **needed}
                    answer = crawl.ask(viewer, f"GET {path}", filled, asked)
                    assert answer.status_code in (200, 307, 404), answer.text


def refused(plants: Plants) -> Iterator[tuple[str, str, Json | str, dict[str, str]]]:
    """What is sent and not taken, with canaries in it that must not come back."""
    secret = word("refused")
    report, incident = plants.reports["restricted"], plants.incidents["restricted"]
    sound = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": secret}
    bad = {**sound, "when": secret}
    for body in (
        {**sound, "when": secret},
        {**sound, f"{secret}!": secret},
        {**sound, "where": {"lat": 99.123, "lon": 46.5, "as_written": secret}},
        {**sound, "where": {"observer": {"lat": 39.1, f"{secret}!": 1}}},
        {**sound, "casualties": [{"killed": secret}]},
        {**sound, "disclosure": {"visibility": secret}},
        {**sound, "id": report},
        {**sound, "id": secret},
        f'{{"when": "{secret}"',
    ):
        yield "POST /v1/reports", "/v1/reports", body, {}
    yield (
        "POST /v1/reports/bulk",
        "/v1/reports/bulk",
        json.dumps({**sound, "when": secret})
        + f"\n{secret}\n"
        + json.dumps({**sound, "id": report}),
        {"Content-Type": "application/x-ndjson"},
    )
    yield (
        "POST /v1/reports/bulk",
        "/v1/reports/bulk",
        f"when,{secret}!\n1,2\n",
        {"Content-Type": "text/csv"},
    )
    yield "POST /v1/tallies", "/v1/tallies", {"claimant": secret, "unit": secret}, {}
    yield "POST /v1/coverage", "/v1/coverage", {"observer": secret, "sectors": [secret]}, {}
    yield "POST /v1/keys", "/v1/keys", {"name": f"{secret}/", "role": secret}, {}
    yield "PATCH /v1/keys/{name}", f"/v1/keys/{secret}", {"role": secret}, {}
    yield "POST /v1/keys/{name}/revoke", f"/v1/keys/{secret}/revoke", {}, {}
    match = {"If-Match": '"77"'}
    yield "PATCH /v1/reports/{report_id}", f"/v1/reports/{report}", {"reason": secret}, match
    reviews = f"/v1/reports/{report}/reviews"
    yield "POST /v1/reports/{report_id}/reviews", reviews, {"reason": secret, "grade": "A1"}, match
    yield (
        "POST /v1/reports/{report_id}/reviews",
        reviews,
        {"reason": secret, "grade": secret},
        match,
    )
    for step, body in (
        ("merge", {"reason": secret, "incidents": [incident]}),
        ("split", {"reason": secret, "reports": [report]}),
        ("links", {"reason": secret, "part_of": incident}),
    ):
        path = f"/v1/incidents/{incident}/{step}"
        yield f"POST /v1/incidents/{{incident_id}}/{step}", path, body, {}
    feed = "/v1/feeds/{name}"
    yield f"PUT {feed}", f"/v1/feeds/{secret}!", {"url": secret, "format": secret}, {}
    yield f"POST {feed}/runs", f"/v1/feeds/{secret}/runs", f"{secret},{secret}\n", {}
    yield f"DELETE {feed}", f"/v1/feeds/{secret}", {}, {}
    for step in ("release", "discard"):
        path = f"/v1/imports/{incident}/{step}"
        yield f"POST /v1/imports/{{import_id}}/{step}", path, {}, {}
    lead = f"/v1/leads/{plants.leads[0]}"
    yield "POST /v1/leads/{lead_id}/reports", f"{lead}/reports", {"reports": [sound, bad]}, {}
    yield (
        "POST /v1/leads/{lead_id}/dismissal",
        f"/v1/leads/{incident}/dismissal",
        {"reason": secret},
        {},
    )
    image = {"Content-Type": "image/jpeg"}
    for digest in (pictures.sha256(secret.encode()), "0" * 64):
        path = f"/v1/reports/{report}/photos?sha256={digest}"
        yield "POST /v1/reports/{report_id}/photos", path, secret, image
    for step in ("release", "withdrawal"):
        path = f"/v1/photos/{incident}/{step}"
        yield f"POST /v1/photos/{{photo_id}}/{step}", path, {"reason": secret}, {}
    undo = f"/v1/groupings/{incident}/undo"
    yield "POST /v1/groupings/{step_id}/undo", undo, {"reason": secret}, {}


def crawl_refusals(crawl: Crawl) -> None:
    crawl.plants.canaries.append(Canary("a refused body", word("refused"), NOBODY))
    for viewer in VIEWERS:
        for route, path, body, headers in refused(crawl.plants):
            content = body if isinstance(body, str) else json.dumps(body)
            # The path is the sender's own and stands in no answer either.
            answer = crawl.ask(viewer, route, path, content=content, headers=headers)
            assert answer.status_code in (200, 400, 401, 403, 404, 409, 412, 422), answer.text
            assert '"created"' not in answer.text.replace('"created":0', "")


def crawl_denials(crawl: Crawl) -> None:
    """A denial of what its sender is not shown brings nothing to light."""
    for name in ("restricted", "withdrawn", "partners"):
        for about in (
            {"report": crawl.plants.reports[name]},
            {"incident": crawl.plants.incidents[name]},
        ):
            denial = {
                "when": "2022-08-17",
                "where": {"place": "Shushi"},
                "claimant": "icrc",
                "stance": "denies",
                "about": about,
            }
            # Their own words come back to them.
            answer = crawl.ask(
                "importer", "POST /v1/reports", "/v1/reports", content=json.dumps(denial)
            )
            assert answer.status_code == 201, answer.text
            assert answer.json()["incident"] != crawl.plants.incidents[name]


def check_oracles(crawl: Crawl) -> None:
    """Whoever may not see a value learns nothing by asking for it: it selects nothing."""
    plants = crawl.plants
    for name, viewers in {
        "restricted": ("anonymous", "partner", "stranger", "importer"),
        "embargoed": ("anonymous", "partner", "stranger", "importer"),
        "withdrawn": ("anonymous", "partner", "stranger", "importer"),
        "partners": ("anonymous", "stranger", "importer"),
    }.items():
        questions = [
            *({"q": word(name + each)} for each in ("summary", "title", "claimant", "written")),
            {"claimant": word(f"{name}claimant")},
            {"according_to": word(f"{name}claimant")},
            {"attributed_to": word(f"{name}blamed")},
            {"party": word(f"{name}party")},
        ]
        for viewer, question in product(viewers, questions):
            check_nothing(crawl, viewer, question)
        if name == "restricted":
            for question in questions[:-1]:
                check_something(crawl, "reviewer", question)
    for viewer in ("anonymous", "stranger"):
        check_nothing(crawl, viewer, {"min_killed": "7654", "weapon": "unmapped"})
    for viewer in ("anonymous", "importer"):
        check_nothing(crawl, viewer, {"bbox": "46.92,39.53,46.93,39.54"})
    for viewer in ("anonymous", "partner", "stranger", "importer", "monitor", "reviewer"):
        # What is published coarsely is selected by what is published, whoever asks.
        for name in ("grid", "settlement", "coarsened"):
            [spot] = [s for s in plants.spots if s.name == name]
            lat, lon = spot.numbers
            box = f"{lon - 0.01:.4f},{lat - 0.01:.4f},{lon + 0.01:.4f},{lat + 0.01:.4f}"
            check_nothing(crawl, viewer, {"bbox": box})
        check_nothing(crawl, viewer, {"place": "Hadrut"})
        for text in ("gridwritten", "settlementwritten", "namedwritten", "phone", "refined"):
            check_nothing(crawl, viewer, {"q": word(text)})
        check_something(crawl, viewer, {"q": word("openly")})


def selected(crawl: Crawl, viewer: str, question: Mapping[str, str]) -> list[int]:
    counts = []
    for path in ("/v1/reports", "/v1/incidents"):
        answer = crawl.plants.service.client.get(
            path, params=question, headers=crawl.plants.headers(viewer)
        )
        assert answer.status_code == 200, answer.text
        counts.append(len(answer.json()["items"]))
    sums = crawl.plants.service.client.get(
        "/v1/aggregates",
        params={**question, "period": "total", "by": "", "fill": "none"},
        headers=crawl.plants.headers(viewer),
    )
    assert sums.status_code == 200, sums.text
    total = sums.json()["total"]
    counts.append(sum(total[each] or 0 for each in ("incidents", "episodes", "reports")))
    return counts


def check_nothing(crawl: Crawl, viewer: str, question: Mapping[str, str]) -> None:
    counts = selected(crawl, viewer, question)
    if counts != [0, 0, 0]:
        crawl.leaks.add(f"{question} selects {counts} for {viewer}")


def check_something(crawl: Crawl, viewer: str, question: Mapping[str, str]) -> None:
    assert all(selected(crawl, viewer, question)), (viewer, question)


def check_structure(crawl: Crawl) -> None:
    """What is hidden shows in nothing that is shown: not as a part, a whole, or one more."""
    plants = crawl.plants
    path = f"/v1/incidents/{plants.incidents['phone']}"
    route = "GET /v1/incidents/{incident_id}"
    told = {viewer: crawl.ask(viewer, route, path).json() for viewer in VIEWERS}
    assert (told["reviewer"]["episode"], len(told["reviewer"]["parts"])) == (True, 1)
    for viewer in ("anonymous", "partner", "stranger", "importer"):
        assert (told[viewer]["episode"], told[viewer]["parts"]) == (False, [])
    path = f"/v1/incidents/{plants.incidents['near']}"
    assert crawl.ask("anonymous", route, path).json()["part_of"] is None
    assert crawl.ask("reviewer", route, path).json()["part_of"] == plants.incidents["withdrawn"]


@pytest.fixture
def watched(databases: Databases, backend: str, tmp_path: Path) -> Iterator[Service]:
    """A service of which the operator has turned on all there is to turn on."""
    key = tmp_path / "ledger-key"
    key.write_bytes(new_key())
    with databases.fresh(backend, "reference") as url:
        running = Service(
            url,
            new_id=new_id,  # type: ignore[arg-type]
            settings={"metrics": True, "keep_submission_times": True, "ledger_key_file": key},
        )
        yield running
        running.close()


def test_no_canary_leaves_by_any_door(databases: Databases, backend: str, watched: Service) -> None:
    with everything_logged() as logged:
        crawl = Crawl(plant(watched))
        document = crawl.ask("anonymous", "GET /openapi.json", "/openapi.json").json()
        crawl_reading(crawl, document)
        crawl_pages(crawl)
        check_oracles(crawl)
        check_structure(crawl)
        crawl_the_past(crawl, document)
        crawl_refusals(crawl)
        crawl_denials(crawl)
    for line in logged:
        crawl.look("the log", "the log", line, f"the log: {line[:200]}")
    assert not crawl.leaks, "\n".join(sorted(crawl.leaks))
    assert any(line.startswith("service.api.access") for line in logged)
    # Every route was asked, and every canary can be found where it is to be seen.
    assert {f"{method} {path}" for method, path, _ in operations(document)} <= crawl.asked
    for canary in (*crawl.plants.canaries, *crawl.plants.spots):
        if canary.allowed:
            assert (canary.name, "reviewer") in crawl.seen, canary
    assert (f"key {MONITOR}", "admin") in crawl.seen


def test_of_a_monitor_nothing_is_kept_that_is_not_needed(
    databases: Databases, backend: str
) -> None:
    """Neither the moment nor where a request came from, unless the operator turns it on."""
    with databases.fresh(backend, "reference") as url:
        service = Service(url, new_id=new_id)  # type: ignore[arg-type]
        try:
            plant(service)
            kept = "\n".join(rows_of(service))
        finally:
            service.close()
    for text in (AGENT, "zqagent", ADDRESS, ".678913", "05:43", "09:43"):
        assert text not in kept, text
    assert MONITOR in kept


def rows_of(service: Service) -> Iterator[str]:
    """Everything in the database, but for what is not a monitor's."""
    with service.database.reading() as session:
        for table in tables.metadata.sorted_tables:
            select = sa.select(table)
            if table.name == "revisions":
                actors = (JUDGE, SENDER, "operator")
                select = select.where(
                    table.c.actor.not_in(actors) | (table.c.kind != REPORT),
                    table.c.kind.not_in(["key", "reference", "incident", "grouping"]),
                )
            if table.name in ("keys", "heads"):
                select = select.where(sa.false())
            for row in session.execute(select):
                text = str(tuple(row))
                if table.name not in ("reports", "accounts") or MONITOR in text:
                    yield text
