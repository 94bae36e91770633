"""What one durable report sent by itself costs, everything included, against only checking it.

A server over a database that holds many events already is sent reports over HTTP by `wrk`, from
one client and from many: to the route that records them, and in turn to another one of the same
application, behind the same gate, that reads and checks them the same way and writes nothing.
"""

import argparse
import json
import random
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import sqlalchemy as sa
import uvicorn
from fastapi import APIRouter
from starlette.responses import Response

from benchmarks import bulk_import, ucdp_shaped
from service.api import answers
from service.api.access import Sender
from service.api.app import create_app
from service.api.requests import Ctx, StrictRoute
from service.domain.access import Role
from service.formats.reports import ReportIn
from service.identity import new_id
from service.settings import Settings
from service.store.database import Database
from service.store.journal import Author
from service.work import keys

CLIENTS: Final = (1, 16)
ROUTES: Final = {"checked": "/v1/checked", "recorded": "/v1/reports"}
_BODIES: Final = 5_000
_DAYS: Final = 365
_PATIENCE: Final = 60
# Each is sent with a number of its own, so that no two are alike.
_SCRIPT: Final = """
local bodies, sent = {}, math.random(1000000)
for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
request = function()
  sent = sent + 1
  return wrk.format(nil, nil, nil, (bodies[sent %% #bodies + 1]:gsub("NUMBER", sent)))
end
response = function(status)
  if status ~= 201 then io.stderr:write("answered ", status, "\\n") end
end
"""

router = APIRouter(route_class=StrictRoute)


@router.post("/checked", status_code=201)
def check(report: ReportIn, _: Sender, context: Ctx) -> Response:
    """What is left of sending a report where nothing comes of it."""
    return answers.json({"id": context.new_id(), **report.posted()}, 201)


def bodies(chance: random.Random, today: date) -> Iterator[str]:
    """Made-up reports of the last year, as JSON."""
    parties = ("armenia", "azerbaijan", "nk-de-facto")
    for _ in range(_BODIES):
        day = today - timedelta(days=chance.randrange(_DAYS))
        latitude, longitude = chance.uniform(38.9, 41.2), chance.uniform(44.8, 47.2)
        words = " ".join(chance.choices(ucdp_shaped.WORDS, k=12))
        yield json.dumps(
            {
                "when": day.isoformat(),
                "where": {"lat": round(latitude, 5), "lon": round(longitude, 5)},
                "claimant": f"monitor {chance.randrange(20)}",
                "weapons": chance.sample(("mortar", "small-arms", "uav-strike", "artillery"), 1),
                "casualties": [
                    {
                        "party": chance.choice(parties),
                        "group": chance.choice(("military", "civilian")),
                        "killed": chance.randrange(4),
                        "wounded": {"low": chance.randrange(1, 5)},
                    }
                ],
                "summary": f"Message NUMBER: {words}.",
                "sources": [{"title": "Evening statement", "published": day.isoformat()}],
            }
        )


def _serve(url: str, listening: socket.socket) -> None:
    settings = Settings(database_url=url, limit_anonymous="", limit_key="", limit_failures="")
    app = create_app(settings)
    app.include_router(router, prefix="/v1")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False
    )
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def serving(url: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = get_context("spawn").Process(target=_serve, args=(url, listening))
        process.start()
        try:
            _await_ready(base)
            yield base
        finally:
            process.terminate()
            process.join()


def _await_ready(base: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{base}/health/ready", timeout=_PATIENCE).close()  # noqa: S310
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def sent_per_second(address: str, script: Path, clients: int, seconds: int) -> float:
    """How many reports a second `wrk` gets acknowledged. Raises `RuntimeError` for any that is
    not."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed")
    done = subprocess.run(  # noqa: S603
        [wrk, "-t1", f"-c{clients}", f"-d{seconds}s", "-s", str(script), address],
        check=True,
        capture_output=True,
        text=True,
    )
    rate = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
    if rate is None or done.stderr or "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout + done.stderr[:1000])
    return float(rate[1])


def _recorded(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(sa.text("SELECT count(*) FROM reports")) or 0


def _compare(backend: str, url: str, folder: Path, asked: Any) -> None:
    database = Database(url)
    author = Author("benchmark", datetime.now(UTC))
    key = database.write(lambda s: keys.create(s, "benchmark", Role.MONITOR, author, new_id))
    known = _recorded(database)
    file, script = folder / "bodies", folder / "script.lua"
    file.write_text("\n".join(bodies(random.Random(asked.seed), author.at.date())))  # noqa: S311
    script.write_text(_SCRIPT % {"bodies": file, "key": key})
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    with serving(url) as base:
        for route in ROUTES.values():
            sent_per_second(base + route, script, 4, 1)
        for _ in range(asked.rounds):
            for clients in CLIENTS:
                for name, route in ROUTES.items():
                    rate = sent_per_second(base + route, script, clients, asked.seconds)
                    rates[name, clients].append(rate)
    bulk_import.say(f"{backend}: {known:,} reports before, {_recorded(database):,} after")
    database.close()
    for clients in CLIENTS:
        checked, recorded = (fmean(rates[name, clients]) for name in ROUTES)
        bulk_import.say(
            f"  {clients:2} clients   recorded {recorded:7,.0f}/s   checked {checked:7,.0f}/s"
            f"   ratio {recorded / checked:.3f}"
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.single_reports", description=__doc__
    )
    parser.add_argument("--known", type=int, default=10_000, help="how many events there are")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=int, default=5, help="how long each measurement takes")
    parser.add_argument("--rounds", type=int, default=3, help="how many of each there are")
    parser.add_argument("--seed", type=int, default=1, help="other reports for another number")
    asked = parser.parse_args()
    with bulk_import.prepared(asked.database) as fresh, fresh.another() as url:
        events = bulk_import.written(fresh.folder, asked.known, asked.seed)
        bulk_import.apart(bulk_import.import_file, url, events)
        _compare(asked.database, url, fresh.folder, asked)


if __name__ == "__main__":
    main()
