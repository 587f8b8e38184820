"""An installation of Caseload: its settings, database and keys, and the start of units of work."""

import os
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from practice.errors import ConfigurationProblem
from practice.security.audit import Anchors
from practice.security.cleanup import delete_expired_answers, delete_expired_tokens
from practice.security.email_outbox import EmailOutbox
from practice.security.keyring import KeyRing
from practice.security.master_key import load_master_key
from practice.security.tokens import AccessTokens
from practice.security.work import Actor, Work, begin_work
from practice.settings import Settings
from practice.store.ids import SYSTEM_TENANT
from practice.store.store import Store


class MessageBacklog(NamedTuple):
    """The overdue messages of all practices: how many, and since when the oldest."""

    waiting: int
    oldest: datetime | None


class Installation:
    """Everything that requests, commands and jobs share: settings, database, keys, outboxes."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.master = load_master_key(settings)
        self.keys = KeyRing(store.side_engine, self.master)
        self.tokens = AccessTokens(self.master)
        self.anchors = Anchors(settings.anchors, self.master)
        self.email_outbox = EmailOutbox(settings.outbox, settings.public_url)
        self.writing_assistant: Any = None  # where one is connected, see practice/clinical/notes/writing_assistant.py
        self.attempt_key = self.master.derive("sign-in attempts")
        self.fingerprint_key = self.master.derive("request fingerprints")
        self.job_queue: SimpleQueue[tuple[UUID, UUID]] = SimpleQueue()  # practices and jobs for this process to run
        self.message_backlog: MessageBacklog | None = None  # as of the last run of the job
        self.availability_works: bool | None = None  # whether the last run could compute free times

    def work(self, actor: Actor, now: datetime) -> AbstractContextManager[Work]:
        """Begin a unit of work: a transaction in the actor's practice, committed with its audit entries."""
        return begin_work(self.store.engine, self.keys, self.email_outbox, actor, now)

    def list_tenants(self) -> list[UUID]:
        """Return all tenants: the installation itself and every practice."""
        with self.store.begin_system_session() as db:
            return [SYSTEM_TENANT, *db.scalars(text("select id from practices order by id"))]

    def check_master_key(self) -> None:
        """Raise WrongMasterKey when the master key does not open the data keys of every practice."""
        for tenant_id in self.list_tenants():
            self.keys.require_right_master(tenant_id)

    def check_folders(self) -> None:
        """Raise ConfigurationProblem when a folder for anchors or emails is not writable."""
        for folder, name in (
            (self.settings.anchors, "CASELOAD_AUDIT_ANCHOR_DIR"),
            (self.settings.outbox, "CASELOAD_OUTBOX_DIR"),
        ):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                writable = os.access(folder, os.W_OK | os.X_OK)
            except OSError:
                writable = False
            if not writable:
                raise ConfigurationProblem(
                    f"{folder} is not writable. Make it writable for this account, or set {name}."
                )

    def clean_up(self, now: datetime, answer_retention: timedelta) -> None:
        """Delete expired answers and tokens."""
        for tenant_id in self.list_tenants():
            with self.store.begin_session(tenant_id) as db:
                delete_expired_answers(db, tenant_id, now, answer_retention)
        with self.store.begin_system_session() as db:
            delete_expired_tokens(db, now)

    def anchor_audit(self, now: datetime) -> int:
        """Anchor the heads of all audit chains outside the database, and return how many had moved."""
        moved = 0
        for tenant_id in self.list_tenants():
            with self.store.begin_session(tenant_id) as db:
                moved += self.anchors.append_head(db, tenant_id, now)
        return moved


def open_installation(settings: Settings, *, pool_size: int = 8) -> Installation:
    """Return the installation that the settings describe. Nothing is started or changed."""
    settings.check()
    return Installation(settings, open_store(settings, pool_size=pool_size))


def open_store(settings: Settings, *, pool_size: int) -> Store:
    """Return the database alone, for programs that need no key."""

    def url(secret: SecretStr | None) -> str | None:
        return secret.get_secret_value() if secret else None

    urls = (settings.database_url, settings.database_owner_url, settings.database_warehouse_url)
    return Store(settings.data_dir, *map(url, urls), pool_size=pool_size)
