"""Every page of every role, light and wide or dark and narrow: nothing that axe-core finds, nothing too wide."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.navigation import list_pages
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.accessibility import Broken, list_broken_rules
from tests.support.drivers.browser import open_visitor, wait_until_drawn
from tests.support.drivers.server import Server
from tests.support.drivers.views import open_session
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice

DAY = timedelta(days=1)
ROLES = ["admin", "supervisor", "clinician", "scheduler", "biller"]


@pytest.fixture(scope="module")
def practice(server: Server) -> PracticeFixture:
    """Make a practice with notes to write, sign and co-sign, with locked sessions and a visit to come."""
    practice, now = server.create_practice(), datetime.now(UTC)
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    for role in ("scheduler", "biller"):
        practice.add(role)
    practice.people["admin"] = practice.admin
    builder = SessionBuilder(practice, clinician)
    submitted, *_ = [builder.add_session(now - days * DAY) for days in (0.1, 1, 2, 3, 20)]
    builder.add_session(now - 4 * DAY, status="NO_SHOW")
    write_note(practice, clinician, submitted, submit=True)
    builder.add_session(now + DAY / 100, status="CONFIRMED", status_at=None)
    refresh_practice(
        server.installation.store, server.installation.settings.warehouse, practice.id, now, "duckdb", be_quiet
    )
    return practice


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_can_be_used_by_everybody(
    server: Server, url: str, folder: Path, practice: PracticeFixture, role: str, width: int, scheme: Any
) -> None:
    person: Person = practice.people[role]
    broken: dict[str, list[Broken]] = {}
    with open_visitor(url, width, scheme) as visitor:
        visitor.come_back(open_session(server, folder, practice, person))
        for entry in list_pages(set(person.roles)):
            page = visitor.open(f"/{entry.path}")
            wait_until_drawn(page)
            assert page.get_by_role("heading", level=1).first.is_visible(), entry.path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, entry.path
            broken[entry.path] = list_broken_rules(page)
            page.close()
        assert {path: found for path, found in broken.items() if found} == {}
        assert visitor.complaints == []
        assert visitor.hosts - {""} == {"127.0.0.1"}
