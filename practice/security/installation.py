"""This installation of Caseload: its database, its keys, and how work is begun in it."""

import os
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from practice.errors import ConfigurationProblem
from practice.security.audit import Anchors
from practice.security.cleanup import tidy_practice, tidy_system
from practice.security.email_outbox import OutboxFolder
from practice.security.keyring import KeyRing
from practice.security.master_key import load_master_key
from practice.security.tokens import AccessTokens
from practice.security.work import Actor, Work, begin_work
from practice.settings import Settings
from practice.store.ids import NOBODY
from practice.store.store import Store


class Outbox(NamedTuple):
    """Of all practices: how many messages should have left, and since when the first of them."""

    waiting: int
    oldest: datetime | None


class Installation:
    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.master = load_master_key(settings)
        self.keys = KeyRing(store.side_engine, self.master)
        self.tokens = AccessTokens(self.master)
        self.anchors = Anchors(settings.anchors, self.master)
        self.letters = OutboxFolder(settings.outbox)
        self.writing_help: Any = (
            None  # who helps with notes (`practice/clinical/notes/writing_assistant.py`), where somebody does
        )
        self.attempt_key = self.master.derive("sign-in attempts")
        self.fingerprint_key = self.master.derive("request fingerprints")
        self.outbox: Outbox | None = None  # how it was when somebody looked last

    def work(self, actor: Actor, now: datetime) -> AbstractContextManager[Work]:
        return begin_work(self.store.engine, self.keys, actor, now)

    def practices(self, now: datetime) -> list[UUID]:
        """Every practice, and the installation itself, each of which has records of its own."""
        with self.store.system_session() as db:
            return [NOBODY, *db.scalars(text("select id from practices order by id"))]

    def check_folders(self) -> None:
        """What has to be written outside the database can be: better no service than one without its trail."""
        for folder, name in (
            (self.settings.anchors, "CASELOAD_ANCHOR_DIR"),
            (self.settings.outbox, "CASELOAD_OUTBOX_DIR"),
        ):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                writable = os.access(folder, os.W_OK | os.X_OK)
            except OSError:
                writable = False
            if not writable:
                raise ConfigurationProblem(f"{folder} cannot be written to. Give it to this account, or set {name}.")

    def tidy(self, now: datetime) -> None:
        """Remove what has served its time, in every practice."""
        for tenant_id in self.practices(now):
            with self.store.session_in(tenant_id) as db:
                tidy_practice(db, tenant_id, now)
        with self.store.system_session() as db:
            tidy_system(db, now)

    def anchor_audit(self, now: datetime) -> int:
        """Write the heads of all audit chains down outside the database. Returns how many had moved."""
        moved = 0
        for tenant_id in self.practices(now):
            with self.store.session_in(tenant_id) as db:
                moved += self.anchors.drop(db, tenant_id, now)
        return moved


def open_installation(settings: Settings, *, pool_size: int = 8) -> Installation:
    """The installation that the settings describe. Nothing is started or changed by this."""
    settings.check()

    def url(secret: SecretStr | None) -> str | None:
        return secret.get_secret_value() if secret else None

    store = Store(settings.data_dir, url(settings.database_url), url(settings.database_owner_url), pool_size=pool_size)
    return Installation(settings, store)
