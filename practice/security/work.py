"""A unit of work: one transaction of one person in one practice. Every verb of the practice takes one."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Engine, Table, insert, text
from sqlalchemy.orm import Session

from practice.security.keyring import KeyRing
from practice.security.models import AuditEntry
from practice.store.engine import ENTER_PRACTICE, session_in
from practice.store.ids import NOBODY

AUDIT_LOG = cast(Table, AuditEntry.__table__)  # as a table: nothing of it is needed as objects
APPEND = insert(AUDIT_LOG).inline()  # nor what the database filled in


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as what, for which request. Without an account it is the installation itself: command line, jobs."""

    tenant_id: UUID = NOBODY
    account_id: UUID | None = None
    staff_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    session_id: UUID | None = None
    request_id: str | None = None
    client_id: UUID | None = None  # of a client of the practice, who comes through the portal


@dataclass(slots=True)
class Work:
    db: Session
    actor: Actor
    now: datetime
    keys: KeyRing
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.actor.tenant_id

    def record(
        self, action: str, subject_kind: str | None = None, subject_id: UUID | None = None, **details: Any
    ) -> None:
        """Put an entry on the audit trail. Written when the work ends, in the same transaction, so never without it."""
        actor = self.actor
        self.entries.append(
            {
                "tenant_id": actor.tenant_id,
                "at": self.now,
                "account_id": actor.account_id,
                "session_id": actor.session_id,
                "request_id": actor.request_id,
                "action": action,
                "subject_kind": subject_kind,
                "subject_id": subject_id,
                "details": details,
            }
        )

    def void(self, record: Any, reason: str) -> None:
        record.voided_at, record.voided_by, record.void_reason = self.now, self.actor.account_id, reason

    def serialize_on(self, name: str) -> None:
        """Queue on an advisory lock of the practice, for rules over rows that two people may change at once."""
        key = f"{name} {self.tenant_id}"
        self.db.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def seal(self, table: str, column: str, row_id: UUID, value: str | None) -> bytes | None:
        return None if value is None else self.keys.cipher(self.tenant_id).seal(table, column, row_id, value)

    def unseal(self, table: str, column: str, row_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self.keys.open(self.db, self.tenant_id, table, column, row_id, sealed)

    @contextmanager
    def inside(self, tenant_id: UUID) -> Generator["Work"]:
        """The same transaction, for a while in another practice: for the platform's own verbs and no others."""
        self.write_audit()
        self.keys.make_ready(tenant_id, self.now)
        self.db.execute(ENTER_PRACTICE, {"tenant_id": tenant_id})
        inside = Work(self.db, replace(self.actor, tenant_id=tenant_id), self.now, self.keys)
        try:
            yield inside
        except BaseException:
            self.db.rollback()  # whoever catches this cannot go on by mistake in the other practice
            raise
        inside.write_audit()
        self.db.execute(ENTER_PRACTICE, {"tenant_id": self.tenant_id})

    def write_audit(self) -> None:
        """Chain the entries. Last of all, for the chain's head is locked from here to the commit."""
        self.db.flush()
        if self.entries:  # mostly it is one, for which the driver's way of many costs more
            self.db.execute(APPEND, self.entries if len(self.entries) > 1 else self.entries[0])
            self.entries.clear()


@contextmanager
def begin_work(engine: Engine, keys: KeyRing, actor: Actor, now: datetime) -> Generator[Work]:
    """Open a transaction in the actor's practice; commit it with its audit trail, or nothing of it."""
    keys.make_ready(actor.tenant_id, now)
    with session_in(engine, actor.tenant_id) as session:
        work = Work(session, actor, now, keys)
        yield work
        work.write_audit()
