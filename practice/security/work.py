"""The unit of work: one transaction of one actor in one practice. Every service function takes one."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Engine, Table, insert, text
from sqlalchemy.orm import Session

from practice.security.email_outbox import Email, EmailOutbox
from practice.security.keyring import KeyRing
from practice.security.models import AuditEntry
from practice.store.engine import ENTER_PRACTICE, begin_session
from practice.store.ids import SYSTEM_TENANT

AUDIT_LOG = cast(Table, AuditEntry.__table__)  # as a table: no mapped objects are needed
APPEND = insert(AUDIT_LOG).inline()  # and no values that the database generates


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, for which request. Without an account: the installation itself (command line, jobs)."""

    tenant_id: UUID = SYSTEM_TENANT
    account_id: UUID | None = None
    staff_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    session_id: UUID | None = None
    request_id: str | None = None
    client_id: UUID | None = None  # for a client of the practice in the portal


@dataclass(slots=True)
class Work:
    """A transaction with its actor, its time, its keys, and its pending audit entries and emails."""

    db: Session
    actor: Actor
    now: datetime
    keys: KeyRing
    outbox: EmailOutbox
    entries: list[dict[str, Any]] = field(default_factory=list)
    emails: list[Email] = field(default_factory=list)  # written to the outbox when the work ends

    @property
    def tenant_id(self) -> UUID:
        return self.actor.tenant_id

    def record(
        self, action: str, subject_kind: str | None = None, subject_id: UUID | None = None, **details: Any
    ) -> None:
        """Add an audit entry. It is written when the work ends, in the same transaction."""
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

    def record_list(
        self,
        action: str,
        client_ids: Iterable[UUID],
        subject_kind: str | None = None,
        subject_id: UUID | None = None,
        **details: Any,
    ) -> None:
        """Add an audit entry of a list or search, with the clients of whom it showed something."""
        shown = sorted({str(client_id) for client_id in client_ids})
        self.record(action, subject_kind, subject_id, client_ids=shown, **details)

    def void(self, record: Any, reason: str) -> None:
        """Void a record, with who, when and why."""
        record.voided_at, record.voided_by, record.void_reason = self.now, self.actor.account_id, reason

    def serialize_on(self, name: str) -> None:
        """Wait for an advisory lock of the practice, for rules over rows that two people may change concurrently."""
        key = f"{name} {self.tenant_id}"
        self.db.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def seal(self, table: str, column: str, row_id: UUID, value: str | None) -> bytes | None:
        return None if value is None else self.keys.get_cipher(self.tenant_id).seal(table, column, row_id, value)

    def unseal(self, table: str, column: str, row_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self.keys.open(self.db, self.tenant_id, table, column, row_id, sealed)

    @contextmanager
    def in_practice(self, tenant_id: UUID, *, imports: bool = False) -> Generator["Work"]:
        """Yield work in another practice within this transaction. For service functions of the platform only.

        Records that are imported have been known from the beginning.
        """
        self.db.flush()  # the audit entries wait for the end: they lock the head of the chain, and this may take long
        self.keys.ensure_keys(tenant_id, self.now)
        self.db.execute(ENTER_PRACTICE, {"tenant_id": tenant_id, "now": None if imports else self.now})
        work = Work(
            self.db, replace(self.actor, tenant_id=tenant_id), self.now, self.keys, self.outbox, emails=self.emails
        )
        try:
            yield work
        except BaseException:
            self.db.rollback()  # a caller that catches this cannot continue in the other practice by mistake
            raise
        work.write_audit()
        self.db.execute(ENTER_PRACTICE, {"tenant_id": self.tenant_id, "now": self.now})

    def write_audit(self) -> None:
        """Write the audit entries. Call this last: the head of the chain is locked from here to the commit."""
        self.db.flush()
        if self.entries:  # usually one, for which a bulk insert costs more
            self.db.execute(APPEND, self.entries if len(self.entries) > 1 else self.entries[0])
            self.entries.clear()


@contextmanager
def begin_work(engine: Engine, keys: KeyRing, outbox: EmailOutbox, actor: Actor, now: datetime) -> Generator[Work]:
    """Begin a transaction in the actor's practice; commit it with its audit entries and its emails, or nothing."""
    keys.ensure_keys(actor.tenant_id, now)
    written: list[Path] = []
    try:
        with begin_session(engine, actor.tenant_id, now) as session:
            work = Work(session, actor, now, keys, outbox)
            yield work
            work.write_audit()
            written += (outbox.write(email, now) for email in work.emails)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
