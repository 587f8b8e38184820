"""Whose clients somebody reaches: the same by the query over many as by the look at one."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from practice.people.access import clients_within, is_within, reads_chart_notes
from practice.people.models.clients import Client
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service


@pytest.fixture
def clients(practice: PracticeFixture) -> dict[str, UUID]:
    """By what binds them to the clinician of the supervisor, or to somebody else."""
    supervisor = practice.add("supervisor")
    mine = practice.add("clinician", supervisor=supervisor)
    other = practice.add("biller", "clinician")
    practice.people |= {"clinician": mine, "other": other}
    service = make_service(practice)

    def visited(who: Person, hour: int, **more: str) -> UUID:
        client_id = make_client(practice, other)
        make_appointment(practice, who, client_id, service, practice.now + timedelta(hours=hour), **more)
        return client_id

    return {
        "in care": make_client(practice, mine),
        "visited": visited(mine, 1),
        "cancelled": visited(mine, 2, status="CANCELLED", status_at=practice.now),
        "the supervisor's own": visited(supervisor, 3),
        "somebody else's": visited(other, 4),
        "nobody's": make_client(practice),
    }


REACH = {
    ("clinician", Scope.OWN): {"in care", "visited", "cancelled"},
    ("supervisor", Scope.TEAM): {"in care", "visited", "cancelled", "the supervisor's own"},
    ("supervisor", Scope.OWN): {"the supervisor's own"},
    ("other", Scope.OWN): {"visited", "cancelled", "the supervisor's own", "somebody else's"},
    ("other", Scope.TEAM): {"visited", "cancelled", "the supervisor's own", "somebody else's"},
}


@pytest.mark.parametrize(("who", "scope"), REACH, ids=str)
def test_somebody_reaches_those_of_theirs(
    practice: PracticeFixture, clients: dict[str, UUID], who: str, scope: Scope
) -> None:
    with practice.work(practice.people[who]) as work:
        query = select(Client.id).where(Client.tenant_id == work.tenant_id, clients_within(work, scope, Client.id))
        together = set(work.db.scalars(query))
        one_by_one = {name for name, client_id in clients.items() if is_within(work, scope, client_id)}
    assert {name for name, client_id in clients.items() if client_id in together} == one_by_one == REACH[who, scope]
    assert together <= set(clients.values())


def test_the_whole_practice_is_reached_with_it_and_by_nobody_from_outside(
    practice: PracticeFixture, clients: dict[str, UUID]
) -> None:
    with practice.work() as work:
        query = select(Client.id).where(Client.tenant_id == work.tenant_id)
        assert set(work.db.scalars(query.where(clients_within(work, Scope.ALL, Client.id)))) == set(clients.values())
        assert not is_within(work, Scope.ALL, practice.id)
    for actor in (Actor(practice.id), Actor(practice.id, client_id=clients["in care"])):
        with practice.installation.work(actor, practice.now) as work:
            found = set(work.db.scalars(query.where(clients_within(work, Scope.OWN, Client.id))))
            assert found == ({clients["in care"]} if actor.client_id else set())
            assert is_within(work, Scope.OWN, clients["in care"]) == bool(actor.client_id)
            assert not is_within(work, Scope.OWN, clients["visited"])


@pytest.mark.parametrize(("who", "reads"), [("clinician", True), ("supervisor", True), ("other", False)])
def test_the_words_of_a_chart_are_read_by_whose_client_it_is(
    practice: PracticeFixture, clients: dict[str, UUID], who: str, reads: bool
) -> None:
    with practice.work(practice.people[who]) as work:
        assert reads_chart_notes(work, clients["in care"]) == reads
    with practice.work() as work:
        assert not reads_chart_notes(work, clients["in care"])  # an admin gives a reason
