"""Is it alive, is it ready, how is it doing. Nothing here tells anything about a practice."""

import os

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.deps import Desk, public
from practice.errors import CaseloadError, Refusal
from practice.store.migrate import require_newest

router = APIRouter(prefix="/health", tags=["health"])


class Alive(BaseModel):
    status: str


class Ready(BaseModel):
    status: str
    database: str
    migrations: str


class NotReady(Refusal):
    code = "SERVICE_UNAVAILABLE"
    status = 503


@public(router, "GET", "/live", counted=False)
def live(desk: Desk) -> Alive:
    """The process runs."""
    return Alive(status="alive")


@public(router, "GET", "/ready", counted=False, refusals=[NotReady])
def ready(desk: Desk) -> Ready:
    """The database answers and has the schema that this Caseload knows."""
    try:
        with desk.house.store.engine.connect() as connection:
            require_newest(connection)
    except CaseloadError as problem:
        raise NotReady(problem.message) from None
    except SQLAlchemyError:
        raise NotReady("The database does not answer.") from None
    return Ready(status="ready", database="operational", migrations="current")


def serve_metrics(app: FastAPI) -> None:
    def metrics() -> Response:
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several workers write there, each of them can sum up
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_route("/metrics", lambda request: metrics(), methods=["GET"], include_in_schema=False)
