"""The product's service with, beside it, the same reads and writes without its doors and walls.

A control endpoint runs the same handler and the same SQL in the same worker threads, and its answer takes the same way
out. It leaves out sign-in, admission, rate counting, audit and, as its name says, row-level security:

    bare    a login that policies do not hold for; the practice stands in the WHERE and nowhere else
    set     the same, but the transaction is put into the practice: what that statement costs
    walled  the runtime role, with policies in force

The difference between `walled` and `bare` is row-level security, and from `walled` to the product all the rest.
Only measurements ever start this.
"""

import os
from collections.abc import Callable, Iterator
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
from practice.store.engine import make_engine, session_in

PRACTICE = "BENCH_PRACTICE"


def serve() -> FastAPI:
    configure_logging()
    installation = open_installation(Settings())
    installation.store.check()
    app = create_app(installation)
    practice = UUID(os.environ[PRACTICE])
    beyond = make_engine(lambda: installation.store.connect("superuser"), pool_size=THREADS)
    mount(app, "bare", installation, beyond, practice, enter=False)
    mount(app, "set", installation, beyond, practice, enter=True)
    mount(app, "walled", installation, installation.store.engine, practice, enter=True)
    return app


def mount(app: FastAPI, name: str, installation: Installation, engine: Engine, practice: UUID, *, enter: bool) -> None:
    @contextmanager
    def open_context(request: Request) -> Iterator[RequestContext]:
        actor = Actor(practice, request_id=request.scope["request_id"])
        ctx = RequestContext(installation, actor, request.app.state.clock())
        with session_in(engine, practice if enter else None) as session:
            ctx._work = Work(session, actor, ctx.now, installation.keys)  # never asked to write its audit entries
            yield ctx

    def read(request: Request, staff_id: UUID) -> Response:
        with open_context(request) as ctx:
            return render(staff.get_staff(ctx, staff_id), 200, {})

    def write(request: Request, staff_id: UUID, version: Version, body: staff.StaffChange) -> Response:
        with open_context(request) as ctx:
            changed: Callable[..., Any] = staff.change_staff
            answer = render(changed(ctx, staff_id=staff_id, version=version, body=body), 200, {})
            ctx.work.db.flush()
            return answer

    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", read, methods=["GET"])
    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", write, methods=["PATCH"])
