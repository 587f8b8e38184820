"""The product's service, with the same reads and writes beside it that skip authentication and tenant isolation.

A control endpoint runs the same handler and the same SQL in the same worker threads, and renders its response the same
way. It skips sign-in, authorization, rate limits and audit, and depending on its name also row-level security:

    plain    a login without policies; the practice is only in the WHERE clause
    tenant   the same, but the transaction enters the practice: the cost of that statement
    rls      the runtime role, with policies in force

The difference between `rls` and `plain` is row-level security, and between the product and `rls` all the rest.
Only measurements start this application.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from sqlalchemy import Engine

from api import staff
from api.app import THREADS, create_app
from api.context import RequestContext, Version
from api.middleware import configure_logging
from api.responses import render
from practice.security.installation import Installation, open_installation
from practice.security.work import Actor, Work
from practice.settings import Settings
from practice.store.engine import begin_session, make_engine

PRACTICE_VARIABLE = "BENCH_PRACTICE"


def create_control_app() -> FastAPI:
    """Return the service with the control endpoints."""
    configure_logging()
    installation = open_installation(Settings())
    installation.store.check()
    app = create_app(installation)
    practice = UUID(os.environ[PRACTICE_VARIABLE])
    superuser_engine = make_engine(lambda: installation.store.connect("superuser"), pool_size=THREADS)
    add_control_routes(app, "plain", installation, superuser_engine, practice, enter=False)
    add_control_routes(app, "tenant", installation, superuser_engine, practice, enter=True)
    add_control_routes(app, "rls", installation, installation.store.engine, practice, enter=True)
    return app


def add_control_routes(
    app: FastAPI, name: str, installation: Installation, engine: Engine, practice: UUID, *, enter: bool
) -> None:
    """Add a read and a write of staff that use this engine, within the practice or not."""

    @contextmanager
    def open_context(request: Request) -> Generator[RequestContext]:
        actor = Actor(practice, request_id=request.scope["request_id"])
        ctx = RequestContext(installation, actor, request.app.state.clock())
        with begin_session(engine, practice if enter else None) as session:
            ctx._work = Work(
                session, actor, ctx.now, installation.keys, installation.email_outbox
            )  # its audit entries are never written
            yield ctx

    def read(request: Request, staff_id: UUID) -> Response:
        with open_context(request) as ctx:
            return render(staff.get_staff(ctx, staff_id), 200, {})

    def write(request: Request, staff_id: UUID, version: Version, body: staff.StaffChange) -> Response:
        with open_context(request) as ctx:
            change_staff: Callable[..., Any] = staff.change_staff
            response = render(change_staff(ctx, staff_id=staff_id, version=version, body=body), 200, {})
            ctx.work.db.flush()
            return response

    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", read, methods=["GET"])
    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", write, methods=["PATCH"])
