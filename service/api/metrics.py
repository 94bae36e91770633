"""Counts for operators: how many requests of each kind, how long they took, what waits.

By the template of a route, never by its values, and by nobody's key or address.
"""

import time
from dataclasses import dataclass, field
from typing import Final

import prometheus_client
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import KeyReader
from service.api.requests import Ctx, StrictRoute
from service.api.shapes.common import refusals
from service.api.shapes.operation import METRICS
from service.work import ledger

# Else each count would carry the moment of its first request, which may be a monitor's.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_NO_ROUTE: Final = "none"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What is counted in this process since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "ceasefire_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ceasefire_request_seconds",
            "Time until the answer was sent.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._pending = Gauge(
            "ceasefire_ledger_pending",
            "Accepted changes without a place in the ledger yet.",
            registry=self.registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        # Anybody may send any word for a method.
        known = method if method in _METHODS else "other"
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def exposition(self, pending: int) -> bytes:
        """Everything in the text format of Prometheus, 0.0.4."""
        self._pending.set(pending)
        return generate_latest(self.registry)


@dataclass
class Measured:
    """Counts what the application answers."""

    app: ASGIApp
    metrics: Metrics
    _templates: dict[int, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Nothing was answered where the client is gone before.
        status, began = 0, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - began
            self.metrics.answered(self._template(scope), scope["method"], status, seconds)

    def _template(self, scope: Scope) -> str:
        """The whole path of the route as it is written in the code; a route knows its end only."""
        if not self._templates and "app" in scope:
            for context in iter_route_contexts(scope["app"].routes):
                self._templates[id(context.original_route)] = str(context.path)
        return self._templates.get(id(scope.get("route")), _NO_ROUTE)


def router(metrics: Metrics) -> APIRouter:
    """The route that gives the counts out."""
    routes = APIRouter(route_class=StrictRoute, tags=["operation"])

    @routes.get(
        "/metrics",
        summary="Read counts for operators",
        response_class=Response,
        responses={200: METRICS, **refusals(401, 403, 422, 429, 503)},
    )
    def get_metrics(_: KeyReader, context: Ctx) -> Response:
        """Requests by route, method and status, how long they took, and what waits for the ledger.

        Counted in this process since it started. For an admin's key, which may be read-only:
        counts asked for often enough tell when something was sent.
        """
        with context.database.reading() as session:
            pending = ledger.pending_count(session)
        return Response(metrics.exposition(pending), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes
