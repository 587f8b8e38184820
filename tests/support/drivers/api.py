"""The service as one practice's people use it, at a time that a test moves; and what is in its database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import with_token


class ApiDriver:
    def __init__(self, http: Any, practice: PracticeFixture) -> None:
        self.http, self.practice = http, practice
        self._tokens: dict[tuple[UUID, datetime], str] = {}
        self.now = practice.now

    @property
    def now(self) -> datetime:
        return self._now

    @now.setter
    def now(self, at: datetime) -> None:
        """Time passes, for the service as well."""
        self._now = at
        self.http.app.state.clock = lambda: at

    def signed_in(self, who: Person, **more: str) -> dict[str, str]:
        key = (who.account_id, self.now)
        if key not in self._tokens:
            self._tokens[key] = self.practice.token(who, self.now)
        return with_token(self._tokens[key], **more)

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            return list(db.execute(text(query), {"tenant_id": self.practice.id} | values))

    def recorded(self, action: str) -> list[Any]:
        """Of the audit trail, oldest first."""
        query = "select * from audit_log where tenant_id = :tenant_id and action = :action order by seq"
        return self.rows(query, action=action)
