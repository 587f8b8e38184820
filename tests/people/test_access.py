"""Which clients an actor can see: the list query and the check for one client agree."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from practice.people.access import can_read_chart_notes, can_see_client, visible_clients
from practice.people.models.clients import Client
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

    def create_visited_client(visited: Person, hour: int, **fields: str) -> UUID:
        client_id = make_client(practice, other)
        make_appointment(practice, visited, client_id, service, practice.now + timedelta(hours=hour), **fields)
        return client_id

    return {
        "in care": make_client(practice, clinician),
        "visited": create_visited_client(clinician, 1),
        "cancelled": create_visited_client(clinician, 2, status="CANCELLED", status_at=practice.now),
        "of the supervisor": create_visited_client(supervisor, 3),
        "of another": create_visited_client(other, 4),
        "unassigned": make_client(practice),
    }


VISIBLE = {
    ("clinician", Scope.OWN): {"in care", "visited", "cancelled"},
    ("supervisor", Scope.TEAM): {"in care", "visited", "cancelled", "of the supervisor"},
    ("supervisor", Scope.OWN): {"of the supervisor"},
    ("other", Scope.OWN): {"visited", "cancelled", "of the supervisor", "of another"},
    ("other", Scope.TEAM): {"visited", "cancelled", "of the supervisor", "of another"},
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
            assert not can_see_client(work, Scope.OWN, clients["visited"])


@pytest.mark.parametrize(("role", "reads"), [("clinician", True), ("supervisor", True), ("other", False)])
def test_chart_notes_can_be_read_by_those_who_treat_the_client(
    practice: PracticeFixture, clients: dict[str, UUID], role: str, reads: bool
) -> None:
    with practice.work(practice.people[role]) as work:
        assert can_read_chart_notes(work, clients["in care"]) == reads
    with practice.work() as work:
        assert not can_read_chart_notes(work, clients["in care"])  # an admin needs a reason
