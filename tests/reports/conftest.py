"""A generated practice with money, claims and clients, whose metrics are published."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from ingest.synthetic import Size, generate
from practice.reports.results import Result, run_report
from practice.reports.rules import Definition
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import import_practice
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice

UNTIL = datetime(2026, 3, 18, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Birch:
    """The generated practice and its people."""

    installation: Installation
    id: UUID

    def act_as(self, *roles: str, staff_id: UUID | None = None) -> Actor:
        """Return somebody with these roles: by default the first staff member, whatever their own roles are."""
        row = self.rows("select id, account_id from staff where cast(:id as uuid) in (id) or :id is null", id=staff_id)[
            0
        ]
        return Actor(self.id, row[1], row[0], frozenset(roles))

    def run(self, definition: Definition, actor: Actor, day: date | None = None) -> Result:
        with self.installation.work(actor, UNTIL) as work:
            return run_report(work, definition, day)

    def rows(self, statement: str, **parameters: object) -> list[tuple]:
        with self.installation.store.begin_session(self.id) as db:
            return [tuple(row) for row in db.execute(text(statement), parameters)]


@pytest.fixture(scope="session")
def birch(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Birch:
    folder = tmp_path_factory.mktemp("birch")
    generate(folder, Size("Birch", "America/New_York", 5, 120, 6), 7, UNTIL)
    practice = import_practice(installation, folder).practice
    alone = "select max(id::text)::uuid from staff where supervisor_id is not null"  # on nobody's team
    with installation.store.begin_session(practice.id) as db:
        db.execute(text(f"update staff set supervisor_id = null where id = ({alone})"))
    publish = partial(refresh_practice, installation.store, installation.settings.warehouse)
    publish(practice.id, UNTIL, "duckdb", be_quiet)
    return Birch(installation, practice.id)
