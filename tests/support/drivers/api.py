"""A driver for tests of one practice: its HTTP API at a time that the test sets, and its database rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import token_headers


class ApiDriver:
    """The HTTP API and the database of one practice."""

    def __init__(self, http: Any, practice: PracticeFixture) -> None:
        self.http, self.practice = http, practice
        self._tokens: dict[tuple[UUID, datetime], str] = {}
        self.now = practice.now

    @property
    def now(self) -> datetime:
        return self._now

    @now.setter
    def now(self, at: datetime) -> None:
        """Set the time, also for the API."""
        self._now = at
        self.http.app.state.clock = lambda: at

    def build_headers(self, person: Person, **headers: str) -> dict[str, str]:
        """Return request headers with the person's access token."""
        key = (person.account_id, self.now)
        if key not in self._tokens:
            self._tokens[key] = self.practice.token(person, self.now)
        return token_headers(self._tokens[key], **headers)

    def load_rows(self, query: str, **parameters: Any) -> list[Any]:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return list(db.execute(text(query), {"tenant_id": self.practice.id} | parameters))

    def load_audit_entries(self, action: str) -> list[Any]:
        """Return the audit entries of an action, oldest first."""
        query = "select * from audit_log where tenant_id = :tenant_id and action = :action order by seq"
        return self.load_rows(query, action=action)
