"""Is it alive, is it ready, how is it doing. Nothing here tells anything about a practice."""

import os
from typing import Literal

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.context import RequestContext
from api.routing import PermissionRouter
from practice.errors import CaseloadError, Refusal
from practice.store.migrate import require_newest

router = PermissionRouter(prefix="/health", tags=["health"])

TOO_MANY_WAITING = 1000


class Alive(BaseModel):
    status: str


class Ready(BaseModel):
    """Degraded: it serves, and too many messages wait that should have left. Before anybody looked that is unknown."""

    status: Literal["ready", "degraded"]
    database: str
    migrations: str
    outbox: Literal["operational", "degraded", "unknown"]
    messages_waiting: int | None
    outbox_lag_seconds: int | None


class NotReady(Refusal):
    code = "SERVICE_UNAVAILABLE"
    status = 503


@router.public_get("/live", rate_limited=False)
def live(ctx: RequestContext) -> Alive:
    """The process runs."""
    return Alive(status="alive")


@router.public_get("/ready", rate_limited=False, errors=[NotReady])
def ready(ctx: RequestContext) -> Ready:
    """The database answers and has the schema that this Caseload knows; and how many messages wait to be sent."""
    try:
        with ctx.installation.store.engine.connect() as connection:
            require_newest(connection)
    except CaseloadError as problem:
        raise NotReady(problem.message) from None
    except SQLAlchemyError:
        raise NotReady("The database does not answer.") from None
    found = ctx.installation.outbox
    outbox = "unknown" if found is None else "degraded" if found.waiting >= TOO_MANY_WAITING else "operational"
    oldest = found.oldest if found else None
    return Ready(
        status="degraded" if outbox == "degraded" else "ready",
        database="operational",
        migrations="current",
        outbox=outbox,
        messages_waiting=found.waiting if found else None,
        outbox_lag_seconds=int((ctx.now - oldest).total_seconds()) if oldest else None,
    )


def serve_metrics(app: FastAPI) -> None:
    def metrics() -> Response:
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several workers write there, each of them can sum up
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_route("/metrics", lambda request: metrics(), methods=["GET"], include_in_schema=False)
