"""The FastAPI application: routers, error handlers, middleware, and the maintenance thread of each worker."""

import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import anyio.to_thread
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.gzip import GZipMiddleware
from uvicorn.config import STARTUP_FAILURE

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
    dashboard_client,
    dashboard_compliance,
    dashboard_data_quality,
    dashboard_note,
    dashboard_payroll,
    dashboard_reports,
    dashboard_schedule,
    dashboard_team,
    dashboards,
    deletion_requests,
    documents,
    exports,
    fees,
    goals,
    group_sessions,
    health,
    incidents,
    intake,
    jobs,
    ledger,
    metrics,
    note_signing,
    note_templates,
    notes,
    orchestration,
    own_practice,
    pay_periods,
    pay_rates,
    payers,
    practices,
    progress_reports,
    reports,
    reschedule_requests,
    rooms,
    series,
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
from api.document import build_document
from api.errors import install_error_handlers
from api.idempotency import RESPONSE_RETENTION
from api.job_runner import delete_expired_files, queue_waiting_jobs, run_jobs
from api.middleware import RequestLog, configure_logging
from api.pages import DOCUMENT_URL, NAME, PURPOSE, serve_pages
from api.password_queue import HASHING_THREADS, PasswordQueue
from api.routing import refuse_undeclared
from practice.errors import CaseloadError, ConfigurationProblem
from practice.security.installation import Installation, open_installation
from practice.settings import Settings

ROUTERS = (
    *(auth, practices, orchestration, own_practice, settings, staff, audit, exports),
    *(ledger,),
    *(services, clinicians, fees, rooms, availability, pay_rates, pay_periods),
    *(documents, intake, deletion_requests, incidents, goals),
    *(treatment_plans, progress_reports, supervision, reports),
    *(clients, client_history, coverages, payers, consents),
    *(note_templates, writing_assistant, note_signing, notes),
    *(calendar, series, group_sessions, appointments, appointment_steps, slots, waitlist, reschedule_requests),
    *(session_completions, session_analytics, metrics),
    *(
        dashboards,
        dashboard_team,
        dashboard_schedule,
        dashboard_payroll,
        dashboard_compliance,
        dashboard_data_quality,
        dashboard_note,
        dashboard_client,
        dashboard_reports,
    ),
)
THREADS = 8  # with those that hash passwords, as many as the connection pool: a waiting request holds no connection
ANCHOR_EVERY = 30  # seconds: one round of maintenance
TIDY_EVERY = 20  # rounds
JOBS_EVERY = 2  # rounds
LONG_PAST_EVERY = 120  # rounds

DESCRIPTION = f"""{PURPOSE}

- To change a record, send the `ETag` you read as `If-Match`.
- Send an `Idempotency-Key` with a POST you may have to repeat: for a day, a repeated request gets the first response.
- Send `X-Background: 1` with automatic requests such as polling: they do not extend the session.
- Errors share one envelope; `code` is stable, `message` says what to do. The `details` of a `VALIDATION_ERROR` list
  each invalid field as `{{"field", "message"}}`; items of a list count from 1, such as `sections.item 1.key`.
"""

log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(installation: Installation, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Return the application of an installation, or raise ConfigurationProblem for a route without a permission."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        stop = threading.Event()
        maintenance = threading.Thread(
            target=run_maintenance, args=(installation, clock, stop), name="maintenance", daemon=True
        )
        maintenance.start()
        runner = threading.Thread(target=run_jobs, args=(installation, clock, stop), name="jobs", daemon=True)
        runner.start()
        # the document takes a second or more: not in the first request for it, and not before the service is ready
        threading.Thread(target=render_page, args=(DOCUMENT_URL,), name="document", daemon=True).start()
        yield
        stop.set()
        maintenance.join(timeout=5)
        installation.store.close()

    app = FastAPI(
        title=NAME,
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        redirect_slashes=False,  # one URL per resource, and no response that the OpenAPI document lacks
        lifespan=lifespan,
    )
    app.state.installation = installation
    app.state.clock = clock
    app.state.password_queue = PasswordQueue()
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(health.router)
    health.serve_metrics(app)
    app.openapi = partial(build_document, app)
    render_page = serve_pages(app)
    install_error_handlers(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(RequestLog)
    refuse_undeclared(app)
    return app


def run_maintenance(installation: Installation, clock: Callable[[], datetime], stop: threading.Event) -> None:
    """Write audit anchors, resume jobs, clean up and run the practices' jobs until `stop` is set.

    Then write the last anchors. Every worker runs this; an audit head that did not change is not written again.
    """

    def clean_up(now: datetime) -> None:
        installation.clean_up(now, RESPONSE_RETENTION)
        delete_expired_files(installation, now)

    def resume_jobs(now: datetime) -> None:
        queue_waiting_jobs(installation, now)

    rounds = 0
    stopping = False
    while not stopping:
        stopping = stop.wait(ANCHOR_EVERY)
        tasks = [installation.anchor_audit] if stopping else [installation.anchor_audit, resume_jobs]
        for task in [*tasks, clean_up] if rounds % TIDY_EVERY == 0 else tasks:
            try:
                task(clock())
            except (SQLAlchemyError, CaseloadError, OSError) as error:
                log.error("maintenance failed", task=task.__name__, error=type(error).__name__)
        if not stopping and rounds % JOBS_EVERY == 0:
            jobs.run_practice_jobs(installation, clock(), stop, recent=rounds % LONG_PAST_EVERY != 0)
        rounds += 1


def serve() -> FastAPI:
    """Return the application that a worker process runs. With wrong settings the whole service stops."""
    configure_logging()
    try:
        installation = open_installation(Settings(), pool_size=THREADS + HASHING_THREADS)
        if installation.store.embedded:
            installation.store.prepare()
        installation.store.check()
        installation.check_master_key()
        installation.check_folders()
        return create_app(installation)
    except ConfigurationProblem as problem:
        sys.stderr.write(f"Error: {problem.message}\n")
        raise SystemExit(STARTUP_FAILURE) from None  # a worker that ends otherwise is started again
