"""The middleware of every request: request id, one log line without sensitive data, metrics, body size limit."""

import re
import time
from contextlib import suppress
from typing import Any

import anyio
import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CODES, MESSAGES, build_error_response, format_traceback
from practice.store.ids import new_id

MAX_BODY_BYTES = 1_000_000  # bytes, unless the route sets `max_body_bytes`
BODY_SECONDS = 10  # to wait for a body, and in addition:
BODY_BYTES_PER_SECOND = 1000  # the rate below which a body takes too long
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
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
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")  # of all but the pages
SECURE_ONLY = (b"strict-transport-security", b"max-age=31536000")
CLOSE = {"Connection": "close"}  # the rest of the body is not read
log = structlog.get_logger()


class BodyTooLarge(HTTPException):
    """The request body exceeds its limit.

    An HTTPException, since FastAPI answers any other exception while it reads a body with 400.
    """

    def __init__(self) -> None:
        super().__init__(413, headers=CLOSE)


class BodyTooSlow(HTTPException):
    """The request body arrives below the minimum rate."""

    def __init__(self) -> None:
        super().__init__(408, headers=CLOSE)


class RequestLog:
    """ASGI middleware that logs, measures and limits each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started_at = time.perf_counter()
        scope["request_id"] = request_id = read_request_id(scope)
        status = 500
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                message["headers"] = harden(scope, [*message["headers"], (b"x-request-id", request_id.encode())])
            await send(message)

        failure: dict[str, Any] = {}
        try:
            if CONTROL_CHARACTERS.search(scope["path"]):  # no resource has them, and the database takes no %00
                response = build_error_response(Request(scope), 404, CODES[404], MESSAGES[404])
                await response(scope, receive, send_with_headers)
            else:
                await self.app(scope, limit_body(scope, receive), send_with_headers)
        except Exception as error:  # only the traceback is logged: the message may quote personal data
            failure = {"error": type(error).__name__, "where": format_traceback(error)}
            if not started:
                response = build_error_response(Request(scope), 500, CODES[500], MESSAGES[500])
                await response(scope, receive, send_with_headers)
        finally:
            log_request(scope, status, time.perf_counter() - started_at, failure)


def harden(scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with those that restrict what browsers do with a response."""
    policy = () if any(name == POLICY[0] for name, _ in headers) else (POLICY,)
    secure = (SECURE_ONLY,) if scope.get("scheme") == "https" else ()
    return [*headers, *HARDENING, *policy, *secure]


def log_request(scope: Scope, status: int, seconds: float, failure: dict[str, Any]) -> None:
    """Write the log line of a request and count it in the metrics."""
    route = getattr(scope.get("route"), "path", "none")  # the template: ids and other input stay out of the log
    actor = scope.get("actor")
    method = scope["method"] if scope["method"] in METHODS else "other"  # a caller can send any word
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
        **failure,
    )


def read_request_id(scope: Scope) -> str:
    """Return the caller's X-Request-Id when it is short and alphanumeric, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            with suppress(UnicodeDecodeError):
                request_id = value.decode("ascii")
                if 8 <= len(request_id) <= 64 and request_id.replace("-", "").isalnum():
                    return request_id
    return str(new_id())


def limit_body(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that raises BodyTooLarge or BodyTooSlow once the body exceeds a limit."""
    received = 0
    waited = 0.0
    more = True

    async def receive_limited() -> Message:
        nonlocal received, waited, more
        if not more:
            return await receive()
        started_at = time.perf_counter()
        try:
            with anyio.fail_after(max(0, BODY_SECONDS + received / BODY_BYTES_PER_SECOND - waited)):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow from None
        waited += time.perf_counter() - started_at
        more = message.get("more_body", False)
        received += len(message.get("body", b""))
        extra = getattr(scope.get("route"), "openapi_extra", None) or {}
        if received > extra.get("x-max-body-bytes", MAX_BODY_BYTES):
            raise BodyTooLarge
        return message

    return receive_limited


class LossyLogger(structlog.PrintLogger):
    """A logger that loses lines while the disk is full, instead of failing what it reports on."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = msg


def configure_logging() -> None:
    """Make structlog write one JSON object per line to standard output."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=LossyLogger,
        cache_logger_on_first_use=True,
    )
