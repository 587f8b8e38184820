"""Liveness, readiness and metrics of the service. Nothing here reveals anything about a practice."""

import os
from typing import Annotated, Literal

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.context import RequestContext
from api.fields import describe
from api.routing import PermissionRouter
from practice.errors import CaseloadError, Refusal
from practice.store.ids import SYSTEM_TENANT
from practice.store.migrate import require_newest

router = PermissionRouter(prefix="/health", tags=["health"])

TOO_MANY_WAITING = 1000


class Alive(BaseModel):
    status: Annotated[str, describe("Always `alive`.")]


class Ready(BaseModel):
    """Degraded: requests are served, but too many overdue messages wait in the outbox, or free times cannot be computed
    for some practice. Unknown until first measured."""

    status: Annotated[
        Literal["ready", "degraded"], describe("`degraded`: requests are served, but something needs attention.")
    ]
    database: Annotated[str, describe("Always `operational` in this response.")]
    migrations: Annotated[str, describe("Always `current` in this response.")]
    outbox: Annotated[
        Literal["operational", "degraded", "unknown"], describe("`degraded` from 1,000 overdue messages on.")
    ]
    messages_waiting: Annotated[int | None, describe("Messages that are overdue.")]
    outbox_lag_seconds: Annotated[int | None, describe("Seconds since the oldest of them was due.")]
    availability: Annotated[Literal["operational", "error", "unknown"], describe("Whether free times can be computed.")]


class NotReady(Refusal):
    """The service cannot serve requests: the database does not respond, or has another schema or master key.

    Fix: start the database, run `caseload migrate`, or configure the right master key.
    """

    code = "SERVICE_UNAVAILABLE"
    status = 503


@router.public_get("/live", rate_limited=False)
def check_live(ctx: RequestContext) -> Alive:
    """Check that the process runs."""
    return Alive(status="alive")


@router.public_get("/ready", rate_limited=False, errors=[NotReady])
def check_ready(ctx: RequestContext) -> Ready:
    """Check that the service can serve requests.

    The database must respond, have the schema of this version, and be encrypted with this master key. Also counts the
    overdue messages of the outbox, and says whether free times can be computed, both as of the last minute.
    """
    try:
        with ctx.installation.store.engine.connect() as connection:
            require_newest(connection)
        ctx.installation.keys.require_right_master(SYSTEM_TENANT)  # a rotation changes its keys first
    except CaseloadError as problem:
        raise NotReady(problem.message) from None
    except SQLAlchemyError:
        raise NotReady("The database does not respond. Start it, then try again.") from None
    backlog = ctx.installation.message_backlog
    outbox = "unknown" if backlog is None else "degraded" if backlog.waiting >= TOO_MANY_WAITING else "operational"
    oldest = backlog.oldest if backlog else None
    works = ctx.installation.availability_works
    availability = "unknown" if works is None else "operational" if works else "error"
    return Ready(
        status="degraded" if outbox == "degraded" or availability == "error" else "ready",
        database="operational",
        migrations="current",
        outbox=outbox,
        messages_waiting=backlog.waiting if backlog else None,
        outbox_lag_seconds=int((ctx.now - oldest).total_seconds()) if oldest else None,
        availability=availability,
    )


def serve_metrics(app: FastAPI) -> None:
    """Serve the Prometheus metrics of the process, or of all workers when they share a directory."""

    def render_metrics() -> Response:
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # every worker writes there, and each can sum up all
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_route("/metrics", lambda request: render_metrics(), methods=["GET"], include_in_schema=False)
