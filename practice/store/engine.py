"""Ways into the database: the engines of the roles, and the one way to get a session inside a practice."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import NullPool

ENTER_PRACTICE = text("select enter_practice(:tenant_id)")


def make_engine(connect: Callable[[], psycopg.Connection[Any]], *, pool_size: int) -> Engine:
    """An engine over our own way to connect. Its errors and its echo never show values."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 10, "pool_use_lifo": True}
    return create_engine("postgresql+psycopg://", creator=connect, hide_parameters=True, **pool)


@contextmanager
def session_in(engine: Engine, tenant_id: UUID | None) -> Generator[Session]:
    """One transaction, inside one practice (or outside all: then only system tables show rows). Commits at the end."""
    with Session(engine, expire_on_commit=False, info={"tenant_id": tenant_id}) as session, session.begin():
        yield session


@event.listens_for(Session, "after_begin")
def enter_practice(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """The one place where a transaction is put into a practice. It lasts until the transaction ends, never longer."""
    tenant_id = session.info.get("tenant_id")
    if tenant_id is None or transaction.nested:
        return
    # BEGIN and the practice in one round trip: the driver begins by itself only where nothing has begun. Whatever does
    # not go well here (a connection that died) is left to the ordinary way, which fails as everything fails.
    driver: Any = connection.connection.driver_connection
    server: PGconn = driver.pgconn
    if server.transaction_status == TransactionStatus.IDLE:
        begun = server.exec_(b"begin; select enter_practice('%s')" % tenant_id.hex.encode())
        if begun.status == ExecStatus.TUPLES_OK:
            return
        server.exec_(b"rollback")  # so that the ordinary way tells why, and not that something failed before it
    connection.execute(ENTER_PRACTICE, {"tenant_id": tenant_id})
