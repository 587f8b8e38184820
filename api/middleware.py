"""Around every request: its id, one log line without anything sensitive, its measurements, a limit on its size."""

import time
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import error_response, where_it_happened
from practice.store.ids import new_id

LARGEST_BODY = 1_000_000  # where the route says nothing else: `endpoint(..., largest_body=)`
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUESTS = Counter("caseload_requests", "Requests served.", ["method", "route", "status"])
SECONDS = Histogram(
    "caseload_request_seconds",
    "Time to serve a request.",
    ["method", "route"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
HARDENING = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
log = structlog.get_logger()


class TooLarge(HTTPException):
    """Of the framework's kind: whatever else stops the reading of a body, it takes for a body that is no JSON."""

    def __init__(self) -> None:
        super().__init__(413)


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        scope["request_id"] = request_id = id_of(scope)
        status = 500
        started = False

        async def send_named(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *HARDENING]
            await send(message)

        trouble: dict[str, Any] = {}
        try:
            await self.app(scope, limited(scope, receive), send_named)
        except Exception as error:  # the message of an unforeseen error may quote data, so only its place is logged
            trouble = {"error": type(error).__name__, "where": where_it_happened(error)}
            if not started:
                message = "Something went wrong on our side. Nothing was changed; quote the request id when you ask."
                await error_response(Request(scope), 500, "INTERNAL_ERROR", message)(scope, receive, send_named)
        finally:
            write_down(scope, status, time.perf_counter() - began, trouble)


def write_down(scope: Scope, status: int, seconds: float, trouble: dict[str, Any]) -> None:
    route = getattr(scope.get("route"), "path", "none")  # the template: ids and whatever else was typed stay out
    actor = scope.get("actor")
    method = scope["method"] if scope["method"] in METHODS else "other"  # anything can be typed there
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)
    (log.error if status >= 500 else log.info)(
        "request",
        request_id=scope["request_id"],
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 2),
        practice=str(actor.tenant_id) if actor else None,
        account=str(actor.account_id) if actor else None,
        **trouble,
    )


def id_of(scope: Scope) -> str:
    """The caller's id when it is a harmless one, else one of our own."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            with suppress(UnicodeDecodeError):
                given = value.decode("ascii")
                if 8 <= len(given) <= 64 and given.replace("-", "").isalnum():
                    return given
    return str(new_id())


def limited(scope: Scope, receive: Receive) -> Receive:
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        extra = getattr(scope.get("route"), "openapi_extra", None) or {}
        if taken > extra.get("x-largest-body", LARGEST_BODY):
            raise TooLarge
        return message

    return receive_some


def configure_logging() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
