"""The HTTP service: routes, errors, logs, and the thread that writes the audit heads down outside the database."""

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio.to_thread
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.gzip import GZipMiddleware

from api import (
    appointment_steps,
    appointments,
    audit,
    auth,
    availability,
    calendar,
    client_history,
    clients,
    clinicians,
    consents,
    coverages,
    deletion_requests,
    documents,
    fees,
    goals,
    health,
    incidents,
    intake,
    jobs,
    note_signing,
    note_templates,
    notes,
    pay_periods,
    pay_rates,
    practices,
    progress_reports,
    reschedule_requests,
    rooms,
    services,
    session_analytics,
    session_completions,
    settings,
    slots,
    staff,
    supervision,
    treatment_plans,
    waitlist,
    writing_assistant,
)
from api.errors import install_error_handlers
from api.middleware import RequestLog, configure_logging
from api.routing import refuse_undeclared
from practice.errors import CaseloadError
from practice.security.installation import Installation, open_installation
from practice.settings import Settings

ROUTERS = (
    *(auth, practices, settings, staff, audit),
    *(services, clinicians, fees, rooms, availability, pay_rates, pay_periods),
    *(documents, intake, deletion_requests, incidents, goals),
    *(treatment_plans, progress_reports, supervision),
    *(clients, client_history, coverages, consents),
    *(note_templates, writing_assistant, note_signing, notes),
    *(calendar, appointments, appointment_steps, slots, waitlist, reschedule_requests),
    *(session_completions, session_analytics),
)
THREADS = 8  # as many as the pool has connections: a request that waits, waits before it holds one
ANCHOR_EVERY = 30  # seconds
TIDY_EVERY = 20  # of those rounds
DEADLINES_EVERY = 2
LONG_PAST_EVERY = 120

DESCRIPTION = """Schedule, notes and money of a therapy practice.

- Send the `ETag` of what you read as `If-Match` when you change it.
- Send an `Idempotency-Key` with a POST that you may have to repeat: the answer of the first is given again for a day.
- Send `X-Background: 1` with what a page asks by itself: it does not count as somebody being there.
- Errors have one form; their `code` is stable, their `message` says what to do.
"""

log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(installation: Installation, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        stop = threading.Event()
        maintenance = threading.Thread(
            target=run_maintenance, args=(installation, clock, stop), name="housekeeping", daemon=True
        )
        maintenance.start()
        yield
        stop.set()
        maintenance.join(timeout=5)
        installation.store.close()

    app = FastAPI(
        title="Caseload",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,  # there is one address for a thing, and no answer that the document does not tell of
        lifespan=lifespan,
    )
    app.state.installation = installation
    app.state.clock = clock
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(health.router)
    health.serve_metrics(app)
    install_error_handlers(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(RequestLog)
    refuse_undeclared(app)
    return app


def run_maintenance(installation: Installation, clock: Callable[[], datetime], stop: threading.Event) -> None:
    """Every worker does it, a last time when it stops: a head that did not move is not written again."""
    rounds = 0
    stopping = False
    while not stopping:
        stopping = stop.wait(ANCHOR_EVERY)
        for task in (
            (installation.anchor_audit, installation.tidy) if rounds % TIDY_EVERY == 0 else (installation.anchor_audit,)
        ):
            try:
                task(clock())
            except (SQLAlchemyError, CaseloadError, OSError) as error:
                log.error("housekeeping failed", task=task.__name__, error=type(error).__name__)
        if not stopping and rounds % DEADLINES_EVERY == 0:
            jobs.keep_deadlines(installation, clock(), stop, recent=rounds % LONG_PAST_EVERY != 0)
        rounds += 1


def serve() -> FastAPI:
    """What the server process runs."""
    configure_logging()
    installation = open_installation(Settings())
    if installation.store.embedded:
        installation.store.prepare()
    installation.store.check()
    installation.check_folders()
    return create_app(installation)
