"""Which clients an actor can see: the list query and the check for one client agree."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from practice.people.access import can_read_chart_notes, can_see_client, visible_clients
from practice.people.models.clients import Client
from practice.people.settings import change_setting
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service


@pytest.fixture
def clients(practice: PracticeFixture) -> dict[str, UUID]:
    """Create clients by their relation to the clinician, the supervisor or another clinician."""
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    other = practice.add("biller", "clinician")
    practice.people |= {"clinician": clinician, "other": other}
    service = make_service(practice)

    def create_visited_client(visited: Person, since: timedelta, status: str = "SCHEDULED") -> UUID:
        client_id = make_client(practice, other)
        fields: dict[str, Any] = {"status": status, "status_at": practice.now, "guarded": False}
        make_appointment(practice, visited, client_id, service, practice.now + since, **fields)
        return client_id

    return {
        "in care": make_client(practice, clinician),
        "booked": create_visited_client(clinician, HOUR),
        "cancelled": create_visited_client(clinician, 2 * HOUR, "CANCELLED"),
        "cancelled long ago": create_visited_client(clinician, -100 * DAY, "CANCELLED"),
        "moved": create_visited_client(clinician, 3 * HOUR, "RESCHEDULED"),
        "no-show": create_visited_client(clinician, -DAY, "NO_SHOW"),
        "in session": create_visited_client(clinician, -HOUR, "IN_PROGRESS"),
        "seen 89 days ago": create_visited_client(clinician, -90 * DAY + HOUR, "COMPLETED"),
        "seen 90 days ago": create_visited_client(clinician, -90 * DAY, "COMPLETED"),
        "of the supervisor": create_visited_client(supervisor, 4 * HOUR),
        "of another": create_visited_client(other, 5 * HOUR),
        "unassigned": make_client(practice),
    }


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OWN = {"in care", "booked", "no-show", "in session", "seen 89 days ago"}
ALL = OWN | {"cancelled", "cancelled long ago", "moved", "seen 90 days ago", "of the supervisor", "of another"}
VISIBLE = {
    ("clinician", Scope.OWN): OWN,
    ("supervisor", Scope.TEAM): OWN | {"of the supervisor"},
    ("supervisor", Scope.OWN): {"of the supervisor"},
    ("other", Scope.OWN): ALL - {"in care"},
    ("other", Scope.TEAM): ALL - {"in care"},
}


@pytest.mark.parametrize(("role", "scope"), VISIBLE, ids=str)
def test_an_actor_sees_the_clients_in_scope(
    practice: PracticeFixture, clients: dict[str, UUID], role: str, scope: Scope
) -> None:
    with practice.work(practice.people[role]) as work:
        query = select(Client.id).where(Client.tenant_id == work.tenant_id, visible_clients(work, scope, Client.id))
        listed = set(work.db.scalars(query))
        checked = {name for name, client_id in clients.items() if can_see_client(work, scope, client_id)}
    assert {name for name, client_id in clients.items() if client_id in listed} == checked == VISIBLE[role, scope]
    assert listed <= set(clients.values())


def test_scope_all_covers_the_practice_and_outsiders_see_nothing(
    practice: PracticeFixture, clients: dict[str, UUID]
) -> None:
    with practice.work() as work:
        query = select(Client.id).where(Client.tenant_id == work.tenant_id)
        assert set(work.db.scalars(query.where(visible_clients(work, Scope.ALL, Client.id)))) == set(clients.values())
        assert not can_see_client(work, Scope.ALL, practice.id)
    for actor in (Actor(practice.id), Actor(practice.id, client_id=clients["in care"])):
        with practice.installation.work(actor, practice.now) as work:
            listed = set(work.db.scalars(query.where(visible_clients(work, Scope.OWN, Client.id))))
            assert listed == ({clients["in care"]} if actor.client_id else set())
            assert can_see_client(work, Scope.OWN, clients["in care"]) == bool(actor.client_id)
            assert not can_see_client(work, Scope.OWN, clients["booked"])


@pytest.mark.parametrize(("days", "visible"), [(0, False), (89, False), (91, True)])
def test_the_days_of_access_after_the_last_visit_are_a_setting(
    practice: PracticeFixture, clients: dict[str, UUID], days: int, visible: bool
) -> None:
    with practice.work() as work:
        change_setting(work, "chart_access_days", days, practice.now.date())
    with practice.work(practice.people["clinician"]) as work:
        assert can_see_client(work, Scope.OWN, clients["seen 90 days ago"]) == visible
        assert can_see_client(work, Scope.OWN, clients["booked"])  # a visit ahead gives access in any case
    with practice.work(practice.people["clinician"], practice.now - DAY) as work:  # as before the change
        assert can_see_client(work, Scope.OWN, clients["seen 90 days ago"])


@pytest.mark.parametrize(("role", "reads"), [("clinician", True), ("supervisor", True), ("other", False)])
def test_chart_notes_can_be_read_by_those_who_treat_the_client(
    practice: PracticeFixture, clients: dict[str, UUID], role: str, reads: bool
) -> None:
    with practice.work(practice.people[role]) as work:
        assert can_read_chart_notes(work, clients["in care"]) == reads
    with practice.work() as work:
        assert not can_read_chart_notes(work, clients["in care"])  # an admin needs a reason
