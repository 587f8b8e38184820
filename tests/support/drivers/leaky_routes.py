"""The service with additional routes that fail in ways that could leak what was sent."""

from typing import Annotated

from fastapi import FastAPI, Query
from sqlalchemy import text

from api.app import serve
from api.auth import Done
from api.context import RequestContext
from api.routing import PermissionRouter

router = PermissionRouter(prefix="/leaky")

FAILING = {
    "unique": "insert into accounts (id, email, created_at) select gen_random_uuid(), :word, now() from pg_am",
    "check": "insert into accounts (id, email, created_at) values (gen_random_uuid(), upper(:word) || :word, now())",
    "syntax": "select cast(:word as date)",
    "raised": "do $$ begin raise exception 'it was WORD'; end $$",
    "warned": "do $$ begin raise warning 'it was WORD'; end $$",
}


@router.public_get("/raise")
def fail(ctx: RequestContext, word: Annotated[str, Query()]) -> Done:
    """Fail with the value in the error."""
    try:
        raise KeyError(word)
    except KeyError as error:
        raise RuntimeError(f"{word} is not known") from error


@router.public_get("/database")
def fail_in_database(ctx: RequestContext, kind: Annotated[str, Query()], word: Annotated[str, Query()]) -> Done:
    """Fail in the database, with the value in its message, detail or context."""
    statement = FAILING[kind].replace("WORD", word)
    with ctx.installation.store.begin_system_session() as db:
        db.execute(text(statement), {"word": word} if ":word" in statement else {})
    return Done()


def create_leaky_app() -> FastAPI:
    app = serve()
    app.include_router(router)
    return app
