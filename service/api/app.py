"""Wiring: settings in, application out."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from ipaddress import ip_network

import anyio.to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from service.api import (
    access,
    aggregates,
    changes,
    features,
    feeds,
    grouping,
    health,
    imports,
    incidents,
    keys,
    leads,
    ledger,
    metrics,
    page,
    photos,
    problems,
    reference,
    reports,
    reviews,
    watching,
)
from service.api.freshness import Answers, FromMemory, Versions
from service.api.headers import SafeHeaders
from service.api.limits import Limits
from service.api.requests import Context, note_version
from service.api.shapes.common import refusals
from service.formats.checkpoint import LogKey
from service.identity import new_id as uuid7
from service.settings import Settings
from service.store.database import Database
from service.store.schema import check_schema
from service.work import cells, embargoes
from service.work import ledger as record
from service.work.background import Background
from service.work.feeds import Runner
from service.work.fetching import Bounds
from service.work.importing import Importer, Tell, untold
from service.work.past import Past
from service.work.publishing import Publisher, places
from service.work.reference import Theatres

# More threads make a Python process slower, and each may hold a connection.
_THREADS = 16


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    now: Callable[[], datetime] = _utc_now,
    new_id: Callable[[], str] = uuid7,
) -> FastAPI:
    """The service over the database that `settings` names; clock and ids can be handed in."""
    database = Database(
        settings.database_url,
        read_url=settings.read_database_url,
        statement_timeout=settings.statement_timeout,
    )

    theatres = Theatres()
    key = LogKey.load(settings.ledger_key_file, settings.ledger_name)
    runner = runner_of(settings, database, theatres, now, new_id)
    background = Background(
        _jobs(settings, database, theatres, key, now), seconds=settings.ledger_interval_seconds
    )
    # Beside the others, which must not wait until a long file is read.
    asking = Background([runner.run_due], seconds=settings.feeds_interval_seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with closing(database):
            check_schema(database)
            cells.ensure(database, theatres)
            anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
            with background, asking:
                yield

    app: FastAPI = FastAPIOffline(
        title="Ceasefire Incident Tracker",
        version="0.1.0",
        description="Who claimed what about a ceasefire violation, and the figures that follow.",
        lifespan=lifespan,
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
        # It would tell others who asks and for what, and costs every request some time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.context = Context(
        database=database,
        theatres=theatres,
        now=_noted(now),
        new_id=new_id,
        max_body_bytes=settings.max_body_bytes,
        max_line_bytes=settings.max_line_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        max_photo_bytes=settings.max_photo_bytes,
        max_photo_pixels=settings.max_photo_pixels,
        body_timeout=settings.body_timeout_seconds,
        keep_times=settings.keep_submission_times,
        reviewers_to_verify=settings.reviewers_to_verify,
        past=Past(),
        runner=runner,
    )
    app.state.ledger_key = key
    app.state.answers = Answers(settings.cache_bytes)
    app.state.versions = Versions(database)
    problems.install(app)
    limits = Limits(
        anonymous=settings.limit_anonymous,
        key=settings.limit_key,
        failures=settings.limit_failures,
    )
    # Inside the gate, which says who asks.
    app.add_middleware(FromMemory, answers=app.state.answers, versions=app.state.versions)
    access.install(app, limits, settings.trusted_proxies)
    for routes in (
        *(reports, photos, reviews, incidents, grouping, aggregates, watching),
        *(reference, features, changes, ledger, keys, feeds, imports, leads),
    ):
        # What the gate may answer to any of them.
        app.include_router(routes.router, prefix="/v1", responses=refusals(400, 401, 429, 503))
    app.include_router(health.router, responses=refusals(400))
    counts = metrics.Metrics() if settings.metrics else None
    if counts is not None:
        app.include_router(metrics.router(counts), responses=refusals(400))
    app.include_router(page.router)
    _surround(app, counts)
    return app


def _noted(now: Callable[[], datetime]) -> Callable[[], datetime]:
    """The clock, such that no answer that was made with it is taken for one of the data alone."""

    def read() -> datetime:
        note_version(None)
        return now()

    return read


def runner_of(
    settings: Settings,
    database: Database,
    theatres: Theatres,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    tell: Tell = untold,
) -> Runner:
    """Whatever asks feeds and reads files, named apart from every other process that does."""
    importer = Importer(database, theatres, now, new_id, holder=uuid7(), tell=tell)
    networks = tuple(ip_network(text) for text in settings.feed_networks)
    return Runner(importer, os.environ, Bounds(networks=networks))


def _surround(app: FastAPI, counts: metrics.Metrics | None) -> None:
    """Put around the application what is to see every answer, those to its own faults too."""
    build = app.build_middleware_stack

    def surrounded() -> ASGIApp:
        inner = SafeHeaders(build())
        return metrics.Measured(inner, counts) if counts is not None else inner

    app.build_middleware_stack = surrounded  # type: ignore[method-assign]


def _jobs(
    settings: Settings,
    database: Database,
    theatres: Theatres,
    key: LogKey | None,
    now: Callable[[], datetime],
) -> list[Callable[[], object]]:
    """What is done in the background, in this order."""
    jobs: list[Callable[[], object]] = [
        lambda: embargoes.end(database, theatres, now()),
        lambda: record.catch_up(database),
        lambda: cells.fold(database, theatres),
    ]
    if key is not None:
        publisher = Publisher(places(settings.publish_heads), settings.ledger_name)
        interval = settings.head_interval_seconds
        jobs += [
            lambda: record.keep_signed(database, key, interval, now),
            lambda: publisher.publish(database),
        ]
    return jobs
