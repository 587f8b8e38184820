"""Database engines, and sessions bound to one practice."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import NullPool

ENTER_PRACTICE = text("select enter_practice(:tenant_id, :now)")


def make_engine(connect: Callable[[], psycopg.Connection[Any]], *, pool_size: int) -> Engine:
    """Return an engine that connects with this function. Its errors and its echo never show values."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 10, "pool_use_lifo": True}
    return create_engine("postgresql+psycopg://", creator=connect, hide_parameters=True, **pool)


@contextmanager
def begin_session(engine: Engine, tenant_id: UUID | None, now: datetime | None = None) -> Generator[Session]:
    """Yield a session in one transaction, committed at the end. Without a practice only system tables show rows.

    Versions of records that it changes are known from `now` on, or without it from the beginning.
    """
    info = {"tenant_id": tenant_id, "now": now}
    with Session(engine, expire_on_commit=False, info=info) as session, session.begin():
        yield session


@event.listens_for(Session, "after_begin")
def enter_practice(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set the practice and the moment of a transaction, until that transaction ends. Nothing else sets them."""
    tenant_id, now = session.info.get("tenant_id"), session.info.get("now")
    if tenant_id is None or transaction.nested:
        return
    # BEGIN and the practice in one round trip: the driver begins only where no transaction is open. Failures here (a
    # dead connection) are left to the ordinary statement below, which raises the usual error.
    driver: Any = connection.connection.driver_connection
    server: PGconn = driver.pgconn
    if server.transaction_status == TransactionStatus.IDLE:
        instant = b"'%s'" % now.isoformat().encode() if now else b"null"
        result = server.exec_(b"begin; select enter_practice('%s', %s)" % (tenant_id.hex.encode(), instant))
        if result.status == ExecStatus.TUPLES_OK:
            return
        server.exec_(b"rollback")  # so that the statement below reports the cause, not an aborted transaction
    connection.execute(ENTER_PRACTICE, {"tenant_id": tenant_id, "now": now})
