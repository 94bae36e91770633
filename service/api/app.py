"""Wiring: settings in, application out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio.to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.responses import RedirectResponse

from service.api import aggregates, health, incidents, problems, reference, reports, watching
from service.api.requests import Context
from service.identity import new_id as uuid7
from service.settings import Settings
from service.store.database import Database
from service.store.schema import check_schema
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

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        check_schema(database)
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        yield
        database.close()

    app: FastAPI = FastAPIOffline(
        title="Ceasefire Incident Tracker",
        version="0.1.0",
        description="Who claimed what about a ceasefire violation, and the figures that follow.",
        lifespan=lifespan,
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
    )
    app.state.context = Context(
        database=database,
        theatres=Theatres(),
        now=now,
        new_id=new_id,
        max_body_bytes=settings.max_body_bytes,
        max_line_bytes=settings.max_line_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        body_timeout=settings.body_timeout_seconds,
    )
    problems.install(app)
    for routes in (reports, incidents, aggregates, watching, reference):
        app.include_router(routes.router, prefix="/v1")
    app.include_router(health.router)

    @app.get("/", include_in_schema=False)
    def home() -> RedirectResponse:
        return RedirectResponse("/docs")

    return app
