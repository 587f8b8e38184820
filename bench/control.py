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
from api.deps import Desk, Version
from api.middleware import configure_logging
from api.responses import render
from practice.security.installation import Installation, open_installation
from practice.security.work import Actor, Work
from practice.settings import Settings
from practice.store.engine import make_engine, session_in

PRACTICE = "BENCH_PRACTICE"


def serve() -> FastAPI:
    configure_logging()
    house = open_installation(Settings())
    house.store.check()
    app = create_app(house)
    practice = UUID(os.environ[PRACTICE])
    beyond = make_engine(lambda: house.store.connect("superuser"), pool_size=THREADS)
    mount(app, "bare", house, beyond, practice, enter=False)
    mount(app, "set", house, beyond, practice, enter=True)
    mount(app, "walled", house, house.store.engine, practice, enter=True)
    return app


def mount(app: FastAPI, name: str, house: Installation, engine: Engine, practice: UUID, *, enter: bool) -> None:
    @contextmanager
    def open_desk(request: Request) -> Iterator[Desk]:
        actor = Actor(practice, request_id=request.scope["request_id"])
        desk = Desk(house, actor, request.app.state.clock())
        with session_in(engine, practice if enter else None) as session:
            desk._work = Work(session, actor, desk.now, house.keys)  # never asked to write its audit entries
            yield desk

    def read(request: Request, staff_id: UUID) -> Response:
        with open_desk(request) as desk:
            return render(staff.get_staff(desk, staff_id), 200, {})

    def write(request: Request, staff_id: UUID, version: Version, body: staff.StaffChange) -> Response:
        with open_desk(request) as desk:
            changed: Callable[..., Any] = staff.change_staff
            answer = render(changed(desk, staff_id=staff_id, version=version, body=body), 200, {})
            desk.work.db.flush()
            return answer

    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", read, methods=["GET"])
    app.add_api_route(f"/control/{name}/staff/{{staff_id}}", write, methods=["PATCH"])
