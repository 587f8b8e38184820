"""A unit of work: one transaction of one person in one practice. Every verb of the practice takes one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from practice.security.keyring import KeyRing
from practice.security.models import AuditEntry
from practice.store.engine import session_in
from practice.store.ids import NOBODY
from practice.store.store import Store


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as what, and for which request. Without an account it is the installation itself (command line, jobs)."""

    tenant_id: UUID = NOBODY
    account_id: UUID | None = None
    staff_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    session_id: UUID | None = None
    request_id: str | None = None


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

    def record(self, action: str, subject_kind: str | None = None, subject_id: UUID | None = None, **details: Any) -> None:
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

    def seal(self, table: str, column: str, row_id: UUID, value: str | None) -> bytes | None:
        return None if value is None else self.keys.cipher(self.db, self.tenant_id, self.now).seal(table, column, row_id, value)

    def unseal(self, table: str, column: str, row_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self.keys.open(self.db, self.tenant_id, table, column, row_id, sealed)

    def write_audit(self) -> None:
        """Chain the entries. Last of all, for the chain's head is locked from here to the commit."""
        self.db.flush()
        if self.entries:
            self.db.execute(insert(AuditEntry.__table__), self.entries)
            self.entries.clear()


@contextmanager
def begin_work(store: Store, keys: KeyRing, actor: Actor, now: datetime) -> Iterator[Work]:
    """Open a transaction in the actor's practice; commit it with its audit trail, or nothing of it."""
    with session_in(store.engine, actor.tenant_id) as session:
        work = Work(session, actor, now, keys)
        yield work
        work.write_audit()
